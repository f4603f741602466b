# llm_limit_zone in a Redis cluster: limits of one consumer are in one slot,
# those of others are elsewhere; slots move, and masters die.
# HUP: no, because what was used lives through a reload.

use lib 't/lib';
use LLMTest;
use LLMRedis;
use LLMAnswers;
use LLMSteps;

our @nodes = LLMRedis->cluster();

# Each answer of the provider uses 9 + 4 tokens.
our $HttpConfig = q{
    llm_provider openai {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
        keepalive 0;
    }
    llm_redis shared {
        server 127.0.0.1:$TEST_NGINX_REDIS_PORT;
        cluster on;
        timeout 20s;
        connect_timeout 5s;
        fail_timeout 200ms;
    }
    llm_limit_zone $http_x_team zone=team:64k rate=100/d redis=shared;
    llm_limit_zone $http_x_team zone=calls:64k rate=4/d count=requests
        redis=shared;
    llm_limit_zone $http_x_user zone=user:64k rate=60/d redis=shared;
    llm_limit_zone $http_x_team zone=share:128k rate=200/d redis=shared
        sync=50ms;
};

our $Config = q{
    location / { llm_pass openai; llm_limit zone=team; llm_limit zone=calls;
        llm_limit zone=user; }
    location /share/ { llm_pass openai; llm_limit zone=share; }
};

# Now.
sub masters {
    return grep { $_->cli('ROLE') =~ /^master/ } grep { $_->pid } @nodes;
}

sub call {
    my ($team, $user, $tokens) = @_;
    return with(ask('Hi', '"max_tokens":' . ($tokens // 20)),
        "X-Team: $team", $user ? "X-User: $user" : ());
}

sub flushed {
    return sub { $_->cli('FLUSHALL') for masters(); '' };
}

# Keys of limits on all masters; those of records have no zone.
sub keys_of {
    my ($zone) = @_;
    return map {
        my $node = $_;
        map { [$node, $_] } grep { /\}$zone:/ }
            split /\n/, $node->cli('KEYS', 'llm:limit:*{*')
    } masters();
}

our $Script = q{
    local s = {struct.unpack('<ddddddddddddd', redis.call('GET', KEYS[1]))}
    return s[3] .. ' ' .. s[5] + s[6] + s[7]
};

# What all keys of a zone have used, once nothing is reserved.
sub used {
    my ($zone) = @_;
    return sub {
        my $sum;
        LLMSteps::await('settled', sub {
            $sum = 0;
            my @keys = keys_of($zone);
            for my $key (@keys) {
                my ($node, $name) = @$key;
                my ($used, $held) = split ' ',
                    $node->cli('EVAL', $Script, 1, $name);
                return 0 if $held ne '0';
                $sum += $used;
            }
            return @keys > 0;
        });
        return $sum;
    };
}

our $Left = 'x-ratelimit-remaining-tokens';

run_tests();

__DATA__

=== TEST 1: consumers are spread over the nodes, each with all of its limits
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    ::flushed() => '',
    (map { ::call("team$_", "user$_") => qr/^HTTP\S+ 200/ } 1 .. 12),
    ::used('team') => 12 * 13,
    ::used('user') => 12 * 13,
    ::used('calls') => 12,
    sub {
        my %nodes = map { $_->[0]->port => 1 } ::keys_of('team');
        return scalar keys %nodes;
    } => 3,
    sub {
        my %team = map { $_->[1] =~ /(\{.*\})/ } ::keys_of('team');
        my %calls = map { $_->[1] =~ /(\{.*\})/ } ::keys_of('calls');
        return CORE::join(' ', sort %team) eq CORE::join(' ', sort %calls)
            ? 'the same' : 'others';
    } => 'the same',
    # What is refused in one slot is given back in the others.
    ::call('team1', 'user1', 45) => ['429 (error)'],
    ::used('team') => 12 * 13,
    ::used('calls') => 12,
]



=== TEST 2: a slot moves
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    ::flushed() => '',
    ::call('moving') => 'one',
    ::used('team') => 13,
    sub {
        my (($from, $key)) = @{(::keys_of('team'))[0]};
        my $to = ::other_master($from);
        my $slot = $from->cli('CLUSTER', 'KEYSLOT', $key);
        ::move_slot($slot, $from, $to);
        my @keys = map { $_->[1] } ::keys_of('team'), ::keys_of('calls');
        # What the call needs is on neither node as a whole: it waits.
        $from->cli('MIGRATE', '127.0.0.1', $to->port, $keys[0], 0, 1000);
        push @LLMSteps::Running, LLMSteps::start(::call('moving'));
        ::soon(sub { CORE::join('', map { $_->cli('INFO', 'errorstats') }
            @::nodes) =~ /TRYAGAIN/ });
        $from->cli('MIGRATE', '127.0.0.1', $to->port, $keys[1], 0, 1000);
        ::slot_moved($slot, $to);
        return '';
    } => '',
    finished() => ['two', $::Left => qr/^5\d$/],
    ::call('moving') => ['three', $::Left => qr/^4\d$/],
    ::used('team') => 39,
    ::used('calls') => 3,
]



=== TEST 3: shares of a budget
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    ::flushed() => '',
    at('/share', ::call('a')) => 'one',
    sub { LLMSteps::await('share', sub { ::keys_of('share') }); '' } => '',
    at('/share', ::call('a')) => 'two',
    ::used('share') => 26,
]



=== TEST 4: a master dies, its replica goes on with what was used
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    ::flushed() => '',
    ::call('kept', undef, 60) => 'one',
    ::used('team') => 13,
    sub {
        my ($master, $key) = @{(::keys_of('team'))[0]};
        $master->cli('WAIT', 1, 1000);
        $master->kill;
        # With a share of its own meanwhile.
        ::soon(sub { my ($now) = ::node_of($key);
            $now && $now != $master });
        ::soon(sub {
            LLMSteps::call(::call('kept')) =~ /remaining-tokens: (\d+)/i;
            ::used('team')->() > 13;
        });
        $master->start;
        ::soon(sub { $master->cli('ROLE') =~ /^slave/ });
        return ::used('team')->() % 13;
    } => 0,
    # All of the first call is still there.
    ::call('kept', undef, 80) => ['429 (error)'],
]
--- error_log
llm: redis "shared": server 127.0.0.1
