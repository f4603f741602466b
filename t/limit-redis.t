# llm_limit_zone with "redis": budgets that several gateways share.
# HUP: no, because what was used lives through a reload.

use lib 't/lib';
use LLMTest;
use LLMRedis;
use LLMAnswers;
use LLMSteps;

our $redis = LLMRedis->server();
our $other = LLMRedis->server();

# Each answer of the provider uses 9 + 4 tokens.
our $HttpConfig = q{
    llm_provider openai {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
        keepalive 0;
    }
    llm_redis shared { server 127.0.0.1:$TEST_NGINX_REDIS_PORT; connect_timeout 5s; timeout 5s; }
    llm_redis other { server 127.0.0.1:$TEST_NGINX_REDIS_PORT2; connect_timeout 5s; timeout 5s; }
    llm_limit_zone $http_x_team zone=team:64k rate=100/d redis=shared;
    llm_limit_zone $http_x_team zone=other:64k rate=100/d redis=other;
    llm_limit_zone $http_x_team zone=calls:64k rate=4/d count=requests
        redis=shared prefix=calls:;
    llm_limit_zone $http_x_user zone=user:64k rate=50/d redis=shared;
    llm_limit_zone $http_x_team zone=here:64k rate=60/d;
};

our $Config = q{
    llm_limit zone=team;
    location / { llm_pass openai; }
    location /both/ { llm_pass openai; llm_limit zone=team;
        llm_limit zone=user; llm_limit zone=calls; }
    location /here/ { llm_pass openai; llm_limit zone=team;
        llm_limit zone=here; }
    location /two/ { llm_pass openai; llm_limit zone=team;
        llm_limit zone=other; }
    location /allow/ { llm_pass openai; llm_limit_redis_error allow; }
    location /deny/ { llm_pass openai; llm_limit_redis_error deny; }
    location = /status { llm off; llm_status; }
};

sub team { return with(ask('Hi', @_ ? @_ : '"max_tokens":20'), 'X-Team: a',
    'X-User: u') }

# What Redis has of a limit, as it is kept there.
our $Script = q{
    local s = {struct.unpack('<ddddddddddddd', redis.call('GET', KEYS[1]))}
    return s[3] .. ' ' .. s[5] + s[6] + s[7]
};

# What was used and what is reserved.
sub state_of {
    my ($pattern) = @_;
    my ($key) = split /\n/, $redis->cli('KEYS', $pattern);
    return split ' ', $redis->cli('EVAL', $Script, 1, $key);
}

# What was used, once nothing is reserved any more.
sub used {
    my ($pattern) = @_;
    return sub {
        my $used;
        LLMSteps::await('settled', sub {
            ($used, my $held) = state_of($pattern);
            return defined $held && $held eq '0';
        });
        return $used;
    };
}

sub flushed { return sub { $redis->cli('FLUSHALL'); '' } }

our $Left = 'x-ratelimit-remaining-tokens';
our $Calls = 'x-ratelimit-remaining-requests';

run_tests();

__DATA__

=== TEST 1: reserved and settled in Redis, by scripts that it may have to be told
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    sub { $::redis->cli('FLUSHALL'); $::redis->cli('SCRIPT', 'FLUSH'); '' }
        => '',
    ::team() => ['one', $::Left => qr/^7[0-4]$/],
    ::used('llm:limit:*team*') => 13,
    sub { $::redis->cli('SCRIPT', 'FLUSH'); '' } => '',
    ::team('"max_tokens":60') => ['two', $::Left => qr/^1\d$/],
    ::used('llm:limit:*team*') => 26,
    ::team('"max_tokens":70') => ['429 (error)', $::Left => '74',
        'Retry-After' => qr/^\d+$/],
    ::team('"max_tokens":100') => ['429 (error)',
        'x-should-retry' => 'false'],
    ::used('llm:limit:*team*') => 26,
]



=== TEST 2: all limits or none, in several slots
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    ::flushed() => '',
    at('/both', ::team()) => ['one', $::Left => qr/^2\d$/, $::Calls => '3'],
    ::used('calls:*') => 1,
    # The user's limit refuses, the other two get theirs back.
    at('/both', ::team('"max_tokens":40')) => ['429 (error)',
        $::Left => '37', $::Calls => '3'],
    ::used('llm:limit:*team*') => 13,
    ::used('llm:limit:*user*') => 13,
    ::used('calls:*') => 1,
]



=== TEST 3: one in memory, one in Redis
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    ::flushed() => '',
    at('/here', ::team()) => ['one', $::Left => qr/^3\d$/],
    at('/here', ::team('"max_tokens":45')) => ['429 (error)', $::Left => '47'],
    ::used('llm:limit:*team*') => 13,
    ::team('"max_tokens":70') => ['two', $::Left => qr/^\d$/],
    at('/here', ::team('"max_tokens":30')) => 'three',
    get('/status') => qr/"here":\{[^}]*"used":26,/,
]



=== TEST 4: nothing is charged for failures, nor for a client who leaves while Redis is asked
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    ::flushed() => '',
    ::team() => '500 (error)',
    ::team() => 'two',
    ::used('llm:limit:*team*') => 13,
    sub { $::redis->pause; '' } => '',
    started(::team('"max_tokens":80')) => '',
    sub { LLMSteps::await_requests(1); @LLMSteps::Running = ();
          LLMSteps::await_requests(0); $::redis->resume; '' } => '',
    ::used('llm:limit:*team*') => 13,
    ::team('"max_tokens":78') => 'three',
]
--- upstream eval
[whole(openai_error('server_error', 'no'), '500 Internal Server Error'),
 whole(openai_text('two')), whole(openai_text('three'))]



=== TEST 5: ... also where one of two has answered when he leaves
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    ::flushed() => '',
    at('/two', ::team()) => 'one',
    ::used('llm:limit:*team*') => 13,
    sub { $::other->pause; '' } => '',
    started(at('/two', ::team('"max_tokens":70'))) => '',
    sub { LLMSteps::await('reserved', sub {
              (::state_of('llm:limit:*team*'))[1] > 0 });
          @LLMSteps::Running = ();
          LLMSteps::await_requests(0); $::other->resume; '' } => '',
    ::used('llm:limit:*team*') => 13,
    at('/two', ::team('"max_tokens":78')) => 'two',
]



=== TEST 6: with Redis gone: a share of one's own, all, or nothing; and back
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    ::flushed() => '',
    ::team() => 'one',
    ::used('llm:limit:*team*') => 13,
    sub { $::redis->kill; '' } => '',
    # This gateway was the only one: its share is the whole.
    ::team('"max_tokens":85') => ['two', $::Left => qr/^\d$/],
    ::team('"max_tokens":85') => ['429 (error)', $::Left => '87'],
    at('/allow', ::team('"max_tokens":85')) => 'three',
    at('/allow', ::team('"max_tokens":85')) => 'four',
    at('/deny', ::team()) => ['503 (error)', $::Left => undef],
    sub { $::redis->start; '' } => '',
    sub { LLMSteps::await('Redis', sub {
        LLMSteps::say(LLMSteps::call(at('/deny', ::team()))) !~ /503/ }); '' }
        => '',
]
--- error_log
limits cannot be kept in Redis: connection refused



=== TEST 7: a limit for some models, and what answered counts, not what was asked
--- http_config eval
$::HttpConfig . '
    llm_limit_zone $http_x_team zone=first:64k rate=100/d redis=shared;
    llm_limit_zone $http_x_team zone=second:64k rate=100/d redis=shared;
    llm_upstream chat { model openai/a max_fails=0; model openai/b backup; }'
--- config eval
$::Config . 'location /some/ { llm_pass openai;
    llm_limit zone=first model=gpt-5*; llm_limit zone=second model=o3; }
    location /chat/ { llm_pass chat; llm_limit zone=first model=openai/a;
    llm_limit zone=second model=b; }'
--- steps eval
sub of { my $call = at('/some', ::team()); $call->{body} =~ s/"m"/"$_[0]"/; $call }
[
    ::flushed() => '',
    of('gpt-4o') => ['one', $::Left => undef],
    of('gpt-5-mini') => ['two', $::Left => qr/^7\d$/],
    ::used('llm:limit:*first*') => 13,
    of('o3') => ['three', $::Left => qr/^7\d$/],
    ::used('llm:limit:*first*') => 13,
    ::used('llm:limit:*second*') => 13,
    # Of the pool: the first model answers with an error, and costs nothing;
    # the second one is charged, though it was not asked.
    at('/chat', ::team()) => 'five',
    ::used('llm:limit:*first*') => 13,
    ::used('llm:limit:*second*') => 26,
    at('/chat', ::team()) => 'six',
    ::used('llm:limit:*first*') => 26,
    ::used('llm:limit:*second*') => 26,
]
--- upstream eval
[(map { whole(openai_text($_)) } qw(one two three)),
 whole(openai_error('server_error', 'no'), '500 Internal Server Error'),
 whole(openai_text('five')), whole(openai_text('six'))]
--- error_log
llm:
