# llm_cache_stale: old answers while a new one is made, and where the provider
# fails.
# HUP: no, because entries live through a reload.

use lib 't/lib';
use LLMTest;
use LLMAnswers;
use LLMSteps;

our $HttpConfig = q{
    llm_provider openai {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
        keepalive 0;
        read_timeout 2s;
    }
    llm_provider gone { format openai; url http://127.0.0.1:$TEST_NGINX_CLOSED_PORT/v1; }
    llm_upstream chat { model openai/a max_fails=0; }
    llm_cache_zone answers { memory 1m; ttl 1s; }
    log_format cache '<$llm_cache_status|$llm_cache_match|$llm_usage_source|$status|$llm_tries>';
    access_log logs/access.log cache;
};

our $Config = q{
    llm_cache answers;
    llm_cache_stale 1h error;
    location / { llm_pass chat; }
    location /proxy/ {
        llm on;
        proxy_read_timeout 2s;
        proxy_pass http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/;
    }
};

our $Hello = ask('Hello');
our $Old = sub { select undef, undef, undef, 1.2; 'old' };
our @Failures = ('408 Late', '429 Slow', '500 Oh', '502 Oh', '503 Not now', '529 Busy');

sub failure {
    my ($status, @headers) = @_;
    return whole(openai_error('e', 'No'), $status, 'Cache-Control: no-store',
        @headers);
}

run_tests();

__DATA__

=== TEST 1: error: the old answer where the provider fails, in whatever way
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[whole(openai_text('one')), (map { ::failure($_) } @::Failures),
 whole('no JSON'), "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", 'no HTTP',
 [\'reset'], [\'hold'], whole(openai_text('new'))]
--- steps eval
[
    $::Hello => 'Miss one',
    $::Old => 'old',
    ($::Hello => ['Hit one', 'Age' => qr/^[1-9]\d*$/, 'X-Cache-Ttl' => '0',
        'Retry-After' => undef, 'Cache-Control' => undef,
        'X-LLM-Model' => undef, 'Content-Type' => 'application/json']) x (@::Failures + 5),
    $::Hello => 'Refresh new',
    $::Hello => 'Hit new',
]



=== TEST 2: ... streamed
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[whole(openai_text('one')), ::failure('500 Oh'),
 stream('data: ' . openai_error('server_error', 'Oh') . "\n\n"),
 whole(openai_text('new'))]
--- steps eval
[
    $::Hello => 'Miss one',
    $::Old => 'old',
    (streamed($::Hello) => [
        qr/"content":"one".*data: \[DONE\]\n\n/s, 'X-Cache-Status' => 'Hit',
        'Content-Type' => 'text/event-stream']) x 2,
    streamed($::Hello) => 'Refresh new',
]



=== TEST 3: ... in the API that the client speaks
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[whole(openai_text('one')), ::failure('500 Oh')]
--- steps eval
[
    ask('Hello', '"max_tokens":50') => 'Miss one',
    $::Old => 'old',
    claude('Hello') => qr/Hit.*"type":"message".*"text":"one"/s,
    streamed(claude('Hello')) => qr/Hit.*"text":"one".*message_stop/s,
]



=== TEST 4: ... in front of another content handler
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[whole(openai_text('one')), (map { ::failure($_, 'Retry-After: 7') } @::Failures),
 [\'reset'], [\'hold'], whole(openai_text('new'))]
--- steps eval
my $hello = at('/proxy', $::Hello);
[
    $hello => 'Miss one',
    $::Old => 'old',
    ($hello => ['Hit one', 'Age' => qr/^[1-9]\d*$/, 'Retry-After' => undef,
        'Cache-Control' => undef, 'Content-Type' => 'application/json']) x (@::Failures + 2),
    $hello => 'Refresh new',
    $hello => 'Hit new',
]



=== TEST 5: ... streamed
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[whole(openai_text('one')), ::failure('500 Oh'), [\'reset']]
--- steps eval
my $hello = at('/proxy', $::Hello);
[
    $hello => 'Miss one',
    $::Old => 'old',
    (streamed($hello) => [
        qr/"content":"one".*data: \[DONE\]\n\n/s, 'X-Cache-Status' => 'Hit',
        'Content-Type' => 'text/event-stream']) x 2,
]



=== TEST 6: ... from a failed answer that is larger than nginx's buffers
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[whole(openai_text('one')), whole('x' x 500000, '500 Oh')]
--- steps eval
[
    at('/proxy', $::Hello) => 'Miss one',
    $::Old => 'old',
    at('/proxy', $::Hello) => ['Hit one', 'Content-Length' => qr/^\d{3}$/],
]



=== TEST 7: a server that refuses connections
--- http_config eval: $::HttpConfig
--- config eval
"$::Config\n" . q{
    location /refused/ {
        llm on;
        llm_cache_key $arg_x;
        proxy_pass http://127.0.0.1:$TEST_NGINX_CLOSED_PORT/;
        proxy_next_upstream off;
        if ($arg_up) {
            proxy_pass http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT;
        }
    }
}
--- steps eval
my $hello = at('/refused', $::Hello);
my $up = { %$hello, path => "$hello->{path}?up=1" };
[
    $hello => 'Miss 502 (error)',
    $up => 'Miss one',
    $::Old => 'old',
    $hello => 'Hit one',
]
--- error_log
connect() failed



=== TEST 8: what the client did wrong is its own to hear
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[whole(openai_text('one')), map { whole(openai_error('e', 'No'), $_) } '400 Bad', '401 No', '404 None']
--- steps eval
[
    $::Hello => 'Miss one',
    $::Old => 'old',
    $::Hello => 'Refresh 400 (error)',
    $::Hello => 'Refresh 401 (error)',
    at('/proxy', $::Hello) => 'Miss 404 (error)',
]



=== TEST 9: first the pool's other models, then the old answer
--- http_config eval
$::HttpConfig =~ s/llm_upstream chat \{.*?\}/
    llm_upstream chat { model openai\/a max_fails=0; model openai\/b backup max_fails=0; }/r
--- config eval: $::Config
--- upstream eval
[whole(openai_text('one')), ::failure('500 Oh'), ::failure('500 Oh'),
 ::failure('500 Oh'), whole(openai_text('new'))]
--- steps eval
[
    $::Hello => 'Miss one',
    $::Old => 'old',
    $::Hello => 'Hit one',
    $::Hello => 'Refresh new',
]
--- access_log
<Hit|exact|cache|200|2>



=== TEST 10: off: an answer over its time is gone
--- http_config eval: $::HttpConfig
--- config eval
$::Config =~ s/llm_cache_stale.*?;/llm_cache_stale off;/r
--- upstream eval
[whole(openai_text('one')), ::failure('500 Oh')]
--- steps eval
[
    $::Hello => 'Miss one',
    $::Old => 'old',
    $::Hello => 'Miss 500 (error)',
]



=== TEST 11: updating: one call is made, the others get the old answer
--- http_config eval: $::HttpConfig
--- config eval
$::Config =~ s/llm_cache_stale.*?;/llm_cache_stale 1h updating;/r
--- upstream eval
[whole(openai_text('one')), [\'hold'], whole(openai_text('new'))]
--- steps eval
[
    $::Hello => 'Miss one',
    $::Old => 'old',
    started($::Hello) => '',
    sub { LLMSteps::await_provider(2); '' } => '',
    $::Hello => ['Hit one', 'X-Cache-Ttl' => '0'],
    streamed($::Hello) => 'Hit one',
    finished() => 'Refresh 504 (error)',
]



=== TEST 12: ... also with a lock; who refreshes does not wait for itself
--- http_config eval: $::HttpConfig
--- config eval
"llm_cache_lock on;\n" . $::Config =~ s/llm_cache_stale.*?;/llm_cache_stale 1h;/r
--- steps eval
[
    $::Hello => 'Miss one',
    $::Old => 'old',
    $::Hello => 'Refresh two',
    $::Hello => 'Hit two',
]



=== TEST 13: ... an entry of hundreds of kilobytes is refreshed once, too
--- http_config eval: $::HttpConfig
--- config eval
$::Config =~ s/llm_cache_stale.*?;/llm_cache_stale 1h updating;/r
--- upstream eval
[whole(openai_text('x' x 200000)), whole(openai_text('new'))]
--- steps eval
[
    $::Hello => qr/Miss/,
    $::Old => 'old',
    $::Hello => 'Refresh new',
    $::Hello => 'Hit new',
]



=== TEST 14: ... also where nobody waits for a lock
--- http_config eval: $::HttpConfig
--- config eval
"llm_cache_lock_timeout 0;\n" . $::Config =~ s/llm_cache_stale.*?;/llm_cache_stale 1h updating;/r
--- steps eval
[
    $::Hello => 'Miss one',
    $::Old => 'old',
    $::Hello => 'Refresh two',
    $::Hello => 'Hit two',
]



=== TEST 15: error_page comes before the old answer, and leads anywhere
--- http_config eval: $::HttpConfig
--- config eval
$::Config =~ s/(location \/ \{)/$1 error_page 502 = \@other;/r . q{
    location @other { llm_cache off; llm_pass gone; }
}
--- upstream eval
[whole(openai_text('one')), [\'reset']]
--- steps eval
[
    $::Hello => 'Miss one',
    $::Old => 'old',
    $::Hello => '503 (error)',
]
--- error_log
reset by peer



=== TEST 16: ... to a place with the same cache: that answers
--- http_config eval: $::HttpConfig
--- config eval
$::Config =~ s/(location \/ \{)/$1 error_page 502 504 = \@other;/r . q{
    location @other { llm_pass chat; }
}
--- upstream eval
[whole(openai_text('one')), [\'reset'], [\'reset'], whole(openai_text('new'))]
--- steps eval
[
    $::Hello => 'Miss one',
    $::Old => 'old',
    $::Hello => 'Hit one',
    $::Hello => 'Refresh new',
]
--- error_log
reset by peer
