# GET .../models/NAME: one of the models that a client may name, in the shape
# of the client's API.

use lib 't/lib';
use LLMTest;
use LLMAnswers;

our $HttpConfig = q{
    llm_provider openai {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
        api_key k;
    }
    llm_provider gemini {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1beta;
        api_key k;
    }
    llm_upstream chat {
        model openai/gpt-4o as=large;
        model openai/meta-llama/Llama-3;
        model openai/accounts/fireworks/models/llama;
    }
};

our $Config = q{
    location /chat/ { llm_pass chat; }
    location /all/ { llm_pass $llm_request_model; }
    location /openai/ { llm_pass openai; }
    location /gemini/ { llm_pass gemini; }
    location /some/ { llm_pass openai; llm_allow_models gpt-4o; }
    location /through/ { llm_pass openai; llm_pass_through on; }
    location /pool-through/ { llm_pass chat; llm_pass_through on; }
    location /simulate/ { llm_simulate openai model=tiny; }
};

our $List = '{"object":"list","data":[{"id":"gpt-4o","object":"model",'
    . '"created":1,"owned_by":"system","zork": 5},{"id":"o3"}]}';
our $Googles = '{"models":[{"name":"models/gemini-3-flash",'
    . '"inputTokenLimit":1048576}]}';

run_tests();

__DATA__

=== TEST 1: a model of a pool, by its alias, its name, or without its provider
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
['GET /chat/v1/models/large', 'GET /chat/v1/models/openai/meta-llama/Llama-3',
 'GET /chat/v1/models/meta-llama%2FLlama-3',
 'GET /chat/v1/models/accounts/fireworks/models/llama',
 'GET /all/v1/models/chat']
--- response_headers eval
[('Content-Type: application/json') x 5]
--- response_body_like eval
['\A\{"id":"large","object":"model","created":\d+,"owned_by":"[^"]+","type":"base","capabilities":\{"completion_chat":true\}\}\z',
 '\A\{"id":"openai/meta-llama/Llama-3",.*"owned_by":"openai",',
 '\A\{"id":"meta-llama/Llama-3",', '\A\{"id":"accounts/fireworks/models/llama",',
 '\A\{"id":"chat",']



=== TEST 2: ... in the shape of Anthropic's, Google's, Cohere's and AWS' API
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- more_headers eval
['anthropic-version: 2023-06-01', 'x-goog-api-key: k', '',
 'X-Fern-SDK-Name: cohere', '']
--- request eval
['GET /chat/v1/models/large', 'GET /chat/v1/models/large',
 'GET /chat/v1beta/models/large', 'GET /chat/v1/models/large',
 'GET /chat/foundation-models/large']
--- response_body_like eval
['\A\{"type":"model","id":"large","display_name":"large","created_at":"[^"]+"\}\z',
 '\A\{"name":"models/large","displayName":"large",.*\]\}\z',
 '\A\{"name":"models/large","displayName":"large",.*\]\}\z',
 '\A\{"name":"large","endpoints":\["chat"\]\}\z',
 '\A\{"modelDetails":\{"modelArn":"large","modelId":"large",.*\}\}\z']



=== TEST 3: an unknown one
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- more_headers eval
['', 'anthropic-version: 2023-06-01', '', 'X-Fern-SDK-Name: cohere', '']
--- request eval
['GET /chat/v1/models/zork', 'GET /chat/v1/models/zork',
 'GET /chat/v1beta/models/zork', 'GET /chat/v1/models/zork',
 'GET /chat/foundation-models/zork']
--- error_code eval: [404, 404, 404, 404, 404]
--- response_body_like eval
my $text = 'the model \\\\"zork\\\\" does not exist here; GET \.\.\./models lists those that do';
['\A\{"error":\{"message":"' . $text . '","type":"invalid_request_error","param":"model","code":"model_not_found"\}\}\z',
 '\A\{"type":"error","error":\{"type":"not_found_error","message":".*zork',
 '\A\{"error":\{"code":404,"message":".*zork.*"status":"NOT_FOUND"\}\}\z',
 '\A\{"message":".*zork', '\A\{"__type":"ResourceNotFoundException","message":".*zork']



=== TEST 4: of a provider's own models its list tells, and all that it tells
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[whole($::List), whole($::List), whole($::List), whole($::Googles),
    whole($::Googles)]
--- upstream_request_like eval
[('\AGET /v1/models HTTP') x 3, ('\AGET /v1beta/models\?pageSize=1000 HTTP') x 2]
--- request eval
['GET /openai/v1/models/gpt-4o', 'GET /openai/v1beta/models/gpt-4o',
 'GET /openai/v1/models/zork', 'GET /gemini/v1beta/models/gemini-3-flash',
 'GET /gemini/v1/models/gemini-3-flash']
--- error_code eval: [200, 200, 404, 200, 200]
--- response_body_like eval
['\A\{"id":"gpt-4o","object":"model","created":1,"owned_by":"system","zork": 5\}\z',
 '\A\{"name":"models/gpt-4o",', '"code":"model_not_found"',
 '\A\{"name":"models/gemini-3-flash","inputTokenLimit":1048576\}\z',
 '\A\{"id":"gemini-3-flash","object":"model",']



=== TEST 5: a model that may not be used is none
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[whole($::List), whole($::List)]
--- request eval
['GET /some/v1/models/gpt-4o', 'GET /some/v1/models/o3']
--- error_code eval: [200, 404]



=== TEST 6: what else is at such a path has other methods, or is not there
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
['DELETE /chat/v1/models/large', "POST /chat/v1beta/models/large:predict\n{}",
 'HEAD /chat/v1/models/large']
--- error_code eval: [404, 404, 200]
--- response_body_like eval
['"code":"unknown_url"', 'no such API route', '\A\z']



=== TEST 7: where calls are let through, the provider tells of its models
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[whole('{"own":1}'), whole('{"own":2}'), whole('{"own":3}')]
--- upstream_request_like eval
['\AGET /v1/models/gpt-4o HTTP', '\ADELETE /v1/models/ft-1 HTTP',
 '\AGET /v1/models/veo-3/operations/1 HTTP']
--- request eval
['GET /through/v1/models/gpt-4o', 'DELETE /through/v1/models/ft-1',
 'GET /pool-through/v1/models/veo-3/operations/1',
 'GET /pool-through/v1/models/large']
--- response_body_like eval
['own":1', 'own":2', 'own":3', '"id":"large"']



=== TEST 8: a simulated model
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
['GET /simulate/v1/models/tiny', 'GET /simulate/v1/models/zork']
--- error_code eval: [200, 404]
--- response_body_like eval
['"id":"tiny"', '"code":"model_not_found"']
