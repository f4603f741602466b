# A provider that speaks several APIs: "also".

use lib 't/lib';
use LLMTest;
use LLMAnswers;

our $HttpConfig = q{
    llm_provider both {
        format openai;
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
        also anthropic=/;
        api_key k;
    }
    llm_provider elsewhere {
        format openai;
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
        also anthropic=/anthropic/;
    }
    llm_provider here {
        format openai;
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/api;
        also anthropic;
    }
    llm_provider only {
        format openai;
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
        also off;
    }
};

our $Config = q{
    location /both/ { llm_pass both; }
    location /elsewhere/ { llm_pass elsewhere; }
    location /here/ { llm_pass here; }
    location /only/ { llm_pass only; }
};

# Members that no translation would keep.
our $Odd = '{ "model":"m","max_tokens":7,"zork" :[1], "messages":[{"role":'
    . '"user","content":"Hi"}]}';

run_tests();

__DATA__

=== TEST 1: a call in another API that is spoken goes as it is
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(anthropic_text('Hello') . " \n")
--- upstream_request_like eval
["\\APOST /v1/messages HTTP/1\\.1\r\n.*^anthropic-version: 2023-06-01\r\n.*"
    . "^x-api-key: k\r\n.*\r\n" . quotemeta($::Odd) . "\\z"]
--- request eval
"POST /both/v1/messages\n$::Odd"
--- response_body eval
anthropic_text('Hello') . " \n"



=== TEST 2: the first API goes where it always went
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(openai_text('Hello'))
--- upstream_request_like eval
["\\APOST /v1/chat/completions HTTP/1\\.1\r\n.*^Authorization: Bearer k\r\n"]
--- request eval
ask_openai('/both/v1/chat/completions')
--- response_body eval
openai_text('Hello')



=== TEST 3: a path of its own
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(anthropic_text('Hello'))
--- upstream_request_like eval
["\\APOST /anthropic/v1/messages HTTP/1\\.1\r\n"]
--- request eval
"POST /elsewhere/v1/messages\n$::Odd"
--- response_body eval
anthropic_text('Hello')



=== TEST 4: without one, the URL's
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(anthropic_text('Hello'))
--- upstream_request_like eval
["\\APOST /api/v1/messages HTTP/1\\.1\r\n"]
--- request eval
"POST /here/v1/messages\n$::Odd"
--- response_body eval
anthropic_text('Hello')



=== TEST 5: off: all is translated
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(openai_text('Hello'))
--- upstream_request_like eval
["\\APOST /v1/chat/completions HTTP/1\\.1\r\n"]
--- request eval
ask_anthropic('/only/v1/messages')
--- response_body_like: "type":"message".*"text":"Hello"



=== TEST 6: a stream in the other API
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[stream(anthropic_stream('Hel', 'lo'))]
--- request eval
ask_anthropic('/both/v1/messages', '"stream":true')
--- response_body eval
CORE::join('', anthropic_stream('Hel', 'lo'))



=== TEST 7: an unknown one
--- http_config
llm_provider p { format openai; url http://127.0.0.1:1; also gopher; }
--- config
location = /t { return 204; }
--- must_die
--- error_log eval
qr/\[emerg\] .*unknown format "gopher" in .*nginx\.conf:\d+/



=== TEST 8: a path that is none
--- http_config
llm_provider p { format openai; url http://127.0.0.1:1; also anthropic=v1?x; }
--- config
location = /t { return 204; }
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid path in "anthropic=v1\?x" in .*nginx\.conf:\d+/



=== TEST 9: off among others
--- http_config
llm_provider p { format openai; url http://127.0.0.1:1; also anthropic off; }
--- config
location = /t { return 204; }
--- must_die
--- error_log eval
qr/\[emerg\] .*unknown format "off" in .*nginx\.conf:\d+/
