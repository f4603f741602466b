# Azure's OpenAI: its paths, its key, and what its answers differ in.

use lib 't/lib';
use LLMTest;
use LLMAnswers;

our $HttpConfig = q{
    llm_provider azure {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/openai/v1;
        api_key azure-key;
    }
    llm_provider deployments {
        preset azure;
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/openai;
        hosting azure;
        api_version 2024-10-21;
        api_key azure-key;
    }
    llm_provider entra {
        preset azure;
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/openai/v1;
        api_key_header Authorization;
        api_key token;
    }
};

our $Config = q{
    location /v1/ { llm_pass azure; }
    location /deployments/ { llm_pass deployments; }
    location /entra/ { llm_pass entra; }
    location /any/ { llm_pass $llm_request_model; }
};

our $Filtered = '"prompt_filter_results":[{"prompt_index":0,'
    . '"content_filter_results":{"hate":{"filtered":false,'
    . '"severity":"safe"}}}]';

run_tests();

__DATA__

=== TEST 1: v1: the model in the body, the key in its own header
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(openai_text('Hello'))
--- upstream_request_like eval
["\\APOST /openai/v1/chat/completions HTTP/1\\.1\r\n.*"
    . "^api-key: azure-key\r\n.*\"model\":\"m\""]
--- upstream_request_unlike
Authorization
--- request eval
ask_openai('/v1/chat/completions')
--- response_body_like: Hello



=== TEST 2: the older paths name the deployment and the version
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(openai_text('Hello'))
--- upstream_request_like eval
["\\APOST /openai/deployments/m/chat/completions\\?api-version=2024-10-21 "
    . "HTTP/1\\.1\r\n.*^api-key: azure-key\r\n"]
--- request eval
ask_openai('/deployments/v1/chat/completions')
--- response_body_like: Hello



=== TEST 3: no model's name leaves its place in the path
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(openai_text('Hello'))
--- upstream_request_like eval
["\\APOST /openai/deployments/..%2F..%2Fadmin%3Fx%3D1%23/chat/completions"
    . "\\?api-version"]
--- request eval
ask_openai('/deployments/v1/chat/completions')
    =~ s{"model":"m"}{"model":"../../admin?x=1#"}r
--- response_body_like: Hello



=== TEST 4: nor is a step in the path a model's name
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
ask_openai('/deployments/v1/chat/completions')
    =~ s{"model":"m"}{"model":".."}r
--- error_code: 400
--- response_body_like: "\\"..\\" is no model's name".*"param":"model"



=== TEST 5: a token of Entra ID takes the place of the key
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(openai_text('Hello'))
--- upstream_request_like eval
["^Authorization: Bearer token\r\n"]
--- upstream_request_unlike
api-key
--- request eval
ask_openai('/entra/chat/completions')
--- response_body_like: Hello



=== TEST 6: a stream's first chunk has neither id nor choices
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[stream('data: {"choices":[],"created":0,"id":"","model":"","object":"",'
    . "$::Filtered}\n\n", openai_stream('Hel', 'lo'), $Done)]
--- request eval
ask_anthropic('/v1/messages', '"stream":true')
--- response_body_like eval
'"type":"message_start","message":\{"id":"(?!")[^"]+",.*'
    . '"model":"gpt-4o-2024-08-06".*"text":"Hel".*"text":"lo".*message_stop'



=== TEST 7: a filtered prompt is an error that says so
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole('{"error":{"message":"The response was filtered","param":"prompt",'
    . '"code":"content_filter","status":400,"innererror":{"code":'
    . '"ResponsibleAIPolicyViolation","content_filter_result":{"hate":'
    . '{"filtered":true,"severity":"high"}}}}}', '400 Bad Request')
--- request eval
ask_openai('/v1/chat/completions')
--- error_code: 400
--- response_body_like eval
'"message":"The response was filtered","type":"invalid_request_error",'
    . '"param":"prompt","code":"content_filter"'



=== TEST 8: a deployment that is not there
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole('{"error":{"code":"DeploymentNotFound","message":"no deployment"}}',
    '404 Not Found')
--- request eval
ask_anthropic('/deployments/v1/messages')
--- error_code: 404
--- response_body_like: "type":"not_found_error","message":"no deployment"



=== TEST 9: what has no URL of its own needs one
--- http_config
llm_provider azure { api_key k; }
--- config
location = /t { return 204; }
--- must_die
--- error_log eval
qr/\[emerg\] .*no "url" in llm_provider "azure" in .*nginx\.conf:\d+/



=== TEST 10: a version that is none
--- http_config
llm_provider p { format openai; url http://127.0.0.1:1; api_version "1&x=y"; }
--- config
location = /t { return 204; }
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid version "1&x=y" in .*nginx\.conf:\d+/



=== TEST 11: a hosting that is none
--- http_config
llm_provider p { format openai; url http://127.0.0.1:1; hosting home; }
--- config
location = /t { return 204; }
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid value "home" in .*nginx\.conf:\d+/



=== TEST 12: a step in the path is no model's name behind a provider's, either
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
[map { ask_openai('/any/v1/chat/completions')
           =~ s{"model":"m"}{"model":"deployments/$_"}r } '.', '..']
--- error_code eval
[404, 404]
--- response_body_like eval
['"model_not_found"', '"model_not_found"']
