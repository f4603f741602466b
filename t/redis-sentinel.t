# llm_redis and Sentinel: the master is the one that it names, and the next one
# when that dies.

use lib 't/lib';
use LLMTestModule;
use LLMTest;
use LLMRedis;

our ($first, $second, @sentinels) = LLMRedis->sentinel('mymaster');
# Names the replica.
our $lying = LLMRedis->fake([(sub {
    my $port = (replica())->port;
    "*2\r\n\$9\r\n127.0.0.1\r\n\$" . length($port) . "\r\n$port\r\n"
}) x 20]);

our $Sentinels = q{
        server 127.0.0.1:$TEST_NGINX_CLOSED_PORT;
        server 127.0.0.1:$TEST_NGINX_REDIS_PORT3;
        server 127.0.0.1:$TEST_NGINX_REDIS_PORT4;
        server 127.0.0.1:$TEST_NGINX_REDIS_PORT5;
};
our $HttpConfig = qq{
    llm_redis r {
        $Sentinels
        sentinel mymaster;
        timeout 5s;
        connect_timeout 5s;
        fail_timeout 200ms;
    }
};
our $Config = q{
    location /get { llm_test_redis r GET $arg_key; }
    location /set { llm_test_redis r SET $arg_key $arg_value; }
    location /db { llm_test_redis r SET where here; }
};

# Who is what changes from test to test.
sub master {
    my ($port) = $sentinels[0]->cli('SENTINEL', 'GET-MASTER-ADDR-BY-NAME',
        'mymaster') =~ /\n(\d+)/;
    my ($master) = grep { $_->port == $port } $first, $second;
    return $master;
}

sub replica {
    my $master = master();
    my ($replica) = grep { $_ != $master } $first, $second;
    return $replica;
}

# A failover takes its time to be known everywhere: it comes late.
no_shuffle();
run_tests();

__DATA__

=== TEST 1: the master that Sentinel names, though one is not there
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- script
is(get('/set?key=a&value=1'), "(status) OK\n");
is(get('/get?key=a'), "(string) 1\n");
is(main::master()->cli('GET', 'a'), 1);
--- error_log eval
qr/\[notice\] .*llm: redis "r": the master is 127.0.0.1:\d+/



=== TEST 2: a name that no Sentinel knows
--- http_config eval
"llm_redis r { $::Sentinels sentinel other; timeout 5s; connect_timeout 5s; }"
--- config eval: $::Config
--- script
is(get('/get?key=a'), "(failure) no Sentinel names a master\n");
is(get('/get?key=a'), "(failure) no Sentinel names a master\n");
--- error_log eval
qr/llm: redis "r": (Sentinel|server) 127.0.0.1/



=== TEST 3: a replica that is taken for a master is not written to
--- http_config
llm_redis r {
    server 127.0.0.1:$TEST_NGINX_REDIS_PORT6;
    sentinel mymaster;
    timeout 5s; connect_timeout 5s;
}
--- config eval: $::Config
--- script
like(get('/set?key=wrong&value=1'),
    qr/^\(failure\) (it is no master|the server is not asked for a while)/);
is(main::master()->cli('GET', 'wrong'), '');
--- error_log
it is no master



=== TEST 4: the database is the master's, not the Sentinel's
--- http_config eval
"llm_redis r { $::Sentinels sentinel mymaster; database 2; timeout 5s; connect_timeout 5s; }"
--- config eval: $::Config
--- script
is(get('/db'), "(status) OK\n");
is(main::master()->cli('-n', 2, 'GET', 'where'), 'here');



=== TEST 5: the master dies, and the next one is asked
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- script
my ($old, $new) = (main::master(), main::replica());
is(get('/set?key=a&value=1'), "(status) OK\n");
is($old->cli('WAIT', '1', '1000'), 1);
$old->kill;
like(get('/get?key=a'), qr/^\(failure\) /);
soon { get('/get?key=a') eq "(string) 1\n" };
is(get('/set?key=a&value=2'), "(status) OK\n");
is($new->cli('GET', 'a'), 2);
$old->start;
soon { $old->cli('ROLE') =~ /^slave.*connected/s };
--- error_log
llm: redis "r": server 127.0.0.1



=== TEST 6: all Sentinels are gone, the master is not
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- script
is(get('/set?key=a&value=1'), "(status) OK\n");
$_->kill for @::sentinels;
is(get('/get?key=a'), "(string) 1\n");
$_->start for @::sentinels;
