# llm_redis and servers that are none: what they send is never trusted.

use lib 't/lib';
use LLMTestModule;
use LLMTest;
use LLMRedis;

# The answer to what comes first on a connection.
our $pong = "+PONG\r\n";

sub commands { my $n = () = $_[0] =~ /^\*/mg; return $n }

# By the order of these, $TEST_NGINX_REDIS_PORT and so on.
our %fake = (
    garbage => LLMRedis->fake(['HTTP/1.1 400 Bad Request' . "\r\n\r\n"]),
    cut => LLMRedis->fake([$pong, "\$10\r\nhalf"],
        [$pong, "+OK\r\n", \'hold']),
    endless => LLMRedis->fake([\'wait', '+' . 'x' x 100000, \'hold']),
    greedy => LLMRedis->fake([$pong, "*100000000\r\n", \'hold']),
    chatty => LLMRedis->fake([$pong, "+OK\r\n+OK\r\n", \'hold']),
    resp3 => LLMRedis->fake([$pong, "%1\r\n+a\r\n+b\r\n", \'hold']),
    full => LLMRedis->fake([\'wait', "-ERR max number of clients reached\r\n"]),
    deep => LLMRedis->fake([$pong, "*1\r\n" x 1000 . ":1\r\n", \'hold']),
    once => LLMRedis->fake([$pong, sub { ":1\r\n" x commands($_[0]) },
        \'hold']),
    loop => LLMRedis->fake([$pong, (sub {
        "-MOVED 1 127.0.0.1:$ENV{TEST_NGINX_REDIS_PORT10}\r\n"
    }) x 10]),
    silent => LLMRedis->fake([\'hold']),
    coloured => LLMRedis->fake(["-ERR \e[31mno\tno\r\n", \'hold']),
    single => LLMRedis->fake([$pong, (sub {
        select undef, undef, undef, 0.2;
        "+OK\r\n" x commands($_[0])
    }) x 100], [\'wait', "-ERR max number of clients reached\r\n"]),
    early => LLMRedis->fake([\'wait', "-ERR not now\r\n", \'hold']),
);

our $Config = q{
    location /get { llm_test_redis r GET greeting; }
    location /three { llm_test_redis r times=3 INCR n; }
};

run_tests();

__DATA__

=== TEST 1: no Redis at all
--- http_config
llm_redis r { server 127.0.0.1:$TEST_NGINX_REDIS_PORT; timeout 5s; connect_timeout 5s; }
--- config eval: $::Config
--- script
is(get('/get'), "(failure) no valid reply\n");
is(get('/get'), "(failure) the server is not asked for a while\n");
--- error_log eval
qr/llm: redis "r": server 127.0.0.1:\d+: no valid reply/



=== TEST 2: the connection is closed in the middle of a reply
--- http_config
llm_redis r { server 127.0.0.1:$TEST_NGINX_REDIS_PORT2; timeout 5s; connect_timeout 5s; }
--- config eval: $::Config
--- script
is(get('/get'), "(failure) connection lost\n");
soon { get('/get') eq "(status) OK\n" };
--- error_log
connection lost



=== TEST 3: a line that does not end
--- http_config
llm_redis r { server 127.0.0.1:$TEST_NGINX_REDIS_PORT3; timeout 5s; connect_timeout 5s; }
--- config eval: $::Config
--- script
is(get('/get'), "(failure) a line that does not end\n");
--- error_log
a line that does not end



=== TEST 4: an array that would take all memory
--- http_config
llm_redis r { server 127.0.0.1:$TEST_NGINX_REDIS_PORT4; timeout 5s; connect_timeout 5s; }
--- config eval: $::Config
--- script
is(get('/get'), "(failure) a reply that is too large\n");
--- error_log
a reply that is too large



=== TEST 5: more replies than commands
--- http_config
llm_redis r { server 127.0.0.1:$TEST_NGINX_REDIS_PORT5; timeout 5s; connect_timeout 5s; }
--- config eval: $::Config
--- script
is(get('/get'), "(status) OK\n", 'the first one is good');
soon { error_log() =~ /a reply that nobody has asked for/ };
--- error_log
a reply that nobody has asked for



=== TEST 6: a protocol that nobody has asked for
--- http_config
llm_redis r { server 127.0.0.1:$TEST_NGINX_REDIS_PORT6; timeout 5s; connect_timeout 5s; }
--- config eval: $::Config
--- script
like(get('/get'), qr/^\(failure\) (no valid reply|a reply of RESP3)/);
--- error_log
llm: redis "r": server



=== TEST 7: a server that takes no more clients is left alone
--- http_config
llm_redis r {
    server 127.0.0.1:$TEST_NGINX_REDIS_PORT7;
    timeout 5s;
    connect_timeout 5s;
    fail_timeout 10s;
}
--- config eval: $::Config
--- script
like(get('/get'), qr/^\(failure\)/);
get('/get') for 1 .. 20;
cmp_ok($::fake{full}->seen, '<', 5);
--- error_log
llm: redis "r": server



=== TEST 8: a reply of too many levels
--- http_config
llm_redis r { server 127.0.0.1:$TEST_NGINX_REDIS_PORT8; timeout 5s; connect_timeout 5s; }
--- config eval: $::Config
--- script
like(get('/get'), qr/^\(failure\) (no valid reply|a reply with too many)/);
--- error_log
llm: redis "r": server



=== TEST 9: commands of one event go out in one write
--- http_config
llm_redis r { server 127.0.0.1:$TEST_NGINX_REDIS_PORT9; timeout 5s; connect_timeout 5s; }
--- config eval: $::Config
--- script
# The server answers only what its first read has brought.
is(get('/three'), "(integer) 1\n" x 3);



=== TEST 10: a cluster that sends in circles
--- http_config
llm_redis r {
    server 127.0.0.1:$TEST_NGINX_REDIS_PORT10;
    cluster on;
    timeout 5s;
    connect_timeout 5s;
}
--- config eval: $::Config
--- script
is(get('/get'), "(failure) no server knows the cluster's slots\n");
--- error_log
llm: redis "r":



=== TEST 11: a server that never says anything
--- http_config
llm_redis r {
    server 127.0.0.1:$TEST_NGINX_REDIS_PORT11;
    password secret;
    timeout 2s;
    connect_timeout 100ms;
}
--- config eval: $::Config
--- script
is(get('/get'), "(failure) timed out\n", 'while it is greeted');
--- error_log
timed out



=== TEST 12: control characters of an error do not reach the log
--- http_config
llm_redis r {
    server 127.0.0.1:$TEST_NGINX_REDIS_PORT12;
    password secret;
    timeout 5s;
    connect_timeout 5s;
}
--- config eval: $::Config
--- script
is(get('/get'), "(failure) it refuses AUTH or SELECT\n");
--- error_log eval
qr/refuses AUTH or SELECT: "ERR \?\[31mno\?no"/



=== TEST 13: one more connection than the server takes does no harm
--- http_config
llm_redis r {
    server 127.0.0.1:$TEST_NGINX_REDIS_PORT13;
    connections 8;
    timeout 5s;
    connect_timeout 5s;
}
--- config eval: $::Config
--- script
is(get('/get'), "(status) OK\n");
my @more = map { begin('/get') } 1 .. 10;
is(finish($_), "(status) OK\n") for @more;
cmp_ok($::fake{single}->seen, '==', 2);
--- error_log eval
qr/one more connection to server 127.0.0.1:\d+: the server has too many clients/



=== TEST 14: a server that wants nobody says why
--- http_config
llm_redis r { server 127.0.0.1:$TEST_NGINX_REDIS_PORT12; timeout 5s; connect_timeout 5s; }
--- config eval: $::Config
--- script
is(get('/get'), "(failure) it refuses connections\n");
--- error_log eval
qr/server 127.0.0.1:\d+ refuses connections: "ERR /



=== TEST 15: a server that speaks before the worker sees that it is connected
--- http_config
llm_redis r { server 127.0.0.1:$TEST_NGINX_REDIS_PORT14; timeout 5s; connect_timeout 5s; }
--- config
location /get { llm_test_redis r stall=300ms GET greeting; }
--- script
is(get('/get'), "(failure) it refuses connections\n");
--- error_log
refuses connections: "ERR not now"
