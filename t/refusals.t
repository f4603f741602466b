# What a provider's API has no words for is refused, in the shape of the
# client's API, and with the name that the client has sent.

use lib 't/lib';
use LLMTest;

our $HttpConfig = q{
    llm_provider raw {
        format completions;
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
        api_key k;
    }
    llm_provider responses {
        format responses;
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
        api_key k;
    }
};

our $Config = q{
    location /raw/ { llm_pass raw; }
    location /responses/ { llm_pass responses; }
};

our $Hi = '"messages":[{"role":"user","content":"Hi"}]';
our $Schema = '{"type":"object"}';
our $No = "cannot be sent to this model's provider";

run_tests();

__DATA__

=== TEST 1: the form of the answer
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
['POST /raw/v1/chat/completions' . "\n" . qq({"model":"m",$::Hi,"response_format":{"type":"json_object"}}),
 'POST /raw/v1/responses' . "\n" . '{"model":"m","input":"Hi","text":{"format":{"type":"json_object"}}}',
 'POST /raw/v1/messages' . "\n" . qq({"model":"m","max_tokens":9,$::Hi,"output_config":{"format":{"type":"json_schema","schema":$::Schema}}}),
 'POST /raw/v1beta/models/m:generateContent' . "\n" . qq({"contents":[{"parts":[{"text":"Hi"}]}],"generationConfig":{"responseMimeType":"application/json","responseSchema":$::Schema}}),
 'POST /raw/model/m/converse' . "\n" . '{"messages":[{"role":"user","content":[{"text":"Hi"}]}],"outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"name":"n","schema":"{}"}}}}}',
 'POST /raw/v2/chat' . "\n" . qq({"model":"m",$::Hi,"response_format":{"type":"json_object"}}),
 'POST /raw/api/chat' . "\n" . qq({"model":"m",$::Hi,"format":"json","stream":false})]
--- error_code eval: [400, 400, 400, 400, 400, 400, 400]
--- response_body eval
[qq({"error":{"message":"response_format $::No","type":"invalid_request_error","param":"response_format","code":"unsupported_parameter"}}),
 qq({"error":{"message":"text.format $::No","type":"invalid_request_error","param":"text.format","code":"unsupported_parameter"}}),
 qq({"type":"error","error":{"type":"invalid_request_error","message":"output_config.format $::No"}}),
 qq({"error":{"code":400,"message":"generationConfig.responseSchema $::No","status":"INVALID_ARGUMENT"}}),
 qq({"__type":"ValidationException","message":"outputConfig.textFormat $::No"}),
 qq({"message":"response_format $::No"}),
 qq({"error":"format $::No"})]



=== TEST 2: stop sequences
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
['POST /responses/v1/completions' . "\n" . '{"model":"m","prompt":"Hi","stop":"x"}',
 'POST /responses/v1/messages' . "\n" . qq({"model":"m","max_tokens":9,$::Hi,"stop_sequences":["x"]}),
 'POST /responses/v1beta/models/m:generateContent' . "\n" . '{"contents":[{"parts":[{"text":"Hi"}]}],"generation_config":{"stop_sequences":["x"]}}',
 'POST /responses/api/generate' . "\n" . '{"model":"m","prompt":"Hi","options":{"stop":["x"]}}']
--- error_code eval: [400, 400, 400, 400]
--- response_body_like eval
['"param":"stop"', qq("message":"stop_sequences $::No"),
 qq("message":"generation_config.stop_sequences $::No"),
 qq("error":"options.stop $::No")]



=== TEST 3: what a message holds, where the client has put it
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
['POST /raw/v1/messages' . "\n" . '{"model":"m","max_tokens":9,"messages":[{"role":"user","content":[{"type":"text","text":"Hi"},{"type":"image","source":{"type":"url","url":"https://example.com/i.png"}}]}]}',
 'POST /raw/v1beta/models/m:generateContent' . "\n" . '{"systemInstruction":{"parts":[{"text":"s"}]},"contents":[{"parts":[{"text":"Hi"},{"inlineData":{"mimeType":"image/png","data":"iVBORw0KGgo="}}]}]}']
--- error_code eval: [400, 400]
--- response_body_like eval
[qq("message":"messages\\[0\\].content\\[1\\]: an image $::No"),
 qq("message":"contents\\[0\\].parts\\[1\\]: an image $::No")]
