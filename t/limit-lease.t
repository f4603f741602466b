# What is reserved for an answer that takes longer than the lease.
# HUP: no, because what was used lives through a reload.

use lib 't/lib';
use LLMTest;
use LLMRedis;
use LLMAnswers;
use LLMSteps;

use Time::HiRes ();

our $redis = LLMRedis->server();

# Each answer of the provider uses 9 + 4 tokens.
our $HttpConfig = q{
    llm_provider openai {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
        keepalive 0;
    }
    llm_redis shared { server 127.0.0.1:$TEST_NGINX_REDIS_PORT;
        timeout 5s; connect_timeout 5s; }
    llm_limit_zone $http_x_team zone=here:64k rate=100/d lease=1s;
    llm_limit_zone $http_x_team zone=redis:64k rate=100/d lease=1s
        redis=shared;
    llm_limit_zone $http_x_team zone=calls:64k rate=10/d lease=1s
        redis=shared count=requests;
    llm_limit_zone $http_x_team zone=share:64k rate=200/d lease=1s
        redis=shared sync=100ms;
};

our $Config = q{
    location /here/ { llm_pass openai; llm_limit zone=here; }
    location /redis/ { llm_pass openai; llm_limit zone=redis;
        llm_limit zone=calls; }
    location /share/ { llm_pass openai; llm_limit zone=share; }
};

sub team { return with(ask('Hi', '"max_tokens":' . shift), 'X-Team: a') }

# Until two leases and the half that they may last longer are over, and once
# more; each time the call must be refused.
sub refused_for_long {
    my ($call) = @_;
    return sub {
        my $until = Time::HiRes::time() + 3;
        while (Time::HiRes::time() < $until) {
            my $seen = LLMSteps::say(LLMSteps::call($call));
            return $seen if $seen ne '429 (error)';
            select undef, undef, undef, 0.05;
        }
        return 'refused';
    };
}

sub left { return sub { @LLMSteps::Running = ();
    LLMSteps::await_requests(0); '' } }

sub soon_granted {
    my ($call, $text) = @_;
    return sub {
        my $seen;
        LLMSteps::await('granted', sub {
            ($seen = LLMSteps::say(LLMSteps::call($call))) !~ /429/ });
        return $seen;
    };
}

# Until the first call is settled, and something is reserved.
sub await_share {
    return sub {
        LLMSteps::await('share', sub {
            my ($key) = grep { /:s\d+$/ } split /\n/,
                $redis->cli('KEYS', '*share*');
            return defined $key && $redis->cli('EVAL', q{
                local s = {struct.unpack('<ddddddddddddd',
                    redis.call('GET', KEYS[1]))}
                return s[3] == 13 and s[5] + s[6] + s[7] or 0
            }, 1, $key) > 0 });
        return '';
    };
}

our $Upstream = [[\'hold'], whole(openai_text('two'))];

run_tests();

__DATA__

=== TEST 1: in memory
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    started(at('/here', ::team(50))) => '',
    sub { LLMSteps::await_provider(1); '' } => '',
    ::refused_for_long(at('/here', ::team(50))) => 'refused',
    ::left() => '',
    at('/here', ::team(80)) => 'two',
]
--- upstream eval: $::Upstream



=== TEST 2: in Redis, all that is of one call
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    sub { $::redis->cli('FLUSHALL'); '' } => '',
    started(at('/redis', ::team(50))) => '',
    sub { LLMSteps::await_provider(1); '' } => '',
    ::refused_for_long(at('/redis', ::team(50))) => 'refused',
    ::left() => '',
    ::soon_granted(at('/redis', ::team(80))) => 'two',
    # The record of a call goes with it.
    sub { LLMSteps::await('no records', sub {
        $::redis->cli('KEYS', '*#*') eq '' }); '' } => '',
]
--- upstream eval: $::Upstream



=== TEST 3: what was taken out of a share
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    sub { $::redis->cli('FLUSHALL'); '' } => '',
    at('/share', ::team(40)) => 'one',
    ::await_share() => '',
    started(at('/share', ::team(40))) => '',
    sub { LLMSteps::await_provider(2); '' } => '',
    ::refused_for_long(at('/share', ::team(155))) => 'refused',
    ::left() => '',
    ::soon_granted(at('/share', ::team(155))) => 'three',
]
--- upstream eval
[whole(openai_text('one')), [\'hold'], whole(openai_text('three'))]
