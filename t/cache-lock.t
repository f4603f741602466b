# llm_cache_lock: of equal calls that miss at the same time one is made.
# HUP: no, because entries live through a reload.

use lib 't/lib';
use LLMTest;
use LLMAnswers;
use LLMSteps;

our $HttpConfig = q{
    llm_provider model {
        format openai;
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2/v1;
    }
    llm_provider openai {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
        keepalive 0;
    }
    llm_upstream chat { model model/a max_fails=0; }
    llm_upstream failing { model model/fails max_fails=0; }
    llm_cache_zone answers { memory 1m; }
    log_format cache '<$llm_cache_status|$llm_tries>';
    access_log off;

    # A model that takes its time, and one that fails after some.
    server {
        listen 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2;
        location / {
            llm_simulate openai ttft=300ms reply=one;
            if ($http_x_fail) { llm_simulate openai ttft=300ms status=500; }
        }
    }
};

our $Config = q{
    llm_cache answers;
    llm_cache_lock on;
    location / { llm_pass chat; }
    location /scripted/ { llm_pass openai; }
    location /proxy/ {
        llm on;
        proxy_pass http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2/;
    }
    location /brief/ {
        llm_cache_lock_timeout 50ms;
        llm_pass chat;
    }
};

our $Hello = ask('Hello');

sub hits {
    my ($count) = @_;
    return join ', ', ('Hit one') x $count, 'Miss one';
}

run_tests();

__DATA__

=== TEST 1: the others wait for the first one's answer
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[together(($::Hello) x 10) => ::hits(9)]



=== TEST 2: ... streams, and those who want no stream
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[together((streamed($::Hello), $::Hello) x 4) => ::hits(7)]



=== TEST 3: ... in front of another content handler
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[together((at('/proxy', $::Hello)) x 8) => ::hits(7)]



=== TEST 4: other calls do not wait
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    together(ask('Lord Jim'), ask('Emma'), ask('Who is Joseph Conrad?')) =>
        'Miss one, Miss one, Miss one',
]



=== TEST 5: without a lock each makes its own
--- http_config eval: $::HttpConfig
--- config eval
"llm_cache_lock off;\n" . $::Config =~ s/llm_cache_lock on;//r
--- steps eval
[together(($::Hello) x 3) => 'Miss one, Miss one, Miss one']



=== TEST 6: if the first one fails all others go on at once
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[[\'hold'], (whole(openai_text('two'))) x 3]
--- steps eval
my $hello = at('/scripted', $::Hello);
[
    sub {
        my $first = LLMSteps::start($hello);
        LLMSteps::await_provider();
        my @others = map { LLMSteps::start($hello) } 1 .. 3;
        LLMSteps::await_requests(4);
        close $first;
        CORE::join ', ', sort map { say(LLMSteps::receive($_)) } @others;
    } => 'Miss two, Miss two, Miss two',
]
--- upstream_request_like eval
['POST', 'POST', 'POST', 'POST']



=== TEST 7: ... likewise if its answer is an error
--- http_config eval: $::HttpConfig
--- config eval
$::Config =~ s/location \/ \{/location \/ { proxy_set_header X-Fail 1;/r
=~ s/llm_pass chat; \}/llm on; proxy_pass http:\/\/127.0.0.1:\$TEST_NGINX_UPSTREAM_PORT2; }/r
--- steps eval
[
    together(($::Hello) x 4) => CORE::join(', ', ('Miss 500 (error)') x 4),
]



=== TEST 8: ... or cannot be kept
--- http_config eval: $::HttpConfig
--- config eval
"llm_cache_no_store 1;\n$::Config"
--- steps eval
[together(($::Hello) x 4) => 'Miss one, Miss one, Miss one, Miss one']



=== TEST 9: nobody waits longer than told
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[together((at('/brief', $::Hello)) x 3) => 'Miss one, Miss one, Miss one']



=== TEST 10: a client that leaves while it waits
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[[\'hold'], whole(openai_text('two'))]
--- steps eval
my $hello = at('/scripted', $::Hello);
[
    sub {
        my $first = LLMSteps::start($hello);
        LLMSteps::await_provider();
        my @waiting = map { LLMSteps::start($hello) } 1 .. 4;
        LLMSteps::await_requests(5);
        close $_ for @waiting[1 .. 3];
        LLMSteps::await_requests(2);
        # Still served: the first connection goes, and the one that stayed
        # makes its own call.
        close $first;
        say(LLMSteps::receive($waiting[0]));
    } => 'Miss two',
    $hello => 'Hit two',
]



=== TEST 11: a client that leaves is not missed by those that come later
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[[\'hold'], whole(openai_text('two'))]
--- steps eval
my $hello = at('/scripted', $::Hello);
[
    leave($hello) => '',
    $hello => 'Miss two',
    $hello => 'Hit two',
]



=== TEST 12: expired entries are fetched once, too
--- http_config eval: $::HttpConfig
--- config eval
"llm_cache_ttl 1s; llm_cache_stale 1h error;\n$::Config"
--- steps eval
[
    $::Hello => 'Miss one',
    sub { select undef, undef, undef, 1.2; 'later' } => 'later',
    together(($::Hello) x 5) => 'Hit one, Hit one, Hit one, Hit one, Refresh one',
]



=== TEST 13: over HTTP/2
--- http_config eval
$::HttpConfig . q{
    server {
        listen 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT3 http2;
        location / { llm_pass chat; llm_cache answers; llm_cache_lock on; }
    }
}
--- config eval: $::Config
--- steps eval
[
    sub {
        my $url = "http://127.0.0.1:$ENV{TEST_NGINX_UPSTREAM_PORT3}/v1/chat/completions";
        my $body = q({"model":"m","messages":[{"role":"user","content":"Hello"}]});
        my $curl = "curl -s -i -m 10 --http2-prior-knowledge -d '$body' $url";
        my $output = `$curl & $curl & $curl & wait`;
        CORE::join ' ', sort $output =~ /x-cache-status: (\w+)/g;
    } => 'Hit Hit Miss',
]
