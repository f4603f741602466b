# Servers of OpenAI's API that take less than all of it: by preset, and, for a
# server that nobody has heard of, by configuration alone.

use lib 't/lib';
use LLMTest;
use LLMAnswers;

our $HttpConfig = q{
    llm_provider mistral {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
        api_key mistral-key;
    }
    llm_provider unheard-of {
        format openai;
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/llm/api/v7;
        api_key_header x-secret;
        api_key secret;
        header X-Account 42;
        rename max_completion_tokens max_new_tokens;
        drop user seed;
        drop store;
        json_schema flat;
        null_content off;
        stream_options off;
    }
    llm_provider strict-llama {
        preset mistral;
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
        mistral_messages off;
        rename seed sampling_seed;
    }
};

our $Config = q{
    location /mistral/ { llm_pass mistral; }
    location /unheard-of/ { llm_pass unheard-of; }
    location /strict-llama/ { llm_pass strict-llama; }
};

run_tests();

__DATA__

=== TEST 1: an OpenAI client's call is made fit for Mistral
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(openai_text('Hello'))
--- upstream_request_like eval
[quotemeta("\r\n\r\n" . '{"model":"m","messages":[{"role":"user",'
    . '"content":"Hi"}],"max_tokens":5,"random_seed":7}') . "\\z"]
--- request eval
ask_openai('/mistral/v1/chat/completions', '"max_completion_tokens":5',
    '"user":"u"', '"seed":7', '"store":false')
--- response_body eval
openai_text('Hello')



=== TEST 2: a stream of Mistral's, thoughts as lists, for an Anthropic client
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[stream(openai_chunk('{"role":"assistant","content":[{"type":"thinking",'
        . '"thinking":[{"type":"text","text":"hm"}]}]}'),
    openai_chunk('{"content":[{"type":"text","text":"Hello"}]}'),
    openai_chunk('{"content":""}', 'model_length') =~ s/\}\n\n\z/,"usage":{"prompt_tokens":9,"completion_tokens":4,"total_tokens":13,"num_cached_tokens":3}}\n\n/r,
    $Done)]
--- upstream_request_like eval
[quotemeta("\r\n\r\n" . '{"model":"m","messages":[{"role":"user",'
    . '"content":"Hi"}],"max_tokens":50,"stream":true}') . "\\z"]
--- request eval
ask_anthropic('/mistral/v1/messages', '"stream":true',
    '"metadata":{"user_id":"u"}')
--- response_body_like eval
qr/"thinking":"hm".*"text":"Hello".*"stop_reason":"max_tokens".*"cache_read_input_tokens":3/s



=== TEST 3: a server that nobody has heard of, an OpenAI client
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[stream(openai_stream('Hello'), $Done)]
--- upstream_request_like eval
["\\APOST /llm/api/v7/chat/completions HTTP/1\\.1\r\n"
    . ".*^x-secret: secret\r\n.*^X-Account: 42\r\n.*"
    . quotemeta("\r\n" . '{"model":"m","messages":[{"role":"user",'
    . '"content":"Hi"}],"stream":true,"max_new_tokens":5,"response_format":'
    . '{"type":"json_schema","schema":{"type":"object"}}}') . "\\z"]
--- request eval
ask_openai('/unheard-of/v1/chat/completions', '"stream":true',
    '"stream_options":{"include_usage":true}', '"max_completion_tokens":5',
    '"user":"u"', '"store":true', '"seed":1', '"response_format":{"type":'
    . '"json_schema","json_schema":{"name":"n","schema":{"type":"object"}}}')
--- response_body eval
CORE::join('', openai_stream('Hello'), $Done)



=== TEST 4: ... an Anthropic client
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(openai_text('Hello'))
--- upstream_request_like
"role":"assistant","content":"","tool_calls"
--- request
POST /unheard-of/v1/messages
{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"q"},{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"r"}]}]}
--- response_body_like chomp
"text":"Hello"



=== TEST 5: a block says what its preset says otherwise
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(openai_text('Hello'))
--- upstream_request_like eval
[quotemeta('"messages":[{"role":"user","content":"q","name":"n"}],'
    . '"sampling_seed":7}') . "\\z"]
--- request
POST /strict-llama/v1/chat/completions
{"model":"m","messages":[{"role":"user","content":"q","name":"n"}],"seed":7,"user":"u"}
--- response_body eval
openai_text('Hello')



=== TEST 6: members that may not be touched
--- http_config
llm_provider a { format openai; url http://127.0.0.1:1; drop model; }
--- config
--- must_die
--- error_log
member "model" may not be changed
--- no_error_log
[alert]



=== TEST 7: a member under two rules
--- http_config
llm_provider a { format openai; url http://127.0.0.1:1; drop a b; rename b c; }
--- config
--- must_die
--- error_log
duplicate member "b"
--- no_error_log
[alert]



=== TEST 8: a form of schemas that there is not
--- http_config
llm_provider a { format openai; url http://127.0.0.1:1; json_schema yes; }
--- config
--- must_die
--- error_log
invalid value "yes"
--- no_error_log
[alert]
