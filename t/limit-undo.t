# Limits in a Redis that answers too late: what it does all the same is undone,
# and what it has not done is asked for again.
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
    llm_redis shared { server 127.0.0.1:$TEST_NGINX_REDIS_PORT; connect_timeout 5s; timeout 1s; }
    llm_limit_zone $http_x_team zone=team:64k rate=100/d redis=shared;
    llm_limit_zone $http_x_team zone=calls:64k rate=10/d redis=shared
        count=requests;
    llm_limit_zone $http_x_team zone=share:64k rate=100/d redis=shared
        sync=50ms;
};

our $Config = q{
    location / { llm_pass openai; llm_limit zone=team; }
    location /calls/ { llm_pass openai; llm_limit zone=calls; }
    location /share/ { llm_pass openai; llm_limit zone=share; }
};

sub team { return with(ask('Hi', '"max_tokens":20'), 'X-Team: a') }

# What was used, once there is nothing reserved, and so many records at least: a
# call that was undone leaves an empty one, so that it is not executed any more.
our $Script = q{
    local s = {struct.unpack('<ddddddddddddd', redis.call('GET', KEYS[1]))}
    return s[3] .. ' ' .. s[5] + s[6] + s[7]
};

sub used {
    my ($zone, $records) = @_;
    return sub {
        my $used;
        LLMSteps::await('settled', sub {
            my @keys = split /\n/, $redis->cli('KEYS', 'llm:limit:*{*');
            my ($key) = grep { /\}$zone:/ } @keys;
            return 0 if !defined $key
                || $records > grep { /#/ } @keys;
            ($used, my $held) = split ' ',
                $redis->cli('EVAL', $Script, 1, $key);
            return $held eq '0';
        });
        return $used;
    };
}

sub flushed { return sub { $redis->cli('FLUSHALL'); '' } }
sub paused { return sub { $redis->pause; '' } }
sub resumed { return sub { $redis->resume; '' } }

# Until the command has failed.
sub failed {
    return sub {
        LLMSteps::await('failure', sub {
            LLMRedis::error_log() =~ /cannot be kept in Redis/ });
        return '';
    };
}

run_tests();

__DATA__

=== TEST 1: a call that was given up reserves nothing
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    ::flushed() => '',
    ::team() => 'one',
    ::used('team', 0) => 13,
    ::paused() => '',
    # From this gateway's own share.
    ::team() => 'two',
    ::resumed() => '',
    ::used('team', 1) => 13,
]
--- error_log
limits cannot be kept in Redis: timed out



=== TEST 2: a settlement that is sent again counts once
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    ::flushed() => '',
    started(at('/calls', streamed(::team()))) => '',
    sub { LLMSteps::receive($LLMSteps::Running[0], qr/"content":"o/); '' }
        => '',
    ::paused() => '',
    # The client leaves after the first words.
    sub { @LLMSteps::Running = (); '' } => '',
    ::failed() => '',
    ::resumed() => '',
    # The empty record of the second one.
    ::used('calls', 1) => 1,
]
--- upstream eval
[[@{cut(openai_chunk('{"role":"assistant","content":"one"}'))}, \'hold']]
--- error_log
limits cannot be kept in Redis: timed out



=== TEST 3: nor does one of what was taken out of a share
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    ::flushed() => '',
    at('/share', ::team()) => 'one',
    ::paused() => '',
    ::failed() => '',
    ::resumed() => '',
    ::used('share', 0) => 13,
]
--- error_log
limits cannot be kept in Redis: timed out
