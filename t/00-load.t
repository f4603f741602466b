# The module is loaded, and the test bench itself does what it says.

use lib 't/lib';
use LLMTest;

run_tests();

__DATA__

=== TEST 1: nginx loads the module and serves
--- config
location = /t { return 200 "up\n"; }
--- request
GET /t
--- response_body
up



=== TEST 2: the module's directives are known
--- config
location = /t { llm off; return 200 "up\n"; }
--- request
GET /t
--- response_body
up



=== TEST 3: a bad value is reported with the place and the directive
--- config
llm maybe;
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid value "maybe" in "llm" directive, it must be "on" or "off" in .*nginx\.conf:\d+/



=== TEST 4: the scripted upstream gets the request and sends the bytes
--- config
location / { proxy_pass http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT; }
--- upstream eval
"HTTP/1.1 201 Created\r\nContent-Length: 3\r\n\r\nyes"
--- upstream_request_like
^POST /v1/t HTTP/1\.0.*^hello\z
--- upstream_request_unlike
secret
--- request
POST /v1/t
hello
--- error_code: 201
--- response_body chomp
yes



=== TEST 5: each connection gets the next reply
--- http_config
upstream mock {
    server 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT max_fails=0;
    server 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT max_fails=0 backup;
}
--- config
location / {
    proxy_pass http://mock;
    proxy_next_upstream http_503;
}
--- upstream eval
["HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
 ["HTTP/1.1 200 OK\r\nContent-Le", "ngth: 3\r\n\r\ny", "es"]]
--- upstream_request_like eval
["^GET /t", "^GET /t"]
--- request
GET /t
--- response_body chomp
yes



=== TEST 6: the closed port refuses connections
--- config
location / { proxy_pass http://127.0.0.1:$TEST_NGINX_CLOSED_PORT; }
--- request
GET /t
--- error_code: 502
--- error_log
Connection refused



=== TEST 7: a TLS server with the test's certificate
--- http_config
server {
    listen 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2 ssl;
    ssl_certificate $TEST_NGINX_CERTIFICATE;
    ssl_certificate_key $TEST_NGINX_CERTIFICATE_KEY;
    location / { return 200 "over $scheme\n"; }
}
--- config
location / {
    proxy_pass https://localhost:$TEST_NGINX_UPSTREAM_PORT2;
    proxy_ssl_verify on;
    # nginx does not free the session of its peer when it stops.
    proxy_ssl_session_reuse off;
    proxy_ssl_trusted_certificate $TEST_NGINX_CERTIFICATE;
}
--- request
GET /t
--- response_body
over https
