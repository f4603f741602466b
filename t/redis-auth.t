# llm_redis: users, passwords, TLS, and a server that is read-only.

use lib 't/lib';
use LLMTestModule;
use LLMTest;
use LLMRedis;

our $secured = LLMRedis->server('requirepass p455',
    'user reader on >r34d +get +acl|whoami ~*');
our $tls = LLMRedis->server('tls-port $port', 'tls-auth-clients optional',
    "tls-cert-file $ENV{TEST_NGINX_CERTIFICATE}",
    "tls-key-file $ENV{TEST_NGINX_CERTIFICATE_KEY}",
    "tls-ca-cert-file $ENV{TEST_NGINX_CERTIFICATE}");
our $strict = LLMRedis->server('tls-port $port', 'tls-auth-clients yes',
    "tls-cert-file $ENV{TEST_NGINX_CERTIFICATE}",
    "tls-key-file $ENV{TEST_NGINX_CERTIFICATE_KEY}",
    "tls-ca-cert-file $ENV{TEST_NGINX_CERTIFICATE}");
our $replica = LLMRedis->server();

# Of a master that is not there.
sub make_replica {
    $replica->cli('REPLICAOF', 'NO', 'ONE');
    $replica->cli('FLUSHALL');
    $replica->cli('CONFIG', 'SET', 'replica-serve-stale-data', 'yes');
    $replica->cli('REPLICAOF', '127.0.0.1', $ENV{TEST_NGINX_CLOSED_PORT});
}

our $Config = q{
    location /ping { llm_test_redis r PING; }
    location /who { llm_test_redis r ACL WHOAMI; }
    location /set { llm_test_redis r SET a 1; }
    location /get { llm_test_redis r GET a; }
    location /many { llm_test_redis r times=200 PING; }
    location /big { llm_test_redis r GET big; }
};

run_tests();

__DATA__

=== TEST 1: a password
--- http_config
llm_redis r { server 127.0.0.1:$TEST_NGINX_REDIS_PORT; password p455; timeout 5s; connect_timeout 5s; }
--- config eval: $::Config
--- script
is(get('/ping'), "(status) PONG\n");
is(get('/who'), "(string) default\n");



=== TEST 2: a user, whose password is in a file
--- http_config
llm_redis r {
    server 127.0.0.1:$TEST_NGINX_REDIS_PORT;
    user reader;
    password_file $TEST_NGINX_SERVER_ROOT/html/password;
}
--- user_files
>>> password
r34d
--- config eval: $::Config
--- script
is(get('/who'), "(string) reader\n");
like(get('/set'), qr/^\(error\) NOPERM/);



=== TEST 3: a wrong password
--- http_config
llm_redis r { server 127.0.0.1:$TEST_NGINX_REDIS_PORT; password wr0ng; timeout 5s; connect_timeout 5s; }
--- config eval: $::Config
--- script
is(get('/ping'), "(failure) it refuses AUTH or SELECT\n");
is(get('/ping'), "(failure) the server is not asked for a while\n");
unlike(error_log(), qr/wr0ng/);
--- error_log eval
qr/refuses AUTH or SELECT: "WRONGPASS /



=== TEST 4: no password where one is needed
--- http_config
llm_redis r { server 127.0.0.1:$TEST_NGINX_REDIS_PORT; timeout 5s; connect_timeout 5s; }
--- config eval: $::Config
--- script
is(get('/ping'), "(failure) the server wants a password\n");
--- error_log eval
qr/llm: redis "r": server 127.0.0.1:\d+: the server wants a password/



=== TEST 5: TLS, by an address that the certificate names
--- http_config
llm_redis r {
    server 127.0.0.1:$TEST_NGINX_REDIS_PORT2;
    ssl on;
    ssl_trusted_certificate $TEST_NGINX_CERTIFICATE;
    timeout 5s;
    connect_timeout 5s;
}
--- config eval: $::Config
--- script
is(get('/ping'), "(status) PONG\n");
is(get('/many'), "(status) PONG\n" x 200);
$::tls->cli('SETRANGE', 'big', 3000000, 'x');
is(get('/big'), "(string of 3000001 bytes)\n");



=== TEST 6: TLS, and more commands while a server that is slow has not taken all of those before
--- http_config
llm_redis r {
    server 127.0.0.1:$TEST_NGINX_REDIS_PORT2;
    ssl on;
    ssl_trusted_certificate $TEST_NGINX_CERTIFICATE;
    timeout 20s;
    connect_timeout 5s;
    connections 1;
}
--- config eval
$::Config . 'location /fill { llm_test_redis r times=1000 SET a ' . 'x' x 3000
    . '; }'
--- script
is(get('/ping'), "(status) PONG\n");
$::tls->pause;
my @calls = map { my $call = begin('/fill');
    select undef, undef, undef, 0.3; $call } 1 .. 3;
$::tls->resume;
is(finish($_), "(status) OK\n" x 1000) for @calls;



=== TEST 7: TLS, by a name
--- http_config
llm_redis r {
    server localhost:$TEST_NGINX_REDIS_PORT2;
    ssl on;
    ssl_trusted_certificate $TEST_NGINX_CERTIFICATE;
    connect_timeout 5s;
    timeout 5s;
}
--- config eval: $::Config
--- script
is(get('/ping'), "(status) PONG\n");



=== TEST 8: a certificate that is not trusted
--- http_config
llm_redis r {
    server localhost:$TEST_NGINX_REDIS_PORT2;
    ssl on;
    connect_timeout 5s;
    timeout 5s;
}
--- config eval: $::Config
--- script
is(get('/ping'), "(failure) its certificate is not trusted\n");
--- error_log eval
qr/the certificate of server localhost:\d+ is not trusted: \(18:self[- ]signed certificate\)/



=== TEST 9: a certificate for another name
--- http_config
llm_redis r {
    server localhost:$TEST_NGINX_REDIS_PORT2;
    ssl on;
    ssl_name redis.example;
    ssl_trusted_certificate $TEST_NGINX_CERTIFICATE;
    connect_timeout 5s;
    timeout 5s;
}
--- config eval: $::Config
--- script
is(get('/ping'), "(failure) its certificate is not trusted\n");
--- error_log eval
qr/the certificate of server localhost:\d+ is not for "redis.example"/



=== TEST 10: a certificate that is not verified
--- http_config
llm_redis r {
    server localhost:$TEST_NGINX_REDIS_PORT2;
    ssl on;
    ssl_verify off;
    connect_timeout 5s;
    timeout 5s;
}
--- config eval: $::Config
--- script
is(get('/ping'), "(status) PONG\n");



=== TEST 11: a certificate of one's own
--- http_config
llm_redis r {
    server 127.0.0.1:$TEST_NGINX_REDIS_PORT3;
    ssl on;
    ssl_trusted_certificate $TEST_NGINX_CERTIFICATE;
    ssl_certificate $TEST_NGINX_CERTIFICATE;
    ssl_certificate_key $TEST_NGINX_CERTIFICATE_KEY;
    connect_timeout 5s;
    timeout 5s;
}
--- config eval: $::Config
--- script
is(get('/ping'), "(status) PONG\n");



=== TEST 12: no TLS where it is needed
--- http_config
llm_redis r { server 127.0.0.1:$TEST_NGINX_REDIS_PORT2; }
--- config eval: $::Config
--- script
like(get('/ping'), qr/^\(failure\) (connection lost|timed out)/);
--- error_log
llm: redis "r": server



=== TEST 13: TLS where there is none
--- http_config
llm_redis r {
    server 127.0.0.1:$TEST_NGINX_REDIS_PORT;
    ssl on;
    ssl_verify off;
}
--- config eval: $::Config
--- script
like(get('/ping'), qr/^\(failure\) (TLS handshake failed|timed out)/);
--- error_log
llm: redis "r": server



=== TEST 14: a replica takes no writes
--- http_config
llm_redis r { server 127.0.0.1:$TEST_NGINX_REDIS_PORT4; }
--- config eval: $::Config
--- script
main::make_replica();
is(get('/get'), "(nil)\n");
like(get('/set'), qr/^\(error\) READONLY /);
--- error_log eval
qr/server 127.0.0.1:\d+ takes no writes, it is a replica/



=== TEST 15: a replica that has lost its master and says so
--- http_config
llm_redis r { server 127.0.0.1:$TEST_NGINX_REDIS_PORT4; }
--- config eval: $::Config
--- script
main::make_replica();
$::replica->cli('CONFIG', 'SET', 'replica-serve-stale-data', 'no');
is(get('/get'), "(failure) the replica has lost its master\n");
$::replica->cli('REPLICAOF', 'NO', 'ONE');
soon { get('/set') eq "(status) OK\n" };
--- error_log
the replica has lost its master
