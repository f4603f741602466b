# error_page with llm_pass and llm on: nginx's own errors have the client's
# shape unless a page is configured for them, and a named location can answer
# in place of the first one.

use lib 't/lib';
use LLMTest;

our $HttpConfig = q{
    llm_provider closed {
        format openai;
        url http://127.0.0.1:$TEST_NGINX_CLOSED_PORT/v1;
    }
    llm_provider model {
        format openai;
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
    }
    llm_upstream first  { model closed/a; }
    llm_upstream second { model model/b; }
    log_format tries '$status $llm_provider tries=$llm_tries '
        'status=$upstream_status.';
    access_log logs/access.log tries;

    server {
        listen 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT;
        access_log off;
        location /v1/ { llm_simulate openai reply=hello; }
    }
};

our $Call = q{POST /v1/chat/completions
{"model":"x","messages":[{"role":"user","content":"Hi"}]}};

run_tests();

__DATA__

=== TEST 1: a page for other statuses changes nothing
--- http_config eval: $::HttpConfig
--- config
    error_page 500 502 503 504 /50x.html;
    location / { llm_pass second strict; }
    location = /50x.html { return 200 "a page"; }
--- request eval: $::Call
--- error_code: 404
--- response_headers
Content-Type: application/json
--- response_body_like: "code":"model_not_found"



=== TEST 2: a page that is configured is sent
--- http_config eval: $::HttpConfig
--- config
    error_page 404 /missing.html;
    location / { llm_pass second strict; }
    location = /missing.html { return 200 "a page"; }
--- request eval: $::Call
--- error_code: 404
--- response_body chomp
a page



=== TEST 3: another pool in place of the first
--- http_config eval: $::HttpConfig
--- config
    location / {
        error_page 502 = @second;
        llm_pass first;
    }
    location @second { llm_pass second; }
--- request eval: $::Call
--- response_headers
X-LLM-Model: model/b
--- response_body_like: "content":"hello"
--- error_log
Connection refused
--- access_log
200 model tries=2 status=502 : 200.



=== TEST 4: a default for models that are not known
--- http_config eval: $::HttpConfig
--- config
    location / {
        error_page 404 = @second;
        llm_pass first strict;
    }
    location @second { llm_pass second; }
--- request eval: $::Call
--- response_headers
X-LLM-Model: model/b
--- response_body_like: "content":"hello"



=== TEST 5: in place of a server behind proxy_pass; usage stays hidden
--- http_config eval: $::HttpConfig
--- config
    location / {
        llm on;
        error_page 502 = @second;
        proxy_pass http://127.0.0.1:$TEST_NGINX_CLOSED_PORT;
    }
    location @second { llm_pass second; }
--- request
POST /v1/chat/completions
{"model":"x","stream":true,"messages":[{"role":"user","content":"Hi"}]}
--- response_headers
X-LLM-Model: model/b
--- response_body_like: "content":"hello"
--- response_body_unlike: usage
--- error_log
Connection refused



=== TEST 6: the other one fails, too
--- http_config eval: $::HttpConfig
--- config
    location / {
        error_page 502 = @second;
        llm_pass first;
    }
    location @second { llm_pass closed; }
--- request eval: $::Call
--- error_code: 503
--- response_body_like: "message":"the provider \\"closed\\" could not be reached
--- error_log
Connection refused



=== TEST 7: a list of models, from the other one
--- http_config eval: $::HttpConfig
--- config
    location / {
        error_page 502 = @second;
        llm_pass closed;
    }
    location @second { llm_pass second; }
--- request
GET /v1/models
--- response_body_like: "id":"model/b"
--- error_log
Connection refused



=== TEST 8: a body that was too large is not waited for
--- http_config eval: $::HttpConfig
--- config
    location / {
        client_max_body_size 16;
        error_page 413 = @second;
        llm_pass first;
    }
    location @second { llm_pass second; }
--- raw_request eval
"POST /v1/chat/completions HTTP/1.1\r
Host: localhost\r
Connection: close\r
Transfer-Encoding: chunked\r
\r
20\r
{\"model\":\"x\",\"messages\":[{\"role\"\r
"
--- error_code: 400
--- response_body_like: the request's body is empty
--- error_log
client intended to send too large chunked body



=== TEST 9: ... nor where the page is looked for in the same place
--- http_config eval: $::HttpConfig
--- config
    error_page 413 /missing.html;
    location / {
        client_max_body_size 16;
        llm_pass first;
    }
--- raw_request eval
"POST /v1/chat/completions HTTP/1.1\r
Host: localhost\r
Connection: close\r
Transfer-Encoding: chunked\r
\r
20\r
{\"model\":\"x\",\"messages\":[{\"role\"\r
"
--- error_code: 404
--- response_body_like: no such API route
--- error_log
client intended to send too large chunked body



=== TEST 10: pages of other paths stay as they are
--- http_config eval: $::HttpConfig
--- config
    llm on;
    location / { return 404; }
--- request
GET /a/page
--- error_code: 404
--- response_headers
Content-Type: text/html



=== TEST 11: what the client's call lacks is no server's failure
--- http_config eval: $::HttpConfig
--- config
    location / { llm_pass second; }
--- request
POST /v1/messages
{"model":"x","messages":[{"role":"user","content":"Hi"}]}
--- error_code: 400
--- response_body_like: max_tokens is required
--- no_error_log
no live upstreams
[error]
[alert]
[crit]
