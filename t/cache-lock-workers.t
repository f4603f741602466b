# llm_cache_lock over two workers: one call of equal ones for all of them.
# HUP: no, because entries live through a reload.

use lib 't/lib';
use LLMTest;
use LLMSteps;

master_on();
workers(2);

our $HttpConfig = q{
    llm_provider model {
        format openai;
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2/v1;
    }
    llm_cache_zone answers { memory 1m; }
    log_format cache '<$llm_cache_status|$llm_tries>';
    access_log off;

    server {
        listen 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2;
        location / { llm_simulate openai ttft=300ms reply=one; }
    }
};

run_tests();

__DATA__

=== TEST 1: calls of both workers wait for one
--- http_config eval: $::HttpConfig
--- config
    llm_cache answers;
    llm_cache_lock on;
    location / { llm_pass model; }
--- steps eval
[together((ask('Hello')) x 20) => CORE::join ', ', ('Hit one') x 19, 'Miss one']
