# llm_cache_control: what clients and providers say of caching is honoured.
# HUP: no, because entries live through a reload.

use lib 't/lib';
use LLMTest;
use LLMAnswers;
use LLMSteps;

our $HttpConfig = q{
    llm_provider openai {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
        keepalive 0;
    }
    llm_cache_zone answers { memory 1m; }
    log_format cache '<$llm_cache_status|$llm_cache_not_stored>';
    access_log logs/access.log cache;
};

our $Config = q{
    llm_cache answers;
    llm_cache_control on;
    location / { llm_pass openai; }
    location /proxy/ {
        llm on;
        proxy_pass http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/;
    }
    location /off/ {
        llm_cache_control off;
        llm_pass openai;
    }
};

our $Hello = ask('Who is Joseph Conrad?');
our $Please = ask('Please tell me, who is Joseph Conrad?');

sub saying { return with($_[0], "Cache-Control: $_[1]") }
sub answer { return whole(openai_text($_[0]), undef, "Cache-Control: $_[1]") }

run_tests();

__DATA__

=== TEST 1: no-cache: a new answer, which is kept
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    $::Hello => 'Miss one',
    ::saying($::Hello, 'no-cache') => ['Refresh two', 'Age' => undef],
    $::Hello => 'Hit two',
    with($::Hello, 'Pragma: no-cache') => 'Refresh three',
    with($::Hello, 'Pragma: no-cache', 'Cache-Control: max-age=60') => 'Hit three',
]



=== TEST 2: no-store: neither read nor kept
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    ::saying($::Hello, 'no-store') => 'Bypass one',
    $::Hello => 'Miss two',
    ::saying($::Hello, 'No-Store, max-age=5') => 'Bypass three',
    $::Hello => 'Hit two',
]



=== TEST 3: ... in front of another content handler
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    at('/proxy', $::Hello) => 'Miss one',
    at('/proxy', ::saying($::Hello, 'no-cache')) => 'Refresh two',
    at('/proxy', ::saying($::Hello, 'no-store')) => 'Bypass three',
    at('/proxy', $::Hello) => 'Hit two',
]



=== TEST 4: max-age and min-fresh of a client; they hold for near questions, too
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    $::Hello => 'Miss one',
    ::saying($::Hello, 'min-fresh=3000') => 'Hit one',
    ::saying($::Hello, 'min-fresh=4000') => 'Refresh two',
    ::saying($::Please, 'min-fresh=4000') => 'Refresh three',
    ::saying($::Please, 'min-fresh=3000') => 'Hit three',
    sub { select undef, undef, undef, 1.1; 'a second later' } => 'a second later',
    ::saying($::Hello, 'max-age=60') => 'Hit two',
    ::saying($::Hello, 'max-age=0') => 'Refresh four',
]



=== TEST 5: only-if-cached: no call is made
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    ::saying($::Hello, 'only-if-cached') => [
        'Miss 504 (error)', 'X-LLM-Model' => undef],
    ::saying(at('/proxy', $::Hello), 'only-if-cached') => 'Miss 504 (error)',
    ::saying(claude('Hello'), 'only-if-cached') =>
        qr/504.*"type":"error","error":\{"type":"\w+","message":"[^"]*only-if-cached/s,
    $::Hello => 'Miss one',
    ::saying($::Hello, 'only-if-cached') => 'Hit one',
    ::saying($::Please, 'only-if-cached') => 'Hit one',
]



=== TEST 6: a provider's no-store, no-cache and private
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[::answer('one', 'no-store'), ::answer('two', 'private'),
 ::answer('three', 'no-cache, must-revalidate'), ::answer('four', 'max-age=0'),
 ::answer('five', 'public')]
--- steps eval
[
    $::Hello => 'Miss one',
    $::Hello => 'Miss two',
    $::Hello => 'Miss three',
    $::Hello => 'Miss four',
    $::Hello => 'Miss five',
    $::Hello => 'Hit five',
]
--- access_log
<Miss|cache_control>



=== TEST 7: ... in front of another content handler
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[::answer('one', 'no-store'), ::answer('two', 'private'), ::answer('three', 'max-age=60')]
--- steps eval
my $hello = at('/proxy', $::Hello);
[
    $hello => 'Miss one',
    $hello => 'Miss two',
    $hello => 'Miss three',
    $hello => ['Hit three', 'X-Cache-Ttl' => qr/^(60|59)$/],
]



=== TEST 8: how long a provider allows: s-maxage before max-age
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[::answer('one', 'max-age=1, s-maxage=100'), ::answer('two', 'max-age=50')]
--- steps eval
[
    $::Hello => 'Miss one',
    $::Hello => ['Hit one', 'X-Cache-Ttl' => qr/^(100|99)$/],
    ask('Another') => 'Miss two',
    ask('Another') => ['Hit two', 'X-Cache-Ttl' => qr/^(50|49)$/],
]



=== TEST 9: of several tries the last one's counts
--- http_config eval
$::HttpConfig . 'llm_upstream both { model openai/a max_fails=0; model openai/b backup max_fails=0; }'
--- config eval
$::Config =~ s/llm_pass openai/llm_pass both/r
--- upstream eval
[whole(openai_error('e', 'Oh'), '500 Oh', 'Cache-Control: no-store'), whole(openai_text('two'))]
--- steps eval
[
    $::Hello => 'Miss two',
    $::Hello => 'Hit two',
]



=== TEST 10: off, which is the default: nobody is asked
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[::answer('one', 'no-store')]
--- steps eval
[
    at('/off', $::Hello) => 'Miss one',
    at('/off', ::saying($::Hello, 'no-store')) => 'Hit one',
    at('/off', ::saying($::Hello, 'no-cache')) => 'Hit one',
    at('/off', ::saying($::Hello, 'only-if-cached')) => 'Hit one',
]



=== TEST 11: how stale a client takes an answer
--- http_config eval: $::HttpConfig
--- config eval
"llm_cache_ttl 1s;\nllm_cache_stale 1h error;\n$::Config"
--- steps eval
[
    $::Hello => 'Miss one',
    sub { select undef, undef, undef, 1.2; 'later' } => 'later',
    ::saying($::Hello, 'max-stale=60') => ['Hit one', 'X-Cache-Ttl' => '0'],
    ::saying($::Hello, 'max-stale') => 'Hit one',
    ::saying($::Hello, 'max-stale=60, max-age=0') => 'Refresh two',
]
