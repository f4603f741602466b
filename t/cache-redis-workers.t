# llm_cache_zone with Redis: one worker follows the others for all, and another
# takes over when it dies.
# HUP: no, because entries live through a reload.

use lib 't/lib';
use LLMTest;
use LLMRedis;
use LLMCache;
use Test::Nginx::Util ();

master_on();
workers(2);

our $redis = LLMRedis->server();
our $Config = $LLMCache::Locations;
our $Http = two_gateways('index memory;');

sub workers_now {
    my $master = Test::Nginx::Util::get_pid_from_pidfile('workers');
    return split ' ', `pgrep -P $master`;
}

run_tests();

__DATA__

=== TEST 1: one reader for each gateway, however many workers
--- http_config eval: $::Http
--- config eval: $::Config
--- redis
--- script
is(ask('/a', 'Who is Joseph Conrad?'), 'Miss');
soon sub { entries('b') == 1 };
soon sub { (() = $::redis->cli('CLIENT', 'LIST') =~ /cmd=xread/g) == 2 };
is(ask('/b', "Who's Joseph Conrad?"), 'Hit semantic') for 1 .. 4;



=== TEST 2: workers that are killed are replaced, and go on where they were
--- http_config eval: $::Http
--- config eval: $::Config
--- redis
--- script
is(ask('/a', 'Who is Joseph Conrad?'), 'Miss');
soon sub { entries('b') == 1 };
my @before = main::workers_now();
kill 'KILL', @before;
soon sub { my @now = main::workers_now(); @now == 2 && !grep { my $p = $_;
    grep { $p == $_ } @before } @now };
is(ask('/a', 'What is a whale?'), 'Miss');
soon sub { entries('b') == 2 };
is(ask('/b', 'What is a whale?'), 'Hit');
--- error_log
[alert]
