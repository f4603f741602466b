# llm_provider: every directive, good and bad values, and what they do to the
# requests that a provider gets.

use lib 't/lib';
use LLMTest;

BEGIN {
    $ENV{LLM_TEST_KEY} = 'sk-environment';
    $ENV{LLM_TEST_EMPTY} = '';
    $ENV{LLM_TEST_LINES} = "sk-first\nsk-second";
    delete $ENV{LLM_TEST_UNSET};
}

# An answer, one that refuses, and calls of both formats.
our $answer = reply('200 OK', '{"id":"c1","object":"chat.completion",'
    . '"created":1,"model":"m","choices":[{"index":0,"message":{'
    . '"role":"assistant","content":"hello"},"finish_reason":"stop"}],'
    . '"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}');
our $refusal = reply('400 Bad Request', '{"type":"error","error":{'
    . '"type":"invalid_request_error","message":"no"}}');
our $call = "POST /v1/chat/completions\n"
    . '{"model":"m","messages":[{"role":"user","content":"hi"}]}';
our $translated = "POST /v1/messages\n"
    . '{"model":"m","max_tokens":7,"system":"be brief",'
    . '"messages":[{"role":"user","content":"hi"}]}';

# A provider over TLS, which says what name it was called by.
(our $tls_server = <<'_EOC_') =~ s/ANSWER/$answer =~ s{.*\r\n}{}sr/e;
    server {
        listen 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2 ssl;
        ssl_certificate $TEST_NGINX_CERTIFICATE;
        ssl_certificate_key $TEST_NGINX_CERTIFICATE_KEY;
        default_type application/json;
        location / { return 200 'ANSWER'; }
    }
_EOC_
$tls_server =~ s/hello/over TLS to \$ssl_server_name,/;

sub reply {
    my ($status, $body) = @_;
    return "HTTP/1.1 $status\r\nContent-Type: application/json\r\n"
        . 'Content-Length: ' . length($body) . "\r\n\r\n$body";
}

run_tests();

__DATA__

=== TEST 1: a provider needs no more than a format and a URL
--- http_config
llm_provider p {
    format openai;
    url http://127.0.0.1:8000/v1;
}
--- config
location = /t { return 204; }
--- request
GET /t
--- error_code: 204



=== TEST 2: every form of URL that SDKs take
--- http_config
llm_provider p0 {
    format openai;
    url http://localhost;
}
llm_provider p1 {
    format openai;
    url https://localhost/;
}
llm_provider p2 {
    format openai;
    url http://127.0.0.1:8000/a/b/;
}
llm_provider p3 {
    format openai;
    url http://[::1];
}
llm_provider p4 {
    format openai;
    url https://api.example.com:8443/v1;
}
llm_provider p5 {
    format openai;
    url HTTP://[2001:db8::1]:8080/v1/;
}
--- config
location = /t { return 204; }
--- request
GET /t
--- error_code: 204



=== TEST 3: a URL with no scheme is refused
--- http_config
llm_provider p {
    format openai;
    url api.openai.com/v1;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"url" must begin with "http:\/\/" or "https:\/\/": "api\.openai\.com\/v1" in .*nginx\.conf:\d+/



=== TEST 4: a URL with an unknown scheme is refused
--- http_config
llm_provider p {
    format openai;
    url ftp://api.openai.com/v1;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"url" must begin with "http:\/\/" or "https:\/\/": "ftp:\/\/api\.openai\.com\/v1" in .*nginx\.conf:\d+/



=== TEST 5: a URL with no host is refused
--- http_config
llm_provider p {
    format openai;
    url http:///v1;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"url" has no host: "http:\/\/\/v1" in .*nginx\.conf:\d+/



=== TEST 6: a URL with an invalid host is refused
--- http_config
llm_provider p {
    format openai;
    url http://a..b/v1;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"url" has an invalid host: "http:\/\/a\.\.b\/v1" in .*nginx\.conf:\d+/



=== TEST 7: a URL with an invalid port is refused
--- http_config
llm_provider p {
    format openai;
    url http://localhost:65536/v1;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"url" has an invalid port: "http:\/\/localhost:65536\/v1" in .*nginx\.conf:\d+/



=== TEST 8: a URL with an empty port is refused
--- http_config
llm_provider p {
    format openai;
    url http://localhost:/v1;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"url" has an invalid port: "http:\/\/localhost:\/v1" in .*nginx\.conf:\d+/



=== TEST 9: a URL with a query is refused
--- http_config
llm_provider p {
    format openai;
    url http://localhost/v1?a=b;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"url" must not have a query or fragment: "http:\/\/localhost\/v1\?a=b" in .*nginx\.conf:\d+/



=== TEST 10: a URL with a fragment is refused
--- http_config
llm_provider p {
    format openai;
    url "http://localhost/v1#a";
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"url" must not have a query or fragment: "http:\/\/localhost\/v1#a" in .*nginx\.conf:\d+/



=== TEST 11: a URL with a space is refused
--- http_config
llm_provider p {
    format openai;
    url "http://localhost/v 1";
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"url" must not have spaces, control or non-ASCII characters: "http:\/\/localhost\/v 1" in .*nginx\.conf:\d+/



=== TEST 12: a URL with an open bracket is refused
--- http_config
llm_provider p {
    format openai;
    url http://[::1/v1;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"url" has an IPv6 address without "\]": "http:\/\/\[::1\/v1" in .*nginx\.conf:\d+/



=== TEST 13: a URL with no IPv6 address in brackets is refused
--- http_config
llm_provider p {
    format openai;
    url http://[::1::2]/v1;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid IPv6 address "::1::2"/



=== TEST 14: a password in a URL is refused and not logged
--- http_config
llm_provider p {
    format openai;
    url http://user:hunter2@localhost/v1;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"url" must not have a user name or password, use "api_key" or "header" in .*nginx\.conf:\d+/
--- no_error_log
hunter2



=== TEST 15: a provider without a URL is refused
--- http_config
llm_provider p {
    format openai;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*no "url" in llm_provider "p" in .*nginx\.conf:\d+/



=== TEST 16: a provider without a format is refused
--- http_config
llm_provider p {
    url http://127.0.0.1:1/v1;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*no "format" in llm_provider "p" in .*nginx\.conf:\d+/



=== TEST 17: both formats
--- http_config
llm_provider a {
    format openai;
    url http://127.0.0.1:1/v1;
}
llm_provider b {
    format anthropic;
    url http://127.0.0.1:1/v1;
}
--- config
location = /t { return 204; }
--- request
GET /t
--- error_code: 204



=== TEST 18: an unknown format
--- http_config
llm_provider p {
    format gopher;
    url http://127.0.0.1:1/v1;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*unknown format "gopher" in .*nginx\.conf:\d+/



=== TEST 19: presets by name need a key at most
--- http_config
llm_provider openai { api_key k; }
llm_provider anthropic { api_key k; }
llm_provider groq { api_key k; }
llm_provider mistral { api_key k; }
llm_provider deepseek { api_key k; }
llm_provider xai { api_key k; }
--- config
location = /t { return 204; }
--- request
GET /t
--- error_code: 204



=== TEST 20: a preset for a provider of another name
--- http_config
llm_provider second_account {
    preset openai;
    api_key k;
}
--- config
location = /t { return 204; }
--- request
GET /t
--- error_code: 204



=== TEST 21: an unknown preset
--- http_config
llm_provider p {
    preset gpt;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*unknown preset "gpt" in .*nginx\.conf:\d+/



=== TEST 22: a preset's values can be replaced
--- http_config
llm_provider openai {
    url http://127.0.0.1:1/v1;
    max_completion_tokens off;
    developer_role off;
}
--- config
location = /t { return 204; }
--- request
GET /t
--- error_code: 204



=== TEST 23: names
--- http_config
llm_provider a/b { }
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid llm_provider name "a\/b" in .*nginx\.conf:\d+/



=== TEST 24: an empty name
--- http_config
llm_provider "" { }
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid llm_provider name "" in .*nginx\.conf:\d+/



=== TEST 25: two providers of one name
--- http_config
llm_provider p {
    format openai;
    url http://127.0.0.1:1/v1;
}
llm_provider p {
    format openai;
    url http://127.0.0.1:1/v1;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*duplicate llm_provider "p" in .*nginx\.conf:\d+/



=== TEST 26: a provider and a pool of one name
--- http_config
llm_provider openai { }
llm_upstream openai { model openai/gpt-4o; }
--- must_die
--- error_log eval
qr/\[emerg\] .*llm_upstream "openai" has the name of an llm_provider in .*nginx\.conf:\d+/



=== TEST 27: a pool and a provider of one name
--- http_config
llm_upstream openai { model openai/gpt-4o; }
llm_provider openai { }
--- must_die
--- error_log eval
qr/\[emerg\] .*llm_provider "openai" has the name of an llm_upstream in .*nginx\.conf:\d+/



=== TEST 28: an unknown directive
--- http_config
llm_provider p {
    colour red;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*unknown directive "colour" in "llm_provider" in .*nginx\.conf:\d+/



=== TEST 29: a directive of another block
--- http_config
llm_provider p {
    model openai/gpt-4o;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*unknown directive "model" in "llm_provider" in .*nginx\.conf:\d+/



=== TEST 30: too few arguments
--- http_config
llm_provider p {
    url;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid number of arguments in "url" directive in .*nginx\.conf:\d+/



=== TEST 31: too many arguments
--- http_config
llm_provider p {
    format openai anthropic;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid number of arguments in "format" directive in .*nginx\.conf:\d+/



=== TEST 32: a block inside
--- http_config
llm_provider p {
    url http://a { }
}
--- must_die
--- error_log eval
qr/\[emerg\] .*unexpected "\{" in .*nginx\.conf:\d+/



=== TEST 33: a second "preset"
--- http_config
llm_provider p {
    preset openai;
    preset openai;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"preset" directive is duplicate in .*nginx\.conf:\d+/



=== TEST 34: a second "format"
--- http_config
llm_provider p {
    format openai;
    format openai;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"format" directive is duplicate in .*nginx\.conf:\d+/



=== TEST 35: a second "url"
--- http_config
llm_provider p {
    url http://localhost;
    url http://localhost;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"url" directive is duplicate in .*nginx\.conf:\d+/



=== TEST 36: a second "connect_timeout"
--- http_config
llm_provider p {
    connect_timeout 1s;
    connect_timeout 1s;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"connect_timeout" directive is duplicate in .*nginx\.conf:\d+/



=== TEST 37: a second "send_timeout"
--- http_config
llm_provider p {
    send_timeout 1s;
    send_timeout 1s;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"send_timeout" directive is duplicate in .*nginx\.conf:\d+/



=== TEST 38: a second "read_timeout"
--- http_config
llm_provider p {
    read_timeout 1s;
    read_timeout 1s;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"read_timeout" directive is duplicate in .*nginx\.conf:\d+/



=== TEST 39: a second "buffer_size"
--- http_config
llm_provider p {
    buffer_size 4k;
    buffer_size 4k;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"buffer_size" directive is duplicate in .*nginx\.conf:\d+/



=== TEST 40: a second "keepalive"
--- http_config
llm_provider p {
    keepalive 1;
    keepalive 1;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"keepalive" directive is duplicate in .*nginx\.conf:\d+/



=== TEST 41: a second "keepalive_timeout"
--- http_config
llm_provider p {
    keepalive_timeout 1s;
    keepalive_timeout 1s;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"keepalive_timeout" directive is duplicate in .*nginx\.conf:\d+/



=== TEST 42: a second "ssl_verify"
--- http_config
llm_provider p {
    ssl_verify on;
    ssl_verify on;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"ssl_verify" directive is duplicate in .*nginx\.conf:\d+/



=== TEST 43: a second "ssl_server_name"
--- http_config
llm_provider p {
    ssl_server_name on;
    ssl_server_name on;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"ssl_server_name" directive is duplicate in .*nginx\.conf:\d+/



=== TEST 44: a second "ssl_session_reuse"
--- http_config
llm_provider p {
    ssl_session_reuse on;
    ssl_session_reuse on;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"ssl_session_reuse" directive is duplicate in .*nginx\.conf:\d+/



=== TEST 45: a second "ssl_name"
--- http_config
llm_provider p {
    ssl_name a;
    ssl_name a;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"ssl_name" directive is duplicate in .*nginx\.conf:\d+/



=== TEST 46: a second "ssl_trusted_certificate"
--- http_config
llm_provider p {
    ssl_trusted_certificate a;
    ssl_trusted_certificate a;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"ssl_trusted_certificate" directive is duplicate in .*nginx\.conf:\d+/



=== TEST 47: a second "ssl_verify_depth"
--- http_config
llm_provider p {
    ssl_verify_depth 1;
    ssl_verify_depth 1;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"ssl_verify_depth" directive is duplicate in .*nginx\.conf:\d+/



=== TEST 48: a second "ssl_protocols"
--- http_config
llm_provider p {
    ssl_protocols TLSv1.2;
    ssl_protocols TLSv1.2;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"ssl_protocols" directive is duplicate in .*nginx\.conf:\d+/



=== TEST 49: a second "ssl_ciphers"
--- http_config
llm_provider p {
    ssl_ciphers a;
    ssl_ciphers a;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"ssl_ciphers" directive is duplicate in .*nginx\.conf:\d+/



=== TEST 50: a second "ssl_certificate"
--- http_config
llm_provider p {
    ssl_certificate a;
    ssl_certificate a;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"ssl_certificate" directive is duplicate in .*nginx\.conf:\d+/



=== TEST 51: a second "ssl_certificate_key"
--- http_config
llm_provider p {
    ssl_certificate_key a;
    ssl_certificate_key a;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"ssl_certificate_key" directive is duplicate in .*nginx\.conf:\d+/



=== TEST 52: a second "max_completion_tokens"
--- http_config
llm_provider p {
    max_completion_tokens on;
    max_completion_tokens on;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"max_completion_tokens" directive is duplicate in .*nginx\.conf:\d+/



=== TEST 53: a second "developer_role"
--- http_config
llm_provider p {
    developer_role on;
    developer_role on;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"developer_role" directive is duplicate in .*nginx\.conf:\d+/



=== TEST 54: a second "stream_options"
--- http_config
llm_provider p {
    stream_options on;
    stream_options on;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"stream_options" directive is duplicate in .*nginx\.conf:\d+/



=== TEST 55: a second "parallel_tool_calls"
--- http_config
llm_provider p {
    parallel_tool_calls on;
    parallel_tool_calls on;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"parallel_tool_calls" directive is duplicate in .*nginx\.conf:\d+/



=== TEST 56: a second "output_config"
--- http_config
llm_provider p {
    output_config on;
    output_config on;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"output_config" directive is duplicate in .*nginx\.conf:\d+/



=== TEST 57: an included file is read as if it stood in the block
--- http_config
llm_provider p {
    include provider.inc;
    url http://127.0.0.1:1/v1;
}
--- config
location = /t { return 204; }
--- user_files
>>> ../conf/provider.inc
format openai;
--- request
GET /t
--- error_code: 204



=== TEST 58: a mistake in an included file is found there
--- http_config
llm_provider p {
    include provider.inc;
}
--- user_files
>>> ../conf/provider.inc
format openai;
colour red;
--- must_die
--- error_log eval
qr/\[emerg\] .*unknown directive "colour" in "llm_provider" in .*provider\.inc:2/



=== TEST 59: a key with a variable
--- http_config
map $remote_addr $key { default k; }
llm_provider p {
    format openai;
    url http://127.0.0.1:1/v1;
    api_key $key;
}
--- config
location = /t { return 204; }
--- request
GET /t
--- error_code: 204



=== TEST 60: a key with an unknown variable
--- http_config
llm_provider p {
    format openai;
    url http://127.0.0.1:1/v1;
    api_key $no_such_key;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*unknown "no_such_key" variable/



=== TEST 61: an empty key
--- http_config
llm_provider p {
    format openai;
    url http://127.0.0.1:1/v1;
    api_key "";
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"api_key" directive has an empty value in .*nginx\.conf:\d+/



=== TEST 62: a key with a control character is refused and not logged
--- http_config eval
"llm_provider p { format openai; url http://127.0.0.1:1; api_key sk-sec\x01ret; }"
--- must_die
--- error_log eval
qr/\[emerg\] .*"api_key" directive has control characters in its value in .*nginx\.conf:\d+/
--- no_error_log
sk-sec



=== TEST 63: two keys
--- http_config
llm_provider p {
    format openai;
    url http://127.0.0.1:1/v1;
    api_key a;
    api_key b;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"api_key" directive is duplicate in .*nginx\.conf:\d+/



=== TEST 64: two sources of a key
--- http_config
llm_provider p {
    format openai;
    url http://127.0.0.1:1/v1;
    api_key a;
    api_key_env LLM_TEST_KEY;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"api_key_env" directive is duplicate, the key is set already in .*nginx\.conf:\d+/



=== TEST 65: a key from the environment
--- http_config
llm_provider p {
    format openai;
    url http://127.0.0.1:1/v1;
    api_key_env LLM_TEST_KEY;
}
--- config
location = /t { return 204; }
--- request
GET /t
--- error_code: 204



=== TEST 66: a variable that is not set
--- http_config
llm_provider p {
    format openai;
    url http://127.0.0.1:1/v1;
    api_key_env LLM_TEST_UNSET;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*environment variable "LLM_TEST_UNSET" is not set in .*nginx\.conf:\d+/



=== TEST 67: a variable that is empty
--- http_config
llm_provider p {
    format openai;
    url http://127.0.0.1:1/v1;
    api_key_env LLM_TEST_EMPTY;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*environment variable "LLM_TEST_EMPTY" is empty in .*nginx\.conf:\d+/



=== TEST 68: a variable with a line end is refused and not logged
--- http_config
llm_provider p {
    format openai;
    url http://127.0.0.1:1/v1;
    api_key_env LLM_TEST_LINES;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*environment variable "LLM_TEST_LINES" has control characters in .*nginx\.conf:\d+/
--- no_error_log
sk-first



=== TEST 69: a variable that the configuration sets
--- main_config
env LLM_TEST_UNSET=sk-configured;
--- http_config
llm_provider p {
    format openai;
    url http://127.0.0.1:1/v1;
    api_key_env LLM_TEST_UNSET;
}
--- config
location = /t { return 204; }
--- request
GET /t
--- error_code: 204



=== TEST 70: a variable that the configuration sets to nothing
--- main_config
env LLM_TEST_KEY=;
--- http_config
llm_provider p {
    format openai;
    url http://127.0.0.1:1/v1;
    api_key_env LLM_TEST_KEY;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*environment variable "LLM_TEST_KEY" is empty in .*nginx\.conf:\d+/



=== TEST 71: a key file that does not exist
--- http_config
llm_provider p {
    format openai;
    url http://127.0.0.1:1/v1;
    api_key_file no_such_file;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*open\(\) ".*no_such_file" failed \(2: No such file or directory\) in .*nginx\.conf:\d+/



=== TEST 72: a key file that is a folder
--- http_config
llm_provider p {
    format openai;
    url http://127.0.0.1:1/v1;
    api_key_file .;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"[^"]*" is not a regular file in .*nginx\.conf:\d+/



=== TEST 73: an empty key file
--- http_config
llm_provider p {
    format openai;
    url http://127.0.0.1:1;
    api_key_file key;
}
--- user_files eval
">>> ../conf/key
\n"
--- must_die
--- error_log eval
qr/\[emerg\] .*the first line of ".*\/key" is empty in .*nginx\.conf:\d+/



=== TEST 74: a key file of binary data is refused and not logged
--- http_config
llm_provider p {
    format openai;
    url http://127.0.0.1:1;
    api_key_file key;
}
--- user_files eval
">>> ../conf/key
sk-sec\x00ret\n"
--- must_die
--- error_log eval
qr/\[emerg\] .*the first line of ".*\/key" has control characters in .*nginx\.conf:\d+/
--- no_error_log
sk-sec



=== TEST 75: a key file that is too long
--- http_config
llm_provider p {
    format openai;
    url http://127.0.0.1:1;
    api_key_file key;
}
--- user_files eval
">>> ../conf/key
" . "k" x 20000
--- must_die
--- error_log eval
qr/\[emerg\] .*the first line of ".*\/key" is too long in .*nginx\.conf:\d+/
--- no_error_log
kkkk



=== TEST 76: a key file that all may read is warned of
--- http_config
llm_provider p {
    format openai;
    url http://127.0.0.1:1;
    api_key_file key;
}
--- user_files eval
">>> ../conf/key
sk-file\n"
--- config
location = /t { return 204; }
--- request
GET /t
--- error_code: 204
--- error_log eval
qr/\[warn\] .*".*\/key" holds a secret and is readable by others in .*nginx\.conf:\d+/



=== TEST 77: headers with and without variables
--- http_config
llm_provider p {
    format openai;
    url http://127.0.0.1:1/v1;
    header OpenAI-Organization org-1;
    header X-Client $remote_addr;
}
--- config
location = /t { return 204; }
--- request
GET /t
--- error_code: 204



=== TEST 78: an invalid header name
--- http_config
llm_provider p {
    format openai;
    url http://127.0.0.1:1/v1;
    header "X Client" a;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid header name "X Client" in .*nginx\.conf:\d+/



=== TEST 79: the header "Host" is not for the operator
--- http_config
llm_provider p {
    format openai;
    url http://127.0.0.1:1/v1;
    header Host a;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*header "Host" may not be set in .*nginx\.conf:\d+/



=== TEST 80: the header "Content-Length" is not for the operator
--- http_config
llm_provider p {
    format openai;
    url http://127.0.0.1:1/v1;
    header Content-Length a;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*header "Content-Length" may not be set in .*nginx\.conf:\d+/



=== TEST 81: the header "transfer-encoding" is not for the operator
--- http_config
llm_provider p {
    format openai;
    url http://127.0.0.1:1/v1;
    header transfer-encoding a;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*header "transfer-encoding" may not be set in .*nginx\.conf:\d+/



=== TEST 82: the header "Connection" is not for the operator
--- http_config
llm_provider p {
    format openai;
    url http://127.0.0.1:1/v1;
    header Connection a;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*header "Connection" may not be set in .*nginx\.conf:\d+/



=== TEST 83: the header "Accept-Encoding" is not for the operator
--- http_config
llm_provider p {
    format openai;
    url http://127.0.0.1:1/v1;
    header Accept-Encoding a;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*header "Accept-Encoding" may not be set in .*nginx\.conf:\d+/



=== TEST 84: a header twice
--- http_config
llm_provider p {
    format openai;
    url http://127.0.0.1:1/v1;
    header X-A a;
    header x-a b;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*duplicate header "x-a" in .*nginx\.conf:\d+/



=== TEST 85: a header's value with a line end is refused
--- http_config eval
"llm_provider p { format openai; url http://127.0.0.1:1; header X-A 'sk-sec\r\nret'; }"
--- must_die
--- error_log eval
qr/\[emerg\] .*"header" directive has control characters in its value in .*nginx\.conf:\d+/
--- no_error_log
sk-sec



=== TEST 86: a key and a header for it
--- http_config
llm_provider p {
    format openai;
    url http://127.0.0.1:1/v1;
    api_key a;
    header Authorization b;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*header "Authorization" and an API key in llm_provider "p" exclude each other in .*nginx\.conf:\d+/



=== TEST 87: a header in place of a key
--- http_config
llm_provider p {
    format openai;
    url http://127.0.0.1:1/v1;
    header Authorization "Basic abc";
}
--- config
location = /t { return 204; }
--- request
GET /t
--- error_code: 204



=== TEST 88: timeouts, sizes, connections
--- http_config
llm_provider p {
    format openai;
    url http://127.0.0.1:1/v1;
    connect_timeout 500ms;
    send_timeout 5s;
    read_timeout 10m;
    buffer_size 16k;
    keepalive 0;
    keepalive_timeout 5s;
}
--- config
location = /t { return 204; }
--- request
GET /t
--- error_code: 204



=== TEST 89: an invalid "connect_timeout"
--- http_config
llm_provider p {
    format openai;
    url http://127.0.0.1:1/v1;
    connect_timeout never;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"connect_timeout" directive invalid value in .*nginx\.conf:\d+/



=== TEST 90: an invalid "send_timeout"
--- http_config
llm_provider p {
    format openai;
    url http://127.0.0.1:1/v1;
    send_timeout never;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"send_timeout" directive invalid value in .*nginx\.conf:\d+/



=== TEST 91: an invalid "read_timeout"
--- http_config
llm_provider p {
    format openai;
    url http://127.0.0.1:1/v1;
    read_timeout never;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"read_timeout" directive invalid value in .*nginx\.conf:\d+/



=== TEST 92: an invalid "keepalive_timeout"
--- http_config
llm_provider p {
    format openai;
    url http://127.0.0.1:1/v1;
    keepalive_timeout never;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"keepalive_timeout" directive invalid value in .*nginx\.conf:\d+/



=== TEST 93: an invalid "buffer_size"
--- http_config
llm_provider p {
    format openai;
    url http://127.0.0.1:1/v1;
    buffer_size never;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"buffer_size" directive invalid value in .*nginx\.conf:\d+/



=== TEST 94: an invalid number of connections
--- http_config
llm_provider p {
    format openai;
    url http://127.0.0.1:1/v1;
    keepalive -1;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"keepalive" directive invalid number in .*nginx\.conf:\d+/



=== TEST 95: a buffer that no head fits in
--- http_config
llm_provider p {
    format openai;
    url http://127.0.0.1:1/v1;
    buffer_size 100;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"buffer_size" directive must be at least 1k in .*nginx\.conf:\d+/



=== TEST 96: "ssl_verify" is on or off
--- http_config
llm_provider p {
    format openai;
    url http://127.0.0.1:1/v1;
    ssl_verify yes;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid value "yes" in "ssl_verify" directive, it must be "on" or "off" in .*nginx\.conf:\d+/



=== TEST 97: "ssl_server_name" is on or off
--- http_config
llm_provider p {
    format openai;
    url http://127.0.0.1:1/v1;
    ssl_server_name yes;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid value "yes" in "ssl_server_name" directive, it must be "on" or "off" in .*nginx\.conf:\d+/



=== TEST 98: "ssl_session_reuse" is on or off
--- http_config
llm_provider p {
    format openai;
    url http://127.0.0.1:1/v1;
    ssl_session_reuse yes;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid value "yes" in "ssl_session_reuse" directive, it must be "on" or "off" in .*nginx\.conf:\d+/



=== TEST 99: "max_completion_tokens" is on or off
--- http_config
llm_provider p {
    format openai;
    url http://127.0.0.1:1/v1;
    max_completion_tokens yes;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid value "yes" in "max_completion_tokens" directive, it must be "on" or "off" in .*nginx\.conf:\d+/



=== TEST 100: "developer_role" is on or off
--- http_config
llm_provider p {
    format openai;
    url http://127.0.0.1:1/v1;
    developer_role yes;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid value "yes" in "developer_role" directive, it must be "on" or "off" in .*nginx\.conf:\d+/



=== TEST 101: "stream_options" is on or off
--- http_config
llm_provider p {
    format openai;
    url http://127.0.0.1:1/v1;
    stream_options yes;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid value "yes" in "stream_options" directive, it must be "on" or "off" in .*nginx\.conf:\d+/



=== TEST 102: "parallel_tool_calls" is on or off
--- http_config
llm_provider p {
    format openai;
    url http://127.0.0.1:1/v1;
    parallel_tool_calls yes;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid value "yes" in "parallel_tool_calls" directive, it must be "on" or "off" in .*nginx\.conf:\d+/



=== TEST 103: "output_config" is on or off
--- http_config
llm_provider p {
    format openai;
    url http://127.0.0.1:1/v1;
    output_config yes;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid value "yes" in "output_config" directive, it must be "on" or "off" in .*nginx\.conf:\d+/



=== TEST 104: TLS as it stands and with all its settings
--- http_config
llm_provider a {
    format openai;
    url https://localhost:1/v1;
}
llm_provider b {
    format openai;
    url https://localhost:1/v1;
}
llm_provider c {
    format openai;
    url https://localhost:1/v1;
    ssl_verify off;
}
llm_provider d {
    format openai;
    url https://localhost:1/v1;
    ssl_verify on;
    ssl_verify_depth 2;
    ssl_trusted_certificate $TEST_NGINX_CERTIFICATE;
    ssl_name api.example.com;
    ssl_server_name off;
    ssl_session_reuse off;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_ciphers HIGH;
    ssl_certificate $TEST_NGINX_CERTIFICATE;
    ssl_certificate_key $TEST_NGINX_CERTIFICATE_KEY;
}
--- config
location = /t { return 204; }
--- request
GET /t
--- error_code: 204



=== TEST 105: trusted certificates that do not exist
--- http_config
llm_provider p {
    format openai;
    url https://localhost:1/v1;
    ssl_trusted_certificate no_such_file;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid TLS settings of llm_provider "p" in .*nginx\.conf:\d+/



=== TEST 106: an unknown protocol
--- http_config
llm_provider p {
    format openai;
    url https://localhost:1/v1;
    ssl_protocols TLSv2;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid value "TLSv2" in .*nginx\.conf:\d+/



=== TEST 107: unknown ciphers
--- http_config
llm_provider p {
    format openai;
    url https://localhost:1/v1;
    ssl_ciphers nonsense;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid TLS settings of llm_provider "p" in .*nginx\.conf:\d+/



=== TEST 108: a certificate without its key
--- http_config
llm_provider p {
    format openai;
    url https://localhost:1/v1;
    ssl_certificate a;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*"ssl_certificate" and "ssl_certificate_key" of llm_provider "p" need each other in .*nginx\.conf:\d+/



=== TEST 109: a name that is none
--- http_config
llm_provider p {
    format openai;
    url https://localhost:1/v1;
    ssl_name $host;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid host name "\$host" in .*nginx\.conf:\d+/



=== TEST 110: an address whose certificate cannot be verified is warned of
--- http_config
llm_provider p {
    format openai;
    url https://127.0.0.1:1/v1;
}
--- config
location = /t { return 204; }
--- request
GET /t
--- error_code: 204
--- error_log eval
qr/\[warn\] .*the certificate of address "127\.0\.0\.1" cannot be verified without "ssl_name" in .*nginx\.conf:\d+/



=== TEST 111: the host may be an upstream, before or after
--- http_config
llm_provider a {
    format openai;
    url http://backends/v1;
}
upstream backends { server 127.0.0.1:1; }
llm_provider b {
    format openai;
    url https://Backends;
}
--- config
location = /t { return 204; }
--- request
GET /t
--- error_code: 204



=== TEST 112: an upstream has no port
--- http_config
upstream backends { server 127.0.0.1:1; }
llm_provider p {
    format openai;
    url http://backends:8000/v1;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*upstream "backends" may not have port 8000 in .*nginx\.conf:\d+/



=== TEST 113: nothing is looked up by nginx -t
--- http_config
llm_provider p {
    format openai;
    url https://no-such-host.invalid/v1;
}
--- config
location = /t { return 204; }
--- request
GET /t
--- error_code: 204



=== TEST 114: it belongs to http
--- config
llm_provider p { }
--- must_die
--- error_log eval
qr/\[emerg\] .*"llm_provider" directive is not allowed here in .*nginx\.conf:\d+/



=== TEST 115: the key of a file is its first line, without white space at its end
--- http_config
llm_provider p {
    format openai;
    url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/base/;
    api_key_file key;
}
--- config
location / { llm_pass p; }
--- user_files eval
">>> ../conf/key
sk-file \t\r
second line
"
--- upstream eval
$main::answer
--- upstream_request_like
^POST /base/chat/completions HTTP/1\.1\r$.*^Authorization: Bearer sk-file\r$
--- upstream_request_unlike
second
--- request eval
$main::call
--- error_code: 200



=== TEST 116: the key of the environment is sent, and no header that the client sent
--- http_config
llm_provider p {
    format openai;
    url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT;
    api_key_env LLM_TEST_KEY;
}
--- config
location / { llm_pass p; }
--- upstream eval
$main::answer
--- upstream_request_like
^POST /chat/completions HTTP/1\.1\r$.*^Authorization: Bearer sk-environment\r$
--- upstream_request_unlike
of-the-client
--- request eval
$main::call
--- more_headers
Authorization: Bearer sk-of-the-client
Cookie: of-the-client
--- error_code: 200



=== TEST 117: the key of a variable, and headers with variables
--- http_config
map $arg_team $key { red sk-red; blue sk-blue; }
llm_provider p {
    format openai;
    url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT;
    api_key $key;
    header X-Team team-$arg_team;
    header X-Fixed "a b";
}
--- config
location / { llm_pass p; }
--- upstream eval
$main::answer
--- upstream_request_like
^Authorization: Bearer sk-blue\r$.*^X-Team: team-blue\r$.*^X-Fixed: a b\r$
--- request eval
(my $call = $main::call) =~ s/completions/completions?team=blue/r
--- error_code: 200



=== TEST 118: Anthropic has a header of its own for the key
--- http_config
llm_provider p {
    preset anthropic;
    url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT;
    api_key sk-ant;
}
--- config
location / { llm_pass p; }
--- upstream eval
$main::refusal
--- upstream_request_like
^POST /v1/messages HTTP/1\.1\r$.*^x-api-key: sk-ant\r$
--- request eval
$main::call
--- error_code: 400



=== TEST 119: the Host header has the port, unless it is the scheme's own
--- http_config
llm_provider p { format openai; url http://localhost:$TEST_NGINX_UPSTREAM_PORT; }
--- config
location / { llm_pass p; }
--- upstream eval
$main::answer
--- upstream_request_like eval
"^Host: localhost:$ENV{TEST_NGINX_UPSTREAM_PORT}\r\$"
--- request eval
$main::call
--- error_code: 200



=== TEST 120: a preset's quirks shape the body
--- http_config
llm_provider p { preset openai; url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT; }
--- config
location / { llm_pass p; }
--- upstream eval
$main::answer
--- upstream_request_like
"max_completion_tokens": ?7
--- request eval
$main::translated
--- error_code: 200



=== TEST 121: directives replace a preset's quirks
--- http_config
llm_provider p {
    preset openai;
    url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT;
    max_completion_tokens off;
    developer_role off;
}
--- config
location / { llm_pass p; }
--- upstream eval
$main::answer
--- upstream_request_like
"max_tokens": ?7
--- upstream_request_unlike
max_completion_tokens
--- request eval
$main::translated
--- error_code: 200



=== TEST 122: the servers of an upstream are used where it has the host's name
--- http_config
upstream backends {
    server 127.0.0.1:$TEST_NGINX_CLOSED_PORT;
    server 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT backup;
}
llm_provider p { format openai; url http://backends/v1; }
llm_upstream chat { model p/m; tries 2; }
--- config
location / { llm_pass chat; }
--- upstream eval
$main::answer
--- upstream_request_like
^POST /v1/chat/completions HTTP/1\.1\r$.*^Host: backends\r$
--- request eval
$main::call
--- error_code: 200
--- error_log
Connection refused



=== TEST 123: a provider's certificate is verified, by default against the system's
--- http_config eval
$main::tls_server . 'llm_provider p { format openai; url https://localhost:$TEST_NGINX_UPSTREAM_PORT2; }'
--- config
location / { llm_pass p; }
--- request eval
$main::call
--- error_code: 503
--- error_log
upstream SSL certificate verify error



=== TEST 124: a certificate of one's own can be trusted
--- http_config eval
$main::tls_server . 'llm_provider p { format openai; url https://localhost:$TEST_NGINX_UPSTREAM_PORT2; ssl_trusted_certificate $TEST_NGINX_CERTIFICATE; }'
--- config
location / { llm_pass p; }
--- request eval
$main::call
--- error_code: 200
--- response_body_like: over TLS to localhost



=== TEST 125: the certificate must be for the host
--- http_config eval
$main::tls_server . 'llm_provider p { format openai; url https://localhost:$TEST_NGINX_UPSTREAM_PORT2; ssl_name other.example; ssl_trusted_certificate $TEST_NGINX_CERTIFICATE; }'
--- config
location / { llm_pass p; }
--- request eval
$main::call
--- error_code: 503
--- error_log
upstream SSL certificate does not match "other.example"



=== TEST 126: the certificate of an address is verified by another name
--- http_config eval
$main::tls_server . 'llm_provider p { format openai; url https://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2; ssl_name localhost; ssl_trusted_certificate $TEST_NGINX_CERTIFICATE; }'
--- config
location / { llm_pass p; }
--- request eval
$main::call
--- error_code: 200
--- response_body_like: over TLS to localhost



=== TEST 127: ssl_verify off, and no server name
--- http_config eval
$main::tls_server . 'llm_provider p { format openai; url https://localhost:$TEST_NGINX_UPSTREAM_PORT2; ssl_verify off; ssl_server_name off; }'
--- config
location / { llm_pass p; }
--- request eval
$main::call
--- error_code: 200
--- response_body_like: over TLS to ,



=== TEST 128: the header of the key is not one that the module decides
--- http_config
llm_provider p {
    format openai;
    url http://127.0.0.1:1/v1;
    api_key k;
    api_key_header Host;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*header "Host" may not be set in .*nginx\.conf:\d+/



=== TEST 129: no more idle connections than there can be
--- http_config
llm_provider p {
    format openai;
    url http://127.0.0.1:1/v1;
    keepalive 65536;
}
--- must_die
--- error_log eval
qr/\[emerg\] .*value must be between 0 and 65535 in .*nginx\.conf:\d+/
