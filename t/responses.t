# OpenAI's Responses API: clients of it at other providers, other clients at
# its providers; whole, streamed, failed and cut.

use lib 't/lib';
use LLMTest;
use LLMAnswers;

our $HttpConfig = q{
    llm_provider openai {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
        api_key openai-key;
    }
    llm_provider chat {
        format openai;
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
        api_key chat-key;
    }
    llm_provider anthropic {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT;
        api_key anthropic-key;
    }
    llm_provider only {
        format responses;
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
        api_key only-key;
    }
    llm_provider vllm {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
        api_key vllm-key;
    }
    llm_upstream gpt { model chat/gpt-4o; }
    llm_upstream claude { model anthropic/claude-sonnet-4-5; }
    llm_upstream five { model only/gpt-5; }
    log_format llm '$llm_provider|$llm_model|$llm_request_model|'
        '$llm_response_model|$llm_prompt_tokens+$llm_completion_tokens='
        '$llm_total_tokens|$llm_cached_tokens|$llm_usage_source|'
        '$llm_finish_reason|$llm_stream|$llm_tries|$llm_format';
    access_log logs/access.log llm;
};

our $Config = q{
    location /openai/ { llm_pass openai; }
    location /chat/ { llm_pass gpt; }
    location /claude/ { llm_pass claude; }
    location /five/ { llm_pass five; }
    location /vllm/ { llm_pass vllm; }
    location /drop/ { llm_pass gpt; llm_unsupported drop; }
    location /simulate/ { llm_simulate responses; }
};

our $Usage = '"usage":{"input_tokens":9,"input_tokens_details":'
    . '{"cached_tokens":2},"output_tokens":4,"output_tokens_details":'
    . '{"reasoning_tokens":1},"total_tokens":13}';

# A request of a client of this API.
sub ask {
    my ($path, $input, @members) = @_;
    return "POST $path\n{" . CORE::join(',', '"model":"m"',
        qq("input":$input), @members) . '}';
}

# What a provider of this API answers.
sub response {
    my ($output, $more) = @_;
    return '{"id":"resp_1","object":"response","created_at":1700000000,'
        . '"status":"completed","error":null,"incomplete_details":null,'
        . qq("model":"gpt-5-2025-08-07","output":[$output],$Usage)
        . ($more // '') . '}';
}

our $Hello = '{"type":"message","id":"msg_1","status":"completed",'
    . '"role":"assistant","content":[{"type":"output_text",'
    . '"annotations":[],"text":"Hello"}]}';

our $Number;
sub event {
    my ($type, $members) = @_;
    return qq(event: $type\ndata: {"type":"$type","sequence_number":)
        . $Number++ . qq(,$members}\n\n);
}

sub begin {
    $Number = 0;
    return event('response.created', '"response":{"id":"resp_1",'
        . '"object":"response","created_at":1700000000,'
        . '"status":"in_progress","model":"gpt-5-2025-08-07","output":[]}');
}

sub words {
    return map { event('response.output_text.delta', '"item_id":"msg_1",'
        . qq("output_index":0,"content_index":0,"delta":"$_","logprobs":[])) }
        @_;
}

sub completed {
    return event('response.completed', '"response":' . response($Hello));
}

# For "eval" in the data sections.
{
    no strict 'refs';
    *{"Test::Base::Filter::$_"} = \&{$_}
        for qw(ask response event begin words completed);
}

run_tests();

__DATA__

=== TEST 1: to a provider that speaks it: byte for byte, stored state and all
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(response($::Hello, ',"zork":[ ]') . " \n")
--- upstream_request_like eval
["\\APOST /v1/responses HTTP/1\\.1\r\n.*^Authorization: Bearer openai-key\r\n"
    . "\r\n" . quotemeta('{"model":"m","input":"Hi",'
    . '"previous_response_id":"resp_0","tools":[{"type":"web_search"}]}')
    . "\\z"]
--- request eval
ask('/openai/v1/responses', '"Hi"', '"previous_response_id":"resp_0"',
    '"tools":[{"type":"web_search"}]')
--- response_headers
Content-Type: application/json
X-LLM-Model: openai/m
--- response_body eval
response($::Hello, ',"zork":[ ]') . " \n"
--- access_log
openai|m|m|gpt-5-2025-08-07|9+4=13|2|provider|stop|0|1|responses



=== TEST 2: ... its stream, too
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[stream(begin(), event('response.zork', '"z":[]'), words('Hel', 'lo'),
    completed())]
--- request eval
ask('/openai/v1/responses', '"Hi"', '"stream":true')
--- response_headers
Content-Type: text/event-stream
--- response_body eval
CORE::join('', begin(), event('response.zork', '"z":[]'),
    words('Hel', 'lo'), completed())
--- access_log
openai|m|m|gpt-5-2025-08-07|9+4=13|2|provider|stop|1|1|responses



=== TEST 3: to chat completions
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(openai_text('Hello'))
--- upstream_request_like eval
["\\APOST /v1/chat/completions HTTP/1\\.1\r\n.*\r\n\r\n"
    . quotemeta('{"model":"gpt-4o","messages":['
    . '{"role":"system","content":"Be brief"},'
    . '{"role":"user","content":"Hi"}],"max_tokens":20}') . "\\z"]
--- request eval
ask('/chat/v1/responses', '"Hi"', '"instructions":"Be brief"',
    '"max_output_tokens":20', '"store":true')
--- response_headers
Content-Type: application/json
X-LLM-Model: chat/gpt-4o
--- response_body_like eval
'\A' . quotemeta('{"id":"resp_') . '(\w+)'
    . quotemeta('","object":"response","created_at":1700000000,'
    . '"status":"completed","background":false,"error":null,'
    . '"incomplete_details":null,"model":"gpt-4o-2024-08-06","output":['
    . '{"id":"msg_') . '\1_0' . quotemeta('","type":"message",'
    . '"status":"completed","role":"assistant","content":['
    . '{"type":"output_text","annotations":[],"logprobs":[],'
    . '"text":"Hello"}]}],"usage":{"input_tokens":9,') . '.*'
    . quotemeta('"store":false,"service_tier":null,'
    . '"instructions":"Be brief","max_output_tokens":20,') . '.*\}\z'
--- access_log
chat|gpt-4o|m|gpt-4o-2024-08-06|9+4=13|0|provider|stop|0|1|responses



=== TEST 4: ... streamed, with all events in their order
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[stream(openai_stream('Hel', 'lo'), openai_usage(), $Done)]
--- upstream_request_like eval
[quotemeta('"stream":true,"stream_options":{"include_usage":true}}') . "\\z"]
--- request eval
ask('/chat/v1/responses', '"Hi"', '"stream":true')
--- response_headers
Content-Type: text/event-stream
--- response_body_like eval
my $number = 0;
'\A' . CORE::join('', map { quotemeta("event: response.$_\ndata: "
    . qq({"type":"response.$_","sequence_number":) . $number++ . ',')
    . "[^\n]*\n\n" }
    qw(created in_progress output_item.added content_part.added
    output_text.delta output_text.delta output_text.done content_part.done
    output_item.done completed)) . '\z'
--- access_log
chat|gpt-4o|m|gpt-4o-2024-08-06|9+4=13|0|provider|stop|1|1|responses



=== TEST 5: to Anthropic, with tools and their results
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole('{"id":"msg_1","type":"message","role":"assistant","model":"c",'
    . '"content":[{"type":"thinking","thinking":"hm","signature":"EqQB"},'
    . '{"type":"tool_use","id":"toolu_2","name":"f","input":{"a":1}}],'
    . '"stop_reason":"tool_use","stop_sequence":null,'
    . '"usage":{"input_tokens":9,"output_tokens":4}}')
--- upstream_request_like eval
["\\APOST /v1/messages HTTP/1\\.1\r\n.*" . quotemeta('"messages":['
    . '{"role":"user","content":[{"type":"text","text":"q"}]},'
    . '{"role":"assistant","content":['
    . '{"type":"thinking","thinking":"ah","signature":"EqQA"},'
    . '{"type":"tool_use","id":"toolu_1","name":"f","input":{}}]},'
    . '{"role":"user","content":[{"type":"tool_result",'
    . '"tool_use_id":"toolu_1","content":[{"type":"text","text":"r"}]}]}]')]
--- request eval
ask('/claude/v1/responses', '[{"role":"user","content":"q"},'
    . '{"type":"reasoning","id":"rs_u_0","summary":[{"type":"summary_text",'
    . '"text":"ah"}],"encrypted_content":"llm:signature:EqQA"},'
    . '{"type":"function_call","call_id":"toolu_1","name":"f",'
    . '"arguments":"{}"},{"type":"function_call_output",'
    . '"call_id":"toolu_1","output":"r"}]',
    '"tools":[{"type":"function","name":"f"}]')
--- response_body_like eval
quotemeta('"type":"reasoning","summary":[{"type":"summary_text",'
    . '"text":"hm"}],"encrypted_content":"llm:signature:EqQB"},{"id":"fc_')
    . '\w+' . quotemeta('","type":"function_call","status":"completed",'
    . '"arguments":"{\"a\":1}","call_id":"toolu_2","name":"f"}]')
--- access_log
anthropic|claude-sonnet-4-5|m|c|9+4=13|0|provider|tool_calls|0|1|responses



=== TEST 6: from chat completions
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(response($::Hello))
--- upstream_request_like eval
["\\APOST /v1/responses HTTP/1\\.1\r\n.*^Authorization: Bearer only-key\r\n"
    . "\r\n" . quotemeta('{"model":"gpt-5","input":['
    . '{"type":"message","role":"user","content":"Hi"}],'
    . '"max_output_tokens":20,"store":false}') . "\\z"]
--- request eval
ask_openai('/five/v1/chat/completions', '"max_tokens":20')
--- response_body_like eval
'\A' . quotemeta('{"id":"resp_1","object":"chat.completion",'
    . '"created":1700000000,"model":"gpt-5-2025-08-07","choices":['
    . '{"index":0,"message":{"role":"assistant","content":"Hello",'
    . '"refusal":null},"logprobs":null,"finish_reason":"stop"}]')
--- access_log
only|gpt-5|m|gpt-5-2025-08-07|9+4=13|2|provider|stop|0|1|openai



=== TEST 7: ... streamed
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[stream(begin(), words('Hel', 'lo'), completed())]
--- request eval
ask_openai('/five/v1/chat/completions', '"stream":true')
--- response_headers
Content-Type: text/event-stream
--- response_body_like eval
'"content":"Hel".*"content":"lo".*"finish_reason":"stop".*'
    . quotemeta($Done) . '\z'
--- access_log
only|gpt-5|m|gpt-5-2025-08-07|9+4=13|2|provider|stop|1|1|openai



=== TEST 8: from Anthropic, streamed
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[stream(begin(), words('Hel', 'lo'), completed())]
--- upstream_request_like eval
[quotemeta('"input":[{"type":"message","role":"user","content":"Hi"}],'
    . '"max_output_tokens":50,"stream":true,"store":false}') . "\\z"]
--- request eval
ask_anthropic('/five/v1/messages', '"stream":true')
--- response_body_like eval
'event: message_start.*"text":"Hel".*"text":"lo".*'
    . '"stop_reason":"end_turn".*event: message_stop'
--- access_log
only|gpt-5|m|gpt-5-2025-08-07|9+4=13|2|provider|stop|1|1|anthropic



=== TEST 9: what only a server that keeps responses can do is a clear 400
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
[ask('/chat/v1/responses', '"Hi"', '"previous_response_id":"resp_0"'),
    ask('/claude/v1/responses', '"Hi"', '"background":true'),
    ask('/drop/v1/responses', '[{"type":"item_reference","id":"msg_1"}]'),
    ask('/chat/v1/responses', '"Hi"', '"tools":[{"type":"web_search"}]')]
--- error_code eval
[400, 400, 400, 400]
--- response_body_like eval
[map { '\A\{"error":\{"message":".*(Responses API|another API).*'
    . quotemeta(qq("type":"invalid_request_error","param":"$_",)
    . '"code":"unsupported_parameter"}}') . '\z' }
    'previous_response_id', 'background', 'input[0].type', 'tools[0]']



=== TEST 10: a hosted tool is dropped where the operator says so
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(openai_text('Hello'))
--- upstream_request_unlike
web_search
--- request eval
ask('/drop/v1/responses', '"Hi"', '"tools":[{"type":"web_search"}]')
--- response_body_like eval
'"text":"Hello"'



=== TEST 11: bad requests
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
["POST /chat/v1/responses\n{\"model\":\"m\"}",
    ask('/chat/v1/responses', '[]'),
    ask('/chat/v1/responses', '[{"role":"user","content":[{"type":"x"}]}]'),
    "POST /chat/v1/responses\n{"]
--- error_code eval
[400, 400, 400, 400]
--- response_body_like eval
['"param":"input"', '"param":"input"',
    quotemeta('"param":"input[0].content[0].type"'),
    '"type":"invalid_request_error"']



=== TEST 12: an error of the provider, with its status
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(anthropic_error('rate_limit_error', 'slow down'),
    '429 Too Many Requests', 'Retry-After: 7')
--- request eval
ask('/claude/v1/responses', '"Hi"', '"stream":true')
--- error_code: 429
--- response_headers
Content-Type: application/json
Retry-After: 7
--- response_body: {"error":{"message":"slow down","type":"rate_limit_error","param":null,"code":"rate_limit_exceeded"}}



=== TEST 13: a response that failed under a good status
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole('{"id":"resp_1","object":"response","status":"failed","error":'
    . '{"code":"server_error","message":"boom"},"output":[]}')
--- request eval
ask_openai('/five/v1/chat/completions')
--- error_code: 500
--- response_body: {"error":{"message":"boom","type":"server_error","param":null,"code":"server_error"}}



=== TEST 14: an error inside a stream, in place of its end
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[stream(openai_stream('Hel'), 'data: ' . openai_error('server_error', 'busy')
    . "\n\n")]
--- request eval
ask('/chat/v1/responses', '"Hi"', '"stream":true')
--- response_body_like eval
'event: response\.failed\n[^\n]*\n\n\z'



=== TEST 15: ... before the answer is complete
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[stream(openai_chunk('{"content":"Hel"}'),
    'data: ' . openai_error('server_error', 'busy') . "\n\n")]
--- request eval
ask('/chat/v1/responses', '"Hi"', '"stream":true')
--- response_body_like eval
'"delta":"Hel".*event: response\.failed\n[^\n]*'
    . quotemeta('"status":"failed","background":false,"error":'
    . '{"code":"server_error","message":"busy"}') . '[^\n]*\n\n\z'



=== TEST 16: ... of a provider of this API
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[stream(begin(), words('Hel'), event('response.failed', '"response":'
    . '{"id":"resp_1","status":"failed","error":{"code":"server_error",'
    . '"message":"busy"}}'))]
--- request eval
ask_openai('/five/v1/chat/completions', '"stream":true')
--- response_body_like eval
'"content":"Hel".*' . quotemeta('data: {"error":{"message":"busy",')
    . '[^\n]*\n\n\z'



=== TEST 17: a stream that breaks off is no answer
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[cut(openai_chunk('{"content":"Hel"}'))]
--- request eval
ask('/chat/v1/responses', '"Hi"', '"stream":true')
--- response_body_like eval
'"delta":"Hel".*event: response\.failed\n[^\n]*\n\n\z'



=== TEST 18: ... nor one of a provider of this API
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[cut(begin(), words('Hel')), cut(begin(), words('Hel'))]
--- request eval
[ask_anthropic('/five/v1/messages', '"stream":true'),
 ask('/five/v1/responses', '"Hi"', '"stream":true')]
--- response_body_like eval
['"text":"Hel".*event: error\n[^\n]*\n\n\z',
 '"delta":"Hel".*event: error\ndata: \{"type":"error","sequence_number":'
    . $::Number . ',"code":"server_error",[^\n]*\n\n\z']



=== TEST 19: a stream where none was asked for, an answer where one was
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(openai_text('Hello'))
--- request eval
ask('/chat/v1/responses', '"Hi"', '"stream":true')
--- response_headers
Content-Type: text/event-stream
--- response_body_like eval
'event: response\.created.*event: response\.completed'



=== TEST 20: a provider that speaks several APIs hears each at its path
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[whole(response($::Hello)), whole('{"choices":[{"index":0,"text":"a",'
    . '"finish_reason":"stop"}]}'), whole(anthropic_text('Hello')),
    whole(openai_text('Hello'))]
--- upstream_request_like eval
[map { "\\APOST $_ HTTP/1\\.1\r\n.*^Authorization: Bearer vllm-key\r\n" }
    '/v1/responses', '/v1/completions', '/v1/messages',
    '/v1/chat/completions']
--- upstream_request_unlike
x-api-key
--- request eval
[ask('/vllm/v1/responses', '"Hi"'),
    "POST /vllm/v1/completions\n{\"model\":\"m\",\"prompt\":[1,2]}",
    ask_anthropic('/vllm/v1/messages'),
    ask_openai('/vllm/v1/chat/completions')]
--- response_body_like eval
['"object":"response"', '"text":"a"', '"type":"message"',
    '"object":"chat.completion"']



=== TEST 21: the simulated model speaks it
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
[ask('/simulate/v1/responses', '"Hi"'),
    ask('/simulate/v1/responses', '"Hi"', '"stream":true')]
--- response_body_like eval
['"object":"response".*"type":"output_text"',
    'response\.created.*response\.completed']
