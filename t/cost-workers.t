# Sums by model are of all workers, and outlive them.
# HUP: no, because it reloads by itself.

use lib 't/lib';
use LLMTest;
use LLMAnswers;
use LLMSteps;

master_on();
workers(2);

our $HttpConfig = q{
    # Who sees the end of an answer sees what the log phase has counted.
    lingering_close off;
    llm_provider openai {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
        keepalive 0;
    }
    llm_upstream chat { model openai/gpt-4o; }
    llm_upstream strange { model openai/nobody-knows; }
    llm_cache_zone answers { memory 1m; }
    llm_prices builtin;
};

our $Config = q{
    location / { llm_pass chat; }
    location /strange/ { llm_pass strange; }
    location = /status { llm_status; }
};

our $Usage = '"usage":{"prompt_tokens":1000,"completion_tokens":100,'
    . '"total_tokens":1100}';
our $Answer = openai_text('Hello') =~ s/"usage":\{.*?\}/$Usage/r;

sub warnings {
    return sub {
        open my $log, '<', "$ENV{TEST_NGINX_SERVROOT}/logs/error.log"
            or return '';
        return "said " . (() = grep { /no price of the model/ } <$log>);
    };
}

run_tests();

__DATA__

=== TEST 1: what all workers have counted lives through their deaths and a reload
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole($::Answer)
--- steps eval
[
    (map { ask("Number $_") => 'Hello' } (1 .. 6)),
    get('/status') => qr/"requests":6,.*"prompt_tokens":6000,.*"cost":"0.021000"/,
    signal_workers('KILL') => '',
    get('/status') => qr/"requests":6,/,
    ask('Number 7') => 'Hello',
    reload() => '',
    ask('Number 8') => 'Hello',
    get('/status') => qr/"requests":8,.*"cost":"0.028000"/,
]
--- error_log
[alert]



=== TEST 2: a model without a price is named once, and again by another configuration
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole($::Answer =~ s/gpt-4o-2024-08-06/strange-1/r)
--- steps eval
[
    (map { at('/strange', ask("Number $_")) => 'Hello' } (1 .. 6)),
    main::warnings() => qr/^said 1$/,
    reload() => '',
    (map { at('/strange', ask("Number $_")) => 'Hello' } (1 .. 6)),
    main::warnings() => qr/^said 2$/,
]



=== TEST 3: a client that leaves pays for what has come by then
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[[@{cut((openai_stream('Hello, ', 'world'))[0 .. 2])}, \'hold']]
--- steps eval
[
    leave(streamed(ask('Who is Joseph Conrad?')), qr/world/) => '',
    sub { LLMSteps::await_requests(0); '' } => '',
    get('/status') => qr/"model":"gpt-4o","requests":1,"errors":0,"prompt_tokens":[1-9]\d*,"completion_tokens":[1-9]/,
]
