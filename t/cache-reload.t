# What a cache keeps over a reload, and over the death of a worker.
# HUP: no, because these blocks reload nginx themselves.

use lib 't/lib';
use LLMTest;
use LLMAnswers;
use LLMSteps;

master_on();

our $HttpConfig = q{
    llm_provider openai {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
        keepalive 0;
    }
    llm_cache_zone answers { memory 1m; similarity 0.8; }
};

our $Config = q{
    llm_cache answers;
    llm_cache_lock on;
    location / { llm_pass openai; }
    location /proxy/ {
        llm on;
        proxy_pass http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/;
    }
    location = /purge { llm_cache_purge answers; }
};

our $Hello = ask('Who is Joseph Conrad?');
our $Please = ask('Please tell me, who is Joseph Conrad?');

run_tests();

__DATA__

=== TEST 1: entries survive a reload, by text and by meaning
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    $::Hello => 'Miss one',
    at('/proxy', $::Hello) => 'Miss two',
    reload() => '',
    $::Hello => 'Hit one',
    $::Please => 'Hit one',
    at('/proxy', $::Please) => 'Hit two',
    reload() => '',
    reload() => '',
    $::Please => 'Hit one',
]



=== TEST 2: ... also what a reload changes about their use
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    $::Hello => 'Miss one',
    reload('similarity 0.8', 'similarity off') => '',
    $::Hello => 'Hit one',
    $::Please => 'Miss two',
    reload('similarity off', 'similarity 0.8') => '',
    ask('Now please tell me, who is Joseph Conrad?') => 'Hit one',
]



=== TEST 3: another size is another memory
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    $::Hello => 'Miss one',
    reload('memory 1m', 'memory 2m') => '',
    $::Hello => 'Miss two',
    reload() => '',
    $::Please => 'Hit two',
]



=== TEST 4: without the embedding its vectors are gone; the cache starts anew
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    $::Hello => 'Miss one',
    reload('memory 1m;', 'memory 1m; embedding off;') => '',
    $::Hello => 'Miss two',
    $::Hello => 'Hit two',
    $::Please => 'Miss three',
    reload('embedding off;', '') => '',
    $::Hello => 'Miss four',
    $::Please => 'Hit four',
]



=== TEST 5: a configuration that is wrong changes nothing
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    $::Hello => 'Miss one',
    reload_fails('llm_cache_zone answers', 'llm_cache_zone replies',
        'no llm_cache_zone is named "answers"') => '',
    $::Hello => 'Hit one',
    $::Please => 'Hit one',
]
--- error_log
[emerg]



=== TEST 6: a worker that is killed costs nothing that was stored
--- workers: 2
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    $::Hello => 'Miss one',
    signal_workers('KILL') => '',
    $::Hello => 'Hit one',
    $::Please => 'Hit one',
    ask('Another') => 'Miss two',
    ask('Another') => 'Hit two',
    request('DELETE', '/purge') => qr/"purged":2/,
]
--- error_log
[alert]
exited on signal 9



=== TEST 7: ... while others wait for the answer to its call
--- http_config eval: $::HttpConfig
--- config eval
"llm_cache_lock_timeout 1s;\n$::Config"
--- upstream eval
[[\'hold'], whole(openai_text('two'))]
--- steps eval
[
    started($::Hello) => '',
    sub { LLMSteps::await_provider(1); '' } => '',
    signal_workers('KILL') => '',
    # Its right to make the call ends with its time.
    $::Hello => 'Miss two',
    $::Hello => 'Hit two',
]
--- error_log
[alert]
exited on signal 9



=== TEST 8: who waits when nginx is reloaded gets the answer
--- http_config eval: $::HttpConfig
--- config eval
"llm_cache_lock_timeout 300ms;\n$::Config"
--- upstream eval
[[\'hold'], whole(openai_text('two'))]
--- steps eval
[
    started($::Hello) => '',
    sub { LLMSteps::await_provider(1); '' } => '',
    sub {
        my $waiting = LLMSteps::start($::Hello);
        LLMSteps::await_requests(2);
        kill 'HUP', LLMSteps::master();
        close shift @LLMSteps::Running;
        say(LLMSteps::receive($waiting));
    } => 'Miss two',
    $::Hello => 'Hit two',
]
