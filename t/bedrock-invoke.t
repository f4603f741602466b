# Claude on AWS Bedrock in Anthropic's own API: InvokeModel, whole and
# streamed, and what breaks.

use lib 't/lib';
use LLMTest;
use LLMAnswers;
use LLMBedrock;

our $HttpConfig = q{
    llm_provider bedrock-anthropic {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT;
        api_key bedrock-key;
    }
    llm_provider fixed {
        preset bedrock-anthropic;
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT;
        header anthropic-beta "operator-1";
    }
    llm_provider none {
        preset bedrock-anthropic;
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT;
        header anthropic-beta $no_such_beta;
    }
    map $host $no_such_beta { default ""; }
    llm_provider anthropic {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2;
        api_key anthropic-key;
    }
    llm_upstream claude {
        model bedrock-anthropic/us.anthropic.claude-sonnet-4-5-20250929-v1:0;
    }
    llm_upstream both {
        model bedrock-anthropic/us.claude;
        model anthropic/claude backup;
    }
    log_format llm '$llm_provider|$llm_model|$llm_prompt_tokens+'
        '$llm_completion_tokens=$llm_total_tokens|$llm_usage_source|'
        '$llm_finish_reason|$llm_stream|$llm_format';
    access_log logs/access.log llm;
    server {
        listen 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2;
        location = /v1/messages {
            default_type application/json;
            return 200 '{"id":"msg_2","type":"message","role":"assistant","model":"c","content":[{"type":"text","text":"$http_anthropic_beta"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}';
        }
    }
};

our $Config = q{
    location /claude/ { llm_pass claude; }
    location /plain/ { llm_pass bedrock-anthropic; }
    location /fixed/ { llm_pass fixed; }
    location /none/ { llm_pass none; }
    location /both/ { llm_pass both; }
};

our $Model = 'us.anthropic.claude-sonnet-4-5-20250929-v1%3A0';
our $Hi = '"messages":[{"role":"user","content":"Hi"}]';

# Events of Anthropic's API within messages of AWS'.
sub chunks {
    return map { bedrock_chunk(/^data: (.*)$/m) } @_;
}

sub invoked {
    return as_events(stream(chunks(anthropic_stream(@_))));
}

run_tests();

__DATA__

=== TEST 1: a client of Anthropic's: its body and the answer are as they came
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(anthropic_text('Hello') . " \n", '200 OK', 'x-amzn-RequestId: req-1')
--- upstream_request_like eval
["\\A" . quotemeta("POST /model/$::Model/invoke HTTP/1.1\r\n")
    . '(?!.*anthropic-version:)'
    . '.*' . quotemeta("Accept: application/json\r\n") . '.*'
    . quotemeta("Authorization: Bearer bedrock-key\r\n") . '.*'
    . quotemeta('{ "max_tokens" : 5,"anthropic_version":'
        . qq("bedrock-2023-05-31", "zork":[ ],$::Hi})) . "\\z"]
--- more_headers
Content-Type: application/json
anthropic-version: 2023-06-01
--- request eval
qq(POST /claude/v1/messages\n{ "max_tokens" : 5,"model":"m", "zork":[ ],$::Hi,"stream":false})
--- response_headers
Content-Type: application/json
X-LLM-Model: bedrock-anthropic/us.anthropic.claude-sonnet-4-5-20250929-v1:0
request-id: req-1
--- response_body eval
anthropic_text('Hello') . " \n"
--- access_log
bedrock-anthropic|us.anthropic.claude-sonnet-4-5-20250929-v1:0|9+4=13|provider|stop|0|anthropic



=== TEST 2: ... streamed: the events are its own, as server-sent events
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[::invoked('Hel', 'lo')]
--- upstream_request_like eval
["\\A" . quotemeta("POST /model/$::Model/invoke-with-response-stream HTTP/1.1"
        . "\r\n") . '.*'
    . quotemeta("Accept: application/vnd.amazon.eventstream\r\n")
    . '(?!.*"stream")']
--- request eval
ask_anthropic('/claude/v1/messages', '"stream":true')
--- response_headers
Content-Type: text/event-stream
--- response_body eval
CORE::join('', anthropic_stream('Hel', 'lo'))
--- access_log
bedrock-anthropic|us.anthropic.claude-sonnet-4-5-20250929-v1:0|9+4=13|provider|stop|1|anthropic



=== TEST 3: ... cut anywhere
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[[unpack '(a61)*', CORE::join('', @{::invoked('Hello')})]]
--- request eval
ask_anthropic('/claude/v1/messages', '"stream":true')
--- response_body eval
CORE::join('', anthropic_stream('Hello'))



=== TEST 4: clients of other APIs
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[whole(anthropic_text('Hello')), ::invoked('Hel', 'lo'),
    ::invoked('Hel', 'lo')]
--- upstream_request_like eval
['/invoke HTTP.*' . quotemeta('{"anthropic_version":"bedrock-2023-05-31",'
        . '"max_tokens":7,"messages":[{"role":"user","content":[{"type":'
        . '"text","text":"Hi"}]}]}') . "\\z",
    '/invoke-with-response-stream HTTP(?!.*"stream")',
    '/invoke-with-response-stream HTTP(?!.*"stream")']
--- request eval
[ask_openai('/claude/v1/chat/completions', '"max_tokens":7'),
    ask_openai('/claude/v1/chat/completions', '"stream":true'),
    ask_bedrock('/claude/model/m/converse-stream')]
--- response_body_like eval
['"content":"Hello".*"total_tokens":13',
    '"content":"Hel".*"content":"lo".*\[DONE\]\n\n\z',
    quotemeta((bedrock_stream('Hel'))[1])]



=== TEST 5: a model's name cannot leave its place in the path
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(anthropic_text('Hello'))
--- upstream_request_like eval
['^POST /model/\.\.%2F\.\.%2Fx%3Fy/invoke HTTP']
--- request eval
ask_anthropic('/plain/v1/messages') =~ s{"model":"m"}{"model":"../../x?y"}r



=== TEST 6: beta features of the header go into the body, of whichever API
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(anthropic_text('Hello'))
--- upstream_request_like eval
['\A(?!.*anthropic-beta:).*"anthropic_version":"bedrock-2023-05-31","anthropic_beta":\["b-0","b-1","b-2"\]',
    '\A(?!.*anthropic-beta:).*"anthropic_beta":\["b-1","b-2"\],"max_tokens"']
--- more_headers
anthropic-beta: b-1, b-2
anthropic-beta: b-1
--- request eval
[ask_anthropic('/claude/v1/messages', '"anthropic_beta":["b-0"]'),
    ask_openai('/claude/v1/chat/completions')]



=== TEST 7: the operator's own come first, none among them
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(anthropic_text('Hello'))
--- upstream_request_like eval
['\A(?!.*anthropic-beta:).*"anthropic_beta":\["operator-1"\]',
    '\A(?!.*anthropic.beta)']
--- more_headers
anthropic-beta: b-1
--- request eval
[ask_anthropic('/fixed/v1/messages'), ask_anthropic('/none/v1/messages')]



=== TEST 8: another member of the pool gets the header again
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole('{"message":"full"}', '503 Service Unavailable',
    'x-amzn-ErrorType: ServiceUnavailableException')
--- more_headers
anthropic-beta: b-1
--- request eval
ask_anthropic('/both/v1/messages')
--- response_body_like: "text":"b-1"



=== TEST 9: the service's errors, in the client's words
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[whole('{"message":"slow"}', '429 Too Many Requests',
        'x-amzn-ErrorType: ThrottlingException:http://internal.amazon.com/'),
    whole('{"message":"invalid beta flag"}', '400 Bad Request',
        'x-amzn-ErrorType: ValidationException'),
    whole('{"message":"full"}', '503 Service Unavailable',
        'x-amzn-ErrorType: ServiceUnavailableException'),
    whole('{"message":"bad"}', '400 Bad Request')]
--- request eval
[ask_openai('/claude/v1/chat/completions'),
    ask_anthropic('/claude/v1/messages'),
    ask_bedrock('/claude/model/m/converse'),
    ask_anthropic('/claude/v1/messages', '"stream":true')]
--- error_code eval
[429, 400, 503, 400]
--- response_body_like eval
['"message":"slow","type":"rate_limit_error"',
    '"type":"invalid_request_error","message":"invalid beta flag"',
    '\A\{"__type":"ServiceUnavailableException","message":"full"\}\z',
    '"type":"invalid_request_error","message":"bad"']



=== TEST 10: an exception as the first event is an error with a status
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[as_events(stream(bedrock_exception('throttlingException',
    '{"message":"slow"}')))]
--- request eval
[ask_openai('/claude/v1/chat/completions', '"stream":true'),
    ask_anthropic('/claude/v1/messages', '"stream":true')]
--- error_code eval
[429, 429]
--- response_body_like eval
['"message":"slow"', '"type":"rate_limit_error","message":"slow"']



=== TEST 11: an exception in the middle, or an end where none should be
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[(as_events(stream((::chunks(anthropic_stream('Hel')))[0 .. 2],
        bedrock_exception('modelStreamErrorException',
            '{"message":"broke"}')))) x 2,
    as_events(stream((::chunks(anthropic_stream('Hel')))[0 .. 2])),
    as_events(cut((::chunks(anthropic_stream('Hel')))[0 .. 2]))]
--- request eval
[ask_openai('/claude/v1/chat/completions', '"stream":true'),
    (ask_anthropic('/claude/v1/messages', '"stream":true')) x 3]
--- response_body_like eval
['"Hel".*\{"error":\{"message":"broke".*\n\n\z',
    '"Hel".*event: error\ndata: \{"type":"error","error":\{"type":"api_error","message":"broke"\}\}\n\n\z',
    '"Hel".*event: error\ndata: .*ended before the answer was complete.*\n\n\z',
    '"Hel".*event: error\ndata: .*\n\n\z']



=== TEST 12: signed
--- http_config
llm_provider bedrock-anthropic {
    url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT;
    auth aws region=eu-west-1 access_key=AKID secret_key=secret;
}
--- config
location / { llm_pass bedrock-anthropic; }
--- upstream eval
[::invoked('Hello')]
--- upstream_request_like eval
['authorization: AWS4-HMAC-SHA256 Credential=AKID/\d{8}/eu-west-1/bedrock/aws4_request, ?SignedHeaders=content-type;host;x-amz-date,']
--- request eval
ask_anthropic('/v1/messages', '"stream":true')
--- response_body eval
CORE::join('', anthropic_stream('Hello'))
