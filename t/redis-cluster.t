# llm_redis with a cluster of six nodes: keys find their way while slots move
# and masters die.

use lib 't/lib';
use LLMTestModule;
use LLMTest;
use LLMRedis;

our @nodes = LLMRedis->cluster();
our $plain = LLMRedis->server();

our $HttpConfig = q{
    llm_redis r {
        server 127.0.0.1:$TEST_NGINX_CLOSED_PORT;
        server 127.0.0.1:$TEST_NGINX_REDIS_PORT2;
        cluster on;
        timeout 5s;
        connect_timeout 5s;
        fail_timeout 200ms;
    }
};
our $Config = q{
    location /get { llm_test_redis r key=$arg_key GET $arg_key; }
    location /set { llm_test_redis r key=$arg_key SET $arg_key $arg_value; }
    location /many { llm_test_redis r key=$arg_key times=50 INCR $arg_key; }
    location /mget {
        llm_test_redis r key=$arg_a MGET $arg_a $arg_b;
    }
    location /any { llm_test_redis r PING; }
};

run_tests();

__DATA__

=== TEST 1: keys go where their slots are, though one seed is not there
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- script
$_->cli('CONFIG', 'RESETSTAT') for @::nodes;
for my $i (1 .. 50) {
    is(get("/set?key=k$i&value=v$i"), "(status) OK\n");
    is(get("/get?key=k$i"), "(string) v$i\n");
}
is(get("/set?key=a{t}&value=1") . get("/set?key=b{t}&value=2"),
    "(status) OK\n" x 2);
is(get("/mget?a=a{t}&b=b{t}"), "(array) ['1' '2']\n", 'hash tags');
is(get("/any"), "(status) PONG\n") for 1 .. 5;
unlike(error_log(), qr/MOVED|redirect/);
is(join(' ', map { $_->cli('INFO', 'errorstats') =~ /MOVED/ ? 1 : 0 } @::nodes),
    '0 0 0 0 0 0', 'nobody was asked in vain');



=== TEST 2: a slot that moves: ASK, then MOVED
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- script
get('/any');
get("/set?key=moving&value=1");
my ($from) = main::node_of('moving');
my $to = main::other_master($from);
my $slot = $from->cli('CLUSTER', 'KEYSLOT', 'moving');
main::move_slot($slot, $from, $to);
$from->cli('MIGRATE', '127.0.0.1', $to->port, 'moving', 0, 1000);
is(get("/get?key=moving"), "(string) 1\n", 'ASK');
like($from->cli('INFO', 'errorstats'), qr/errorstat_ASK/);
is(get("/set?key=moving&value=2"), "(status) OK\n", 'ASK, to write');
main::slot_moved($slot, $to);
is(get("/get?key=moving"), "(string) 2\n", 'MOVED');
like($from->cli('INFO', 'errorstats'), qr/errorstat_MOVED/);
$from->cli('CONFIG', 'RESETSTAT');
is(get("/get?key=moving"), "(string) 2\n") for 1 .. 5;
unlike($from->cli('INFO', 'errorstats'), qr/errorstat_MOVED/,
    'it is known from then on');



=== TEST 3: keys on two nodes are waited for
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- script
get("/set?key=x{two}&value=1");
get("/set?key=y{two}&value=2");
my ($from) = main::node_of('x{two}');
my $to = main::other_master($from);
my $slot = $from->cli('CLUSTER', 'KEYSLOT', 'x{two}');
main::move_slot($slot, $from, $to);
$from->cli('MIGRATE', '127.0.0.1', $to->port, 'x{two}', 0, 1000);
my $split = begin('/mget?a=x{two}&b=y{two}');
soon { "@{[map { $_->cli('INFO', 'errorstats') } @::nodes]}" =~ /TRYAGAIN/ };
$from->cli('MIGRATE', '127.0.0.1', $to->port, 'y{two}', 0, 1000);
is(finish($split), "(array) ['1' '2']\n", 'TRYAGAIN');
main::slot_moved($slot, $to);

# One of them does not exist: the old node has none, the new one not all.
get("/set?key=x{new}&value=1");
($from) = main::node_of('x{new}');
$to = main::other_master($from);
$slot = $from->cli('CLUSTER', 'KEYSLOT', 'x{new}');
main::move_slot($slot, $from, $to);
$from->cli('MIGRATE', '127.0.0.1', $to->port, 'x{new}', 0, 1000);
$_->cli('CONFIG', 'RESETSTAT') for @::nodes;
$split = begin('/mget?a=x{new}&b=y{new}');
soon { "@{[map { $_->cli('INFO', 'errorstats') } @::nodes]}"
    =~ /TRYAGAIN:count=\d\d/ };
main::slot_moved($slot, $to);
is(finish($split), "(array) ['1' nil]\n", 'ASK, then TRYAGAIN');



=== TEST 4: a slot moves under load, and nothing is lost
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- script
my ($from) = main::node_of('counter');
my $to = main::other_master($from);
my $slot = $from->cli('CLUSTER', 'KEYSLOT', 'counter');
my @requests = map { begin('/many?key=counter') } 1 .. 20;
main::move_slot($slot, $from, $to);
push @requests, map { begin('/many?key=counter') } 1 .. 20;
$from->cli('MIGRATE', '127.0.0.1', $to->port, 'counter', 0, 1000);
push @requests, map { begin('/many?key=counter') } 1 .. 20;
main::slot_moved($slot, $to);
push @requests, map { begin('/many?key=counter') } 1 .. 20;
my @lines = map { split /\n/, finish($_) } @requests;
is_deeply([grep { !/^\(integer\)/ } @lines], []);
is($to->cli('GET', 'counter'), 4000);



=== TEST 5: a master dies, its replica takes over
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- script
get("/set?key=kept&value=1");
my ($master) = main::node_of('kept');
my ($other) = grep { main::node_of($_) != $master } map { "o$_" } 1 .. 100;
get("/set?key=$other&value=3");
is($master->cli('WAIT', '1', '1000'), 1);
$master->kill;
like(get("/get?key=kept"), qr/^\(failure\) /);
is(get("/get?key=$other"), "(string) 3\n", 'others are not concerned');
soon { get("/get?key=kept") eq "(string) 1\n" };
ok(1, 'failover');
is(get("/set?key=kept&value=2"), "(status) OK\n");
is((main::node_of('kept'))[0]->cli('GET', 'kept'), 2);
$master->start;
soon { $master->cli('ROLE') =~ /^slave/ };
is(get("/get?key=kept"), "(string) 2\n");
--- error_log
llm: redis "r": server 127.0.0.1



=== TEST 6: a failover that somebody asks for
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- script
get("/set?key=kept&value=1");
my ($old) = main::node_of('kept');
my $id = $old->cli('CLUSTER', 'MYID');
my ($replica) = grep { $_->cli('ROLE') =~ /^slave\n127.0.0.1\n@{[$old->port]}\n/ }
    @::nodes;
soon { $replica->cli('INFO', 'replication') =~ /master_link_status:up/ };
is($replica->cli('CLUSTER', 'FAILOVER'), 'OK');
my @answers;
soon {
    push @answers, get("/set?key=kept&value=2");
    $replica->cli('ROLE') =~ /^master/ && get("/get?key=kept") =~ /2/
};
is_deeply([grep { $_ ne "(status) OK\n" } @answers], [], 'nobody notices');



=== TEST 7: two slots of one command are its sender's mistake
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- script
like(get("/mget?a=k1&b=k2"), qr/^\(error\) CROSSSLOT/);



=== TEST 8: a server of a cluster, and nobody said so
--- http_config
llm_redis r { server 127.0.0.1:$TEST_NGINX_REDIS_PORT; }
--- config eval: $::Config
--- script
soon { get("/get?key=k" . int rand 1000) =~ /^\(error\) MOVED/ };
--- error_log eval
qr/server 127.0.0.1:\d+ is of a cluster, "cluster on" is missing/



=== TEST 9: a server that is of no cluster, and somebody said so
--- http_config
llm_redis r {
    server 127.0.0.1:$TEST_NGINX_REDIS_PORT7;
    cluster on;
}
--- config eval: $::Config
--- script
is(get("/get?key=a"), "(failure) no server knows the cluster's slots\n");
is(get("/get?key=a"), "(failure) no server knows the cluster's slots\n");
--- error_log eval
qr/server 127.0.0.1:\d+ knows no slots of a cluster/
