# llm_cache_zone with "redis" and "index memory": what gateways share by a
# plain Redis, and what goes wrong with it.
# HUP: no, because entries live through a reload.

use lib 't/lib';
use LLMTest;
use LLMRedis;
use LLMCache;
use Test::Nginx::Util ();

master_on();

our $redis = LLMRedis->server();

our $Config = $LLMCache::Locations;
our $Http = two_gateways('index memory;');

our $who = 'Who is Joseph Conrad?';
our $whos = "Who's Joseph Conrad?";

# Of one kind: the keys' names.
sub keys_of {
    my ($kind) = @_;
    my @names = sort grep { /^test:$kind/ }
        split /\n/, $redis->cli('KEYS', '*');
    return @names;
}

sub logged {
    my ($pattern) = @_;
    return scalar(() = error_log() =~ /$pattern/g);
}

# The configuration changes as the code says, and a worker of the new one
# answers.
sub reload {
    my ($change) = @_;
    my $file = "$ENV{TEST_NGINX_SERVROOT}/conf/nginx.conf";
    open my $in, '<', $file or die "open() failed: $!";
    local $_ = do { local $/; <$in> };
    $change->();
    open my $out, '>', $file or die "open() failed: $!";
    print $out $_;
    close $out or die "close() failed: $!";

    my $master = Test::Nginx::Util::get_pid_from_pidfile('reload');
    my %before = map { $_ => 1 } split ' ', `pgrep -P $master`;
    kill 'HUP', $master or die "kill() failed: $!";
    soon sub {
        my @now = split ' ', `pgrep -P $master`;
        return @now && !grep { $before{$_} } @now;
    };
}

run_tests();

__DATA__

=== TEST 1: what one gateway stores, the other finds, by text and by meaning
--- http_config eval: $::Http
--- config eval: $::Config
--- redis
--- script
is(ask('/a', $::who), 'Miss');
is(ask('/a', $::who), 'Hit');
soon sub { entries('b') == 1 };
is(ask('/b', $::whos), 'Hit semantic');
is(ask('/b', $::who), 'Hit');
is(ask('/b', 'Living is easy with eyes closed'), 'Miss');
soon sub { entries('a') == 2 };
is(ask('/a', 'Living is easy with eyes closed'), 'Hit');
is(scalar(my @entries = keys_of('e:')), 2);



=== TEST 2: what redis-cli shows
--- http_config eval: $::Http
--- config eval: $::Config
--- redis
--- script
is(ask('/a', $::who), 'Miss');
soon sub { keys_of('s') };
my ($entry) = keys_of('e:');
is($entry, 'test:e:' . key('/a', $::who));
like($::redis->cli('GET', $entry), qr/^\{"v":1,.*"question":"\Q$::who\E"/);
my $ttl = $::redis->cli('PTTL', $entry);
ok($ttl > 3_500_000 && $ttl <= 3_600_000, 'an hour, as the zone says');

my ($members) = keys_of('p:');
like($members, qr/^test:p:\{[0-9a-f]{64}\}$/);
is('test:e:' . $::redis->cli('ZRANGE', $members, 0, -1), $entry);
ok($::redis->cli('PTTL', $members) > 3_500_000);
like($::redis->cli('XRANGE', 'test:s', '-', '+'), qr/\nt\nadd\n/);



=== TEST 3: a new gateway catches up with all that there is
--- http_config eval: $::Http =~ s/(zone b .*?memory )2m/${1}3m/r
--- config eval: $::Config
--- redis
--- script
ask('/a', "What is the capital of country number $_?") for 1 .. 70;
soon sub { entries('b') == 70 };
is($::redis->cli('XLEN', 'test:s'), 70);

# b with a memory of another size begins with nothing.
main::reload(sub { s/(zone b .*?memory )3m/${1}4m/ });
soon sub { entries('b') == 70 };
is(ask('/b', 'What is the capital of country number 7?'), 'Hit');



=== TEST 4: a reload goes on where it was
--- http_config eval: $::Http
--- config eval: $::Config
--- redis
--- script
is(ask('/a', $::who), 'Miss');
soon sub { entries('b') == 1 };
main::reload(sub { });
is(ask('/a', 'What is a whale?'), 'Miss');
soon sub { entries('b') == 2 };
is(ask('/b', $::whos), 'Hit semantic');
is(main::logged(qr/was emptied/), 0);



=== TEST 5: exact entries need no vector
--- http_config eval: $::Http
--- config eval: $::Config
--- redis
--- script
is(ask('/a', $::who, '"seed":1'), 'Miss');
soon sub { keys_of('e:') };
is(ask('/b', $::who, '"seed":1'), 'Hit');
is(ask('/b', $::who, '"seed":2'), 'Miss');
is(scalar(my @stream = keys_of('s')), 0, 'nobody is told');



=== TEST 6: a purge of everything reaches the other gateway
--- http_config eval: $::Http
--- config eval: $::Config
--- redis
SET test:other 1
SET another 1
--- script
ask('/a', $::who);
ask('/a', 'What is a whale?', '"seed":1');
soon sub { entries('b') == 1 && keys_of('e:') == 2 };
is(ask('/b', $::who), 'Hit');
is(purge(), 200);
soon sub { entries('b') == 0 };
is(scalar(my @left = keys_of('[eph]:')), 0);
is($::redis->cli('GET', 'test:other'), 1, 'what is not ours stays');
is(ask('/b', $::who), 'Miss');



=== TEST 7: so does one of a key, and one of a partition
--- http_config eval: $::Http
--- config eval: $::Config
--- redis
--- script
ask('/a', $_) for $::who, 'What is a whale?';
ask('/a', $::who, '"top_p":0.5');
soon sub { entries('b') == 3 };
my $key = key('/a', $::who);
is(purge("?key=$key"), 200);
soon sub { entries('b') == 2 };
is($::redis->cli('EXISTS', "test:e:$key"), 0);
is(ask('/b', 'What is a whale?'), 'Hit');

# The larger one.
my ($partition) = map { /\{(\w+)\}/ } sort {
    $::redis->cli('ZCARD', $b) <=> $::redis->cli('ZCARD', $a) } keys_of('p:');
is(purge("?partition=$partition"), 200);
soon sub { entries('b') == 1 };
is(scalar(my @entries = keys_of('e:')), 1);
is(scalar(my @lists = keys_of('p:')), 1);
is(ask('/b', $::who, '"top_p":0.5'), 'Hit');



=== TEST 8: a partition of many entries is purged in steps
--- http_config eval: $::Http
--- config eval: $::Config
--- redis
--- script
is(ask('/a', $::who), 'Miss');
soon sub { keys_of('p:') };
my ($members) = keys_of('p:');
my ($partition) = $members =~ /\{(\w+)\}/;
my $script = 'for i = 1, 1000 do local key = string.format("%064x", i)'
    . ' redis.call("SET", "test:e:" .. key, "{}")'
    . ' redis.call("ZADD", KEYS[1], 9e12, key) end';
$::redis->cli('EVAL', $script, 1, $members);
is($::redis->cli('ZCARD', $members), 1001);
is(purge("?partition=$partition"), 200);
is(scalar(my @entries = keys_of('[ep]:')), 0);



=== TEST 9: without Redis, calls are answered; when it comes, all heals
--- http_config eval: $::Http
--- config eval: $::Config
--- redis
--- script
$::redis->kill;
is(ask('/a', $::who), 'Miss');
is(ask('/a', $::who), 'Hit', 'from memory');
is(ask('/b', $::who), 'Miss', 'nobody has told it');
is(purge(), 503, 'a purge that did not reach all says so');
ok(logged(qr/llm_cache_zone "a": \w.* failed in Redis/));

$::redis->start;
soon sub { ask('/a', 'ready ' . rand()) eq 'Miss' && keys_of('e:') };
is(ask('/a', 'What is a whale?'), 'Miss');
soon sub { keys_of('s') };
soon sub { $::redis->cli('CLIENT', 'LIST') =~ /cmd=xread/ };
my $before = entries('b');
is(ask('/a', 'Where is Marlow?'), 'Miss');
soon sub { entries('b') > $before };
is(ask('/b', 'Where is Marlow?'), 'Hit');



=== TEST 10: an entry that somebody else has damaged is a miss, and replaced
--- http_config eval: $::Http
--- config eval: $::Config
--- redis
--- script
my $key = key('/a', $::who, '"seed":1');
soon sub { keys_of('e:') };
$::redis->cli('SET', "test:e:$key", 'hello');
is(ask('/b', $::who, '"seed":1'), 'Miss');
ok(logged(qr/"b": a look-up failed in Redis: the reply is no entry/));
soon sub { $::redis->cli('GET', "test:e:$key") =~ /^\{"v":1/ };



=== TEST 11: keys of another type are replaced
--- http_config eval: $::Http
--- config eval: $::Config
--- redis
--- script
my $key = key('/a', $::who, '"seed":1');
soon sub { keys_of('p:') };
my ($members) = keys_of('p:');
$::redis->cli('DEL', "test:e:$key", $members);
$::redis->cli('LPUSH', $_, 'x') for "test:e:$key", $members, 'test:s';

is(ask('/b', $::who, '"seed":1'), 'Miss');
soon sub { $::redis->cli('TYPE', "test:e:$key") eq 'string' };
soon sub { $::redis->cli('TYPE', $members) ne 'list' };
soon sub { ask('/a', 'again ' . rand()) && $::redis->cli('TYPE', 'test:s')
    eq 'stream' };
soon sub { ask('/a', 'again ' . rand(), '"seed":1')
    && $::redis->cli('TYPE', $members) =~ /zset|none/ };
ok(logged(qr/WRONGTYPE/));



=== TEST 12: an entry that was evicted is a miss, and not looked for again
--- http_config eval: $::Http
--- config eval: $::Config
--- redis
--- script
my $key = key('/a', $::who);
soon sub { entries('b') == 1 };
$::redis->cli('DEL', "test:e:$key");
is(ask('/b', $::whos), 'Miss');
is(ask('/b', $::who), 'Hit semantic', 'that is the new one');



=== TEST 13: one that a silent Redis does not give is still there afterwards
--- http_config eval: $::Http
--- config eval: $::Config
--- redis
--- timeout: 30
--- script
is(ask('/a', $::who), 'Miss');
soon sub { entries('b') == 1 };
$::redis->pause;
is(ask('/b', $::whos), 'Miss');
$::redis->resume;
# As soon as Redis is asked again: what b knows of it has stayed.
soon sub { ask('/b', $::who) eq 'Hit' };



=== TEST 14: FLUSHALL empties the gateways, too
--- http_config eval: $::Http
--- config eval: $::Config
--- redis
--- script
is(ask('/a', $::who), 'Miss');
soon sub { entries('b') == 1 };
soon sub { $::redis->cli('CLIENT', 'LIST') =~ /cmd=xread.*cmd=xread/s };
$::redis->cli('FLUSHALL');
soon sub { entries('a') == 0 && entries('b') == 0 };
is(ask('/a', $::who), 'Miss');
soon sub { entries('b') == 1 };



=== TEST 15: Redis that comes back without its data does not
--- http_config eval: $::Http
--- config eval: $::Config
--- redis
--- script
is(ask('/a', $::who), 'Miss');
soon sub { entries('b') == 1 };
$::redis->kill;
$::redis->start;
soon sub { $::redis->cli('EXISTS', 'test:g') };
is(ask('/a', $::who), 'Hit');
is(ask('/a', 'What is a whale?'), 'Miss');
soon sub { entries('b') == 2 };



=== TEST 16: two embeddings on one Redis: what is the same is shared, no more
--- http_config eval
"llm_embedding other { provider simulated; model m; dimensions 4; }\n"
. main::two_gateways('index memory;', b => 'embedding other;')
--- config eval: $::Config
--- redis
--- script
is(ask('/a', $::who), 'Miss');
soon sub { keys_of('s') };
is(ask('/b', $::whos), 'Miss');
is(entries('b'), 1, 'its own');
is(ask('/a', $::whos), 'Hit semantic');



=== TEST 17: out of memory: nothing is stored, calls go on
--- http_config eval: $::Http
--- config eval: $::Config
--- redis
CONFIG SET maxmemory 1
--- script
is(ask('/a', $::who), 'Miss');
is(ask('/a', $::who), 'Hit');
soon sub { logged(qr/"a": .* failed in Redis: OOM/) };
$::redis->cli('CONFIG', 'SET', 'maxmemory', 0);
is(ask('/a', 'What is a whale?'), 'Miss');
soon sub { keys_of('e:') };



=== TEST 18: a user who may not write
--- http_config eval
$::Http =~ s/fail_timeout/user reader; password r34d; fail_timeout/r
--- config eval: $::Config
--- redis
ACL SETUSER reader on >r34d +@read ~*
--- script
is(ask('/a', $::who), 'Miss');
is(ask('/a', $::who), 'Hit');
soon sub { logged(qr/failed in Redis: NOPERM/) };
is(purge(), 503);



=== TEST 19: a record of somebody else's in the stream is passed over
--- http_config eval: $::Http
--- config eval: $::Config
--- redis
XADD test:s * hello world
XADD test:s * t add k x
--- script
is(ask('/a', $::who), 'Miss');
soon sub { entries('b') == 1 };
ok(logged(qr/a record is none of ours/));



=== TEST 20: prefixes keep zones apart
--- http_config eval
main::two_gateways('index memory;') =~ s/(zone b .*?)prefix test:/$1prefix tes[t]*:/r
--- config eval: $::Config
--- redis
--- script
is(ask('/a', $::who), 'Miss');
is(ask('/b', $::who), 'Miss');
soon sub { $::redis->cli('EXISTS', 'tes[t]*:s') && keys_of('s') };
is(purge(), 200);
is(scalar(my @entries = keys_of('e:')), 0);
is(ask('/b', $::who), 'Hit');
like($::redis->cli('KEYS', '*'), qr/^tes\[t\]\*:e:/m);



=== TEST 21: the permissions that docs/cache-redis.md names are enough
--- http_config eval
$::Http =~ s/fail_timeout/user gateway; password r34d; fail_timeout/r
--- config eval: $::Config
--- redis
ACL SETUSER gateway on >r34d ~test:* +@read +@write +@connection +scan +eval +time +cluster|slots
--- script
is(ask('/a', $::who), 'Miss');
soon sub { entries('b') == 1 };
is(ask('/b', $::whos), 'Hit semantic');
my ($partition) = map { /\{(\w+)\}/ } keys_of('p:');
is(purge("?partition=$partition"), 200);
is(purge(), 200);
soon sub { entries('b') == 0 };
is(logged(qr/failed in Redis/), 0);
