# llm_redis with one server: what commands come to, and what is left of them
# when the server is not well.

use lib 't/lib';
use LLMTestModule;
use LLMTest;
use LLMRedis;

our $redis = LLMRedis->server();

our $Config = q{
    location /get { llm_test_redis r GET greeting; }
    location /set { llm_test_redis r SET greeting $arg_value; }
    location /many { llm_test_redis r times=200 INCR n; }
    location /sleep { llm_test_redis r DEBUG SLEEP $arg_time; }
    location /missing { llm_test_redis r GET missing; }
    location /list { llm_test_redis r LRANGE list 0 -1; }
    location /wrong { llm_test_redis r INCR greeting; }
    location /big { llm_test_redis r GETRANGE big 0 -1; }
    location /setbig { llm_test_redis r SETRANGE big $arg_size x; }
    location /forget { llm_test_redis r forget INCR forgotten; }
    location /db { llm_test_redis r SET where here; }
    location /who { llm_test_redis r ACL WHOAMI; }
    location /wait { llm_test_redis r block=$TEST_NGINX_BLOCK BLPOP q 1; }
    location /slow_wait { llm_test_redis r block=5s BLPOP q 5; }
    location /hold { llm_test_redis r BLPOP hold 0.3; }
    location /push { llm_test_redis r RPUSH q $arg_value; }
    location /clients { llm_test_redis r CLIENT LIST; }
};
$ENV{TEST_NGINX_BLOCK} = '1500ms';

run_tests();

__DATA__

=== TEST 1: replies of all kinds
--- http_config
llm_redis r { server 127.0.0.1:$TEST_NGINX_REDIS_PORT; connect_timeout 5s; timeout 5s; }
--- config eval: $::Config
--- redis
SET greeting hello
RPUSH list a b c
--- script
is(get('/get'), "(string) hello\n", 'string');
is(get('/missing'), "(nil)\n", 'nil');
is(get('/set?value=ciao'), "(status) OK\n", 'status');
is($::redis->cli('GET', 'greeting'), 'ciao', 'is set');
is(get('/list'), "(array) ['a' 'b' 'c']\n", 'array');
like(get('/wrong'), qr/^\(error\) ERR value is not an integer/, 'error');
is(get('/many'), join('', map { "(integer) $_\n" } 1 .. 200), 'pipeline');
is(get('/forget'), "(sent)\n", 'nobody waits');
soon { $::redis->cli('GET', 'forgotten') eq '1' };



=== TEST 2: a value larger than any buffer, both ways
--- http_config
llm_redis r { server 127.0.0.1:$TEST_NGINX_REDIS_PORT; timeout 5s; }
--- config eval: $::Config
--- redis
SETRANGE big 20000000 x
--- script
is(get('/big'), "(string of 20000001 bytes)\n");



=== TEST 3: a Unix socket, and a database
--- http_config
llm_redis r { server unix:$TEST_NGINX_REDIS_SOCKET; connect_timeout 5s; timeout 5s; database 3; }
--- config eval: $::Config
--- redis
--- script
is(get('/db'), "(status) OK\n");
is($::redis->cli('GET', 'where'), '', 'not in database 0');
is($::redis->cli('-n', '3', 'GET', 'where'), 'here');



=== TEST 4: a database that there is not
--- http_config
llm_redis r { server 127.0.0.1:$TEST_NGINX_REDIS_PORT; connect_timeout 5s; timeout 5s; database 300; }
--- config eval: $::Config
--- redis
--- script
is(get('/db'), "(failure) it refuses AUTH or SELECT\n");
is($::redis->cli('GET', 'where'), '', 'nothing is written elsewhere');
--- error_log eval
qr/\[error\] .*llm: redis "r": server 127.0.0.1:\d+ refuses AUTH or SELECT: "ERR DB index is out of range"/



=== TEST 5: a host's name
--- http_config
llm_redis r { server localhost:$TEST_NGINX_REDIS_PORT; connect_timeout 5s; timeout 5s; }
--- config eval: $::Config
--- redis
SET greeting hello
--- script
is(get('/get'), "(string) hello\n");



=== TEST 6: a few connections serve many commands
--- http_config
llm_redis r { server 127.0.0.1:$TEST_NGINX_REDIS_PORT; connect_timeout 5s; timeout 5s; connections 2; }
--- config eval: $::Config
--- redis
--- script
my @requests = map { begin('/many') } 1 .. 20;
finish($_) for @requests;
my $count = () = get('/clients') =~ / addr=127/g;
cmp_ok($count, '<=', 2);
is($::redis->cli('GET', 'n'), 4000);



=== TEST 7: absent at the start, then there
--- http_config
llm_redis r { server 127.0.0.1:$TEST_NGINX_REDIS_PORT; connect_timeout 5s; timeout 5s; fail_timeout 200ms; }
--- config eval: $::Config
--- redis
--- script
$::redis->kill;
is(get('/get'), "(failure) connection refused\n");
is(get('/get'), "(failure) the server is not asked for a while\n");
$::redis->start;
$::redis->cli('SET', 'greeting', 'hello');
soon { get('/get') eq "(string) hello\n" };
like(error_log(), qr/\[notice\] .*server 127.0.0.1:\d+ answers again/);
--- error_log eval
qr/\[error\] .*llm: redis "r": server 127.0.0.1:\d+: connection refused \(111/



=== TEST 8: killed under load, and back
--- http_config
llm_redis r { server 127.0.0.1:$TEST_NGINX_REDIS_PORT; connect_timeout 5s; timeout 5s; fail_timeout 200ms; }
--- config eval: $::Config
--- redis
SET greeting hello
--- script
my @requests = map { begin('/many') } 1 .. 30;
soon { $::redis->cli('GET', 'n') };
$::redis->kill;
for my $request (@requests) {
    my @lines = split /\n/, finish($request);
    ok(@lines >= 1 && !grep({ !/^\((status|integer|failure)\)/ } @lines),
        'every command ends');
}
$::redis->start;
$::redis->cli('SET', 'greeting', 'hello');
soon { get('/get') eq "(string) hello\n" };



=== TEST 9: hung: its commands time out, the next ones do not wait
--- http_config
llm_redis r {
    server 127.0.0.1:$TEST_NGINX_REDIS_PORT;
    timeout 300ms;
    fail_timeout 10s;
}
--- config eval: $::Config
--- redis
SET greeting hello
--- script
is(get('/get'), "(string) hello\n");
$::redis->pause;
my @requests = map { begin('/get') } 1 .. 3;
is(finish($_), "(failure) timed out\n") for @requests;
is(get('/get'), "(failure) the server is not asked for a while\n");
$::redis->resume;
soon { get('/get') eq "(string) hello\n" };
--- error_log eval
qr/\[error\] .*llm: redis "r": .*server 127.0.0.1:\d+: timed out/



=== TEST 10: slow, but not too slow
--- http_config
llm_redis r { server 127.0.0.1:$TEST_NGINX_REDIS_PORT; timeout 5s; }
--- config eval: $::Config
--- redis
SET greeting hello
--- script
my $slow = begin('/sleep?time=0.3');
my $behind = begin('/get');
is(finish($slow), "(status) OK\n");
is(finish($behind), "(string) hello\n");
is(get('/get'), "(string) hello\n");



=== TEST 11: too slow
--- http_config
llm_redis r { server 127.0.0.1:$TEST_NGINX_REDIS_PORT; timeout 100ms; }
--- config eval: $::Config
--- redis
SET greeting hello
--- script
is(get('/sleep?time=0.4'), "(failure) timed out\n");
soon { get('/get') eq "(string) hello\n" };
--- error_log
timed out



=== TEST 12: it reads its data set
--- http_config
llm_redis r {
    server 127.0.0.1:$TEST_NGINX_REDIS_PORT;
    timeout 2s;
    fail_timeout 200ms;
}
--- config eval: $::Config
--- redis
SET greeting hello
--- script
$::redis->cli('DEBUG', 'POPULATE', '2000', 'key', '1000');
$::redis->cli('SAVE');
# It stays there for as many microseconds for each key.
$::redis->cli('CONFIG', 'SET', 'key-load-delay', '1000');
$::redis->cli('CONFIG', 'SET', 'loading-process-events-interval-bytes',
    '1024');
my $reload = fork() // die;
if ($reload == 0) {
    $::redis->cli('DEBUG', 'RELOAD', 'NOSAVE');
    POSIX::_exit(0);
}
soon { get('/get') eq "(failure) the server loads its data set\n" };
$::redis->cli('CONFIG', 'SET', 'key-load-delay', '0');
waitpid $reload, 0;
soon { get('/get') eq "(string) hello\n" };
unlink $::redis->folder . '/dump.rdb';
--- error_log
the server loads its data set



=== TEST 13: too many commands at once
--- http_config
llm_redis r {
    server 127.0.0.1:$TEST_NGINX_REDIS_PORT;
    max_pending 150;
}
--- config eval: $::Config
--- redis
--- script
my @lines = split /\n/, get('/many');
is(grep({ /^\(integer\)/ } @lines), 150);
is(grep({ $_ eq '(failure) too many commands are pending' } @lines), 50);
is(get('/missing'), "(nil)\n");
--- error_log
150 commands are pending at server



=== TEST 14: a reply that is too large
--- http_config
llm_redis r { server 127.0.0.1:$TEST_NGINX_REDIS_PORT; connect_timeout 5s; timeout 5s; max_reply 64k; }
--- config eval: $::Config
--- redis
SETRANGE big 100000 x
SET greeting hello
--- script
is(get('/big'), "(failure) a reply that is too large\n");
soon { get('/get') eq "(string) hello\n" };
--- error_log
a reply that is too large



=== TEST 15: a client that goes away while it waits
--- http_config
llm_redis r {
    server 127.0.0.1:$TEST_NGINX_REDIS_PORT;
    timeout 2s;
    connections 1;
}
--- config eval: $::Config
--- redis
SET greeting hello
--- script
my $slow = begin('/hold');
soon { $::redis->cli('CLIENT', 'LIST') =~ /cmd=blpop/ };
my @behind = map { begin('/many') } 1 .. 5;
close $_ for @behind, $slow;
is(get('/get'), "(string) hello\n", 'the connection goes on');



=== TEST 16: commands that wait at the server hold up no other
--- http_config
llm_redis r { server 127.0.0.1:$TEST_NGINX_REDIS_PORT; connect_timeout 5s; timeout 5s; connections 1; }
--- config eval: $::Config
--- redis
SET greeting hello
--- script
my $waiting = begin('/wait');
soon { get('/clients') =~ /cmd=blpop/ };
is(get('/get'), "(string) hello\n");
get('/push?value=it');
is(finish($waiting), "(array) ['q' 'it']\n");
is(get('/wait'), "(nil)\n", 'longer than a timeout, on the same connection');
is(() = get('/clients') =~ / addr=127/g, 2);
my $left = begin('/slow_wait');
soon { get('/clients') =~ /cmd=blpop/ };
close $left;
soon { get('/clients') !~ /cmd=blpop/ };
ok(1, 'nobody waits any more, so its connection is gone');



=== TEST 17: a server that closes what is idle does no harm
--- http_config
llm_redis r { server 127.0.0.1:$TEST_NGINX_REDIS_PORT; connect_timeout 5s; timeout 5s; fail_timeout 10s; }
--- config eval: $::Config
--- redis
SET greeting hello
--- script
for (1 .. 3) {
    is(finish($_), "(string) hello\n") for map { begin('/get') } 1 .. 10;
    $::redis->cli('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    soon { $::redis->cli('CLIENT', 'LIST') !~ / addr=127/ };
    soon { (() = error_log() =~ /closed by the server/g) >= $_ };
}
unlike(error_log(), qr/\[error\].*llm: redis/);



=== TEST 18: errors are logged once a second
--- http_config
llm_redis r {
    server 127.0.0.1:$TEST_NGINX_CLOSED_PORT;
    fail_timeout 1ms;
}
--- config eval: $::Config
--- redis
--- script
soon { get('/get'); error_log() =~ /more errors before/ };
my %seconds;
$seconds{$_}++ for error_log() =~ /^(\S+ \S+) .*connection refused/mg;
cmp_ok(scalar keys %seconds, '>=', 2);
is_deeply([grep { $_ > 1 } values %seconds], []);
