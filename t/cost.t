# What calls cost: llm_prices, its variables, and what is added up.
# HUP: no, because sums live through a reload.

use lib 't/lib';
use LLMTest;
use LLMAnswers;
use LLMSteps;

our $HttpConfig = q{
    # Who sees the end of an answer sees what the log phase has counted.
    lingering_close off;
    llm_provider openai {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
        keepalive 0;
    }
    llm_provider anthropic {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT;
        keepalive 0;
    }
    llm_provider europe {
        preset openai;
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
        keepalive 0;
    }
    llm_provider down { format openai; url http://127.0.0.1:$TEST_NGINX_CLOSED_PORT; }
    llm_upstream four { model openai/gpt-4o; }
    llm_upstream claude { model anthropic/claude-sonnet-4-5; }
    llm_upstream saved { model down/m; model openai/gpt-4o; }
    llm_upstream elsewhere { model europe/gpt-4o; }
    llm_upstream unknown { model openai/nobody-knows; }
    llm_cache_zone answers { memory 1m; }
    log_format cost '<$llm_cost|$llm_cache_saved_cost>';
    access_log logs/access.log cost;
};

# Round figures: a token is half a dollar, or one.
our $Own = '>>> own.json
{"currency": "USD", "prices": [
 {"provider": "openai", "models": ["gpt-4o"], "input": 500000, "output": 1000000},
 {"provider": "*", "models": ["any*"], "input": 1, "output": 2,
  "image": 0.5}]}
';

our $Usage = '"usage":{"prompt_tokens":1000,"completion_tokens":100,'
    . '"total_tokens":1100,"prompt_tokens_details":{"cached_tokens":400}}';
our $Answer = openai_text('Hello') =~ s/"usage":\{.*?\}/$Usage/r;

# A section "logged_once": a pattern that one line of the error log matches when
# the last request is answered.
add_response_body_check(sub {
    my ($block, $body, $request) = @_;
    my $pattern = $block->logged_once // return;
    return if $body !~ /^# TYPE/m;
    open my $log, '<', "$ENV{TEST_NGINX_SERVROOT}/logs/error.log" or die $!;
    my @lines = grep { /$pattern/ } <$log>;
    Test::More::is(scalar @lines, 1, $block->name . ' - logged once');
});

run_tests();

__DATA__

=== TEST 1: six decimals of a dollar, by the table that is built in
--- http_config eval: $::HttpConfig
--- config
    llm_prices builtin;
    location / { llm_pass four; }
--- upstream eval
whole($::Answer)
--- request eval: ask_openai()
--- access_log
<0.003000|->



=== TEST 2: ... whatever the format
--- http_config eval: $::HttpConfig
--- config
    llm_prices builtin;
    location / { llm_pass claude; }
--- upstream eval
whole(anthropic_text('Hello') =~ s/"input_tokens":9/"input_tokens":1000,"cache_read_input_tokens":1000/r)
--- request eval: ask_anthropic()
--- access_log
<0.003360|->



=== TEST 3: no llm_prices, no cost
--- http_config eval: $::HttpConfig
--- config
    location / { llm_pass four; }
--- upstream eval
whole($::Answer)
--- request eval: ask_openai()
--- access_log
<-|->



=== TEST 4: a table of the operator's own goes before the next
--- http_config eval: $::HttpConfig
--- config
    llm_prices own.json builtin;
    location / {
        add_header X-Cost $llm_cost;
        llm_pass four;
    }
    location /claude/ {
        add_header X-Cost $llm_cost;
        llm_pass claude;
    }
--- user_files eval: $::Own =~ s/own.json/..\/conf\/own.json/r
--- upstream eval
[whole($::Answer), whole(anthropic_text('Hello'))]
--- request eval
[ask_openai(), ask_anthropic('/claude/v1/messages')]
--- response_headers eval
['X-Cost: 600.000000', 'X-Cost: 0.000087']



=== TEST 5: a location can do without
--- http_config eval: $::HttpConfig
--- config
    llm_prices builtin;
    location / { llm_prices off; llm_pass four; }
--- upstream eval
whole($::Answer)
--- request eval: ask_openai()
--- access_log
<-|->



=== TEST 6: a provider of another name has its preset's prices
--- http_config eval: $::HttpConfig
--- config
    llm_prices builtin;
    location / { llm_pass elsewhere; }
--- upstream eval
whole($::Answer)
--- request eval: ask_openai()
--- access_log
<0.003000|->



=== TEST 7: who answered is paid, not who failed
--- http_config eval: $::HttpConfig
--- config
    llm_prices builtin;
    location / { llm_pass saved; }
    location = /metrics { llm_metrics; }
--- upstream eval
whole($::Answer)
--- request eval: [ask_openai(), ask_openai()]
--- access_log eval
["<0.003000|->", "<0.003000|->"]



=== TEST 8: what failed costs nothing
--- http_config eval: $::HttpConfig
--- config
    llm_prices builtin;
    location / { llm_pass four; }
--- upstream eval
whole(openai_error('server_error', 'broken'), '500 Oops')
--- request eval: ask_openai()
--- error_code: 500
--- access_log
<-|->



=== TEST 9: a stream that broke costs what was streamed
--- http_config eval: $::HttpConfig
--- config
    llm_prices builtin;
    location / { llm_pass four; }
--- upstream eval
[cut((openai_stream('Hello, ', 'world'))[0 .. 2])]
--- request eval
ask_openai(undef, '"stream":true')
--- access_log eval
qr/<0\.0000[1-9]\d\|->/



=== TEST 10: a model without a price costs nothing and says so once
--- http_config eval: $::HttpConfig
--- config
    llm_prices builtin;
    location / { llm_pass unknown; }
    location = /metrics { llm_metrics; }
--- upstream eval
whole($::Answer =~ s/gpt-4o-2024-08-06/strange-1/r)
--- request eval: [ask_openai(), ask_openai(), 'GET /metrics']
--- response_body_like eval
['Hello', 'Hello', '(?s)llm_requests_total\{provider="openai",model="nobody-knows"\} 2\n.*llm_unpriced_requests_total\{provider="openai",model="nobody-knows"\} 2\n']
--- logged_once: no price of the model "nobody-knows" of provider "openai" is known



=== TEST 11: an answer from the cache is free, and what it saved is known
--- http_config eval: $::HttpConfig
--- config
    llm_prices builtin;
    llm_cache answers;
    location / {
        add_header X-Cost "$llm_cost|$llm_cache_saved_cost";
        llm_pass four;
    }
    location = /status { llm_status; }
    location = /metrics { llm_metrics; }
--- upstream eval
whole($::Answer)
--- request eval
[ask_openai(), ask_openai(), 'GET /status', 'GET /metrics']
--- response_headers eval
['X-Cache-Status: Miss', 'X-Cost: 0.000000|0.003000', '', '']
--- response_body_like eval
['Hello', 'Hello', '"saved_cost":"0.003000"',
 'llm_cache_saved_cost_dollars_total\{zone="answers"\} 0.003000000']



=== TEST 12: sums by model, of those who answered
--- http_config eval: $::HttpConfig
--- config
    llm_prices builtin;
    location / { llm_pass four; }
    location = /status { llm_status; }
    location = /metrics { llm_metrics; }
--- upstream eval
[whole($::Answer), whole($::Answer), whole(openai_error('server_error', 'broken'), '500 Oops')]
--- request eval
[ask_openai(), ask_openai(), ask_openai(), 'GET /status', 'GET /metrics']
--- error_code eval
[200, 200, 500, 200, 200]
--- response_body_like eval
['Hello', 'Hello', 'broken',
 '"models":\[\{"provider":"openai","model":"gpt-4o","requests":3,"errors":1,'
 . '"prompt_tokens":2000,"completion_tokens":200,"cached_tokens":800,'
 . '"reasoning_tokens":0,"unpriced":0,"cost":"0.006000"\}\]',
 '(?s)# TYPE llm_requests_total counter\n'
 . 'llm_requests_total\{provider="openai",model="gpt-4o"\} 3\n.*'
 . 'llm_errors_total\{provider="openai",model="gpt-4o"\} 1\n.*'
 . 'llm_prompt_tokens_total\{provider="openai",model="gpt-4o"\} 2000\n.*'
 . '# TYPE llm_cost_dollars_total counter\n'
 . 'llm_cost_dollars_total\{provider="openai",model="gpt-4o"\} 0.006000000\n']



=== TEST 13: names that clients invent are not remembered
--- http_config eval: $::HttpConfig
--- config
    location / { llm_pass openai; }
    location = /status { llm_status; }
--- upstream eval
[whole(openai_error('invalid_request_error', 'no such model'), '404 No'),
 whole(openai_error('invalid_request_error', 'no such model'), '404 No'),
 whole($::Answer)]
--- request eval
[ask_openai(), ask_openai(), ask_openai(), 'GET /status']
--- error_code eval
[404, 404, 200, 200]
--- response_body_like eval
['no such model', 'no such model', 'Hello',
 '"model":"other","requests":2,.*"model":"m","requests":1,']



=== TEST 14: another content handler's answers: by prices for any provider
--- http_config eval: $::HttpConfig
--- config
    llm_prices own.json;
    location / { llm on; proxy_pass http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT; }
    location = /metrics { llm_metrics; }
--- user_files eval: $::Own =~ s/own.json/..\/conf\/own.json/r
--- upstream eval
whole($::Answer =~ s/gpt-4o-2024-08-06/any-1/r)
--- request eval
[ask_openai(), 'GET /metrics']
--- response_body_like eval
['Hello', 'llm_cost_dollars_total\{provider="",model="m"\} 0.001200000']



=== TEST 15: each image costs on top
--- http_config eval: $::HttpConfig
--- config
    llm_prices own.json;
    location / { llm on; proxy_pass http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT; }
--- user_files eval: $::Own =~ s/own.json/..\/conf\/own.json/r
--- upstream eval
whole($::Answer)
--- request
POST /v1/chat/completions
{"model":"any-2","messages":[{"role":"user","content":[{"type":"text","text":"What is this?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]}]}
--- access_log
<0.501200|->



=== TEST 16: what is wrong in a table is named
--- http_config
    llm_prices own.json;
--- config
--- user_files
>>> ../conf/own.json
{"currency": "USD", "prices": [{"provider": "p", "models": ["m"], "input": -1, "output": 1}]}
--- must_die
--- error_log eval
qr/\[emerg\].*own\.json": prices\[0\]\.input .* in .*nginx\.conf:\d+/



=== TEST 17: a file that is not there
--- http_config
    llm_prices nowhere.json;
--- config
--- must_die
--- error_log eval
qr/\[emerg\] .*open\(\) ".*nowhere\.json" failed .* in .*nginx\.conf:\d+/



=== TEST 18: twice
--- http_config
    llm_prices builtin;
    llm_prices off;
--- config
--- must_die
--- error_log
"llm_prices" directive is duplicate



=== TEST 19: "off" stands alone
--- http_config
    llm_prices builtin off;
--- config
--- must_die
--- error_log
"off" goes with no other parameter



=== TEST 20: a folder is no table
--- http_config
    llm_prices .;
--- config
--- must_die
--- error_log
is no file of prices



=== TEST 21: nor is what has no prices
--- http_config
    llm_prices own.json;
--- config
--- user_files
>>> ../conf/own.json
{}
--- must_die
--- error_log eval
qr/\[emerg\].*own\.json": .* in .*nginx\.conf:\d+/
