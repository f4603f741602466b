# llm_upstream: every directive, good and bad values, and how a pool chooses.

use lib 't/lib';
use LLMTest;

# Providers: two that answer, one that always fails, one that has been asked
# too often, one that cannot be reached.
our $models = CORE::join "\n", (
    provider('a', '', 200, '{"id":"c1","object":"chat.completion",'
        . '"created":1,"model":"m","choices":[{"index":0,"message":'
        . '{"role":"assistant","content":"hello"},"finish_reason":"stop"}]}'),
    provider('failing', 2, 500, '{"error":{"message":"out of order"}}'),
    provider('limited', 3, 429, '{"error":{"message":"slow down"}}',
        'add_header Retry-After 60 always;'),
    'llm_provider b { format openai; url '
        . 'http://localhost:$TEST_NGINX_UPSTREAM_PORT; }',
    'llm_provider dead { format openai; url '
        . 'http://127.0.0.1:$TEST_NGINX_CLOSED_PORT; }',
    '');
our $call = "POST /v1/chat/completions\n"
    . '{"model":"any","messages":[{"role":"user","content":"hi"}]}';

sub provider {
    my ($name, $port, $status, $body, $more) = @_;
    return "llm_provider $name { format openai; url "
        . "http://127.0.0.1:\$TEST_NGINX_UPSTREAM_PORT$port; }\n"
        . "server { listen 127.0.0.1:\$TEST_NGINX_UPSTREAM_PORT$port; "
        . "default_type application/json; " . ($more // '')
        . "location / { return $status '$body'; } }";
}

run_tests();

__DATA__

=== TEST 1: a pool needs no more than a model
--- http_config
llm_provider openai { api_key k; }
llm_provider local { format openai; url http://127.0.0.1:1/v1; }
llm_upstream chat {
    model openai/gpt-4o;
}
--- config
location = /t { return 204; }
--- request
GET /t
--- error_code: 204



=== TEST 2: all of a pool's directives
--- http_config
llm_provider openai { api_key k; }
llm_provider local { format openai; url http://127.0.0.1:1/v1; }
llm_upstream chat {
    zone chat 256k;
    balance round_robin;
    model openai/gpt-4o weight=3 max_fails=2 fail_timeout=30s;
    model local/meta/llama-3.1:8b as=llama;
    model local/old down;
    model local/spare backup max_fails=0 fail_timeout=1m as=spare/model;
    next_upstream error timeout invalid_response http_401 http_403 http_404 http_408 http_429 http_5xx;
    tries 3;
    timeout 30s;
}
--- config
location = /t { return 204; }
--- request
GET /t
--- error_code: 204



=== TEST 3: a provider may be declared after the pool
--- http_config
llm_upstream chat { model openai/gpt-4o; }
llm_provider openai { }
--- config
location = /t { return 204; }
--- request
GET /t
--- error_code: 204



=== TEST 4: an unknown provider
--- http_config
llm_upstream chat {
    model openai/gpt-4o;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*unknown llm_provider "openai" in .*nginx\.conf:\d+/



=== TEST 5: no models
--- http_config
llm_provider openai { api_key k; }
llm_provider local { format openai; url http://127.0.0.1:1/v1; }
llm_upstream chat {
    tries 2;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*no models in llm_upstream "chat" in .*nginx\.conf:\d+/



=== TEST 6: only backups
--- http_config
llm_provider openai { api_key k; }
llm_provider local { format openai; url http://127.0.0.1:1/v1; }
llm_upstream chat {
    model openai/a backup;
    model local/b backup;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*all models in llm_upstream "chat" are backups in .*nginx\.conf:\d+/



=== TEST 7: a model is provider and model: gpt-4o
--- http_config
llm_provider openai { api_key k; }
llm_provider local { format openai; url http://127.0.0.1:1/v1; }
llm_upstream chat {
    model gpt-4o;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid model "gpt-4o", it must be "provider\/model" in .*nginx\.conf:\d+/



=== TEST 8: a model is provider and model: /gpt-4o
--- http_config
llm_provider openai { api_key k; }
llm_provider local { format openai; url http://127.0.0.1:1/v1; }
llm_upstream chat {
    model /gpt-4o;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid model "\/gpt-4o", it must be "provider\/model" in .*nginx\.conf:\d+/



=== TEST 9: a model is provider and model: openai/
--- http_config
llm_provider openai { api_key k; }
llm_provider local { format openai; url http://127.0.0.1:1/v1; }
llm_upstream chat {
    model openai/;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid model "openai\/", it must be "provider\/model" in .*nginx\.conf:\d+/



=== TEST 10: a model is provider and model: nothing
--- http_config
llm_provider openai { api_key k; }
llm_provider local { format openai; url http://127.0.0.1:1/v1; }
llm_upstream chat {
    model "";
}
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid model "", it must be "provider\/model" in .*nginx\.conf:\d+/



=== TEST 11: a model's name without control characters
--- http_config eval
"llm_upstream chat { model 'openai/a\r\nb'; }"
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid model "openai\/a/



=== TEST 12: an invalid parameter: weight=0
--- http_config
llm_provider openai { api_key k; }
llm_provider local { format openai; url http://127.0.0.1:1/v1; }
llm_upstream chat {
    model openai/a weight=0;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid parameter "weight=0" in .*nginx\.conf:\d+/



=== TEST 13: an invalid parameter: weight=-1
--- http_config
llm_provider openai { api_key k; }
llm_provider local { format openai; url http://127.0.0.1:1/v1; }
llm_upstream chat {
    model openai/a weight=-1;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid parameter "weight=-1" in .*nginx\.conf:\d+/



=== TEST 14: an invalid parameter: weight=x
--- http_config
llm_provider openai { api_key k; }
llm_provider local { format openai; url http://127.0.0.1:1/v1; }
llm_upstream chat {
    model openai/a weight=x;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid parameter "weight=x" in .*nginx\.conf:\d+/



=== TEST 15: an invalid parameter: weight=
--- http_config
llm_provider openai { api_key k; }
llm_provider local { format openai; url http://127.0.0.1:1/v1; }
llm_upstream chat {
    model openai/a weight=;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid parameter "weight=" in .*nginx\.conf:\d+/



=== TEST 16: an invalid parameter: max_fails=-1
--- http_config
llm_provider openai { api_key k; }
llm_provider local { format openai; url http://127.0.0.1:1/v1; }
llm_upstream chat {
    model openai/a max_fails=-1;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid parameter "max_fails=-1" in .*nginx\.conf:\d+/



=== TEST 17: an invalid parameter: max_fails=x
--- http_config
llm_provider openai { api_key k; }
llm_provider local { format openai; url http://127.0.0.1:1/v1; }
llm_upstream chat {
    model openai/a max_fails=x;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid parameter "max_fails=x" in .*nginx\.conf:\d+/



=== TEST 18: an invalid parameter: fail_timeout=x
--- http_config
llm_provider openai { api_key k; }
llm_provider local { format openai; url http://127.0.0.1:1/v1; }
llm_upstream chat {
    model openai/a fail_timeout=x;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid parameter "fail_timeout=x" in .*nginx\.conf:\d+/



=== TEST 19: an invalid parameter: fail_timeout=
--- http_config
llm_provider openai { api_key k; }
llm_provider local { format openai; url http://127.0.0.1:1/v1; }
llm_upstream chat {
    model openai/a fail_timeout=;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid parameter "fail_timeout=" in .*nginx\.conf:\d+/



=== TEST 20: an invalid parameter: as=
--- http_config
llm_provider openai { api_key k; }
llm_provider local { format openai; url http://127.0.0.1:1/v1; }
llm_upstream chat {
    model openai/a as=;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid parameter "as=" in .*nginx\.conf:\d+/



=== TEST 21: an invalid parameter: backup=1
--- http_config
llm_provider openai { api_key k; }
llm_provider local { format openai; url http://127.0.0.1:1/v1; }
llm_upstream chat {
    model openai/a backup=1;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid parameter "backup=1" in .*nginx\.conf:\d+/



=== TEST 22: an invalid parameter: slow_start=1s
--- http_config
llm_provider openai { api_key k; }
llm_provider local { format openai; url http://127.0.0.1:1/v1; }
llm_upstream chat {
    model openai/a slow_start=1s;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid parameter "slow_start=1s" in .*nginx\.conf:\d+/



=== TEST 23: an invalid parameter: weight
--- http_config
llm_provider openai { api_key k; }
llm_provider local { format openai; url http://127.0.0.1:1/v1; }
llm_upstream chat {
    model openai/a weight;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid parameter "weight" in .*nginx\.conf:\d+/



=== TEST 24: a model twice
--- http_config
llm_provider openai { api_key k; }
llm_provider local { format openai; url http://127.0.0.1:1/v1; }
llm_upstream chat {
    model openai/a;
    model openai/a as=b;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*duplicate model "openai\/a" in llm_upstream "chat" in .*nginx\.conf:\d+/



=== TEST 25: an alias twice
--- http_config
llm_provider openai { api_key k; }
llm_provider local { format openai; url http://127.0.0.1:1/v1; }
llm_upstream chat {
    model openai/a as=x;
    model openai/b as=x;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*duplicate alias "x" in llm_upstream "chat" in .*nginx\.conf:\d+/



=== TEST 26: an alias that is another model's name
--- http_config
llm_provider openai { api_key k; }
llm_provider local { format openai; url http://127.0.0.1:1/v1; }
llm_upstream chat {
    model openai/a;
    model openai/b as=openai/a;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*duplicate alias "openai\/a" in llm_upstream "chat" in .*nginx\.conf:\d+/



=== TEST 27: a model that is another's alias
--- http_config
llm_provider openai { api_key k; }
llm_provider local { format openai; url http://127.0.0.1:1/v1; }
llm_upstream chat {
    model openai/b as=openai/a;
    model openai/a;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*duplicate model "openai\/a" in llm_upstream "chat" in .*nginx\.conf:\d+/



=== TEST 28: the same model and alias in two pools
--- http_config
llm_provider openai { api_key k; }
llm_provider local { format openai; url http://127.0.0.1:1/v1; }
llm_upstream chat {
    model openai/a as=x;
}
llm_upstream other { model openai/a as=x; }
--- config
location = /t { return 204; }
--- request
GET /t
--- error_code: 204



=== TEST 29: a pool has at most 64 models
--- http_config eval
"llm_provider openai { }
llm_upstream chat {" . CORE::join("", map { "model openai/m$_;" } 1 .. 65) . "}"
--- must_die
--- error_log eval
qr/\[emerg\] .*more than 64 models in llm_upstream "chat" in .*nginx\.conf:\d+/



=== TEST 30: two pools of one name
--- http_config
llm_provider openai { api_key k; }
llm_provider local { format openai; url http://127.0.0.1:1/v1; }
llm_upstream chat {
    model openai/gpt-4o;
}
llm_upstream chat { model openai/gpt-4o; }
--- must_die
--- error_log eval
qr/\[emerg\] .*duplicate llm_upstream "chat" in .*nginx\.conf:\d+/



=== TEST 31: an invalid name
--- http_config
llm_upstream a/b { }
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid llm_upstream name "a\/b" in .*nginx\.conf:\d+/



=== TEST 32: next_upstream off
--- http_config
llm_provider openai { api_key k; }
llm_provider local { format openai; url http://127.0.0.1:1/v1; }
llm_upstream chat {
    model openai/gpt-4o;
    next_upstream off;
}
--- config
location = /t { return 204; }
--- request
GET /t
--- error_code: 204



=== TEST 33: next_upstream knows no http_503
--- http_config
llm_provider openai { api_key k; }
llm_provider local { format openai; url http://127.0.0.1:1/v1; }
llm_upstream chat {
    model openai/gpt-4o;
    next_upstream error http_503;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid value "http_503" in .*nginx\.conf:\d+/



=== TEST 34: next_upstream knows no non_idempotent
--- http_config
llm_provider openai { api_key k; }
llm_provider local { format openai; url http://127.0.0.1:1/v1; }
llm_upstream chat {
    model openai/gpt-4o;
    next_upstream error non_idempotent;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid value "non_idempotent" in .*nginx\.conf:\d+/



=== TEST 35: next_upstream knows no invalid_header
--- http_config
llm_provider openai { api_key k; }
llm_provider local { format openai; url http://127.0.0.1:1/v1; }
llm_upstream chat {
    model openai/gpt-4o;
    next_upstream error invalid_header;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid value "invalid_header" in .*nginx\.conf:\d+/



=== TEST 36: next_upstream knows no http_200
--- http_config
llm_provider openai { api_key k; }
llm_provider local { format openai; url http://127.0.0.1:1/v1; }
llm_upstream chat {
    model openai/gpt-4o;
    next_upstream error http_200;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid value "http_200" in .*nginx\.conf:\d+/



=== TEST 37: an unknown way to balance
--- http_config
llm_provider openai { api_key k; }
llm_provider local { format openai; url http://127.0.0.1:1/v1; }
llm_upstream chat {
    model openai/gpt-4o;
    balance random;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*unknown balance method "random" in .*nginx\.conf:\d+/



=== TEST 38: an invalid number of tries
--- http_config
llm_provider openai { api_key k; }
llm_provider local { format openai; url http://127.0.0.1:1/v1; }
llm_upstream chat {
    model openai/gpt-4o;
    tries many;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"tries" directive invalid number in .*nginx\.conf:\d+/



=== TEST 39: an invalid timeout
--- http_config
llm_provider openai { api_key k; }
llm_provider local { format openai; url http://127.0.0.1:1/v1; }
llm_upstream chat {
    model openai/gpt-4o;
    timeout long;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"timeout" directive invalid value in .*nginx\.conf:\d+/



=== TEST 40: an unknown directive
--- http_config
llm_provider openai { api_key k; }
llm_provider local { format openai; url http://127.0.0.1:1/v1; }
llm_upstream chat {
    server 127.0.0.1;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*unknown directive "server" in "llm_upstream" in .*nginx\.conf:\d+/



=== TEST 41: too few arguments
--- http_config
llm_provider openai { api_key k; }
llm_provider local { format openai; url http://127.0.0.1:1/v1; }
llm_upstream chat {
    zone chat;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid number of arguments in "zone" directive in .*nginx\.conf:\d+/



=== TEST 42: a second "zone"
--- http_config
llm_provider openai { api_key k; }
llm_provider local { format openai; url http://127.0.0.1:1/v1; }
llm_upstream chat {
    zone a 64k;
    zone a 64k;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"zone" directive is duplicate in .*nginx\.conf:\d+/



=== TEST 43: a second "balance"
--- http_config
llm_provider openai { api_key k; }
llm_provider local { format openai; url http://127.0.0.1:1/v1; }
llm_upstream chat {
    balance round_robin;
    balance round_robin;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"balance" directive is duplicate in .*nginx\.conf:\d+/



=== TEST 44: a second "next_upstream"
--- http_config
llm_provider openai { api_key k; }
llm_provider local { format openai; url http://127.0.0.1:1/v1; }
llm_upstream chat {
    next_upstream error;
    next_upstream error;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"next_upstream" directive is duplicate in .*nginx\.conf:\d+/



=== TEST 45: a second "tries"
--- http_config
llm_provider openai { api_key k; }
llm_provider local { format openai; url http://127.0.0.1:1/v1; }
llm_upstream chat {
    tries 1;
    tries 1;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"tries" directive is duplicate in .*nginx\.conf:\d+/



=== TEST 46: a second "timeout"
--- http_config
llm_provider openai { api_key k; }
llm_provider local { format openai; url http://127.0.0.1:1/v1; }
llm_upstream chat {
    timeout 1s;
    timeout 1s;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"timeout" directive is duplicate in .*nginx\.conf:\d+/



=== TEST 47: a zone without a name
--- http_config
llm_provider openai { api_key k; }
llm_provider local { format openai; url http://127.0.0.1:1/v1; }
llm_upstream chat {
    model openai/gpt-4o;
    zone "" 64k;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid zone name "" in .*nginx\.conf:\d+/



=== TEST 48: a zone without a size
--- http_config
llm_provider openai { api_key k; }
llm_provider local { format openai; url http://127.0.0.1:1/v1; }
llm_upstream chat {
    model openai/gpt-4o;
    zone chat big;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid zone size "big" in .*nginx\.conf:\d+/



=== TEST 49: a zone that is too small
--- http_config
llm_provider openai { api_key k; }
llm_provider local { format openai; url http://127.0.0.1:1/v1; }
llm_upstream chat {
    model openai/gpt-4o;
    zone chat 16k;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*zone "chat" is too small in .*nginx\.conf:\d+/



=== TEST 50: a zone of two sizes
--- http_config
llm_provider openai { api_key k; }
llm_provider local { format openai; url http://127.0.0.1:1/v1; }
llm_upstream chat {
    model openai/gpt-4o;
    zone chat 64k;
}
llm_upstream other { model openai/a; zone chat 128k; }
--- must_die
--- error_log eval
qr/\[emerg\] .*the size 131072 of shared memory zone "chat" conflicts with already declared size 65536 in .*nginx\.conf:\d+/



=== TEST 51: a zone of another module's
--- http_config
limit_req_zone $remote_addr zone=chat:64k rate=1r/s;
llm_provider openai { api_key k; }
llm_provider local { format openai; url http://127.0.0.1:1/v1; }
llm_upstream chat {
    model openai/gpt-4o;
    zone chat 64k;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*the shared memory zone "chat" is already declared for a different use in .*nginx\.conf:\d+/



=== TEST 52: two pools may share a zone
--- http_config
llm_provider openai { api_key k; }
llm_provider local { format openai; url http://127.0.0.1:1/v1; }
llm_upstream chat {
    model openai/gpt-4o;
    zone all 64k;
}
llm_upstream other { model openai/gpt-4o; zone all 64k; }
--- config
location = /t { return 204; }
--- request
GET /t
--- error_code: 204



=== TEST 53: a zone that cannot hold its models
--- http_config eval
"llm_provider openai { }" . CORE::join "\n", map {
    my $pool = $_;
    "llm_upstream p$pool { zone all 32k;"
        . CORE::join("", map { "model openai/m$_;" } 1 .. 60) . "}"
} 1 .. 10
--- must_die
--- error_log eval
qr/\[emerg\] .*zone "all" is too small for the models of llm_upstream "p\d+" in .*nginx\.conf:\d+/



=== TEST 54: it belongs to http
--- config
llm_upstream chat { }
--- must_die
--- error_log eval
qr/\[emerg\] .*"llm_upstream" directive is not allowed here in .*nginx\.conf:\d+/



=== TEST 55: members take turns by their weights
--- http_config eval
$main::models
. 'llm_upstream chat { zone chat 64k; model a/m weight=2; model b/m; }'
--- config
location / { llm_pass chat; }
--- request eval
[($main::call) x 6]
--- error_code eval
[(200) x 6]
--- response_headers eval
[map { "X-LLM-Model: $_/m" } qw(a b a a b a)]



=== TEST 56: each worker has a turn of its own without a zone
--- http_config eval
$main::models . 'llm_upstream chat { model a/m; model b/m; }'
--- config
location / { llm_pass chat; }
--- request eval
[($main::call) x 3]
--- error_code eval
[(200) x 3]
--- response_headers eval
[map { "X-LLM-Model: $_/m" } qw(a b a)]



=== TEST 57: a member that is down is left out
--- http_config eval
$main::models . 'llm_upstream chat { model a/m down; model b/m; }'
--- config
location / { llm_pass chat; }
--- request eval
[($main::call) x 2]
--- error_code eval
[(200) x 2]
--- response_headers eval
[("X-LLM-Model: b/m") x 2]



=== TEST 58: the next member answers for one that fails, which then rests
--- http_config eval
$main::models . 'llm_upstream chat { zone chat 64k; model dead/m; model a/m; }'
--- config
location / { llm_pass chat; add_header X-Tries $llm_tries; }
--- request eval
[($main::call) x 3]
--- error_code eval
[(200) x 3]
--- response_headers eval
["X-LLM-Model: a/m\nX-Tries: 2", ("X-LLM-Model: a/m\nX-Tries: 1") x 2]



=== TEST 59: a member that goes out of rotation is logged
--- http_config eval
$main::models . 'llm_upstream chat { model dead/m; model a/m; }'
--- config
location / { llm_pass chat; }
--- request eval
$main::call
--- error_code: 200
--- error_log
"dead/m" of llm_upstream "chat" is temporarily disabled



=== TEST 60: a backup answers when all others fail
--- http_config eval
$main::models . 'llm_upstream chat {
    model b/m backup;
    model dead/m;
    model failing/m;
}'
--- config
location / { llm_pass chat; add_header X-Tries $llm_tries; }
--- request eval
[($main::call) x 2]
--- error_code eval
[(200) x 2]
--- response_headers eval
["X-LLM-Model: b/m\nX-Tries: 3", "X-LLM-Model: b/m\nX-Tries: 1"]



=== TEST 61: max_fails=0 lets a member be tried for ever
--- http_config eval
$main::models . 'llm_upstream chat { model dead/m max_fails=0; model a/m backup; }'
--- config
location / { llm_pass chat; add_header X-Tries $llm_tries; }
--- request eval
[($main::call) x 2]
--- error_code eval
[(200) x 2]
--- response_headers eval
[("X-LLM-Model: a/m\nX-Tries: 2") x 2]



=== TEST 62: the only member is tried however often it fails
--- http_config eval
$main::models . 'llm_upstream chat { model failing/m; }'
--- config
location / { llm_pass chat; add_header X-Tries $llm_tries always; }
--- request eval
[($main::call) x 3]
--- error_code eval
[(500) x 3]
--- response_headers eval
[("X-Tries: 1") x 3]



=== TEST 63: tries are at most so many
--- http_config eval
$main::models . 'llm_upstream chat { model failing/m; model a/m; tries 1; }'
--- config
location / { llm_pass chat; }
--- request eval
$main::call
--- error_code: 500
--- response_headers
X-LLM-Model: failing/m



=== TEST 64: next_upstream says which failures go on to the next member
--- http_config eval
$main::models . 'llm_upstream chat { model failing/m; model a/m; next_upstream error http_429; }'
--- config
location / { llm_pass chat; }
--- request eval
$main::call
--- error_code: 500



=== TEST 65: next_upstream off
--- http_config eval
$main::models . 'llm_upstream chat { model dead/m; model a/m; next_upstream off; }'
--- config
location / { llm_pass chat; }
--- request eval
$main::call
--- error_code: 503



=== TEST 66: a member that asks for a pause gets it, and the client is told how long
--- http_config eval
$main::models . 'llm_upstream chat { zone chat 64k; model limited/m; }'
--- config
location / { llm_pass chat; add_header X-Tries $llm_tries always; }
--- request eval
[($main::call) x 2]
--- error_code eval
[429, 503]
--- response_headers eval
["Retry-After: 60\nX-Tries: 1", "Retry-After: 60\n!X-Tries"]



=== TEST 67: another member answers during the pause
--- http_config eval
$main::models . 'llm_upstream chat { model limited/m; model a/m; }'
--- config
location / { llm_pass chat; add_header X-Tries $llm_tries always; }
--- request eval
[($main::call) x 3]
--- error_code eval
[200, 200, 200]
--- response_headers eval
["X-Tries: 2\n!Retry-After", ("X-Tries: 1\n!Retry-After") x 2]



=== TEST 68: a pool of which all are down answers 503
--- http_config eval
$main::models . 'llm_upstream chat { model a/m down; model b/m down; }'
--- config
location / { llm_pass chat; }
--- request eval
$main::call
--- error_code: 503
--- response_body_like: "message":"no model of \\"chat\\" is available"
