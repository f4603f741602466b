# llm_auth file=...: who has a key of the file is let in, beside nginx's other
# ways to let people in; and nobody else sees the key.

use lib 't/lib';
use LLMTest;
use LLMRedis;
use LLMAnswers;
use Digest::SHA ();

our $HttpConfig = q{
    llm_provider openai {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
        api_key provider-key;
    }
    llm_upstream pool {
        model openai/gpt-4o as=smart;
        model openai/gpt-4o-mini;
        model openai/o3;
    }
};

sub digest { return Digest::SHA::sha256_hex($_[0]) }

our $Keys = ">>> keys\n"
    . "# NAME DIGEST\n"
    . 'alice ' . digest('sk-alice') . "\n"
    . 'bob ' . digest('sk-bob') . ' group=research rate=200k/m '
    . 'rate.daily=2m/d meta.cost_center="R 17" models=gpt-4o*,m '
    . "deny_models=*-mini\n"
    . 'carol ' . digest('sk-carol') . " expires=2020-01-31\n"
    . ">>> users\nme:{PLAIN}secret\n";

our $File = '$TEST_NGINX_SERVER_ROOT/html/keys';

# A location with keys.
sub guarded {
    my ($more) = @_;
    $more //= 'llm_pass openai;';
    return "location / { llm_auth file=$File; $more }\n";
}

our $Refused = '^\{"error":\{"message":"[^"]+","type":"authentication_error",'
    . '"param":null,"code":"(missing|invalid)_api_key"\}\}$';

sub model { return ask_openai() =~ s/"model":"m"/"model":"$_[0]"/r }

run_tests();

__DATA__

=== TEST 1: a key of the file, where the SDKs put it
--- http_config eval: $::HttpConfig
--- config eval: ::guarded()
--- user_files eval: $::Keys
--- upstream eval
whole(openai_text('Hello'))
--- request eval
[(ask_openai()) x 6]
--- more_headers eval
["Authorization: Bearer sk-alice\n", "x-api-key: sk-alice\n",
 "api-key: sk-alice\n", "authorization:   bearer   sk-alice  \n",
 "X-API-Key: sk-bob\n", "x-goog-api-key: sk-alice\n"]
--- error_code eval
[(200) x 6]
--- response_headers eval
[('!WWW-Authenticate') x 6]
--- response_body_like eval
[('"Hello"') x 6]



=== TEST 2: no key, and wrong ones of all lengths
--- http_config eval: $::HttpConfig
--- config eval: ::guarded()
--- user_files eval: $::Keys
--- upstream eval
whole(openai_text('never'))
--- upstream_request_like eval
[]
--- request eval
[(ask_openai()) x 8]
--- more_headers eval
['', "Authorization: Bearer sk-alic\n", "Authorization: Bearer sk-alicee\n",
 "Authorization: Bearer " . ('x' x 4000) . "\n", "Authorization: sk-alice\n",
 "x-api-key: Bearer sk-alice\n", "Authorization: Bearer\n",
 "x-api-key: sk-al\xffce\n"]
--- error_code eval
[(401) x 8]
--- response_body_like eval
[($::Refused) x 8]



=== TEST 3: the digest of a key is no key
--- http_config eval: $::HttpConfig
--- config eval: ::guarded()
--- user_files eval: $::Keys
--- request eval: ask_openai()
--- more_headers eval
'Authorization: Bearer ' . ::digest('sk-alice')
--- error_code: 401
--- response_body_like eval: $::Refused



=== TEST 4: an expired key
--- http_config eval: $::HttpConfig
--- config eval: ::guarded()
--- user_files eval: $::Keys
--- request eval: ask_openai()
--- more_headers
x-api-key: sk-carol
--- error_code: 401
--- response_headers
WWW-Authenticate: Bearer realm="llm", error="invalid_token"
--- response_body_like eval
'"the API key has expired"'
--- error_log
llm_auth: expired key of carol



=== TEST 5: the shape of Anthropic's API
--- http_config eval: $::HttpConfig
--- config eval: ::guarded()
--- user_files eval: $::Keys
--- request eval: ask_anthropic()
--- more_headers
x-api-key: wrong
--- error_code: 401
--- response_headers
Content-Type: application/json
WWW-Authenticate: Bearer realm="llm", error="invalid_token"
--- response_body_like eval
'^\{"type":"error","error":\{"type":"authentication_error","message":".+"\}\}$'
--- no_error_log
wrong"
[alert]
[crit]
[emerg]



=== TEST 6: who sent no key is told of no error
--- http_config eval: $::HttpConfig
--- config eval: ::guarded()
--- user_files eval: $::Keys
--- request eval: ask_openai()
--- error_code: 401
--- response_headers
WWW-Authenticate: Bearer realm="llm"



=== TEST 7: before the body has come
--- http_config eval: $::HttpConfig
--- config eval
"lingering_timeout 100ms;\n" . ::guarded()
--- user_files eval: $::Keys
--- raw_request eval
"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
    . "Content-Length: 1000\r\nConnection: close\r\n\r\n{"
--- error_code: 401
--- timeout: 2



=== TEST 8: HEAD and other methods
--- http_config eval: $::HttpConfig
--- config eval: ::guarded()
--- user_files eval: $::Keys
--- request eval
['HEAD /v1/models', 'OPTIONS /v1/models', 'DELETE /v1/x']
--- error_code eval
[401, 401, 401]



=== TEST 9: neither provider nor log gets the key
--- http_config eval: $::HttpConfig
--- config eval: ::guarded()
--- user_files eval: $::Keys
--- upstream eval
whole(openai_text('Hello'))
--- upstream_request_unlike
sk-alice
--- upstream_request_like
Authorization: Bearer provider-key
--- more_headers
Authorization: Bearer sk-alice
x-api-key: sk-alice
--- request eval: ask_openai()
--- response_body_like eval
'"Hello"'
--- no_error_log
sk-alice
[alert]
[crit]
[emerg]



=== TEST 10: nor a server behind proxy_pass; other headers stay
--- http_config eval: $::HttpConfig
--- config eval
::guarded('proxy_pass http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT;')
--- user_files eval: $::Keys
--- upstream eval
whole(openai_text('Hello'))
--- upstream_request_unlike
(?i)sk-alice|x-api-key|^authorization
--- upstream_request_like
(?s)X-First: 1\r\n.*X-Second: 2\r\n.*X-Third: 3\r\n
--- more_headers
X-First: 1
Authorization: Bearer sk-alice
X-Second: 2
x-api-key: sk-alice
api-key: sk-alice
X-Third: 3
--- request eval: ask_openai()
--- response_body_like eval
'"Hello"'



=== TEST 11: ... however many headers there are
--- http_config eval: $::HttpConfig
--- config eval
::guarded('proxy_pass http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT;')
--- user_files eval: $::Keys
--- upstream eval
whole(openai_text('Hello'))
--- upstream_request_unlike
(?i)sk-alice|x-api-key
--- upstream_request_like eval
[map { my $at = $_;
    '(?s)' . CORE::join '', map { "X-$_: $_\\r\\n.*" } 1 .. $at, 1 .. 45 - $at
} 16 .. 20, 36 .. 40]
--- request eval
[(ask_openai()) x 10]
--- more_headers eval
[map { my $at = $_;
    CORE::join('', map { "X-$_: $_\n" } 1 .. $at) . "x-api-key: sk-alice\n"
        . CORE::join('', map { "X-$_: $_\n" } 1 .. 45 - $at)
} 16 .. 20, 36 .. 40]
--- error_code eval
[(200) x 10]



=== TEST 12: what is known of a key, as variables
--- http_config eval: $::HttpConfig
--- config
location / {
    llm_auth file=$TEST_NGINX_SERVER_ROOT/html/keys;
    try_files /none =404;
    error_page 404 =200 @who;
}
location @who {
    add_header X-Who "$llm_consumer|$llm_consumer_group|$llm_key_rate|$llm_key_rate_daily|$llm_key_rate_other|$llm_key_cost_center|$llm_key_none|$http_x_api_key|";
    return 200 ok;
}
--- user_files eval: $::Keys
--- request eval
['GET /', 'GET /']
--- more_headers eval
["x-api-key: sk-bob\n", "x-api-key: sk-alice\n"]
--- response_headers eval
["X-Who: bob|research|200k/m|2m/d|200k/m|R 17|||", "X-Who: alice||||||||"]



=== TEST 13: header= says where keys are
--- http_config eval: $::HttpConfig
--- config
location / {
    llm_auth file=$TEST_NGINX_SERVER_ROOT/html/keys header=X-Team-Key,authorization;
    llm_pass openai;
}
--- user_files eval: $::Keys
--- upstream eval
whole(openai_text('Hello'))
--- request eval
[(ask_openai()) x 4]
--- more_headers eval
["x-team-key: sk-alice\n", "Authorization: Bearer sk-alice\n",
 "x-api-key: sk-alice\n",
 "Authorization: Bearer sk-alice\nx-team-key: wrong\n"]
--- error_code eval
[200, 200, 401, 401]



=== TEST 14: inherited, and off
--- http_config eval
$::HttpConfig . 'llm_auth file=$TEST_NGINX_SERVER_ROOT/html/keys;'
--- config
location /v1/ { llm_pass openai; }
location /open/v1/ { llm_auth off; llm_pass openai; }
location /files { }
--- user_files eval: $::Keys . ">>> files\nfile\n"
--- upstream eval
whole(openai_text('Hello'))
--- request eval
[ask_openai(), ask_openai('/open/v1/chat/completions'), 'GET /files']
--- error_code eval
[401, 200, 401]



=== TEST 15: satisfy any: an address is enough, and so is a key
--- http_config eval: $::HttpConfig
--- config
location /a/ {
    satisfy any;
    allow 127.0.0.1;
    llm_auth file=$TEST_NGINX_SERVER_ROOT/html/keys;
    llm_pass openai;
}
location /b/ {
    satisfy any;
    deny all;
    llm_auth file=$TEST_NGINX_SERVER_ROOT/html/keys;
    llm_pass openai;
}
--- user_files eval: $::Keys
--- upstream eval
whole(openai_text('Hello'))
--- request eval
[map { ask_openai("/$_/v1/chat/completions") } qw(a a b b b)]
--- more_headers eval
['', "x-api-key: sk-alice\n", '', "x-api-key: sk-alice\n",
 "x-api-key: wrong\n"]
--- error_code eval
[200, 200, 401, 200, 401]
--- response_headers eval
['!WWW-Authenticate', '!WWW-Authenticate',
 'WWW-Authenticate: Bearer realm="llm"', '!WWW-Authenticate',
 'WWW-Authenticate: Bearer realm="llm", error="invalid_token"']



=== TEST 16: satisfy any: an answer says nothing of what was not needed
--- http_config eval: $::HttpConfig
--- config
location / {
    satisfy any;
    allow 127.0.0.1;
    llm_auth file=$TEST_NGINX_SERVER_ROOT/html/keys;
    client_max_body_size 10;
    llm_pass openai;
}
--- user_files eval: $::Keys
--- request eval
[ask_openai(), "POST /v1/zork\n{}"]
--- error_code eval
[413, 404]
--- response_headers eval
[('!WWW-Authenticate') x 2]
--- response_body_like eval
['client_max_body_size', 'no such API route']



=== TEST 17: satisfy all: address and key
--- http_config eval: $::HttpConfig
--- config
location /a/ {
    allow 127.0.0.1;
    deny all;
    llm_auth file=$TEST_NGINX_SERVER_ROOT/html/keys;
    llm_pass openai;
}
location /b/ {
    deny all;
    llm_auth file=$TEST_NGINX_SERVER_ROOT/html/keys;
    llm_pass openai;
}
--- user_files eval: $::Keys
--- upstream eval
whole(openai_text('Hello'))
--- request eval
[map { ask_openai("/$_/v1/chat/completions") } qw(a a b b)]
--- more_headers eval
['', "x-api-key: sk-alice\n", '', "x-api-key: sk-alice\n"]
--- error_code eval
[401, 200, 401, 403]



=== TEST 18: auth_basic beside, with the key in another header
--- http_config eval: $::HttpConfig
--- config
location / {
    auth_basic gateway;
    auth_basic_user_file $TEST_NGINX_SERVER_ROOT/html/users;
    llm_auth file=$TEST_NGINX_SERVER_ROOT/html/keys;
    llm_pass openai;
}
--- user_files eval: $::Keys
--- upstream eval
whole(openai_text('Hello'))
--- request eval
[(ask_openai()) x 3]
--- more_headers eval
["Authorization: Basic bWU6c2VjcmV0\nx-api-key: sk-alice\n",
 "Authorization: Basic bWU6c2VjcmV0\n", "x-api-key: sk-alice\n"]
--- error_code eval
[200, 401, 401]
--- response_headers eval
['!WWW-Authenticate', 'WWW-Authenticate: Bearer realm="llm"',
 'WWW-Authenticate: Basic realm="gateway"']



=== TEST 19: auth_basic or a key
--- http_config eval: $::HttpConfig
--- config
location / {
    satisfy any;
    auth_basic gateway;
    auth_basic_user_file $TEST_NGINX_SERVER_ROOT/html/users;
    llm_auth file=$TEST_NGINX_SERVER_ROOT/html/keys;
    llm_pass openai;
}
--- user_files eval: $::Keys
--- upstream eval
whole(openai_text('Hello'))
--- request eval
[(ask_openai()) x 3]
--- more_headers eval
["Authorization: Basic bWU6c2VjcmV0\n", "Authorization: Bearer sk-alice\n",
 "Authorization: Basic bWU6d3Jvbmc=\n"]
--- error_code eval
[200, 200, 401]



=== TEST 20: auth_request beside
--- http_config eval: $::HttpConfig
--- config
location / {
    auth_request /auth;
    llm_auth file=$TEST_NGINX_SERVER_ROOT/html/keys;
    llm_pass openai;
}
location = /auth {
    internal;
    if ($http_x_good) { return 204; }
    return 403;
}
--- user_files eval: $::Keys
--- upstream eval
whole(openai_text('Hello'))
--- request eval
[(ask_openai()) x 3]
--- more_headers eval
["X-Good: 1\n", "x-api-key: sk-alice\n", "X-Good: 1\nx-api-key: sk-alice\n"]
--- error_code eval
[401, 403, 200]



=== TEST 21: another location, by error_page, has keys of its own
--- http_config eval
$::HttpConfig . q{
    llm_provider closed {
        format openai;
        url http://127.0.0.1:$TEST_NGINX_CLOSED_PORT/v1;
    }
}
--- config
location / {
    llm_auth file=$TEST_NGINX_SERVER_ROOT/html/keys;
    error_page 502 503 504 = @spare;
    llm_pass closed;
}
location @spare {
    llm_auth file=$TEST_NGINX_SERVER_ROOT/html/others;
    llm_pass openai;
}
--- user_files eval
$::Keys . ">>> others\nalice-2 " . ::digest('sk-alice') . "\n"
--- upstream eval
whole(openai_text('Hello'))
--- request eval
[(ask_openai()) x 2]
--- more_headers eval
["x-api-key: sk-alice\n", "x-api-key: sk-bob\n"]
--- error_code eval
[200, 401]



=== TEST 22: HTTP/2
--- http_config eval
$::HttpConfig . q{
    server {
        listen 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2 http2;
        location / {
            llm_auth file=$TEST_NGINX_SERVER_ROOT/html/keys;
            proxy_pass http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT;
        }
    }
}
--- config
--- user_files eval: $::Keys
--- upstream eval
whole(openai_text('Hello'))
--- upstream_request_unlike
sk-alice
--- script
my $url = "http://127.0.0.1:$ENV{TEST_NGINX_UPSTREAM_PORT2}"
    . '/v1/chat/completions';
my $body = '{"model":"m","messages":[{"role":"user","content":"Hi"}]}';
my $curl = "curl -s -i -m 10 --http2-prior-knowledge $url";
like(`$curl -H 'X-API-Key: sk-alice' -d '$body'`,
    qr/^HTTP\/2 200.*"Hello"/s);
like(`$curl -H 'X-API-Key: wrong'`, qr/^HTTP\/2 401.*www-authenticate: /s);



=== TEST 23: a model that a key may not use
--- http_config eval: $::HttpConfig
--- config eval: ::guarded('llm_pass pool;')
--- user_files eval: $::Keys
--- upstream eval
whole(openai_text('Hello'))
--- request eval
[::model('gpt-4o'), ::model('GPT-4o-mini'), ::model('openai/gpt-4o-mini'),
 ::model('o3'), ::model('smart')]
--- more_headers
x-api-key: sk-bob
--- error_code eval
[200, 403, 403, 403, 200]
--- response_body_like eval
['Hello', 'the model ."GPT-4o-mini."', 'model_not_allowed',
 '^\{"error":\{"message":"the model \\\\"o3\\\\" is not allowed here",'
 . '"type":"permission_error","param":"model","code":"model_not_allowed"\}\}',
 'Hello']



=== TEST 24: a list of models shows what may be used
--- http_config eval: $::HttpConfig
--- config eval: ::guarded('llm_pass pool;')
--- user_files eval: $::Keys
--- request eval
['GET /v1/models', 'GET /v1/models']
--- more_headers eval
["x-api-key: sk-alice\n", "x-api-key: sk-bob\n"]
--- response_body_like eval
['"smart".*"openai/gpt-4o-mini".*"openai/o3"',
 '^(?!.*(mini|o3)).*"smart"']



=== TEST 25: on other paths nobody can tell which model is meant
--- http_config eval: $::HttpConfig
--- config eval
::guarded('proxy_pass http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT;')
--- user_files eval: $::Keys
--- upstream eval
whole('ok')
--- request eval
["POST /v1/images\n{}", "POST /v1/images\n{}", 'GET /v1/files']
--- more_headers eval
["x-api-key: sk-bob\n", "x-api-key: sk-alice\n", "x-api-key: sk-bob\n"]
--- error_code eval
[403, 200, 200]



=== TEST 26: the cache keeps consumers apart, and knows all keys of one
--- http_config eval
$::HttpConfig . 'llm_cache_zone answers { memory 1m; }'
--- config eval: ::guarded('llm_cache answers; llm_pass openai;')
--- user_files eval
$::Keys . ">>> keys\nalice " . ::digest('new') . "\nalice " . ::digest('old')
    . "\nbob " . ::digest('bob') . "\n"
--- upstream eval
whole(openai_text('Hello'))
--- request eval
[(ask_openai()) x 3]
--- more_headers eval
["x-api-key: old\n", "x-api-key: new\n", "x-api-key: bob\n"]
--- response_headers eval
['X-Cache-Status: Miss', 'X-Cache-Status: Hit', 'X-Cache-Status: Miss']



=== TEST 27: a variable says what became of a key
--- http_config eval: $::HttpConfig
--- config
add_header X-Auth "$llm_auth_status" always;
location / {
    llm_auth file=$TEST_NGINX_SERVER_ROOT/html/keys;
    llm_pass openai;
}
location /open/ { llm_pass openai; }
--- user_files eval: $::Keys
--- upstream eval
whole(openai_text('Hello'))
--- request eval
[(ask_openai()) x 4, ask_openai('/open/v1/chat/completions')]
--- more_headers eval
["x-api-key: sk-alice\n", '', "x-api-key: wrong\n", "x-api-key: sk-carol\n",
 '']
--- error_code eval
[200, 401, 401, 401, 200]
--- response_headers eval
['X-Auth: allowed', 'X-Auth: missing', 'X-Auth: unknown', 'X-Auth: expired',
 '!X-Auth']



=== TEST 28: nor does a variable keep the key that was asked for before
--- http_config eval
$::HttpConfig . 'limit_req_zone $http_authorization zone=keys:1m rate=100r/s;'
--- config
add_header X-Key "[$http_authorization$http_x_api_key]";
if ($http_x_api_key) { set $has_key 1; }
limit_req zone=keys burst=100;
location / {
    llm_auth file=$TEST_NGINX_SERVER_ROOT/html/keys;
    proxy_set_header X-Key "[$http_authorization$http_x_api_key]";
    proxy_pass http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT;
}
--- user_files eval: $::Keys
--- upstream eval
whole(openai_text('Hello'))
--- upstream_request_unlike
sk-alice
--- request eval
[(ask_openai()) x 2]
--- more_headers eval
["Authorization: Bearer sk-alice\n", "x-api-key: sk-alice\n"]
--- error_code eval
[200, 200]
--- response_headers eval
['X-Key: []', 'X-Key: []']
