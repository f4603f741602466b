# llm_limit_zone with "sync": what a gateway has of budgets in Redis.
# HUP: no, because what was used lives through a reload.

use lib 't/lib';
use LLMTest;
use LLMRedis;
use LLMAnswers;
use LLMSteps;

our $redis = LLMRedis->server();

# Each answer of the provider uses 9 + 4 tokens.
our $HttpConfig = q{
    llm_provider openai {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
        keepalive 0;
    }
    llm_redis shared { server 127.0.0.1:$TEST_NGINX_REDIS_PORT; connect_timeout 5s; timeout 5s; }
    llm_limit_zone $http_x_team zone=team:128k rate=200/d redis=shared
        sync=1s;
    llm_limit_zone $http_x_team zone=quick:128k rate=200/d redis=shared
        sync=50ms;
    llm_limit_zone $http_x_team zone=bucket:128k rate=200/d burst=200
        redis=shared sync=5s;
    llm_limit_zone $http_x_user zone=user:128k rate=100/d redis=shared;
};

our $Config = q{
    location / { llm_pass openai; llm_limit zone=team; }
    location /quick/ { llm_pass openai; llm_limit zone=quick; }
    location /bucket/ { llm_pass openai; llm_limit zone=bucket; }
    location /both/ { llm_pass openai; llm_limit zone=team;
        llm_limit zone=user; }
    location /deny/ { llm_pass openai; llm_limit zone=team;
        llm_limit_redis_error deny; }
    location = /status { llm off; llm_status; }
};

sub team { return with(ask('Hi', @_ ? @_ : '"max_tokens":20'), 'X-Team: a',
    'X-User: u') }

# What was used, and what is reserved.
our $Script = q{
    local kept = redis.call('GET', KEYS[1])
    if not kept then return '' end
    local s = {struct.unpack('<ddddddddddddd', kept)}
    return s[3] .. ' ' .. s[5] + s[6] + s[7]
};

sub in_redis {
    my ($key) = grep { /:[sfc]\d+$/ }
        split /\n/, $redis->cli('KEYS', 'llm:limit:*}' . shift() . ':*');
    return defined $key ? split ' ', $redis->cli('EVAL', $Script, 1, $key)
        : ();
}

# Until so much is reserved.
sub held {
    my ($zone, $wanted) = @_;
    return sub {
        my ($used, $held);
        LLMSteps::await("$wanted held", sub {
            ($used, $held) = in_redis($zone);
            return defined $held && $held =~ /^(?:$wanted)$/;
        });
        return $used;
    };
}

sub flushed { return sub { $redis->cli('FLUSHALL'); '' } }
sub paused { return sub { $redis->pause; '' } }
sub resumed { return sub { $redis->resume; '' } }

our $Left = 'x-ratelimit-remaining-tokens';

master_on();
workers(2);
run_tests();

__DATA__

=== TEST 1: the first request makes a call, and the next ones wait for nothing
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    ::flushed() => '',
    ::team() => ['one', $::Left => qr/^17\d$/],
    # Twice what was asked for in an interval.
    ::held('team', '5\d') => 13,
    ::paused() => '',
    ::team() => ['two', $::Left => qr/^1[56]\d$/],
    # What the answer did not use is in the share again.
    ::team() => ['three', $::Left => qr/^14\d$/],
    ::resumed() => '',
    sub { LLMSteps::await('settled', sub {
        (::in_redis('team'))[0] eq '39' }); '' } => '',
    get('/status') => qr/"team":\{"passed":3,[^}]*"from_share":2,/,
]



=== TEST 2: what is too large for the share finds all that others do not hold
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    ::flushed() => '',
    ::team() => 'one',
    ::held('team', '5\d') => 13,
    # With the share, 187 are left; without it, 130.
    ::team('"max_tokens":170') => 'two',
    ::team('"max_tokens":170') => ['429 (error)', $::Left => '174'],
    ::team('"max_tokens":300') => ['429 (error)',
        'x-should-retry' => 'false'],
]



=== TEST 3: what nobody asks for is given back
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    ::flushed() => '',
    at('/quick', ::team()) => 'one',
    ::held('quick', '5\d') => 13,
    ::held('quick', 0) => 13,
    sub { $::redis->cli('KEYS', '*#*') } => '',
]



=== TEST 4: a failure costs nothing, and all limits are held or none
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    ::flushed() => '',
    at('/both', ::team()) => 'one',
    ::held('team', '5\d') => 13,
    at('/both', ::team('"max_tokens":30')) => '500 (error)',
    # The user's limit refuses; the share has its part again.
    at('/both', ::team('"max_tokens":31')) => 'three',
    ::held('user', 0) => 26,
    at('/both', ::team('"max_tokens":80')) => ['429 (error)', $::Left => '74'],
    # Nobody waits for what is given back to Redis.
    sub { LLMSteps::await('given back', sub {
        LLMSteps::call(::team('"max_tokens":155')) =~ /four/ }); '' } => '',
]
--- upstream eval
[whole(openai_text('one')),
 whole(openai_error('server_error', 'no'), '500 Internal Server Error'),
 whole(openai_text('three')), whole(openai_text('four'))]



=== TEST 5: a bucket, a share of which is good for two intervals
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    ::flushed() => '',
    at('/bucket', ::team()) => 'one',
    sub { LLMSteps::await('share', sub {
        my ($key) = grep { /:b\d+$/ } split /\n/, $::redis->cli('KEYS', '*');
        $::redis->cli('EVAL', q{
            local level = select(3, struct.unpack('<ddddd',
                redis.call('GET', KEYS[1])))
            return level > 60 and 1 or 0
        }, 1, $key) eq '1' }); '' } => '',
    ::paused() => '',
    at('/bucket', ::team()) => 'two',
    ::resumed() => '',
]



=== TEST 6: workers that leave give back what they have; those that come use it
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    ::flushed() => '',
    ::team() => 'one',
    ::held('team', '5\d') => 13,
    # A zone that is no longer used.
    reload('redis=shared
        sync=1s', 'redis=shared') => '',
    ::held('team', 0) => 13,
    ::team() => ['two', $::Left => qr/^1[56]\d$/],
    ::held('team', 0) => 26,
]



=== TEST 7: a worker that is killed leaves its share to the others
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    ::flushed() => '',
    ::team() => 'one',
    ::held('team', '5\d') => 13,
    signal_workers('KILL') => '',
    ::paused() => '',
    ::team() => 'two',
    ::resumed() => '',
    at('/quick', ::team()) => 'three',
    ::held('quick', '5\d') => 13,
    signal_workers('KILL') => '',
    # Nobody uses it: it is found and given back.
    ::held('quick', 0) => 13,
]
--- error_log eval
['[alert]', 'exited on signal 9']



=== TEST 8: with Redis gone the share is used up, and then llm_limit_redis_error decides
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    ::flushed() => '',
    ::team() => 'one',
    ::held('team', '5\d') => 13,
    sub { $::redis->kill; '' } => '',
    at('/deny', ::team()) => 'two',
    at('/deny', ::team('"max_tokens":100')) => '503 (error)',
    ::team() => 'three',
    sub { $::redis->start; '' } => '',
    sub { LLMSteps::await('Redis', sub {
        LLMSteps::say(LLMSteps::call(at('/deny', ::team()))) !~ /503/ }); '' }
        => '',
]
--- error_log
limits cannot be kept in Redis: connection
