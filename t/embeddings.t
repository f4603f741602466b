# Embeddings through the gateway: each client's API to each provider's.

use lib 't/lib';
use LLMTest;
use LLMAnswers;

our $HttpConfig = q{
    llm_provider openai {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
        api_key openai-key;
    }
    llm_provider ollama {
        format openai;
        embeddings ollama;
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
    }
    llm_provider cohere {
        format openai;
        embeddings cohere;
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT;
        api_key cohere-key;
    }
    llm_provider gemini {
        format openai;
        embeddings gemini;
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1beta/openai;
        api_key gemini-key;
    }
    llm_provider bedrock {
        format openai;
        embeddings bedrock;
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT;
        api_key bedrock-key;
    }
    llm_provider mistral {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
    }
    llm_provider none {
        format openai;
        embeddings off;
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
    }
    llm_provider claude {
        format anthropic;
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT;
    }
    llm_provider gone {
        format openai;
        url http://127.0.0.1:$TEST_NGINX_CLOSED_PORT/v1;
    }
    llm_upstream both {
        model openai/big max_fails=0;
        model ollama/small backup max_fails=0;
    }
    llm_upstream dead {
        model gone/big max_fails=0;
        model cohere/embed-v4.0 as=embed backup max_fails=0;
    }
    log_format llm '$llm_format|$llm_provider|$llm_model|$llm_request_model|'
        '$llm_response_model|$llm_prompt_tokens+$llm_completion_tokens='
        '$llm_total_tokens|$llm_usage_source|$llm_tries|$llm_cost';
    access_log logs/access.log llm;
};

our $Config = q{
    location /openai/ { llm_pass openai; }
    location /ollama/ { llm_pass ollama; }
    location /cohere/ { llm_pass cohere; }
    location /gemini/ { llm_pass gemini; }
    location /bedrock/ { llm_pass bedrock; }
    location /mistral/ { llm_pass mistral; }
    location /none/ { llm_pass none; }
    location /claude/ { llm_pass claude; }
    location /both/ { llm_pass both; }
    location /dead/ { llm_pass dead; }
};

our $Ask = '{"model":"m","input":["a","b"]}';
our $Odd = '{ "zork":[ ],"input" : "x", "model":"m","dimensions" :2 }';
our $Answer = '{"object":"list","data":[{"object":"embedding","index":0,'
    . '"embedding":[0.25,-1e-1]},{"object":"embedding","index":1,'
    . '"embedding":[0.5,1]}],"model":"m-1",'
    . '"usage":{"prompt_tokens":7,"total_tokens":7}}';
our $Ollama = '{"model":"small","embeddings":[[0.25,-1e-1],[0.5,1]],'
    . '"prompt_eval_count":7}';
our $Cohere = '{"id":"c-1","embeddings":{"float":[[0.25,-1e-1],[0.5,1]]},'
    . '"meta":{"billed_units":{"input_tokens":7}}}';
our $Gemini = '{"embeddings":[{"values":[0.25,-1e-1]},{"values":[0.5,1]}]}';

# What an OpenAI client gets of those.
sub openai_answer {
    my ($model, $tokens) = @_;
    return $Answer =~ s/m-1/$model/r =~ s/tokens":7/tokens":$tokens/gr;
}

run_tests();

__DATA__

=== TEST 1: openai to openai, byte for byte
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole($::Answer)
--- upstream_request_like eval
["\\APOST /v1/embeddings HTTP/1\\.1\r\n.*^Authorization: Bearer openai-key\r\n"
    . ".*\r\n" . quotemeta($::Odd) . "\\z"]
--- request eval
"POST /openai/v1/embeddings\n$::Odd"
--- response_headers
Content-Type: application/json
X-LLM-Model: openai/m
--- response_body eval
$::Answer
--- access_log
openai|openai|m|m|m-1|7+0=7|provider|1|



=== TEST 2: openai to ollama
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole($::Ollama)
--- upstream_request_like eval
["\\APOST /api/embed HTTP/1\\.1\r\n.*"
    . quotemeta('{"model":"m","input":["a","b"]}') . "\\z"]
--- request eval
"POST /ollama/v1/embeddings\n$::Ask"
--- response_body eval
::openai_answer('small', 7)



=== TEST 3: openai to cohere
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole($::Cohere)
--- upstream_request_like eval
["\\APOST /v2/embed HTTP/1\\.1\r\n.*^Authorization: Bearer cohere-key\r\n.*"
    . quotemeta('{"model":"m","texts":["a","b"],"input_type":'
    . '"search_document","embedding_types":["float"]}') . "\\z"]
--- request eval
"POST /cohere/v1/embeddings\n$::Ask"
--- response_body eval
::openai_answer('m', 7)



=== TEST 4: openai to gemini, which does not count
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole($::Gemini)
--- upstream_request_like eval
["\\APOST /v1beta/models/m:batchEmbedContents HTTP/1\\.1\r\n.*"
    . "^x-goog-api-key: gemini-key\r\n.*"
    . quotemeta('{"requests":[{"model":"models/m","content":{"parts":'
    . '[{"text":"a"}]}},{"model":"models/m","content":{"parts":'
    . '[{"text":"b"}]}}]}') . "\\z"]
--- request eval
"POST /gemini/v1/embeddings\n$::Ask"
--- response_body eval
::openai_answer('m', 2)
--- access_log
openai|gemini|m|m|-|2+0=2|estimate|1|



=== TEST 5: openai to bedrock; the model's name stays in its place
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole('{"embedding":[1,2],"inputTextTokenCount":3}')
--- upstream_request_like eval
["\\APOST /model/amazon.titan-embed-text-v2%3A0%2F..%3Fx/invoke HTTP/1\\.1\r\n"
    . '.*{"inputText":"x","dimensions":256}\z']
--- request
POST /bedrock/v1/embeddings
{"model":"amazon.titan-embed-text-v2:0/..?x","input":"x","dimensions":256}
--- response_body_like eval
qr/"embedding":\[1,2\].*"prompt_tokens":3/



=== TEST 6: openai to mistral: a member is renamed, all else stays
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole($::Answer)
--- upstream_request_like eval
[quotemeta($::Odd =~ s/"dimensions"/"output_dimension"/r) . "\\z"]
--- request eval
"POST /mistral/v1/embeddings\n$::Odd"
--- response_body eval
$::Answer



=== TEST 7: ollama's clients, both of its paths
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[whole($::Answer), whole('{"data":[{"embedding":[1,2]}]}')]
--- upstream_request_like eval
["\\APOST /v1/embeddings HTTP.*" . quotemeta('{"model":"m","input":["a","b"]}'),
 '{"model":"m","input":"x"}']
--- request eval
["POST /openai/api/embed\n" . $::Ask,
 "POST /openai/api/embeddings\n" . '{"model":"m","prompt":"x"}']
--- response_body eval
['{"model":"m","embeddings":[[0.25,-1e-1],[0.5,1]],"prompt_eval_count":7}',
 '{"embedding":[1,2]}']



=== TEST 8: cohere's clients
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole($::Ollama)
--- upstream_request_like eval
['{"model":"m","input":\["a","b"\],"truncate":false,"dimensions":2}']
--- request
POST /ollama/v2/embed
{"model":"m","texts":["a","b"],"input_type":"search_query","embedding_types":["float"],"truncate":"NONE","output_dimension":2}
--- response_body_like eval
['^\{"id":"[0-9a-fD]+","embeddings":\{"float":\[\[0\.25,-1e-1\],\[0\.5,1\]\]},'
 . '"texts":\["a","b"\],"meta":\{"api_version":\{"version":"2"},'
 . '"billed_units":\{"input_tokens":7}},"response_type":"embeddings_by_type"}$']
--- access_log
cohere|ollama|m|m|small|7+0=7|provider|1|



=== TEST 9: gemini's clients
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[whole($::Cohere), whole('{"embeddings":{"float":[[1,2]]}}')]
--- upstream_request_like eval
['{"model":"m","texts":\["a","b"\],"input_type":"search_query"',
 '{"model":"m","texts":\["x"\]']
--- request eval
["POST /cohere/v1beta/models/m:batchEmbedContents\n"
    . '{"requests":[{"model":"models/m","content":{"parts":[{"text":"a"}]},'
    . '"taskType":"RETRIEVAL_QUERY"},{"content":{"parts":[{"text":"b"}]},'
    . '"taskType":"RETRIEVAL_QUERY"}]}',
 "POST /cohere/v1beta/models/m:embedContent\n"
    . '{"content":{"parts":[{"text":"x"}]}}']
--- response_body eval
['{"embeddings":[{"values":[0.25,-1e-1]},{"values":[0.5,1]}],'
    . '"usageMetadata":{"promptTokenCount":7}}',
 '{"embedding":{"values":[1,2]},"usageMetadata":{"promptTokenCount":1}}']



=== TEST 10: base64, as OpenAI's SDK asks for it
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole('{"embeddings":[[1,-2.5,0]]}')
--- request
POST /ollama/v1/embeddings
{"model":"m","input":"x","encoding_format":"base64"}
--- response_body_like eval
qr/"embedding":"AACAPwAAIMAAAAAA"/



=== TEST 11: a pool falls back to a provider with another API
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[whole('{"error":{"message":"busy"}}', '503 Service Unavailable'),
 whole($::Ollama)]
--- upstream_request_like eval
['POST /v1/embeddings.*"model":"big"', 'POST /api/embed .*"model":"small"']
--- request eval
"POST /both/v1/embeddings\n$::Ask"
--- response_headers
X-LLM-Model: ollama/small
--- response_body eval
::openai_answer('small', 7)
--- access_log
openai|ollama|small|m|small|7+0=7|provider|2|



=== TEST 12: and from one that cannot be reached
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole($::Cohere)
--- request eval
"POST /dead/v1/embeddings\n$::Ask"
--- response_headers
X-LLM-Model: cohere/embed-v4.0
--- error_log
Connection refused
--- no_error_log
[alert]



=== TEST 13: errors in the client's shape, with the provider's status
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[whole('{"error":"model \"m\" not found"}', '404 Not Found'),
 whole('{"error":{"message":"bad key: openai-key"}}', '401 Unauthorized'),
 whole('{"embeddings":[[1]]}'), whole('{}'), whole('<html>')]
--- request eval
[map { "POST /ollama/v1/embeddings\n$::Ask" } 1 .. 5]
--- error_code eval
[404, 401, 502, 502, 502]
--- response_body_like eval
['"message":"model \\\\"m\\\\" not found"', 'the provider refused the API key',
 'has 1 embeddings for 2 texts', 'has no embedding', 'no openai answer']



=== TEST 14: what cannot be said is refused by name
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
["POST /ollama/v1/embeddings\n" . '{"model":"m","input":[1,2]}',
 "POST /bedrock/v1/embeddings\n"
    . '{"model":"amazon.titan-embed-text-v2:0","input":"a","truncate":true}',
 "POST /none/v1/embeddings\n$::Ask", "POST /claude/v1/embeddings\n$::Ask",
 "POST /openai/v1/embeddings\n{}",
 "POST /openai/v1beta/models/m:embedContent\n"
    . '{"model":"models/other","content":{}}']
--- error_code eval
[400, 400, 400, 400, 400, 400]
--- response_body_like eval
['takes texts, not tokens.*"param":"input"', 'cannot be told to cut a text',
 'has no embeddings', 'has no embeddings', '"param":"model"',
 'is not that of the path']



=== TEST 15: a GET is refused
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request
GET /openai/v1/embeddings
--- error_code: 405
--- response_headers
Allow: POST



=== TEST 16: rules on models hold in every API
--- http_config eval: $::HttpConfig
--- config
llm_allow_models good;
location / { llm_pass openai; }
--- request eval
["POST /v1/embeddings\n$::Ask", "POST /api/embed\n$::Ask",
 "POST /v1beta/models/m:embedContent\n"
    . '{"content":{"parts":[{"text":"x"}]}}']
--- error_code eval
[403, 403, 403]



=== TEST 17: tokens and requests are limited
--- http_config eval
$::HttpConfig . q{
    llm_limit_zone $remote_addr zone=tokens:1m rate=10/h count=prompt;
    llm_limit_zone $remote_addr zone=calls:1m rate=2/h count=requests;
}
--- config
location /tokens/ { llm_limit zone=tokens; llm_pass openai; }
location /calls/ { llm_limit zone=calls; llm_pass openai; }
--- upstream eval
whole($::Answer)
--- request eval
["POST /tokens/v1/embeddings\n$::Ask", "POST /tokens/v1/embeddings\n"
    . '{"model":"m","input":[1,2,3,4]}',
 map { "POST /calls/v1/embeddings\n$::Ask" } 1 .. 3]
--- error_code eval
[200, 429, 200, 200, 429]



=== TEST 18: llm on accounts for another handler's embeddings
--- http_config eval: $::HttpConfig
--- config
location / {
    llm on;
    proxy_pass http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT;
}
--- upstream eval
whole($::Answer)
--- request eval
"POST /v1/embeddings\n$::Ask"
--- response_body eval
$::Answer
--- access_log
openai|-|m|m|m-1|7+0=7|provider|1|



=== TEST 19: the simulated model
--- http_config eval: $::HttpConfig
--- config
location / { llm_simulate openai; }
--- request eval
["POST /v1/embeddings\n" . '{"model":"m","input":["a b","b A"],"dimensions":4}',
 "POST /v1/embeddings\n" . '{"model":"m","input":[1],"dimensions":5000}',
 "POST /v1/embeddings\n" . '{"model":"m"}']
--- error_code eval
[200, 400, 400]
--- response_body_like eval
['^\{"object":"list","data":\[\{"object":"embedding","index":0,'
 . '"embedding":(\[[-0-9.,]+\])\},\{"object":"embedding","index":1,'
 . '"embedding":\1\}\],"model":"m","usage":\{"prompt_tokens":\d',
 '4096 dimensions', '"param":"input"']



=== TEST 20: an API of embeddings that nobody knows
--- http_config
llm_provider openai { embeddings zork; }
--- config
--- must_die
--- error_log eval
qr/\[emerg\] .*unknown API of embeddings "zork" in .*nginx\.conf:\d+/
