# llm_redis and workers that come and go: commands that are outstanding end,
# idle connections keep no worker alive.
# HUP: no, it reloads by itself

use lib 't/lib';
use LLMTestModule;
use LLMTest;
use LLMRedis;

use Test::Nginx::Util ();

master_on();

our $redis = LLMRedis->server();

our $HttpConfig = q{
    llm_redis r { server 127.0.0.1:$TEST_NGINX_REDIS_PORT; connect_timeout 5s; timeout 5s; }
};
our $Config = q{
    location /get { llm_test_redis r GET greeting; }
    location /hold { llm_test_redis r BLPOP hold 5; }
    location /wait { llm_test_redis r block=60s BLPOP q 60; }
};

sub worker_pids {
    my $master = Test::Nginx::Util::get_pid_from_pidfile('reload');
    return split ' ', `pgrep -P $master`;
}

# Returns the pid of the old worker, when there is a new one.
sub reload {
    my ($old) = worker_pids();
    kill 'HUP', Test::Nginx::Util::get_pid_from_pidfile('reload');
    soon { grep { $_ != $old } worker_pids() };
    soon { error_log() =~ / $old#\d+: gracefully shutting down/ };
    return $old;
}

sub clients { return () = $redis->cli('CLIENT', 'LIST') =~ / addr=127/g }

run_tests();

__DATA__

=== TEST 1: an idle connection keeps no old worker alive
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- redis
SET greeting hello
--- script
is(get('/get'), "(string) hello\n");
my $old = main::reload();
soon { !kill 0, $old };
is(main::clients(), 0);
is(get('/get'), "(string) hello\n");



=== TEST 2: a command that is outstanding ends
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- redis
SET greeting hello
--- script
my $waiting = begin('/hold');
soon { $::redis->cli('CLIENT', 'LIST') =~ /cmd=blpop/ };
my $old = main::reload();
is(get('/get'), "(string) hello\n", 'the new worker');
ok(kill(0, $old), 'the old one waits');
$::redis->cli('RPUSH', 'hold', 'it');
is(finish($waiting), "(array) ['hold' 'it']\n");
soon { !kill 0, $old };
is(main::clients(), 1);



=== TEST 3: one that may take any time does not keep the worker
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- redis
--- script
my $waiting = begin('/wait');
soon { $::redis->cli('CLIENT', 'LIST') =~ /cmd=blpop/ };
my $old = main::reload();
is(finish($waiting), "(failure) the worker is to leave\n");
soon { !kill 0, $old };
--- error_log eval
qr/\[info\] .* llm: redis "r": .*: the worker is to leave/



=== TEST 4: failing commands are told of before the worker leaves
--- http_config
llm_redis r { server 127.0.0.1:$TEST_NGINX_REDIS_PORT; connect_timeout 5s; timeout 500ms; }
--- config eval: $::Config
--- redis
--- script
my $waiting = begin('/hold');
soon { $::redis->cli('CLIENT', 'LIST') =~ /cmd=blpop/ };
my $old = main::reload();
is(finish($waiting), "(failure) timed out\n");
soon { !kill 0, $old };
--- error_log
timed out



=== TEST 5: many reloads, with nothing left behind
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- redis
SET greeting hello
--- script
for (1 .. 5) {
    is(get('/get'), "(string) hello\n");
    main::reload();
}
soon { main::worker_pids() == 1 };
is(get('/get'), "(string) hello\n");
is(main::clients(), 1);
