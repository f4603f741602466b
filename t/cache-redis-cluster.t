# llm_cache_zone with a Redis cluster: what is spread over its nodes.
# HUP: no, because entries live through a reload.

use lib 't/lib';
use LLMTest;
use LLMRedis;
use LLMCache;

our @nodes = LLMRedis->cluster();

our $Config = $LLMCache::Locations;
our $Http = two_gateways('index memory;')
    =~ s/fail_timeout/cluster on; fail_timeout/r;

# Of one kind, on all masters.
sub keys_of {
    my ($kind) = @_;
    my @names = map {
        grep { /^test:$kind/ } split /\n/, $_->cli('KEYS', '*')
    } @nodes[0 .. 2];
    return @names;
}

sub flush { $_->cli('FLUSHALL') for @nodes[0 .. 2] }

run_tests();

__DATA__

=== TEST 1: entries of all nodes are shared, and purged
--- http_config eval: $::Http
--- config eval: $::Config
--- script
main::flush();
soon sub { ask('/a', 'first ' . rand()) eq 'Miss' && keys_of('s') };
ask('/a', "What is the capital of country number $_?") for 1 .. 40;
soon sub { entries('b') >= 41 };
is(ask('/b', 'What is the capital of country number 7?'), 'Hit');
ok(scalar(grep { $_->cli('KEYS', 'test:e:*') } @::nodes[0 .. 2]) == 3,
    'each node has some');

is(purge(), 200);
is(scalar(my @left = keys_of('[epv]:')), 0);
soon sub { entries('b') == 0 };



=== TEST 2: a partition's entries are purged wherever they are
--- http_config eval: $::Http
--- config eval: $::Config
--- script
main::flush();
soon sub { ask('/a', 'first ' . rand()) eq 'Miss' && keys_of('s') };
ask('/a', "What is the capital of country number $_?") for 1 .. 40;
soon sub { entries('b') >= 41 };
my ($partition) = map { /\{(\w+)\}/ } keys_of('p:');
is(purge("?partition=$partition"), 200);
is(scalar(my @left = keys_of('[epv]:')), 0);
soon sub { entries('b') == 0 };
