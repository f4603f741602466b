# Who is let in is decided before the body is read, parsed and paid for; those
# who are not get errors in their API's shape.

use lib 't/lib';
use LLMTest;
use LLMAnswers;

our $HttpConfig = q{
    llm_provider openai {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
    }
    llm_provider spare {
        format anthropic;
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT;
    }
    llm_provider closed {
        format openai;
        url http://127.0.0.1:$TEST_NGINX_CLOSED_PORT/v1;
    }
    limit_req_zone $server_name zone=one:32k rate=1r/m;
};

our $Users = ">>> users\nme:{PLAIN}secret\n";

sub openai_refusal {
    return '^\{"error":\{"message":"[^"]+","type":"' . $_[0] . '","param":null,'
        . '"code":(null|"\w+")\}\}$';
}

run_tests();

__DATA__

=== TEST 1: deny
--- http_config eval: $::HttpConfig
--- config
location / { deny all; llm_pass openai; }
--- upstream eval
whole(openai_text('never'))
--- upstream_request_like eval
[]
--- request eval
[ask_openai(), ask_anthropic()]
--- error_code eval
[403, 403]
--- response_body_like eval
[::openai_refusal('permission_error'),
 '^\{"type":"error","error":\{"type":"permission_error","message":".+"\}\}$']



=== TEST 2: ... before the body has come
--- http_config eval: $::HttpConfig
--- config
lingering_timeout 100ms;
location / { deny all; llm_pass openai; }
--- raw_request eval
"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
    . "Content-Length: 1000\r\nConnection: close\r\n\r\n{"
--- error_code: 403
--- response_headers
Content-Type: application/json
--- timeout: 2



=== TEST 3: ... and before it is parsed
--- http_config eval: $::HttpConfig
--- config
location / { deny all; llm_pass openai; }
--- request
POST /v1/chat/completions
this is no JSON
--- error_code: 403



=== TEST 4: deny comes before unknown routes and methods
--- http_config eval: $::HttpConfig
--- config
location / { deny all; llm_pass openai; }
--- request eval
['GET /v1/models', 'GET /v1/zork', 'GET /v1/chat/completions']
--- error_code eval
[403, 403, 403]



=== TEST 5: auth_basic
--- http_config eval: $::HttpConfig
--- config
location / {
    auth_basic gateway;
    auth_basic_user_file $TEST_NGINX_SERVER_ROOT/html/users;
    llm_pass openai;
}
--- user_files eval: $::Users
--- upstream eval
whole(openai_text('never'))
--- upstream_request_like eval
[]
--- request eval: ask_openai()
--- error_code: 401
--- response_headers
WWW-Authenticate: Basic realm="gateway"
Content-Type: application/json
--- response_body_like eval
::openai_refusal('authentication_error')



=== TEST 6: ... for those who know
--- http_config eval: $::HttpConfig
--- config
location / {
    auth_basic gateway;
    auth_basic_user_file $TEST_NGINX_SERVER_ROOT/html/users;
    llm_pass openai;
}
--- user_files eval: $::Users
--- upstream eval
whole(openai_text('Hello'))
--- upstream_request_unlike
Authorization
--- more_headers
Authorization: Basic bWU6c2VjcmV0
--- request eval: ask_openai()
--- response_body eval
openai_text('Hello')



=== TEST 7: auth_request
--- http_config eval: $::HttpConfig
--- config
location / {
    auth_request /auth;
    llm_pass openai;
}
location = /auth {
    internal;
    if ($http_x_key = good) { return 204; }
    return 401;
}
--- upstream eval
whole(openai_text('never'))
--- upstream_request_like eval
[]
--- request eval: ask_openai()
--- error_code: 401
--- response_body_like eval
::openai_refusal('authentication_error')



=== TEST 8: ... lets in
--- http_config eval: $::HttpConfig
--- config
location / {
    auth_request /auth;
    llm_pass openai;
}
location = /auth {
    internal;
    if ($http_x_key = good) { return 204; }
    return 401;
}
--- upstream eval
whole(openai_text('Hello'))
--- more_headers
X-Key: good
--- request eval: ask_openai()
--- response_body eval
openai_text('Hello')



=== TEST 9: auth_request behind a server that reads the request
--- http_config eval
$::HttpConfig . q{
    server {
        listen 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2;
        location / { return 204; }
    }
}
--- config
location / {
    auth_request /auth;
    llm_pass openai;
}
location = /auth {
    internal;
    proxy_pass http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2;
    proxy_pass_request_body off;
    proxy_set_header Content-Length "";
}
--- upstream eval
[stream(openai_stream('Hello'), $Done)]
--- request eval
ask_openai(undef, '"stream":true')
--- response_body eval
CORE::join('', openai_stream('Hello'), $Done)



=== TEST 10: satisfy any does not skip what reads the body
--- http_config eval: $::HttpConfig
--- config
location / {
    satisfy any;
    allow 127.0.0.1;
    auth_basic gateway;
    auth_basic_user_file $TEST_NGINX_SERVER_ROOT/html/users;
    llm_pass openai;
}
--- user_files eval: $::Users
--- upstream eval
whole(openai_text('Hello'))
--- request eval
[ask_openai(), "POST /v1/chat/completions\nno JSON"]
--- error_code eval
[200, 400]



=== TEST 11: satisfy any, nothing satisfied
--- http_config eval: $::HttpConfig
--- config
location / {
    satisfy any;
    deny all;
    auth_basic gateway;
    auth_basic_user_file $TEST_NGINX_SERVER_ROOT/html/users;
    llm_pass openai;
}
--- user_files eval: $::Users
--- request eval: ask_openai()
--- error_code: 401
--- response_body_like eval
::openai_refusal('authentication_error')



=== TEST 12: too large
--- http_config eval: $::HttpConfig
--- config
location / { client_max_body_size 10; llm_pass openai; }
--- request eval
[ask_openai(), ask_anthropic()]
--- error_code eval
[413, 413]
--- response_body_like eval
['^\{"error":\{"message":".*client_max_body_size.*","type":'
    . '"invalid_request_error"',
 '^\{"type":"error","error":\{"type":"request_too_large",']



=== TEST 13: ... in chunks
--- http_config eval: $::HttpConfig
--- config
location / { client_max_body_size 10; llm_pass openai; }
--- more_headers
Transfer-Encoding: chunked
--- request eval
"POST /v1/chat/completions\n" . chunk('{"model":') . chunk('"m"}')
    . "0\r\n\r\n"
--- error_code: 413
--- response_body_like eval
'client_max_body_size'



=== TEST 14: limit_req
--- http_config eval: $::HttpConfig
--- config
location / { limit_req zone=one; limit_req_status 429; llm_pass openai; }
--- upstream eval
whole(openai_text('Hello'))
--- request eval
[ask_openai(), ask_openai()]
--- error_code eval
[200, 429]
--- response_body_like eval
['"Hello"', ::openai_refusal('rate_limit_error')]



=== TEST 15: return
--- http_config eval: $::HttpConfig
--- config
location / {
    if ($http_x_bad) { return 403; }
    if ($http_x_worse) { return 403 "go away\n"; }
    llm_pass openai;
}
--- more_headers eval
["X-Bad: 1\n", "X-Worse: 1\n"]
--- request eval
[ask_openai(), ask_openai()]
--- error_code eval
[403, 403]
--- response_body_like eval
[::openai_refusal('permission_error'), '^go away$']



=== TEST 16: error_page has its own page
--- http_config eval: $::HttpConfig
--- config
location / {
    deny all;
    error_page 403 /sorry;
    llm_pass openai;
}
location = /sorry { internal; default_type text/plain; return 403 "sorry\n"; }
--- request eval: ask_openai()
--- error_code: 403
--- response_headers
Content-Type: text/plain
--- response_body
sorry



=== TEST 17: ... another status
--- http_config eval: $::HttpConfig
--- config
location / {
    # What nginx knows of it, whatever the client would have been told.
    error_page 502 504 =503 /down;
    llm_pass closed;
}
location = /down { internal; return 503 "down\n"; }
--- request eval: ask_openai()
--- error_code: 503
--- response_body
down



=== TEST 18: ... or another location's llm_pass
--- http_config eval: $::HttpConfig
--- config
location / {
    error_page 502 504 = @spare;
    llm_pass closed;
}
location @spare { llm_pass spare; }
--- upstream eval
whole(anthropic_text('Hello'))
--- upstream_request_like eval
['^POST /v1/messages .*"content"']
--- request eval: ask_openai()
--- response_headers
X-LLM-Model: spare/m
--- response_body_like eval
'"content":"Hello"'



=== TEST 19: what was refused can go elsewhere
--- http_config eval: $::HttpConfig
--- config
location / {
    error_page 404 = @spare;
    llm_pass $llm_request_model;
}
location @spare { llm_pass spare; }
--- upstream eval
whole(anthropic_text('Hello'))
--- request eval: ask_openai()
--- response_body_like eval
'"content":"Hello"'



=== TEST 20: ... and fail there
--- http_config eval: $::HttpConfig
--- config
location / {
    error_page 404 = @closed;
    llm_pass $llm_request_model;
}
location @closed { llm_pass closed; }
--- request eval: ask_openai()
--- error_code: 503
--- response_headers
Content-Type: application/json
--- response_body_like eval
::openai_refusal('server_error') =~ s/\[\^"\]\+/.+/r



=== TEST 21: access in front of another handler
--- http_config eval: $::HttpConfig
--- config
location / {
    deny all;
    llm on;
    proxy_pass http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT;
}
--- upstream eval
whole(openai_text('never'))
--- upstream_request_like eval
[]
--- request eval: ask_anthropic()
--- error_code: 403
--- response_body_like eval
'^\{"type":"error","error":\{"type":"permission_error",'



=== TEST 22: locations without this module keep nginx's own pages
--- http_config eval: $::HttpConfig
--- config
location / { deny all; }
--- request
GET /v1/chat/completions
--- error_code: 403
--- response_headers
Content-Type: text/html
