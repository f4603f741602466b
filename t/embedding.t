# llm_embedding: a text's vector, from the table in the module or from a
# provider; asked for by a handler of this test's own (tests/embedding_module).
# HUP: no, because what is in shared memory survives a reload

use lib 't/lib';

BEGIN {
    use File::Basename ();
    use File::Spec ();
    my $module = $ENV{LLM_MODULE} // 'build/release/ngx_http_llm_module.so';
    $ENV{TEST_NGINX_LOAD_MODULES} = File::Spec->rel2abs(
        File::Basename::dirname($module)
        . '/tests/embedding_module/ngx_http_llm_embedding_test_module.so');
}

use LLMTest;

sub reply {
    my ($status, $body, $more) = @_;
    return "HTTP/1.1 $status\r\nContent-Type: application/json\r\n"
        . ($more // '') . 'Content-Length: ' . length($body) . "\r\n\r\n$body";
}

our $openai = reply('200 OK', '{"object":"list","data":[{"object":"embedding",'
    . '"index":0,"embedding":[3,0,-4]}],"model":"m",'
    . '"usage":{"prompt_tokens":1,"total_tokens":1}}');

sub openai {
    my ($vector) = @_;
    return reply('200 OK', qq({"data":[{"embedding":$vector}]}));
}

# A provider on the scripted upstream, and an embedding of three dimensions.
sub embedding {
    my ($directives, $provider) = @_;
    return 'llm_provider p { format openai;'
        . ' url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1; '
        . ($provider // '') . ' }'
        . "\nllm_embedding e { provider p; model m; dimensions 3; "
        . ($directives // '') . " }\n";
}

# A provider whose vectors tell how many requests a connection has had.
our $counting = q{
    server {
        listen 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2;
        default_type application/json;
        location / {
            return 200 '{"data":[{"embedding":[$connection_requests,0,0.5]}]}';
        }
    }
};

our $location = q{
    location = /e { llm_test_embed e $arg_text; }
};

# What is in the log after all requests of a block.
add_test_cleanup_handler(sub {
    my ($block) = @_;
    my $line = $block->logged // return;
    chomp $line;
    open my $log, '<', "$ENV{TEST_NGINX_SERVROOT}/logs/error.log"
        or die "open() failed: $!";
    my $count = grep { index($_, $line) >= 0 } <$log>;
    my $name = $block->name;
    Test::More::ok($count, "$name - \"$line\" is logged");
    Test::More::cmp_ok($count, '<', $block->logged_less,
        "$name - not each time") if defined $block->logged_less;
});

run_tests();

__DATA__

=== TEST 1: the built-in table is there without a word
--- config
location = /e { llm_test_embed static $arg_text; }
--- request
GET /e?text=hello
--- response_body_like
^256: -?0\.\d+ -?0\.\d+ -?0\.\d+ by \d+$



=== TEST 2: a block may name it
--- http_config
llm_embedding mine { model static; }
--- config
location = /e { llm_test_embed mine $arg_text; }
--- request eval
["GET /e?text=hello", "GET /e?text="]
--- response_body_like eval
['^256: ', '^none by']
--- error_code eval
[200, 200]



=== TEST 3: a table of one's own is relative to the configuration
--- user_files eval
our $table = do {
    open my $file, '<:raw', "$LLMTest::Root/data/all-minilm-l6-v2.static256.llmv"
        or die;
    local $/;
    <$file>;
};
[['own.llmv', $table]]
--- http_config
llm_embedding mine { model static ../html/own.llmv; }
--- config
location = /e { llm_test_embed mine $arg_text; }
--- request
GET /e?text=hello
--- response_body_like
^256: 0\.\d+ .* by \d+$



=== TEST 4: a table that is none is named
--- user_files
>>> own.llmv
not a table
--- http_config
llm_embedding mine { model static ../html/own.llmv; }
--- config
--- must_die
--- error_log eval
qr{\[emerg\] .*"../html/own.llmv": not a table of embeddings in .*nginx.conf:\d+}



=== TEST 5: a table that is not there is named
--- http_config
llm_embedding mine { model static nowhere.llmv; }
--- config
--- must_die
--- error_log eval
qr{\[emerg\] .*open\(\) ".*nowhere.llmv" failed \(2: .*nginx.conf:\d+}



=== TEST 6: OpenAI's API, with the provider's key and headers
--- http_config eval
main::embedding('', 'api_key sk-secret; header X-Team red;')
--- config eval: $::location
--- request
GET /e?text=hi
--- upstream eval: $::openai
--- upstream_request_like eval
['^POST /v1/embeddings HTTP/1\.1\r\n(?=.*^Host: 127\.0\.0\.1:\d+\r$)(?=.*^Content-Type: application/json\r$)(?=.*^Authorization: Bearer sk-secret\r$)(?=.*^X-Team: red\r$).*\r\n\r\n\{"model":"m","input":"hi"\}\z']
--- response_body_like
^3: 0\.600 0\.000 -0\.800 by \d+$
--- no_error_log
sk-secret
[error]
[alert]



=== TEST 7: Ollama's, at the URL of its chat
--- http_config eval
main::embedding('format ollama; send_dimensions on;')
--- config eval: $::location
--- request
GET /e?text=hi
--- upstream eval
main::reply('200 OK', '{"model":"m","embeddings":[[3,0,-4]],"load_duration":1}')
--- upstream_request_like
^POST /api/embed .*\{"model":"m","input":"hi","truncate":false,"dimensions":3\}\z
--- response_body_like
^3: 0\.600 0\.000 -0\.800 by \d+$



=== TEST 8: Cohere's
--- http_config eval
main::embedding('format cohere;', 'api_key k;')
--- config eval: $::location
--- request
GET /e?text=hi
--- upstream eval
main::reply('200 OK', '{"id":"1","embeddings":{"float":[[3,0,-4]]},"texts":["hi"]}')
--- upstream_request_like
^POST /v2/embed .*^Authorization: Bearer k\r$.*"texts":\["hi"\],"input_type":"clustering"
--- response_body_like
^3: 0\.600 0\.000 -0\.800 by \d+$



=== TEST 9: Gemini's
--- http_config eval
main::embedding('format gemini;', 'api_key k;')
--- config eval: $::location
--- request
GET /e?text=hi
--- upstream eval
main::reply('200 OK', '{"embedding":{"values":[3,0,-4]}}')
--- upstream_request_like
^POST /v1/models/m:embedContent .*^x-goog-api-key: k\r$.*"taskType":"SEMANTIC_SIMILARITY"
--- response_body_like
^3: 0\.600 0\.000 -0\.800 by \d+$



=== TEST 10: a known model needs no dimensions, and may be asked for others
--- http_config
llm_provider p { format openai; url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1; }
llm_embedding e { provider p; model text-embedding-3-small; dimensions 3; }
llm_embedding known { provider p; model text-embedding-3-small; }
--- config eval: $::location
--- request
GET /e?text=hi
--- upstream eval: $::openai
--- upstream_request_like
\{"model":"text-embedding-3-small","input":"hi","dimensions":3\}\z
--- response_body_like
^3: 0\.600 0\.000 -0\.800 by \d+$



=== TEST 11: what was asked lately is asked once
--- http_config eval: main::embedding()
--- config eval: $::location
--- request eval
["GET /e?text=hi", "GET /e?text=hi", "GET /e?text=ho"]
--- upstream eval: $::openai
--- upstream_request_like eval
['"input":"hi"', '"input":"ho"']
--- response_body_like eval
[('^3: 0\.600 0\.000 -0\.800 by') x 3]
--- error_code eval
[200, 200, 200]



=== TEST 12: unless it is not to be kept
--- http_config eval: main::embedding('recent off;')
--- config eval: $::location
--- request eval
["GET /e?text=hi", "GET /e?text=hi"]
--- upstream eval: $::openai
--- upstream_request_like eval
['"input":"hi"', '"input":"hi"']
--- response_body_like eval
[('^3: 0\.600 0\.000 -0\.800 by') x 2]
--- error_code eval
[200, 200]



=== TEST 13: a connection is kept for the next text
--- http_config eval
$::counting . main::embedding('recent off;') =~ s/PORT/PORT2/r
--- config eval: $::location
--- request eval
["GET /e?text=a", "GET /e?text=b", "GET /e?text=c"]
--- response_body_like eval
['^3: 0\.894', '^3: 0\.970', '^3: 0\.986']
--- error_code eval
[200, 200, 200]



=== TEST 14: with keepalive 0 none is kept
--- http_config eval
$::counting . main::embedding('recent off;', 'keepalive 0;') =~ s/PORT/PORT2/r
--- config eval: $::location
--- request eval
["GET /e?text=a", "GET /e?text=b"]
--- response_body_like eval
[('^3: 0\.894') x 2]
--- error_code eval
[200, 200]



=== TEST 15: an answer in pieces
--- http_config eval: main::embedding()
--- config eval: $::location
--- request
GET /e?text=hi
--- upstream eval
[[unpack '(a7)*', $::openai]]
--- response_body_like
^3: 0\.600 0\.000 -0\.800 by \d+$
--- timeout: 10



=== TEST 16: a chunked answer
--- http_config eval: main::embedding()
--- config eval: $::location
--- request
GET /e?text=hi
--- upstream eval
"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
. "15\r\n{\"data\":[{\"embedding\"\r\n" . "d\r\n:[3,0,-4]}]}\n\r\n0\r\n\r\n"
--- response_body_like
^3: 0\.600 0\.000 -0\.800 by \d+$



=== TEST 17: an answer without an end of its own ends with the connection
--- http_config eval: main::embedding()
--- config eval: $::location
--- request
GET /e?text=hi
--- upstream eval
"HTTP/1.0 200 OK\r\n\r\n{\"data\":[{\"embedding\":[3,0,-4]}]}"
--- response_body_like
^3: 0\.600 0\.000 -0\.800 by \d+$



=== TEST 18: an answer without end is not read to it
--- http_config eval: main::embedding()
--- config eval: $::location
--- request
GET /e?text=hi
--- upstream eval
"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n" . ' ' x 1_000_000
--- response_body_like
^none by \d+$
--- error_log
llm: embedding "e": the answer is too large



=== TEST 19: an answer that is cut off
--- http_config eval: main::embedding()
--- config eval: $::location
--- request
GET /e?text=hi
--- upstream eval
substr $::openai, 0, -10
--- response_body_like
^none by \d+$
--- error_log eval
qr/\[error\] .*llm: embedding "e": .*(closed|remaining)/



=== TEST 20: a vector of another size
--- http_config eval: main::embedding()
--- config eval: $::location
--- request
GET /e?text=hi
--- upstream eval: main::openai('[1,2]')
--- response_body_like
^none by \d+$
--- error_log
llm: embedding "e": the embedding has 2 dimensions, not 3



=== TEST 21: a vector that is not one
--- http_config eval: main::embedding()
--- config eval: $::location
--- request
GET /e?text=hi
--- upstream eval: main::openai('[1,NaN,2]')
--- response_body_like
^none by \d+$
--- error_log
llm: embedding "e": the answer is not JSON



=== TEST 22: a vector too long for a float
--- http_config eval: main::embedding()
--- config eval: $::location
--- request
GET /e?text=hi
--- upstream eval: main::openai('[1,1e300,2]')
--- response_body_like
^none by \d+$
--- error_log
llm: embedding "e": the embedding is zero or not finite



=== TEST 23: 401, whose body repeats the key
--- http_config eval: main::embedding('', 'api_key sk-secret;')
--- config eval: $::location
--- request
GET /e?text=hi
--- upstream eval
main::reply('401 Unauthorized', '{"error":{"message":"wrong key: sk-secret"}}')
--- response_body_like
^none by \d+$
--- error_log
llm: embedding "e": status 401
--- no_error_log
sk-secret
[alert]
[crit]



=== TEST 24: 429
--- http_config eval: main::embedding()
--- config eval: $::location
--- request
GET /e?text=hi
--- upstream eval
main::reply('429 Too Many Requests', '{"error":{"message":"slowly"}}', "Retry-After: 7\r\n")
--- response_body_like
^none by \d+$
--- error_log
llm: embedding "e": status 429



=== TEST 25: a good answer after a bad one
--- http_config eval: main::embedding()
--- config eval: $::location
--- request eval
["GET /e?text=hi", "GET /e?text=hi"]
--- upstream eval
[main::reply('500 Internal Server Error', '<html>'), $::openai]
--- response_body_like eval
['^none by', '^3: 0\.600']
--- error_code eval
[200, 200]
--- logged
llm: embedding "e": status 500



=== TEST 26: an endpoint is not asked after three failures in a row
--- http_config eval: main::embedding('fail_timeout 1h;')
--- config eval: $::location
--- request eval
[map { "GET /e?text=$_" } 1 .. 5]
--- upstream eval
main::reply('503 Service Unavailable', '')
--- upstream_request_like eval
[map { "\"input\":\"$_\"" } 1 .. 3]
--- response_body_like eval
[('^none by') x 5]
--- error_code eval
[(200) x 5]



=== TEST 27: and asked again after a while
--- http_config eval: main::embedding('fail_timeout 1ms;')
--- config eval: $::location
--- request eval
[map { "GET /e?text=$_" } 1 .. 5]
--- upstream eval
[(main::reply('503 Service Unavailable', '')) x 3, $::openai]
--- response_body_like eval
[('^none by') x 3, ('^3: 0\.600') x 2]
--- error_code eval
[(200) x 5]
--- logged
llm: embedding "e" answers again



=== TEST 28: texts that an endpoint refuses do not count
--- http_config eval: main::embedding('fail_timeout 1h;')
--- config eval: $::location
--- request eval
[map { "GET /e?text=$_" } 1 .. 5]
--- upstream eval
[(main::reply('400 Bad Request', '{"error":{"message":"too long"}}')) x 4, $::openai]
--- response_body_like eval
[('^none by') x 4, '^3: 0\.600']
--- error_code eval
[(200) x 5]
--- logged
llm: embedding "e": status 400
--- logged_less: 4



=== TEST 29: an endpoint that hangs
--- http_config eval: main::embedding('timeout 50ms;')
--- config eval: $::location
--- request
GET /e?text=hi
--- upstream eval
[[\'hold']]
--- response_body_like
^none by \d+$
--- error_log
llm: embedding "e": timed out



=== TEST 30: an endpoint that hangs in the middle
--- http_config eval: main::embedding('timeout 100ms;')
--- config eval: $::location
--- request
GET /e?text=hi
--- upstream eval
[[substr($::openai, 0, 100), \'hold']]
--- response_body_like
^none by \d+$
--- error_log
llm: embedding "e": timed out



=== TEST 31: an endpoint that resets
--- http_config eval: main::embedding()
--- config eval: $::location
--- request
GET /e?text=hi
--- upstream eval
[[\'reset']]
--- response_body_like
^none by \d+$
--- error_log eval
qr/llm: embedding "e": .*[Rr]eset/



=== TEST 32: no text, no call
--- http_config eval: main::embedding()
--- config
location = /e { llm_test_embed e $arg_text; }
location = /blank { llm_test_embed e " "; }
--- request eval
["GET /e?text=", "GET /blank", "GET /e?text=" . 'long' x 1000]
--- more_headers
--- upstream eval: $::openai
--- upstream_request_like eval
['"input":"long']
--- response_body_like eval
[('^none by') x 2, '^3: ']
--- error_code eval
[(200) x 3]



=== TEST 33: the client's own key
--- http_config eval
main::embedding('recent off;', 'api_key $http_authorization;')
--- config eval: $::location
--- request
GET /e?text=hi
--- more_headers
Authorization: Bearer sk-client
--- upstream eval: $::openai
--- upstream_request_like
^Authorization: Bearer sk-client\r$
--- response_body_like
^3: 0\.600 0\.000 -0\.800 by \d+$



=== TEST 34: TLS
--- http_config
server {
    listen 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2 ssl;
    ssl_certificate $TEST_NGINX_CERTIFICATE;
    ssl_certificate_key $TEST_NGINX_CERTIFICATE_KEY;
    default_type application/json;
    location /v1/embeddings {
        if ($ssl_server_name != localhost) { return 421; }
        if ($http_host != localhost:$TEST_NGINX_UPSTREAM_PORT2) { return 421; }
        return 200 '{"data":[{"embedding":[3,0,-4]}]}';
    }
}
llm_provider p {
    format openai;
    url https://localhost:$TEST_NGINX_UPSTREAM_PORT2/v1;
    ssl_trusted_certificate $TEST_NGINX_CERTIFICATE;
}
llm_embedding e { provider p; model m; dimensions 3; }
--- config eval: $::location
--- request
GET /e?text=hi
--- response_body_like
^3: 0\.600 0\.000 -0\.800 by \d+$



=== TEST 35: TLS, a certificate of another name
--- http_config
server {
    listen 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2 ssl;
    ssl_certificate $TEST_NGINX_CERTIFICATE;
    ssl_certificate_key $TEST_NGINX_CERTIFICATE_KEY;
    location / { return 500; }
}
llm_provider p {
    format openai;
    url https://localhost:$TEST_NGINX_UPSTREAM_PORT2/v1;
    ssl_name other.example;
    ssl_trusted_certificate $TEST_NGINX_CERTIFICATE;
}
llm_embedding e { provider p; model m; dimensions 3; }
--- config eval: $::location
--- request
GET /e?text=hi
--- response_body_like
^none by \d+$
--- error_log eval
qr/llm: embedding "e": .*(certificate|SSL).*other\.example/



=== TEST 36: TLS, an authority that is not trusted
--- http_config
server {
    listen 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2 ssl;
    ssl_certificate $TEST_NGINX_CERTIFICATE;
    ssl_certificate_key $TEST_NGINX_CERTIFICATE_KEY;
    location / { return 500; }
}
llm_provider p {
    format openai;
    url https://localhost:$TEST_NGINX_UPSTREAM_PORT2/v1;
}
llm_embedding e { provider p; model m; dimensions 3; timeout 5s; }
--- config eval: $::location
--- request
GET /e?text=hi
--- response_body_like
^none by \d+$
--- error_log eval
qr/llm: embedding "e": .*certificate/



=== TEST 37: TLS, unless it need not be verified; and a client certificate
--- http_config
server {
    listen 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2 ssl;
    ssl_certificate $TEST_NGINX_CERTIFICATE;
    ssl_certificate_key $TEST_NGINX_CERTIFICATE_KEY;
    ssl_client_certificate $TEST_NGINX_CERTIFICATE;
    ssl_verify_client on;
    default_type application/json;
    location / { return 200 '{"data":[{"embedding":[3,0,-4]}]}'; }
}
llm_provider p {
    format openai;
    url https://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2/v1;
    ssl_verify off;
    ssl_certificate $TEST_NGINX_CERTIFICATE;
    ssl_certificate_key $TEST_NGINX_CERTIFICATE_KEY;
}
llm_embedding e { provider p; model m; dimensions 3; }
--- config eval: $::location
--- request
GET /e?text=hi
--- response_body_like
^3: 0\.600 0\.000 -0\.800 by \d+$



=== TEST 38: a host without an address
--- http_config
resolver 127.0.0.1:$TEST_NGINX_CLOSED_PORT;
resolver_timeout 50ms;
llm_provider p { format openai; url http://nowhere.invalid:1/v1; }
llm_embedding e { provider p; model m; dimensions 3; timeout 5s; }
--- config eval: $::location
--- request
GET /e?text=hi
--- response_body_like
^none by \d+$
--- error_log
llm: embedding "e": its host has no address



=== TEST 39: an endpoint that is down
--- http_config
llm_provider p { format openai; url http://127.0.0.1:$TEST_NGINX_CLOSED_PORT/v1; }
llm_embedding e { provider p; model m; dimensions 3; }
--- config eval: $::location
--- request
GET /e?text=hi
--- response_body_like
^none by \d+$
--- error_log eval
qr/llm: embedding "e": Failed to connect to .* port $ENV{TEST_NGINX_CLOSED_PORT}/



=== TEST 40: what one client's key is refused says nothing of the others'
--- http_config eval
main::embedding('fail_timeout 1h;', 'api_key $arg_key;')
--- config eval: $::location
--- request eval
[(map { "GET /e?text=$_&key=bad" } 1 .. 4), "GET /e?text=1&key=good"]
--- upstream eval
[(main::reply('401 Unauthorized', '{}')) x 4, $::openai]
--- upstream_request_like eval
[('Bearer bad\r$') x 4, 'Bearer good\r$']
--- response_body_like eval
[('^none by') x 4, '^3: 0\.600']
--- error_code eval
[(200) x 5]



=== TEST 41: a key that cannot be sent is not sent
--- http_config eval
main::embedding('', 'api_key $key;') . 'map $uri $key { default "a\nb"; }'
--- config eval: $::location
--- request
GET /e?text=hi
--- upstream eval: $::openai
--- upstream_request_like eval
[]
--- response_body_like
^none by \d+$
--- error_log
llm: embedding "e": a header's value cannot be sent



=== TEST 42: unless it is to be asked always
--- http_config eval: main::embedding('fail_timeout 0s;')
--- config eval: $::location
--- request eval
[map { "GET /e?text=$_" } 1 .. 5]
--- upstream eval
[(main::reply('503 Service Unavailable', '')) x 4, $::openai]
--- response_body_like eval
[('^none by') x 4, '^3: 0\.600']
--- error_code eval
[(200) x 5]
