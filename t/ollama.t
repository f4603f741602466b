# Ollama's own API, as a provider's and as a client's: /api/chat and
# /api/generate, whole and in lines of JSON.

use lib 't/lib';
use LLMTest;
use LLMAnswers;

our $HttpConfig = q{
    llm_provider ollama {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT;
    }
    llm_provider openai {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
        api_key openai-key;
    }
    llm_provider anthropic {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT;
        api_key anthropic-key;
    }
    llm_upstream llama { model ollama/llama3.2; }
    llm_upstream gpt { model openai/gpt-4o; }
    llm_upstream claude { model anthropic/claude-sonnet-4-5; }
    log_format llm '$llm_provider|$llm_response_model|$llm_prompt_tokens+'
        '$llm_completion_tokens|$llm_usage_source|$llm_finish_reason|'
        '$llm_stream|$llm_format';
    access_log logs/access.log llm;
};

our $Config = q{
    location /llama/ { llm_pass llama; }
    location /gpt/ { llm_pass gpt; }
    location /claude/ { llm_pass claude; }
    location /ollama/ { llm_pass ollama; }
    location /any/ { llm_pass $llm_request_model; }
    location /drop/ { llm_pass gpt; llm_unsupported drop; }
    location /simulate/ { llm_simulate ollama; }
    location /generate/ { llm_simulate ollama-generate; }
};

our $End = '"done":true,"done_reason":"stop","prompt_eval_count":9,'
    . '"eval_count":4';
our $Head = '"model":"gpt-4o-2024-08-06","created_at":"2023-11-14T22:13:20Z"';

sub said { return '{"role":"assistant","content":"' . $_[0] . '"}' }

# For "eval" in the data section.
{
    no strict 'refs';
    *{'Test::Base::Filter::said'} = \&said;
}

run_tests();

__DATA__

=== TEST 1: an OpenAI client, one-shot
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(ollama_line(said('Hello'), $::End))
--- upstream_request_like eval
["\\APOST /api/chat HTTP/1\\.1\r\n.*" . quotemeta("\r\n\r\n"
    . '{"model":"llama3.2","messages":[{"role":"user","content":"Hi"}],'
    . '"options":{"num_predict":5},"stream":false}') . "\\z"]
--- request eval
ask_openai('/llama/v1/chat/completions', '"max_tokens":5')
--- response_headers
Content-Type: application/json
X-LLM-Model: ollama/llama3.2
--- response_body_like chomp
^\{"id":"chatcmpl-\w+","object":"chat.completion","created":1700000000,"model":"llama3.2:latest","choices":\[\{"index":0,"message":\{"role":"assistant","content":"Hello","refusal":null\},"logprobs":null,"finish_reason":"stop"\}\],"usage":\{"prompt_tokens":9,"completion_tokens":4,"total_tokens":13,
--- access_log
ollama|llama3.2:latest|9+4|provider|stop|0|openai



=== TEST 2: an OpenAI client, a stream that is cut in the middle of lines
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
my $lines = ollama_line(said('Hel')) . ollama_line(said('lo'))
    . ollama_line(said(''), $::End);
[ndjson(stream($lines =~ /(.{1,37})/sg))]
--- upstream_request_like
^Accept: application/x-ndjson\r
--- request eval
ask_openai('/llama/v1/chat/completions', '"stream":true')
--- response_headers
Content-Type: text/event-stream
--- response_body_filters eval
sub { $_[0] =~ s/chatcmpl-\w+/c1/gr }
--- response_body eval
my $frames = CORE::join('', openai_stream('Hel', 'lo'), $Done);
$frames =~ s/gpt-4o-2024-08-06/llama3.2:latest/gr



=== TEST 3: an Anthropic client calls tools
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(ollama_line('{"role":"assistant","content":"","tool_calls":['
    . '{"function":{"name":"f","arguments":{"x":1}}},'
    . '{"function":{"name":"g","arguments":{}}}]}', $::End))
--- upstream_request_like
"role":"system","content":"s".*"tools":\[\{"type":"function","function":\{"name":"f","parameters":\{"type":"object","properties":\{\}\}\}\}\]
--- request eval
ask_anthropic('/llama/v1/messages', '"system":"s"', '"tools":[{"name":"f",'
    . '"input_schema":{"type":"object","properties":{}}}]')
--- response_body_like chomp
"content":\[\{"type":"tool_use","id":"call_2023-11-14T2213205Z_0","name":"f","input":\{"x":1\}\},\{"type":"tool_use","id":"call_2023-11-14T2213205Z_1","name":"g","input":\{\}\}\],"stop_reason":"tool_use"



=== TEST 4: an Anthropic client, a stream
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[ndjson(stream(ollama_line(said('Hel')), ollama_line(said('lo')),
    ollama_line(said(''), $::End)))]
--- request eval
ask_anthropic('/llama/v1/messages', '"stream":true')
--- response_body_like eval
qr/event: message_start\n.*"text":"Hel".*"text":"lo".*"stop_reason":"end_turn".*"output_tokens":4.*event: message_stop\n/s



=== TEST 5: a model that is not there
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(q({"error":"model 'llama3.2' not found"}), '404 Not Found')
--- request eval
ask_openai('/llama/v1/chat/completions')
--- error_code: 404
--- response_body chomp
{"error":{"message":"model 'llama3.2' not found","type":"invalid_request_error","param":null,"code":"model_not_found"}}



=== TEST 6: an error as the first line of a stream is an error's status
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[ndjson(stream('{"error":"busy","status":503}' . "\n"))]
--- request eval
ask_openai('/llama/v1/chat/completions', '"stream":true')
--- error_code: 503
--- response_body_like chomp
"message":"busy"



=== TEST 7: an error inside a stream
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[ndjson(stream(ollama_line(said('Hel')), '{"error":"out of memory"}' . "\n"))]
--- request eval
ask_openai('/llama/v1/chat/completions', '"stream":true')
--- response_body_like eval
qr/"content":"Hel".*\n\ndata: \{"error":\{"message":"out of memory",[^\n]*\}\n\n\z/s
--- response_body_unlike eval: qr/\[DONE\]/



=== TEST 8: a stream that breaks off
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[ndjson(cut(ollama_line(said('Hel'))))]
--- request eval
ask_anthropic('/llama/v1/messages', '"stream":true')
--- response_body_like eval
qr/"text":"Hel".*event: error\ndata: /s
--- response_body_unlike eval: qr/message_stop/



=== TEST 9: its own clients' calls pass byte for byte; streams are the default
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[ndjson(stream(ollama_line(said('Hel')), ' ' . ollama_line(said(''), $::End,
    '"zork":1')))]
--- upstream_request_like eval
[quotemeta("\r\n\r\n" . '{"model":"m","messages":[{"role":"user",'
    . '"content":"Hi"}],"zork":[ ]}') . "\\z"]
--- request eval
ask_at('/ollama/api/chat', '"zork":[ ]')
--- response_headers
Content-Type: application/x-ndjson
--- response_body eval
ollama_line(said('Hel')) . ' ' . ollama_line(said(''), $::End, '"zork":1')
--- access_log
ollama|llama3.2:latest|9+4|provider|stop|1|ollama



=== TEST 10: /api/generate passes as well
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole('{"model":"m","response":"Hello","done":true,"eval_count":4}')
--- upstream_request_like
^POST /api/generate HTTP/1.1\r
--- request
POST /ollama/api/generate
{"model":"m","prompt":"[INST] Hi [/INST]","raw":true,"stream":false}
--- response_body chomp
{"model":"m","response":"Hello","done":true,"eval_count":4}



=== TEST 11: an Ollama client of an OpenAI provider, one-shot
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(openai_text('Hello'))
--- upstream_request_like eval
[quotemeta("\r\n\r\n" . '{"model":"gpt-4o","messages":[{"role":"user",'
    . '"content":"Hi"}],"max_completion_tokens":5,"temperature":0.5}') . "\\z"]
--- request eval
ask_at('/gpt/api/chat', '"stream":false',
    '"options":{"num_predict":5,"temperature":0.5,"num_ctx":4096}')
--- response_headers
Content-Type: application/json
--- response_body eval
'{' . $::Head . ',"message":' . said('Hello') . ',' . $::End . '}'
--- access_log
openai|gpt-4o-2024-08-06|9+4|provider|stop|0|ollama



=== TEST 12: ... a stream
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[stream(openai_stream('Hel', 'lo'), openai_usage(), $Done)]
--- request eval
ask_at('/gpt/api/chat')
--- response_headers
Content-Type: application/x-ndjson
--- response_body eval
CORE::join('', map { '{' . $::Head . ',"message":' . said($_->[0]) . ',' . $_->[1]
    . "}\n" } ['Hel', '"done":false'], ['lo', '"done":false'], ['', $::End])



=== TEST 13: an Ollama client of an Anthropic provider, tools in a stream
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[stream(anthropic_event('message_start', '"message":{"id":"msg_1",'
        . '"type":"message","role":"assistant","model":"c","content":[],'
        . '"usage":{"input_tokens":9,"output_tokens":1}}'),
    anthropic_event('content_block_start', '"index":0,"content_block":'
        . '{"type":"tool_use","id":"toolu_1","name":"f","input":{}}'),
    anthropic_event('content_block_delta', '"index":0,"delta":{"type":'
        . '"input_json_delta","partial_json":"{\"x\":"}'),
    anthropic_event('content_block_delta', '"index":0,"delta":{"type":'
        . '"input_json_delta","partial_json":"1}"}'),
    anthropic_event('content_block_stop', '"index":0'),
    anthropic_event('message_delta', '"delta":{"stop_reason":"tool_use"},'
        . '"usage":{"output_tokens":4}'), anthropic_event('message_stop'))]
--- upstream_request_like
"tools":\[\{"name":"f","input_schema":
--- request eval
ask_at('/claude/api/chat', '"tools":[{"type":"function","function":{"name":"f"}}]')
--- response_body_like chomp
^\{"model":"c","created_at":"[^"]+","message":\{"role":"assistant","content":"","tool_calls":\[\{"id":"toolu_1","function":\{"index":0,"name":"f","arguments":\{"x":1\}\}\}\]\},"done":false\}\n\{"model":"c","created_at":"[^"]+","message":\{"role":"assistant","content":""\},"done":true,"done_reason":"stop","prompt_eval_count":9,"eval_count":4\}\n\z



=== TEST 14: /api/generate of an OpenAI provider
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(openai_text('Hello'))
--- upstream_request_like
"messages":\[\{"role":"system","content":"s"\},\{"role":"user","content":"Hi"\}\]
--- request
POST /gpt/api/generate
{"model":"m","prompt":"Hi","system":"s","stream":false}
--- response_body eval
'{' . $::Head . ',"response":"Hello",' . $::End . '}'



=== TEST 15: what only Ollama can do is refused elsewhere, or dropped
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(openai_text('Hello'))
--- request eval
[map { "POST $_/api/generate\n" . '{"model":"m","prompt":"Hi","suffix":"x",'
    . '"stream":false}' } '/gpt', '/drop']
--- error_code eval: [400, 200]
--- response_body_like eval
['^\{"error":"suffix cannot be sent to this model\'s provider"\}$',
 '"response":"Hello"']



=== TEST 16: errors of every kind are in its shape
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(openai_error('requests', 'slow down'), '429 Too Many Requests',
    'Retry-After: 7')
--- request eval
["POST /gpt/api/chat\n{", "POST /gpt/api/chat\n{\"model\":\"m\"}",
 ask_at('/any/api/chat'), ask_at('/gpt/api/chat')]
--- error_code eval: [400, 400, 404, 429]
--- response_body_like eval
['^\{"error":"', '^\{"error":"messages must not be empty"\}$',
 '^\{"error":".*does not exist here', '^\{"error":"slow down"\}$']



=== TEST 17: an error inside a stream, for an Ollama client
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[cut(openai_chunk('{"role":"assistant","content":"Hel"}'))]
--- request eval
ask_at('/gpt/api/chat')
--- response_body_like eval
qr/"content":"Hel"\},"done":false\}\n\{"error":"[^"]+"\}\n\z/



=== TEST 18: the models and the version, of a pool and of a server
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole('{"models":[{"name":"llama3.2:latest","model":"llama3.2:latest"}]}')
--- upstream_request_like
^GET /api/tags HTTP/1.1\r
--- request eval
['GET /gpt/api/tags', 'GET /gpt/api/version', 'GET /ollama/v1/models',
 'GET /ollama/api/version', 'POST /gpt/api/version', 'GET /gpt/api/chat']
--- error_code eval: [200, 200, 200, 200, 405, 405]
--- response_body_like eval
['^\{"models":\[\{"name":"openai/gpt-4o","model":"openai/gpt-4o",',
 '^\{"version":"[\d.]+"\}$', '"object":"list".*"id":"llama3.2:latest"',
 '^\{"version":"[\d.]+"\}$', '^\{"error":', '^\{"error":']



=== TEST 19: simulated
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
[ask_at('/simulate/api/chat', '"stream":false'), ask_at('/simulate/api/chat'),
 "POST /generate/api/generate\n{\"model\":\"m\",\"prompt\":\"Hi\"}",
 'GET /simulate/api/tags', 'GET /simulate/api/version']
--- response_body_like eval
['^\{"model":"m",.*"content":"Hi"\},"done":true', '"content":"Hi"\},"done":false\}\n.*"done":true',
 '"response":"Hi","done":false\}\n', '^\{"models":\[\{"name":"simulated"', '^\{"version":']



=== TEST 20: what a model is
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
["POST /gpt/api/show\n" . '{"model":"openai/gpt-4o"}',
 "POST /gpt/api/show\n" . '{"name":"gpt-4o"}',
 "POST /ollama/api/show\n" . '{"model":"llama3.2"}',
 "POST /any/api/show\n" . '{"model":"openai/gpt-5"}',
 "POST /simulate/api/show\n" . '{"model":"simulated"}']
--- response_body_like eval
['^\{.*"details":\{.*"family":"openai".*"model_info":\{.*"general.basename":"openai/gpt-4o"\},"capabilities":\["completion","tools","vision"\]',
 '"general.basename":"gpt-4o"', '"general.basename":"llama3.2"',
 '"general.basename":"openai/gpt-5"', '"general.basename":"simulated"']



=== TEST 21: what is no model here, or may not be asked about
--- http_config eval: $::HttpConfig
--- config
    location /any/ { llm_pass $llm_request_model; }
    location /strict/ { llm_pass gpt strict; }
    location /denied/ { llm_pass gpt; llm_deny_models gpt-*; }
--- request eval
["POST /any/api/show\n" . '{"model":"zork"}',
 "POST /strict/api/show\n" . '{"model":"zork"}',
 "POST /denied/api/show\n" . '{"model":"gpt-4o"}',
 "POST /strict/api/show\n" . '{"model":"gpt-4o"}',
 "POST /strict/api/show\n" . '{}', "POST /strict/api/show\n" . '{',
 'GET /strict/api/show']
--- error_code eval: [404, 404, 404, 200, 400, 400, 405]
--- response_body_like eval
['^\{"error":"the model \\\\"zork\\\\" does not exist here', 'zork', 'gpt-4o',
 '"capabilities"', '^\{"error":"model is missing', '^\{"error":',
 '^\{"error":']



=== TEST 22: a provider that may be asked says it itself
--- http_config eval: $::HttpConfig
--- config
    location /ollama/ { llm_pass ollama; llm_pass_through on; }
--- upstream eval
whole('{"capabilities":["completion","thinking"]}')
--- upstream_request_like
^POST /api/show HTTP/1.1\r
--- request eval
"POST /ollama/api/show\n" . '{"model":"llama3.2"}'
--- more_headers
Content-Type: application/json
--- response_body chop
{"capabilities":["completion","thinking"]}
