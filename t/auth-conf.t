# What is wrong about llm_auth, llm_allow_models and llm_deny_models is said
# when the configuration is read.

use lib 't/lib';
use LLMTest;

our $Digest = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';

run_tests();

__DATA__

=== TEST 1: no file
--- config
llm_auth file=$TEST_NGINX_SERVER_ROOT/none;
--- must_die
--- error_log eval
qr{key file ".*/none": open\(\) failed: No such file or directory in .*nginx.conf:\d+}



=== TEST 2: a file that is none
--- config
llm_auth file=$TEST_NGINX_SERVER_ROOT;
--- must_die
--- error_log
not a file



=== TEST 3: a wrong line
--- config
llm_auth file=$TEST_NGINX_SERVER_ROOT/html/keys;
--- user_files eval
">>> keys\na $::Digest\n# two\nb $::Digest expires=soon\n"
--- must_die
--- error_log eval
qr{keys": line 3: invalid expires "soon": must be like .* in .*nginx.conf:\d+}



=== TEST 4: a key in its digest's place is not logged
--- config
llm_auth file=$TEST_NGINX_SERVER_ROOT/html/keys;
--- user_files
>>> keys
alice sk-live-1234
--- must_die
--- error_log
line 1: no SHA-256 of 64 hexadecimal digits after the name
--- no_error_log
sk-live



=== TEST 5: neither file nor Redis
--- config
llm_auth header=x-api-key;
--- must_die
--- error_log
must have either a "file" or a "redis" parameter



=== TEST 6: both
--- http_config
llm_redis keys { server 127.0.0.1:6379; }
--- config
llm_auth file=html/keys redis=keys;
--- must_die
--- error_log
must have either a "file" or a "redis" parameter



=== TEST 7: Redis' parameters beside a file
--- config
llm_auth file=html/keys ttl=5s;
--- user_files
>>> keys
--- must_die
--- error_log
has parameters for Redis beside "file"



=== TEST 8: twice
--- config
llm_auth off;
llm_auth off;
--- must_die
--- error_log
"llm_auth" directive is duplicate



=== TEST 9: off and more
--- config
llm_auth off header=x;
--- must_die
--- error_log
is off and takes nothing more



=== TEST 10: an unknown parameter
--- config
llm_auth file=html/keys zork=1;
--- must_die
--- error_log
invalid parameter "zork=1"



=== TEST 11: no header's name
--- config
llm_auth file=html/keys header=x-api-key,;
--- must_die
--- error_log
invalid parameter "header=x-api-key,"



=== TEST 12: an unknown Redis
--- config
llm_auth redis=keys;
--- must_die
--- error_log eval
qr/no llm_redis is named "keys" in .*nginx.conf:\d+/



=== TEST 13: a time that is none
--- http_config
llm_redis keys { server 127.0.0.1:6379; }
--- config
llm_auth redis=keys ttl=soon;
--- must_die
--- error_log
invalid parameter "ttl=soon"



=== TEST 14: little memory
--- http_config
llm_redis keys { server 127.0.0.1:6379; }
--- config
llm_auth redis=keys memory=64k;
--- must_die
--- error_log
invalid parameter "memory=64k"



=== TEST 15: the same keys with other parameters
--- http_config
llm_redis keys { server 127.0.0.1:6379; }
--- config
location /a { llm_auth redis=keys ttl=5s; }
location /b { llm_auth redis=keys ttl=6s; }
--- must_die
--- error_log
the keys of llm_redis "keys" are used with other parameters in



=== TEST 16: models twice
--- config
llm_allow_models a b;
llm_allow_models c;
--- must_die
--- error_log
"llm_allow_models" directive is duplicate



=== TEST 17: an empty pattern
--- config
llm_deny_models "";
--- must_die
--- error_log
invalid parameter ""



=== TEST 18: a key in the place of its name is not logged, either
--- config
llm_auth file=$TEST_NGINX_SERVER_ROOT/html/keys;
--- user_files
>>> keys
sk-live-1234 alice
--- must_die
--- error_log
line 1: no SHA-256 of 64 hexadecimal digits after the name
--- no_error_log
sk-live
