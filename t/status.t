# llm_status and llm_metrics: how the gateway is, for people and for scrapers.
use v5.10.1;
use strict;
use warnings;

use lib 't/lib';
use LLMTest;

run_tests();

__DATA__

=== TEST 1: llm_status shows pools and caches as JSON
--- http_config
    llm_provider sim { format openai; url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1; }
    llm_upstream chat {
        model sim/gpt-4o as=fast weight=3;
        model sim/gpt-4o-mini backup;
    }
    llm_cache_zone answers { memory 1m; }
    server {
        listen 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT;
        location / { llm_simulate openai; }
    }
--- config
    location /v1/ { llm_pass chat; llm_cache answers; }
    location = /status { llm_status; }
--- request eval
["POST /v1/chat/completions\n"
 . '{"model":"x","messages":[{"role":"user","content":"Who is Joseph Conrad?"}]}',
 "POST /v1/chat/completions\n"
 . '{"model":"x","messages":[{"role":"user","content":"Who is Joseph Conrad?"}]}',
 "GET /status"]
--- error_code eval
[200, 200, 200]
--- response_headers_like eval
["X-Cache-Status: Miss", "X-Cache-Status: Hit",
 "Content-Type: application/json"]
--- response_body_like eval
["Conrad", "Conrad",
 '"chat":\[\{"model":"sim/gpt-4o","alias":"fast","weight":3,"backup":false,'
 . '"available":true,"tries":1,"failures":0,"active":0\}.*'
 . '"answers":\{"hits":1,"semantic_hits":0,.*"misses":1,.*'
 . '"saved_prompt_tokens":[1-9]\d*,.*"entries":1']

=== TEST 2: llm_metrics shows the same to Prometheus
--- http_config
    llm_provider sim { format openai; url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1; }
    llm_upstream chat { model sim/gpt-4o as=fast; }
    llm_cache_zone answers2 { memory 1m; }
    server {
        listen 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT;
        location / { llm_simulate openai; }
    }
--- config
    location /v1/ { llm_pass chat; llm_cache answers2; }
    location = /metrics { llm_metrics; }
--- request eval
["POST /v1/chat/completions\n"
 . '{"model":"x","messages":[{"role":"user","content":"Who is Joseph Conrad?"}]}',
 "GET /metrics"]
--- error_code eval
[200, 200]
--- response_headers_like eval
["X-Cache-Status: Miss", "Content-Type: text/plain; version=0.0.4.*"]
--- response_body_like eval
["Conrad",
 '(?s)# TYPE llm_upstream_tries_total counter\n'
 . 'llm_upstream_tries_total\{upstream="chat",model="sim/gpt-4o",alias="fast"\} 1\n'
 . '.*# TYPE llm_cache_misses_total counter\n'
 . 'llm_cache_misses_total\{zone="answers2"\} 1\n'
 . '.*# TYPE llm_cache_entries gauge\n'
 . 'llm_cache_entries\{zone="answers2"\} 1\n']

=== TEST 3: only GET and HEAD
--- config
    location = /status { llm_status; }
    location = /metrics { llm_metrics; }
--- request eval
["POST /status\n{}", "HEAD /status", "HEAD /metrics"]
--- error_code eval
[405, 200, 200]

=== TEST 4: a gateway with nothing to show
--- config
    location = /status { llm_status; }
--- request
GET /status
--- response_body_like: ^\{"upstreams":\{\},"models":\[.*\],"caches":\{\},"limits":\{\}\}$

=== TEST 5: metrics are UTF-8, whatever a client calls its model
--- http_config
    llm_provider sim { format openai; url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1; }
    server {
        listen 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT;
        location / { llm_simulate openai; }
    }
--- config
    location / { llm_pass sim; }
    location = /metrics { llm_metrics; }
--- request eval
["POST /v1beta/models/bad%ff:generateContent\n"
 . '{"contents":[{"parts":[{"text":"Hi"}]}]}',
 "GET /metrics"]
--- error_code eval
[200, 200]
--- response_body_like eval
["Hi", 'llm_requests_total\{provider="sim",model="bad\\\\\\\\xff"\} 1\n']



=== TEST 6: a try that failed with Retry-After is a failure, and puts out of rotation
--- http_config
    llm_provider sim  { format openai; url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1; }
    llm_provider busy { format openai; url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/busy; }
    llm_upstream chat5 { zone chat5 64k; model busy/a; model sim/b; }
    server {
        listen 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT;
        location / { llm_simulate openai; }
        location /busy/ { llm_simulate openai status=429 retry_after=600; }
    }
--- config
    location /v1/ { llm_pass chat5; }
    location = /status { llm_status; }
    location = /metrics { llm_metrics; }
--- request eval
["POST /v1/chat/completions\n"
 . '{"model":"x","messages":[{"role":"user","content":"Hi"}]}',
 "GET /status", "GET /metrics"]
--- error_code eval
[200, 200, 200]
--- response_body_like eval
["Hi",
 '"model":"busy/a","weight":1,"backup":false,'
 . '"available":false,"tries":1,"failures":1,',
 '(?s)llm_upstream_failures_total\{upstream="chat5",model="busy/a"\} 1\n.*'
 . '# TYPE llm_upstream_available gauge\n'
 . 'llm_upstream_available\{upstream="chat5",model="busy/a"\} 0\n'
 . 'llm_upstream_available\{upstream="chat5",model="sim/b"\} 1\n']



=== TEST 7: a call that no member has words for is no call of a model
--- http_config
    llm_provider sim7 { format anthropic; url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT; }
    llm_upstream chat7 { model sim7/a; model sim7/b; }
    server {
        listen 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT;
        location / { llm_simulate anthropic; }
    }
--- config
    location /v1/ { llm_pass chat7; }
    location = /metrics { llm_metrics; }
--- request eval
["POST /v1/chat/completions\n"
 . '{"model":"x","n":3,"messages":[{"role":"user","content":"Hi"}]}',
 "GET /metrics",
 "POST /v1/chat/completions\n"
 . '{"model":"x","messages":[{"role":"user","content":"Hi"}]}',
 "GET /metrics"]
--- error_code eval
[400, 200, 200, 200]
--- response_body_like eval
["unsupported_parameter", '(?s)\A(?!.*provider="sim7")', "Hi",
 '(?s)\A(?!.*llm_errors_total\{provider="sim7",model="[ab]"\} 1)'
 . '.*llm_requests_total\{provider="sim7",model="[ab]"\} 1']
