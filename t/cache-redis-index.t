# llm_cache_zone with an index in Redis. Query engines: a small one of the
# tests' own always, and a real one where LLM_TEST_REDISEARCH has HOST:PORT (it
# is emptied). Vector sets: LLM_TEST_REDIS8 is a redis-server of Redis 8.
# HUP: no, because entries live through a reload.

use lib 't/lib';
use LLMTest;
use LLMRedis;
use LLMCache;
use QueryEngine;

our $redis = LLMRedis->server();
our $stack = QueryEngine->server($redis, 'stack');
our $valkey = QueryEngine->server($redis, 'valkey');

our $real = $ENV{LLM_TEST_REDISEARCH};
our $redis8;
if ($ENV{LLM_TEST_REDIS8}) {
    package Redis8;
    our @ISA = 'LLMRedis';
    sub launch {
        my ($self) = @_;
        unlink $self->{socket};
        $self->{pid} = fork() // die "fork() failed: $!";
        return if $self->{pid};
        open STDOUT, '>', "$self->{folder}/stdout";
        open STDERR, '>&', \*STDOUT;
        exec $ENV{LLM_TEST_REDIS8}, "$self->{folder}/redis.conf"
            or POSIX::_exit(1);
    }
    $main::redis8 = Redis8->server();
}

our $Config = $LLMCache::Locations;
our $who = 'Who is Joseph Conrad?';
our $whos = "Who's Joseph Conrad?";

sub gateways {
    my ($index, $address) = @_;
    return two_gateways("index $index;")
        =~ s/server 127.0.0.1:\S+;/server $address;/r;
}

sub on_engine { return gateways('redisearch', '127.0.0.1:' . $_[0]->port) }
sub on_set {
    return gateways('vectorset', '127.0.0.1:' . ($redis8 // $redis)->port);
}

sub keys_of {
    my ($kind, $server) = @_;
    my @names = sort grep { /^test:$kind/ }
        split /\n/, ($server // $redis)->cli('KEYS', '*');
    return @names;
}

sub logged {
    my ($pattern) = @_;
    return scalar(() = error_log() =~ /$pattern/g);
}

# The same with each.
sub shares_by_meaning {
    my ($server) = @_;
    Test::More::is(ask('/a', $who), 'Miss');
    soon sub { keys_of('[hv]:', $server) };
    Test::More::is(ask('/b', $whos), 'Hit semantic');
    Test::More::is(ask('/b', $who), 'Hit');
    Test::More::is(ask('/b', 'Living is easy with eyes closed'), 'Miss');
}

run_tests();

__DATA__

=== TEST 1: Redis Stack: the index is made, and finds what others stored
--- http_config eval: ::on_engine($::stack)
--- config eval: $::Config
--- redis
--- script
soon sub { $::redis->cli('KEYS', 'index of *') };
like($::redis->cli('KEYS', 'index of *'),
    qr/^index of test:idx:[0-9a-f]{16}$/);
shares_by_meaning();
my ($hash) = grep { $::redis->cli('HGET', $_, 'question') eq $::who }
    keys_of('h:');
my $ttl = $::redis->cli('PTTL', $hash);
ok($ttl > 3_500_000 && $ttl <= 3_600_000, 'it goes when its entry does');
is(logged(qr/failed in Redis|cannot be used/), 0);



=== TEST 2: Valkey search: likewise
--- http_config eval: ::on_engine($::valkey)
--- config eval: $::Config
--- redis
--- script
soon sub { $::redis->cli('KEYS', 'index of *') };
shares_by_meaning();
is(logged(qr/failed in Redis|cannot be used/), 0);



=== TEST 3: an index dropped behind our back is made again
--- http_config eval: ::on_engine($::stack)
--- config eval: $::Config
--- redis
--- script
is(ask('/a', $::who), 'Miss');
soon sub { keys_of('h:') };
is(ask('/b', $::whos), 'Hit semantic');
$::stack->drop;
is(ask('/b', 'Joseph Conrad, who is that?'), 'Miss', 'this one is lost');
soon sub { $::redis->cli('KEYS', 'index of *') };
is(ask('/b', 'Who was it that wrote Nostromo?'), 'Miss');
soon sub { ask('/a', "Who's Joseph Conrad") =~ /^Hit/ };
ok(logged(qr/a search failed in Redis: test:idx:\w+: no such index/));



=== TEST 4: an index of other dimensions is left alone, until it has gone
--- http_config eval: ::on_engine($::stack)
--- config eval: $::Config
--- redis
--- script
$::redis->cli('FLUSHALL');
soon sub { $::redis->cli('KEYS', 'index of *') || ask('/a', rand()) && 0 };
my ($name) = $::redis->cli('KEYS', 'index of *') =~ /index of (\S+)/;
$::stack->drop;
$::stack->occupy($name, 768);
ask('/a', 'one'); ask('/b', 'two');
soon sub { ask('/a', rand()); logged(qr/cannot be used/) };
ok(logged(qr/"$name" in Redis cannot be used: it is of other keys; drop it/));
is(ask('/a', $::who), 'Miss');
is(ask('/a', $::who), 'Hit', 'exact ones work');
like($::redis->cli('GET', "index of $name"), qr/^shop: 768$/);



=== TEST 5: a purge of a partition takes what the index has, too
--- http_config eval: ::on_engine($::stack)
--- config eval: $::Config
--- redis
--- script
soon sub { $::redis->cli('KEYS', 'index of *') };
is(ask('/a', $::who), 'Miss');
soon sub { keys_of('h:') && keys_of('p:') };
my ($partition) = map { /\{(\w+)\}/ } keys_of('p:');
# As if its list had been evicted.
$::redis->cli('DEL', "test:p:{$partition}");
is(purge("?partition=$partition"), 200);
is(scalar(my @left = keys_of('[ehp]:')), 0);
is(ask('/b', $::whos), 'Miss');



=== TEST 6: a vector without its entry is a miss, and removed
--- http_config eval: ::on_engine($::stack)
--- config eval: $::Config
--- redis
--- script
soon sub { $::redis->cli('KEYS', 'index of *') };
my $key = key('/a', $::who);
soon sub { keys_of('h:') };
$::redis->cli('DEL', "test:e:$key");
is(ask('/b', $::whos), 'Miss');
soon sub { !grep { /$key/ } keys_of('h:') };



=== TEST 7: a plain Redis has no query engine: exact answers, and a word of it
--- http_config eval: ::gateways('redisearch', '127.0.0.1:' . $::redis->port)
--- config eval: $::Config
--- redis
--- script
is(ask('/a', $::who), 'Miss');
soon sub { keys_of('e:') };
is(ask('/b', $::who), 'Hit');
is(ask('/b', $::whos), 'Miss', 'nothing searches for it');
ok(logged(qr/cannot be used: .*"index redisearch" needs a server with/));



=== TEST 8: a real query engine
--- http_config eval: ::gateways('redisearch', $::real // '127.0.0.1:1')
--- config eval: $::Config
--- script
SKIP: {
    skip 'LLM_TEST_REDISEARCH is not set', 1 if !$::real;
    my ($host, $port) = split /:/, $::real;
    system "redis-cli -h $host -p $port FLUSHALL >/dev/null";
    is(ask('/a', $::who), 'Miss');
    soon sub { `redis-cli -h $host -p $port KEYS 'test:h:*'` =~ /test:h/ };
    soon sub { ask('/b', $::whos) eq 'Hit semantic' };
}



=== TEST 9: vector sets of Redis 8
--- http_config eval: ::on_set()
--- config eval: $::Config
--- script
SKIP: {
    skip 'LLM_TEST_REDIS8 is not set', 1 if !$::redis8;
    $::redis8->cli('FLUSHALL');
    shares_by_meaning($::redis8);
    my ($set) = keys_of('v:', $::redis8);
    like($set, qr/^test:v:[0-9a-f]{16}:\{[0-9a-f]{64}\}$/);
    ok($::redis8->cli('PTTL', $set) > 3_500_000);
    is(logged(qr/failed in Redis|cannot be used/), 0);
}



=== TEST 10: an element without its entry is a miss, and removed
--- http_config eval: ::on_set()
--- config eval: $::Config
--- script
SKIP: {
    skip 'LLM_TEST_REDIS8 is not set', 1 if !$::redis8;
    $::redis8->cli('FLUSHALL');
    my $key = key('/a', $::who);
    soon sub { keys_of('v:', $::redis8) };
    my ($set) = keys_of('v:', $::redis8);
    $::redis8->cli('DEL', "test:e:$key");
    is(ask('/b', $::whos), 'Miss');
    soon sub { $::redis8->cli('VGETATTR', $set, $key) eq '' };
}



=== TEST 11: a set does not keep what has expired
--- http_config eval: ::on_set() =~ s/prefix/ttl 1s; prefix/gr
--- config eval: $::Config
--- script
SKIP: {
    skip 'LLM_TEST_REDIS8 is not set', 1 if !$::redis8;
    $::redis8->cli('FLUSHALL');
    ask('/a', "question number $_") for 1 .. 3;
    soon sub { keys_of('v:', $::redis8) };
    soon sub { !keys_of('e:', $::redis8) };
    ask('/a', 'one more');
    soon sub { my ($set) = keys_of('v:', $::redis8);
        $set && $::redis8->cli('VCARD', $set) == 1 };
    soon sub { !keys_of('[epv]:', $::redis8) };
    is(logged(qr/failed in Redis|cannot be used/), 0);
}



=== TEST 12: a purge of a partition takes its set
--- http_config eval: ::on_set()
--- config eval: $::Config
--- script
SKIP: {
    skip 'LLM_TEST_REDIS8 is not set', 1 if !$::redis8;
    $::redis8->cli('FLUSHALL');
    is(ask('/a', $::who), 'Miss');
    soon sub { keys_of('v:', $::redis8) };
    my ($partition) = map { /\{(\w+)\}/ } keys_of('v:', $::redis8);
    is(purge("?partition=$partition"), 200);
    is(scalar(my @left = keys_of('[epv]:', $::redis8)), 0);
    soon sub { entries('b') == 0 };
    is(ask('/b', $::whos), 'Miss');
}
