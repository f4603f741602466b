# A provider that is called with each client's own key: a limit that one of
# them has reached is not the others'.

use lib 't/lib';
use LLMTest;

our $HttpConfig = q{
    server {
        listen 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT;
        # alice has reached her limit.
        location /v1/ {
            if ($http_authorization = "Bearer alice") {
                llm_simulate openai status=429 retry_after=60;
            }
            llm_simulate openai reply=hello;
        }
    }
    llm_provider model {
        format openai;
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
        api_key $http_authorization;
    }
    llm_upstream pool {
        model model/a;
        model model/b backup;
        tries 1;
    }
};

our $Call = q{POST /v1/chat/completions
{"model":"a","messages":[{"role":"user","content":"Hi"}]}};

run_tests();

__DATA__

=== TEST 1: a pool
--- http_config eval: $::HttpConfig
--- config
    location / { llm_pass pool; }
--- pipelined_requests eval: [$::Call, $::Call]
--- more_headers eval: ["Authorization: Bearer alice", "Authorization: Bearer bob"]
--- error_code eval: [429, 200]
--- response_body_like eval: ['rate_limit_exceeded', '"model":"a".*"content":"hello"']
--- no_error_log
temporarily disabled
[alert]
[crit]
[emerg]



=== TEST 2: the provider by itself
--- http_config eval: $::HttpConfig
--- config
    location / { llm_pass model; }
--- pipelined_requests eval: [$::Call, $::Call]
--- more_headers eval: ["Authorization: Bearer alice", "Authorization: Bearer bob"]
--- error_code eval: [429, 200]
--- response_headers eval: ["Retry-After: 60", "!Retry-After"]
--- response_body_like eval: ['rate_limit_exceeded', '"content":"hello"']
