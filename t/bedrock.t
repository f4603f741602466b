# AWS Bedrock's Converse API: before and behind the gateway, whole and
# streamed, and what breaks.

use lib 't/lib';
use LLMTest;
use LLMAnswers;
use LLMBedrock;

our $HttpConfig = q{
    llm_provider openai {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
        api_key openai-key;
    }
    llm_provider anthropic {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT;
        api_key anthropic-key;
    }
    llm_provider bedrock {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT;
        api_key bedrock-key;
    }
    llm_upstream claude {
        model bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0;
    }
    llm_upstream profile {
        model bedrock/arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.x;
    }
    log_format llm '$llm_provider|$llm_model|$llm_prompt_tokens+'
        '$llm_completion_tokens=$llm_total_tokens|$llm_usage_source|'
        '$llm_finish_reason|$llm_stream|$llm_format';
    access_log logs/access.log llm;
};

our $Config = q{
    location /openai/ { llm_pass openai; }
    location /anthropic/ { llm_pass anthropic; }
    location /bedrock/ { llm_pass bedrock; }
    location /claude/ { llm_pass claude; }
    location /profile/ { llm_pass profile; }
    location /simulate/ { llm_simulate bedrock; }
};

our $Signed = q{
    llm_provider signed {
        format bedrock;
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT;
        auth aws region=eu-west-1 access_key=AKID secret_key=s session_token=t;
    }
};
our $SignedConfig = 'location / { llm_pass signed; }';
our $Signature = 'authorization: AWS4-HMAC-SHA256 '
    . 'Credential=AKID/\d{8}/eu-west-1/bedrock/aws4_request, ?'
    . 'SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, ?'
    . 'Signature=[0-9a-f]{64}\r\n';

our $Model = 'us.anthropic.claude-sonnet-4-5-20250929-v1%3A0';

run_tests();

__DATA__

=== TEST 1: openai to bedrock
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(bedrock_text('Hello'), '200 OK', 'x-amzn-RequestId: req-1')
--- upstream_request_like eval
["\\A" . quotemeta("POST /model/$::Model/converse HTTP/1.1\r\n") . '.*'
    . quotemeta("Accept: application/json\r\n") . '.*'
    . quotemeta("Authorization: Bearer bedrock-key\r\n") . '.*'
    . quotemeta('{"messages":[{"role":"user","content":[{"text":"Hi"}]}],'
        . '"inferenceConfig":{"maxTokens":7}}') . "\\z"]
--- request eval
ask_openai('/claude/v1/chat/completions', '"max_tokens":7')
--- response_headers
Content-Type: application/json
X-LLM-Model: bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0
--- response_body_like eval
['"id":"req-1".*"content":"Hello".*"finish_reason":"stop".*'
    . '"prompt_tokens":9,"completion_tokens":4,"total_tokens":13']
--- access_log
bedrock|us.anthropic.claude-sonnet-4-5-20250929-v1:0|9+4=13|provider|stop|0|openai



=== TEST 2: anthropic to bedrock, streamed
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[as_events(stream(bedrock_stream('Hel', 'lo')))]
--- upstream_request_like eval
["\\A" . quotemeta("POST /model/$::Model/converse-stream HTTP/1.1\r\n") . '.*'
    . quotemeta("Accept: application/vnd.amazon.eventstream\r\n")]
--- request eval
ask_anthropic('/claude/v1/messages', '"stream":true')
--- response_headers
Content-Type: text/event-stream
--- response_body_like eval
['"text":"Hel".*"text":"lo".*"stop_reason":"end_turn".*message_stop']
--- access_log
bedrock|us.anthropic.claude-sonnet-4-5-20250929-v1:0|9+4=13|provider|stop|1|anthropic



=== TEST 3: a model's name cannot leave its place in the path
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(bedrock_text('Hello'))
--- upstream_request_like eval
['^POST /model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Fus\.x/converse HTTP',
    '^POST /model/\.\.%2F\.\.%2Fx%3Fy/converse HTTP']
--- request eval
[ask_openai('/profile/v1/chat/completions'),
    ask_openai('/bedrock/v1/chat/completions')
        =~ s{"model":"m"}{"model":"../../x?y"}r]
--- error_code eval
[200, 200]



=== TEST 4: bedrock to bedrock, byte for byte
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(bedrock_text('Hello') . " \n")
--- upstream_request_like eval
["^POST /model/$::Model/converse HTTP.*" . quotemeta('{ "zork" :[ ],"messages": [{"role":"user",'
    . '"content":[{"text":"Hi"}]}] }') . "\\z"]
--- request eval
"POST /bedrock/model/$::Model/converse\n"
    . '{ "zork" :[ ],"messages": [{"role":"user","content":[{"text":"Hi"}]}] }'
--- response_headers
Content-Type: application/json
--- response_body eval
bedrock_text('Hello') . " \n"



=== TEST 5: bedrock to bedrock, streamed, byte for byte
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[as_events(stream(bedrock_stream('Hel', 'lo')))]
--- request eval
ask_bedrock("/bedrock/model/$::Model/converse-stream")
--- response_headers
Content-Type: application/vnd.amazon.eventstream
--- response_body eval
CORE::join('', bedrock_stream('Hel', 'lo'))
--- access_log
bedrock|us.anthropic.claude-sonnet-4-5-20250929-v1:0|9+4=13|provider|stop|1|bedrock



=== TEST 6: bedrock to openai
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(openai_text('Hello'))
--- upstream_request_like eval
[quotemeta("POST /v1/chat/completions HTTP/1.1\r\n") . '.*"model":"gpt-4o".*'
    . '"content":"Hi".*"max_completion_tokens":7']
--- request eval
ask_bedrock('/openai/model/gpt-4o/converse',
    '"inferenceConfig":{"maxTokens":7}')
--- response_headers
Content-Type: application/json
X-LLM-Model: openai/gpt-4o
--- response_body chomp
{"metrics":{"latencyMs":0},"output":{"message":{"role":"assistant","content":[{"text":"Hello"}]}},"stopReason":"end_turn","usage":{"inputTokens":9,"outputTokens":4,"totalTokens":13}}



=== TEST 7: bedrock to openai and to anthropic, streamed
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[stream(openai_stream('Hel', 'lo'), openai_usage(), $Done),
    stream(anthropic_stream('Hel', 'lo'))]
--- upstream_request_like eval
['"stream":true.*"include_usage":true', '"max_tokens":\d+.*"stream":true']
--- request eval
[ask_bedrock('/openai/model/m/converse-stream'),
    ask_bedrock('/anthropic/model/m/converse-stream')]
--- response_headers eval
['Content-Type: application/vnd.amazon.eventstream',
    'Content-Type: application/vnd.amazon.eventstream']
--- response_body eval
[(CORE::join '', bedrock_stream('Hel', 'lo')) x 2]



=== TEST 8: a stream's client gets a stream, also of a whole answer
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(openai_text('Hello'))
--- request eval
ask_bedrock('/openai/model/m/converse-stream')
--- response_body eval
CORE::join('', bedrock_stream('Hello'))



=== TEST 9: the provider's errors, with the client's own statuses
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[whole('{"message":"slow"}', '429 Too Many Requests',
        'x-amzn-ErrorType: ThrottlingException:http://internal.amazon.com/'),
    whole('{"message":"bad"}', '400 Bad Request',
        'x-amzn-ErrorType: ValidationException'),
    whole('{"message":"full"}', '503 Service Unavailable',
        'x-amzn-ErrorType: ServiceUnavailableException'),
    whole('{"Output":{"__type":"com.amazon.coral.service#UnknownOperationException"},"Version":"1.0"}')]
--- request eval
[ask_openai('/bedrock/v1/chat/completions'),
    ask_anthropic('/bedrock/v1/messages'),
    ask_bedrock('/bedrock/model/m/converse'),
    ask_openai('/bedrock/v1/chat/completions')]
--- error_code eval
[429, 400, 503, 502]
--- response_body_like eval
['"message":"slow","type":"rate_limit_error"',
    '"type":"invalid_request_error","message":"bad"',
    '\A\{"__type":"ServiceUnavailableException","message":"full"\}\z',
    'UnknownOperationException']
--- response_headers eval
['x-amzn-errortype:', 'x-amzn-errortype:',
    'x-amzn-errortype: ServiceUnavailableException', 'x-amzn-errortype:']



=== TEST 10: other providers' errors for a client of bedrock
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[whole(openai_error('rate_limit_exceeded', 'slow'), '429 Too Many Requests'),
    whole(anthropic_error('overloaded_error', 'busy'), '529 Overloaded')]
--- request eval
[ask_bedrock('/openai/model/m/converse'),
    ask_bedrock('/anthropic/model/m/converse-stream')]
--- error_code eval
[429, 503]
--- response_body eval
['{"__type":"ThrottlingException","message":"slow"}',
    '{"__type":"ServiceUnavailableException","message":"busy"}']
--- response_headers eval
['x-amzn-errortype: ThrottlingException',
    'x-amzn-errortype: ServiceUnavailableException']



=== TEST 11: an exception as the first event is an error with a status
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[as_events(stream(bedrock_exception('throttlingException',
    '{"message":"slow"}')))]
--- request eval
[ask_openai('/bedrock/v1/chat/completions', '"stream":true'),
    ask_bedrock('/bedrock/model/m/converse-stream')]
--- error_code eval
[429, 429]
--- response_body_like eval
['"message":"slow"', '"__type":"ThrottlingException","message":"slow"']



=== TEST 12: an exception in the middle
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[as_events(stream((bedrock_stream('Hel', 'lo'))[0, 1],
    bedrock_exception('modelStreamErrorException', '{"message":"broke"}')))]
--- request eval
[ask_openai('/bedrock/v1/chat/completions', '"stream":true'),
    ask_anthropic('/bedrock/v1/messages', '"stream":true'),
    ask_bedrock('/bedrock/model/m/converse-stream')]
--- response_body_like eval
['"Hel".*\{"error":\{"message":"broke".*\n\n\z',
    '"Hel".*event: error\ndata: .*"message":"broke"\}\}\n\n\z',
    quotemeta(CORE::join('', (bedrock_stream('Hel', 'lo'))[0, 1],
        bedrock_exception('modelStreamErrorException',
            '{"message":"broke"}'))) . '\z']



=== TEST 13: a stream that is cut off, between and within messages
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[as_events(stream((bedrock_stream('Hel', 'lo'))[0, 1])),
    as_events(cut((bedrock_stream('Hel', 'lo'))[0, 1])),
    as_events(stream((bedrock_stream('Hel'))[0, 1],
        substr bedrock_exception('x', '{}'), 0, 20)),
    as_events(stream((bedrock_stream('Hel', 'lo'))[0, 1]))]
--- request eval
[(ask_openai('/bedrock/v1/chat/completions', '"stream":true')) x 3,
    ask_bedrock('/bedrock/model/m/converse-stream')]
--- response_body_like eval
['"Hel".*\{"error":.*ended before the answer was complete.*\n\n\z',
    '"Hel".*\{"error":.*\n\n\z',
    '"Hel".*\{"error":.*damaged: it ends in the middle of a message.*\n\n\z',
    'Hel.*:exception-type.*ended before the answer was complete']



=== TEST 14: a damaged message ends the stream
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[as_events(stream((bedrock_stream('Hel', 'lo'))[0, 1],
        (bedrock_stream('Hel', 'lo'))[2] =~ s/lo/la/r)),
    as_events(stream((bedrock_stream('Hel'))[0] =~ s/role/rule/r))]
--- request eval
[(ask_openai('/bedrock/v1/chat/completions', '"stream":true')) x 2]
--- error_code eval
[200, 502]
--- response_body_like eval
['"Hel".*\{"error":.*checksum is wrong.*\n\n\z',
    'checksum is wrong']



=== TEST 15: what the gateway refuses, a client of bedrock understands
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
["POST /openai/model/m/converse\n{}",
    "POST /openai/model/m/converse\n{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}",
    ask_bedrock('/openai/model/m/converse',
        '"guardrailConfig":{"guardrailIdentifier":"g"}'),
    ask_bedrock('/bedrock/model/../converse')]
--- error_code eval
[400, 400, 400, 404]
--- response_body_like eval
['\A\{"__type":"ValidationException","message":"messages is required"\}\z',
    '"message":"messages\[0\].content must be an array"',
    '"message":"guardrailConfig cannot be sent', '']



=== TEST 16: the list of models
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request
GET /claude/foundation-models
--- response_body_like chomp
^\{"modelSummaries":\[.*"modelId":"[^"]*us\.anthropic\.claude-sonnet-4-5-20250929-v1:0"



=== TEST 17: a simulated model answers in this API
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
[ask_bedrock('/simulate/model/m/converse'),
    ask_bedrock('/simulate/model/m/converse-stream')]
--- response_headers eval
['Content-Type: application/json',
    'Content-Type: application/vnd.amazon.eventstream']
--- response_body_like eval
['"output":\{"message":\{"role":"assistant","content":\[\{"text":',
    'messageStart.*contentBlockDelta.*messageStop.*metadata']



=== TEST 18: signed, each request as it goes out
--- http_config eval: $::Signed
--- config eval: $::SignedConfig
--- upstream eval
[whole(bedrock_text('Hello')), as_events(stream(bedrock_stream('Hel', 'lo'))),
    whole(bedrock_text('Hello')),
    whole('{"embedding":[1,2],"inputTextTokenCount":3}')]
--- upstream_request_like eval
[map { "\\APOST /model/$_ HTTP/1.1\r\n.*$::Signature" } 'm/converse',
    'm/converse-stream', 'm/converse', 'amazon\.titan-embed-text-v2%3A0/invoke']
--- request eval
[ask_openai('/v1/chat/completions'),
    ask_openai('/v1/chat/completions', '"stream":true'),
    ask_bedrock('/model/m/converse'),
    "POST /v1/embeddings\n" . '{"model":"amazon.titan-embed-text-v2:0","input":"x"}']
--- response_body_like eval
['"content":"Hello"', '"content":"Hel".*"content":"lo"', '"text":"Hello"',
    '"embedding":\[1,2\]']



=== TEST 19: what AWS refuses of a signature is not the client's fault
--- http_config eval: $::Signed
--- config eval: $::SignedConfig
--- upstream eval
[whole('{"message":"The security token included in the request is expired AKID"}',
        '403 Forbidden', 'x-amzn-errortype: ExpiredTokenException'),
    whole('{"message":"Signature expired: 20260102T030405Z is now earlier than 20260102T031000Z"}',
        '403 Forbidden', 'x-amzn-ErrorType: InvalidSignatureException:http://internal.amazon.com/coral/'),
    whole('{"message":"Credential should be scoped to a valid region."}',
        '403 Forbidden', 'X-Amzn-ErrorType: InvalidSignatureException'),
    whole('{"message":"The security token included in the request is invalid."}',
        '403 Forbidden', 'x-amzn-ErrorType: UnrecognizedClientException'),
    whole('{"message":"You do not have access to the model with the specified model ID."}',
        '403 Forbidden', 'x-amzn-ErrorType: AccessDeniedException')]
--- request eval
[ask_openai('/v1/chat/completions'), ask_anthropic('/v1/messages'),
    ask_openai('/v1/chat/completions', '"stream":true'),
    "POST /v1/embeddings\n" . '{"model":"amazon.titan-embed-text-v2:0","input":"x"}',
    ask_openai('/v1/chat/completions')]
--- error_code eval
[502, 502, 502, 502, 403]
--- response_body_like eval
[map { '"message":"' . quotemeta($_) }
    (map { qq(the provider \\"signed\\" refuses the gateway's credentials: $_) }
        'the session token has expired"',
        "the signature was too old when it came: this machine's clock is behind AWS's\"",
        qq(the \\"region\\" or \\"service\\" of \\"auth aws\\" is not the host's"),
        'AWS does not know the access key or session token"'),
    'You do not have access to the model']
