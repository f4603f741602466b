# Cohere's chat API, version 2, as a provider's and as a client's.

use lib 't/lib';
use LLMTest;
use LLMAnswers;

our $HttpConfig = q{
    llm_provider cohere {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT;
        api_key cohere-key;
    }
    llm_provider openai {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
        api_key openai-key;
    }
    llm_provider anthropic {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT;
        api_key anthropic-key;
    }
    llm_upstream command { model cohere/command-a-03-2025 max_fails=0; }
    llm_upstream gpt { model openai/gpt-4o; }
    llm_upstream claude { model anthropic/claude-sonnet-4-5; }
    log_format llm '$llm_provider|$llm_prompt_tokens+$llm_completion_tokens|'
        '$llm_cached_tokens|$llm_usage_source|$llm_finish_reason|'
        '$llm_stream|$llm_format';
    access_log logs/access.log llm;
};

our $Config = q{
    location /command/ { llm_pass command; }
    location /gpt/ { llm_pass gpt; }
    location /claude/ { llm_pass claude; }
    location /cohere/ { llm_pass cohere; }
    location /drop/ { llm_pass gpt; llm_unsupported drop; }
    location /simulate/ { llm_simulate cohere; }
};

our $Usage = '"usage":{"billed_units":{"input_tokens":2,"output_tokens":4},'
    . '"tokens":{"input_tokens":9,"output_tokens":4},"cached_tokens":1}';

sub said {
    my ($message, $finish) = @_;
    $finish //= 'COMPLETE';
    return qq({"id":"c1","finish_reason":"$finish","message":$message,$::Usage});
}

sub text {
    my ($text) = @_;
    return said('{"role":"assistant","content":[{"type":"text",'
        . qq("text":"$text"}]}));
}

sub start {
    return cohere_event('message-start', '"id":"c1","delta":{"message":'
        . '{"role":"assistant","content":[]}}');
}

sub words {
    return (cohere_event('content-start', '"index":0,"delta":{"message":'
            . '{"content":{"type":"text","text":""}}}'),
        (map { cohere_event('content-delta', '"index":0,"delta":{"message":'
            . qq({"content":{"text":"$_"}}})) } @_));
}

sub end {
    my ($finish) = @_;
    $finish //= 'COMPLETE';
    return (cohere_event('content-end', '"index":0'),
        cohere_event('message-end', qq("delta":{"finish_reason":"$finish",)
            . $::Usage . '}'));
}

# For "eval" in the data section.
{
    no strict 'refs';
    *{"Test::Base::Filter::$_"} = \&{"main::$_"} for qw(said text start words
        end);
}

run_tests();

__DATA__

=== TEST 1: an OpenAI client, one-shot
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(text('Hello'))
--- upstream_request_like eval
["\\APOST /v2/chat HTTP/1\\.1\r\n.*^Authorization: Bearer cohere-key\r\n.*"
    . quotemeta("\r\n" . '{"model":"command-a-03-2025","messages":['
    . '{"role":"user","content":"Hi"}],"max_tokens":5,"p":0.99}') . "\\z"]
--- request eval
ask_openai('/command/v1/chat/completions', '"max_tokens":5', '"top_p":1')
--- response_headers
Content-Type: application/json
X-LLM-Model: cohere/command-a-03-2025
--- response_body_like chomp
^\{"id":"c1","object":"chat.completion","created":\d+,"model":"m","choices":\[\{"index":0,"message":\{"role":"assistant","content":"Hello","refusal":null\},"logprobs":null,"finish_reason":"stop"\}\],"usage":\{"prompt_tokens":9,"completion_tokens":4,"total_tokens":13,"prompt_tokens_details":\{"cached_tokens":1,
--- access_log
cohere|9+4|1|provider|stop|0|openai



=== TEST 2: an OpenAI client, a stream
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[stream(start(), words('Hel', 'lo'), end())]
--- upstream_request_like
"stream":true\}\z
--- request eval
ask_openai('/command/v1/chat/completions', '"stream":true')
--- response_headers
Content-Type: text/event-stream
--- response_body_filters eval
sub { $_[0] =~ s/"created":\d+/"created":1700000000/gr }
--- response_body eval
my $frames = CORE::join('', openai_stream('Hel', 'lo'), $Done);
$frames =~ s/gpt-4o-2024-08-06/m/gr



=== TEST 3: an Anthropic client calls tools
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(said('{"role":"assistant","tool_plan":"I will look.","tool_calls":['
    . '{"id":"f_1","type":"function","function":{"name":"f","arguments":'
    . '"{\"x\":1}"}},{"id":"g_1","type":"function","function":{"name":"g",'
    . '"arguments":"{}"}}]}', 'TOOL_CALL'))
--- upstream_request_like
"role":"system","content":"s".*"tools":\[\{"type":"function","function":\{"name":"f","parameters":\{"type":"object","properties":\{\}\}\}\}\],"tool_choice":"REQUIRED"
--- request eval
ask_anthropic('/command/v1/messages', '"system":"s"', '"tools":[{"name":"f",'
    . '"input_schema":{"type":"object","properties":{}}}]',
    '"tool_choice":{"type":"any"}')
--- response_body_like chomp
"content":\[\{"type":"text","text":"I will look."\},\{"type":"tool_use","id":"f_1","name":"f","input":\{"x":1\}\},\{"type":"tool_use","id":"g_1","name":"g","input":\{\}\}\],"stop_reason":"tool_use"



=== TEST 4: an Anthropic client, a stream
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[stream(start(), words('Hel', 'lo'), end('MAX_TOKENS'))]
--- request eval
ask_anthropic('/command/v1/messages', '"stream":true')
--- response_body_like eval
qr/event: message_start\n.*"text":"Hel".*"text":"lo".*"stop_reason":"max_tokens".*"output_tokens":4.*event: message_stop\n/s



=== TEST 5: errors
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[whole('{"id":"x","message":"model not found"}', '404 Not Found'),
 whole('{"message":"invalid token"}', '498 Invalid Token'),
 whole('{"message":"too many requests"}', '429 Too Many Requests',
     'Retry-After: 7')]
--- request eval
[map { ask_openai('/command/v1/chat/completions') } 1 .. 3]
--- error_code eval: [404, 401, 429]
--- response_body_like eval
['"message":"model not found".*"code":"model_not_found"',
 '"message":"the provider refused the API key"',
 '"message":"too many requests".*"type":"rate_limit_error"']



=== TEST 6: an answer that failed in its stream
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[stream(start(), words('Hel'), end('ERROR'))]
--- request eval
ask_openai('/command/v1/chat/completions', '"stream":true')
--- response_body_like eval
qr/"content":"Hel".*\n\ndata: \{"error":\{"message":"the provider failed before the answer was complete",[^\n]*\}\n\n\z/s



=== TEST 7: a stream that breaks off
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[cut(start(), words('Hel'))]
--- request eval
ask_openai('/command/v1/chat/completions', '"stream":true')
--- response_body_like eval
qr/"content":"Hel".*\n\ndata: \{"error":/s
--- response_body_unlike eval: qr/\[DONE\]/



=== TEST 8: its own clients' calls pass byte for byte
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[whole(text('Hello') . " \n"), stream(start(), words('Hel'), end())]
--- upstream_request_like eval
["^x-client-name: app\r\n.*" . quotemeta('"documents":[ "d" ]}') . "\\z", "."]
--- more_headers
X-Client-Name: app
--- request eval
[ask_at('/cohere/v2/chat', '"documents":[ "d" ]'),
 ask_at('/cohere/v2/chat', '"stream":true')]
--- response_body eval
[text('Hello') . " \n", CORE::join('', start(), words('Hel'), end())]



=== TEST 9: a Cohere client of an OpenAI provider, one-shot
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(openai_text('Hello'))
--- upstream_request_like eval
[quotemeta("\r\n\r\n" . '{"model":"gpt-4o","messages":[{"role":"user",'
    . '"content":"Hi"}],"max_completion_tokens":5,"stop":["X"],"top_p":0.5}')
    . "\\z"]
--- request eval
ask_at('/gpt/v2/chat', '"max_tokens":5', '"p":0.5', '"stop_sequences":["X"]')
--- response_body chomp
{"id":"c1","finish_reason":"COMPLETE","message":{"role":"assistant","content":[{"type":"text","text":"Hello"}]},"usage":{"billed_units":{"input_tokens":9,"output_tokens":4},"tokens":{"input_tokens":9,"output_tokens":4},"cached_tokens":0}}
--- access_log
openai|9+4|0|provider|stop|0|cohere



=== TEST 10: a Cohere client of an Anthropic provider, a stream
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[stream(anthropic_stream('Hel', 'lo'))]
--- request eval
ask_at('/claude/v2/chat', '"stream":true')
--- response_headers
Content-Type: text/event-stream
--- response_body_like eval
qr/\Aevent: message-start\ndata: \{"type":"message-start","id":"msg_1",.*event: content-start\n.*\{"text":"Hel"\}.*\{"text":"lo"\}.*event: content-end\n.*event: message-end\ndata: \{"type":"message-end","delta":\{"finish_reason":"COMPLETE","usage":\{"billed_units":\{"input_tokens":9,"output_tokens":4\}/s



=== TEST 11: documents are refused elsewhere, or dropped
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(openai_text('Hello'))
--- request eval
[ask_at('/gpt/v2/chat', '"documents":["d"]'),
 ask_at('/drop/v2/chat', '"documents":["d"]')]
--- error_code eval: [400, 200]
--- response_body_like eval
['^\{"message":"documents cannot be sent to this model\'s provider"\}$',
 '"text":"Hello"']



=== TEST 12: an error inside a stream, for a Cohere client
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[cut(openai_chunk('{"role":"assistant","content":"Hel"}'))]
--- request eval
ask_at('/gpt/v2/chat', '"stream":true')
--- response_body_like eval
qr/\{"text":"Hel"\}.*event: message-end\ndata: \{"type":"message-end","delta":\{"finish_reason":"ERROR","error":"[^"]+"\}\}\n\n\z/s



=== TEST 13: its SDKs get the list of models in their shape
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request
GET /gpt/v1/models
--- more_headers
X-Fern-SDK-Name: cohere
--- response_body chomp
{"models":[{"name":"openai/gpt-4o","endpoints":["chat"]}]}



=== TEST 14: simulated
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
[ask_at('/simulate/v2/chat'), ask_at('/simulate/v2/chat', '"stream":true')]
--- response_body_like eval
['"content":\[\{"type":"text","text":"Hi"\}\]', 'event: message-end']
