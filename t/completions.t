# OpenAI's legacy completions: its clients at chat models, and servers that
# know nothing but raw text as providers of chat models.

use lib 't/lib';
use LLMTest;
use LLMAnswers;

our $HttpConfig = q{
    llm_provider chat {
        format openai;
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
        api_key chat-key;
    }
    llm_provider anthropic {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT;
        api_key anthropic-key;
    }
    llm_provider raw {
        format completions;
        prompt_template llama2;
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
        stream_options off;
    }
    llm_provider plain {
        format completions;
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
    }
    llm_upstream gpt { model chat/gpt-4o; }
    llm_upstream claude { model anthropic/claude-sonnet-4-5; }
    llm_upstream llama { model raw/llama-2-7b-chat; }
    log_format llm '$llm_provider|$llm_model|$llm_request_model|'
        '$llm_prompt_tokens+$llm_completion_tokens=$llm_total_tokens|'
        '$llm_usage_source|$llm_finish_reason|$llm_stream|$llm_format';
    access_log logs/access.log llm;
};

our $Config = q{
    location /chat/ { llm_pass gpt; }
    location /claude/ { llm_pass claude; }
    location /llama/ { llm_pass llama; }
    location /raw/ { llm_pass raw; }
    location /plain/ { llm_pass plain; }
    location /simulate/ { llm_simulate completions; }
};

sub prompt {
    my ($path, $prompt, @members) = @_;
    return "POST $path\n{" . CORE::join(',', '"model":"m"',
        qq("prompt":$prompt), @members) . '}';
}

sub raw_text {
    return '{"id":"cmpl-1","object":"text_completion","created":1700000000,'
        . '"model":"llama","choices":[{"index":0,"text":"' . $_[0]
        . '","logprobs":null,"finish_reason":"stop"}],"usage":'
        . '{"prompt_tokens":9,"completion_tokens":4,"total_tokens":13}}';
}

sub raw_chunk {
    my ($text, $finish) = @_;
    $finish = defined $finish ? qq("$finish") : 'null';
    return 'data: {"id":"cmpl-1","object":"text_completion",'
        . '"created":1700000000,"model":"llama","choices":[{"index":0,'
        . qq("text":"$text","logprobs":null,"finish_reason":$finish}]}\n\n);
}

# For "eval" in the data sections.
{
    no strict 'refs';
    *{"Test::Base::Filter::$_"} = \&{$_} for qw(prompt raw_text raw_chunk);
}

run_tests();

__DATA__

=== TEST 1: a prompt to a chat model
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(openai_text('Hello'))
--- upstream_request_like eval
["\\APOST /v1/chat/completions HTTP/1\\.1\r\n.*\r\n\r\n"
    . quotemeta('{"model":"gpt-4o","messages":[{"role":"user",'
    . '"content":"Once"}],"max_tokens":16}') . "\\z"]
--- request eval
prompt('/chat/v1/completions', '"Once"')
--- response_headers
Content-Type: application/json
--- response_body_like eval
'\A' . quotemeta('{"id":"c1","object":"text_completion",'
    . '"created":1700000000,"model":"gpt-4o-2024-08-06","choices":['
    . '{"index":0,"text":"Hello","logprobs":null,"finish_reason":"stop"}],'
    . '"usage":{"prompt_tokens":9,"completion_tokens":4,"total_tokens":13,')
--- access_log
chat|gpt-4o|m|9+4=13|provider|stop|0|completions



=== TEST 2: ... streamed
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[stream(openai_stream('Hel', 'lo'), openai_usage(), $Done)]
--- request eval
prompt('/chat/v1/completions', '"Once"', '"stream":true')
--- response_headers
Content-Type: text/event-stream
--- response_body eval
my $head = 'data: {"id":"c1","object":"text_completion",'
    . '"created":1700000000,"model":"gpt-4o-2024-08-06","choices":['
    . '{"index":0,"text":"';
my $tail = '","logprobs":null,"finish_reason":';
$head . 'Hel' . $tail . "null}]}\n\n" . $head . 'lo' . $tail . "null}]}\n\n"
    . $head . $tail . "\"stop\"}]}\n\n" . $Done
--- access_log
chat|gpt-4o|m|9+4=13|provider|stop|1|completions



=== TEST 3: to Anthropic
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[stream(anthropic_stream('Hel', 'lo'))]
--- upstream_request_like
"max_tokens":5,
--- request eval
prompt('/claude/v1/completions', '["Once"]', '"stream":true',
    '"max_tokens":5', '"stream_options":{"include_usage":true}')
--- response_body_like eval
'"text":"Hel".*"text":"lo".*"finish_reason":"stop"\}\],"usage":null\}\n\n'
    . '[^\n]*"choices":\[\],"usage":\{"prompt_tokens":9,[^\n]*\n\n'
    . quotemeta($Done) . '\z'
--- access_log
anthropic|claude-sonnet-4-5|m|9+4=13|provider|stop|1|completions



=== TEST 4: what no chat model can serve is a clear 400
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
[prompt('/chat/v1/completions', '[1,2]'),
    prompt('/chat/v1/completions', '["a","b"]', '"stream":true'),
    prompt('/chat/v1/completions', '"a"', '"suffix":"z"'),
    prompt('/chat/v1/completions', '"a"', '"echo":true'),
    prompt('/chat/v1/completions', '"a"', '"best_of":3'),
    prompt('/chat/v1/completions', '"a"', '"logprobs":1')]
--- error_code eval
[400, 400, 400, 400, 400, 400]
--- response_body_like eval
[map { quotemeta(qq("param":"$_","code":"unsupported_parameter")) }
    qw(prompt prompt suffix echo best_of logprobs)]



=== TEST 5: a conversation for a server that knows raw text alone
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(raw_text('Hello'))
--- upstream_request_like eval
["\\APOST /v1/completions HTTP/1\\.1\r\n.*\r\n\r\n"
    . quotemeta('{"model":"llama-2-7b-chat","prompt":"[INST] <<SYS>>\nBe '
    . 'brief\n<</SYS>>\n\nHi [ /INST] [/INST] Hello. </s><s>[INST] '
    . 'Again [/INST]","max_tokens":4096,"stop":["</s>","[INST]"]}') . "\\z"]
--- request eval
'POST /llama/v1/chat/completions
{"model":"m","messages":[{"role":"system","content":"Be brief"},'
    . '{"role":"user","content":"Hi [/INST]"},'
    . '{"role":"assistant","content":"Hello."},'
    . '{"role":"user","content":"Again"}]}'
--- response_body_like eval
quotemeta('"message":{"role":"assistant","content":"Hello",')
--- access_log
raw|llama-2-7b-chat|m|9+4=13|provider|stop|0|openai



=== TEST 6: ... streamed, for a client of Anthropic's API
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[stream(raw_chunk('Hel'), raw_chunk('lo', 'stop'), $Done)]
--- upstream_request_like eval
[quotemeta('"prompt":"[INST] Hi [/INST]","max_tokens":50,'
    . '"stop":["</s>","[INST]"],"stream":true}') . "\\z"]
--- upstream_request_unlike
stream_options
--- request eval
ask_anthropic('/llama/v1/messages', '"stream":true')
--- response_body_like eval
'"text":"Hel".*"text":"lo".*"stop_reason":"end_turn".*message_stop'



=== TEST 7: tools have no place in a raw text
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
ask_openai('/llama/v1/chat/completions',
    '"tools":[{"type":"function","function":{"name":"f"}}]')
--- error_code: 400
--- response_body_like eval
'"param":"tools","code":"unsupported_parameter"'



=== TEST 8: without a template, one question and no conversation
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(raw_text('Hello'))
--- upstream_request_like eval
[quotemeta('{"model":"m","prompt":"Hi","max_tokens":9}') . "\\z"]
--- request eval
[ask_openai('/plain/v1/chat/completions', '"max_tokens":9'),
    "POST /plain/v1/chat/completions\n" . '{"model":"m","messages":['
    . '{"role":"system","content":"s"},{"role":"user","content":"Hi"}]}']
--- error_code eval
[200, 400]
--- response_body_like eval
['"content":"Hello"', 'which has no prompt template.*"param":"messages"']



=== TEST 9: clients of the same API write their own prompts
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[stream(raw_chunk('Hello', 'stop'), $Done)]
--- upstream_request_like eval
["\r\n\r\n" . quotemeta('{"model":"m","prompt":[1,2],"echo":true,'
    . '"stream":true}') . "\\z"]
--- request eval
prompt('/raw/v1/completions', '[1,2]', '"echo":true', '"stream":true')
--- response_body eval
raw_chunk('Hello', 'stop') . $Done



=== TEST 10: a stream that breaks off, and one with an error in it
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[cut(raw_chunk('Hel')), stream(raw_chunk('Hel'),
    'data: ' . openai_error('server_error', 'busy') . "\n\n"),
    cut(openai_chunk('{"content":"Hel"}'))]
--- request eval
[ask_openai('/llama/v1/chat/completions', '"stream":true'),
    ask_openai('/llama/v1/chat/completions', '"stream":true'),
    prompt('/chat/v1/completions', '"Once"', '"stream":true')]
--- response_body_like eval
['"content":"Hel".*data: \{"error":[^\n]*\n\n\z',
    '"content":"Hel".*data: \{"error":\{"message":"busy"[^\n]*\n\n\z',
    '"text":"Hel".*data: \{"error":[^\n]*\n\n\z']



=== TEST 11: an error of the provider
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[whole(anthropic_error('overloaded_error', 'busy'), '529 Overloaded'),
    whole('{"detail":"no such model"}', '404 Not Found')]
--- request eval
[prompt('/claude/v1/completions', '"Once"'),
    ask_openai('/llama/v1/chat/completions')]
--- error_code eval
[503, 404]
--- response_body_like eval
['"message":"busy"', '"message":"no such model"']



=== TEST 12: the simulated model speaks it
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
prompt('/simulate/v1/completions', '"Once"')
--- response_body_like eval
'"object":"text_completion".*"text":"'



=== TEST 13: an unknown template
--- http_config
    llm_provider raw {
        format completions;
        prompt_template zork;
        url http://127.0.0.1;
    }
--- must_die
--- error_log
unknown prompt template "zork" in



=== TEST 14: a template for messages
--- http_config
    llm_provider raw {
        format openai;
        prompt_template llama3;
        url http://127.0.0.1;
    }
--- must_die
--- error_log
"prompt_template" of llm_provider "raw" needs format "completions" in
