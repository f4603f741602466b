# What llm_redis refuses, with file and line, before nginx starts. None of the
# servers needs to be there.

use lib 't/lib';
use LLMTest;

run_tests();

__DATA__

=== TEST 1: all that there is
--- http_config
llm_redis one {
    server 127.0.0.1:$TEST_NGINX_CLOSED_PORT;
    user gateway;
    password secret;
    database 2;
    timeout 50ms;
    connect_timeout 100ms;
    connections 4;
    fail_timeout 1s;
    max_pending 100;
    max_reply 1m;
    ssl on;
    ssl_verify on;
    ssl_name redis.example;
    ssl_server_name off;
    ssl_verify_depth 2;
    ssl_protocols TLSv1.3;
    ssl_ciphers HIGH;
    ssl_trusted_certificate $TEST_NGINX_CERTIFICATE;
    ssl_certificate $TEST_NGINX_CERTIFICATE;
    ssl_certificate_key $TEST_NGINX_CERTIFICATE_KEY;
}
llm_redis two {
    server [::1]:7000;
    server redis.example;
    server unix:/run/redis.sock;
    cluster on;
}
llm_redis three {
    sentinel mymaster;
    sentinel_user watcher;
    sentinel_password secret;
    server 10.0.0.1;
    server 10.0.0.2:26380;
}
--- config
location = /ok { return 200 "ok"; }
--- request
GET /ok
--- response_body: ok



=== TEST 2: no server
--- http_config
llm_redis r { timeout 1s; }
--- must_die
--- error_log eval
qr/no "server" in llm_redis "r" in .*nginx\.conf:\d+/



=== TEST 3: a name twice
--- http_config
llm_redis r { server a; }
llm_redis r { server b; }
--- must_die
--- error_log eval
qr/duplicate llm_redis "r" in .*nginx\.conf:\d+/



=== TEST 4: several servers that are no cluster
--- http_config
llm_redis r { server 10.0.0.1; server 10.0.0.2; }
--- must_die
--- error_log
several servers need "cluster on" or "sentinel" in llm_redis "r"



=== TEST 5: cluster and Sentinel
--- http_config
llm_redis r { server 10.0.0.1; cluster on; sentinel m; }
--- must_die
--- error_log
"cluster" and "sentinel" exclude each other in llm_redis "r"



=== TEST 6: a database of a cluster
--- http_config
llm_redis r { server 10.0.0.1; cluster on; database 1; }
--- must_die
--- error_log
a cluster has no "database" but 0 in llm_redis "r"



=== TEST 7: a user without a password
--- http_config
llm_redis r { server 10.0.0.1; user gateway; }
--- must_die
--- error_log
"user" needs a password in llm_redis "r"



=== TEST 8: a password twice, whose value is not told
--- http_config
llm_redis r { server 10.0.0.1; password p455; password_env HOME; }
--- must_die
--- error_log
"password_env" directive is duplicate, the password is set already
--- no_error_log
p455



=== TEST 9: a password that is not there
--- http_config
llm_redis r { server 10.0.0.1; password_env LLM_TEST_NOT_SET; }
--- must_die
--- error_log
environment variable "LLM_TEST_NOT_SET" is not set



=== TEST 10: a Sentinel's password without a Sentinel
--- http_config
llm_redis r { server 10.0.0.1; sentinel_password p; }
--- must_die
--- error_log
"sentinel_password" needs "sentinel" in llm_redis "r"



=== TEST 11: a server twice
--- http_config
llm_redis r { server 10.0.0.1; server 10.0.0.1; cluster on; }
--- must_die
--- error_log eval
qr/duplicate server "10\.0\.0\.1" in .*nginx\.conf:\d+/



=== TEST 12: a port that is none
--- http_config
llm_redis r { server 10.0.0.1:70000; }
--- must_die
--- error_log eval
qr/invalid port in server "10\.0\.0\.1:70000" in .*nginx\.conf:\d+/



=== TEST 13: an address of IPv6 without brackets
--- http_config
llm_redis r { server ::1; }
--- must_die
--- error_log
in server "::1"



=== TEST 14: a negative database
--- http_config
llm_redis r { server 10.0.0.1; database -1; }
--- must_die
--- error_log
"database" directive invalid number



=== TEST 15: no time at all
--- http_config
llm_redis r { server 10.0.0.1; timeout 0; }
--- must_die
--- error_log
"timeout" directive must be longer than 0



=== TEST 16: no connections
--- http_config
llm_redis r { server 10.0.0.1; connections 0; }
--- must_die
--- error_log
value must be between 1 and 1024



=== TEST 17: half of a certificate
--- http_config
llm_redis r {
    server 10.0.0.1;
    ssl_certificate $TEST_NGINX_CERTIFICATE;
}
--- must_die
--- error_log
"ssl_certificate" and "ssl_certificate_key" need each other



=== TEST 18: a file that there is not
--- http_config
llm_redis r {
    server 10.0.0.1;
    ssl on;
    ssl_trusted_certificate /nonexistent.pem;
}
--- must_die
--- error_log eval
qr/invalid TLS settings of llm_redis "r" in .*nginx\.conf:\d+/



=== TEST 19: TLS through a Unix socket needs a name to verify
--- http_config
llm_redis r { server unix:/run/redis.sock; ssl on; }
--- must_die
--- error_log
TLS to a Unix socket needs "ssl_name" in llm_redis "r"



=== TEST 20: an unknown directive
--- http_config
llm_redis r { servers 10.0.0.1; }
--- must_die
--- error_log
unknown directive "servers" in "llm_redis"



=== TEST 21: a name that is none
--- http_config
llm_redis a/b { server 10.0.0.1; }
--- must_die
--- error_log
invalid llm_redis name "a/b"
