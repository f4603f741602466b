# llm_count_tokens: how many tokens a prompt has, without asking anybody.

use lib 't/lib';
use LLMTest;
use LLMAnswers;

our $Config = q{
    location /v1/ { llm_count_tokens; }
};

our $Hello = '"messages":[{"role":"user","content":"Hello, world!"}]';

run_tests();

__DATA__

=== TEST 1: Anthropic's endpoint, whose requests have no max_tokens
--- config eval: $::Config
--- request eval
"POST /v1/messages/count_tokens\n{\"model\":\"claude-sonnet-4-5\",$::Hello}"
--- more_headers
anthropic-version: 2023-06-01
--- response_headers
Content-Type: application/json
--- response_body_like: ^\{"input_tokens":[1-9]\d?\}$



=== TEST 2: ... system prompts and tools count
--- config eval: $::Config
--- request eval
"POST /v1/messages/count_tokens\n{\"model\":\"claude-sonnet-4-5\",\"system\":\"" . 'You are a scientist. ' x 100 . "\",$::Hello}"
--- response_body_like: ^\{"input_tokens":[4-9]\d\d\}$



=== TEST 3: OpenAI's models: each token, by their own vocabularies
--- config eval: $::Config
--- request eval
["POST /v1/count\n{\"model\":\"gpt-4o\",$::Hello}",
 "POST /v1/count\n{\"model\":\"gpt-4\",$::Hello}"]
--- response_body eval
['{"input_tokens":11,"model":"gpt-4o","exact":true}',
 '{"input_tokens":11,"model":"gpt-4","exact":true}']



=== TEST 4: other models: an estimate, which says so
--- config eval: $::Config
--- request eval
"POST /v1/count\n{\"model\":\"llama-3.1-8b\",$::Hello}"
--- response_body_like: ^\{"input_tokens":[1-9]\d?,"model":"llama-3.1-8b","exact":false\}$



=== TEST 5: an alias counts as the model that it stands for
--- http_config
    llm_provider openai { api_key x; }
    llm_upstream chat { model openai/gpt-4o as=smart; }
--- config eval: $::Config
--- request eval
"POST /v1/count\n{\"model\":\"smart\",$::Hello}"
--- response_body chop
{"input_tokens":11,"model":"gpt-4o","exact":true}



=== TEST 6: what only a newer gateway would understand is estimated
--- config eval: $::Config
--- request
POST /v1/count
{"model":"gpt-9","messages":[{"role":"oracle","content":"What will be, and when will it be?"}]}
--- response_body_like: ^\{"input_tokens":[1-9]\d?,"model":"gpt-9","exact":false\}$



=== TEST 7: a long prompt is counted, and no worker is held up
--- config
    location /v1/ { client_max_body_size 8m; llm_count_tokens; }
--- request eval
"POST /v1/count\n" . '{"model":"gpt-4o","messages":[{"role":"user","content":"'
    . 'The quick brown fox jumps over the lazy dog. ' x 60000 . '"}]}'
--- response_body_like: ^\{"input_tokens":[567]\d{5},"model":"gpt-4o","exact":false\}$



=== TEST 8: errors are in the client's shape: no JSON
--- config eval: $::Config
--- request eval
["POST /v1/messages/count_tokens\nno JSON", "POST /v1/count\nno JSON",
 "POST /v1/messages/count_tokens\n[]", "POST /v1/messages/count_tokens"]
--- error_code eval
[400, 400, 400, 400]
--- response_body_like eval
['^\{"type":"error","error":\{"type":"invalid_request_error",',
 '^\{"error":\{"message":"[^"]+","type":"invalid_request_error",',
 '^\{"type":"error",.*must be a JSON object', '^\{"type":"error",.*is empty']



=== TEST 9: ... no messages
--- config eval: $::Config
--- request
POST /v1/messages/count_tokens
{"model":"claude-sonnet-4-5"}
--- error_code: 400
--- response_body_like: ^\{"type":"error",.*messages.*is required



=== TEST 10: ... another method
--- config eval: $::Config
--- request
GET /v1/messages/count_tokens
--- error_code: 405
--- response_headers
Allow: POST
--- response_body_like: ^\{"type":"error",



=== TEST 11: ... nginx's own
--- config
    location /v1/ { deny all; llm_count_tokens; }
    location /small/ { client_max_body_size 10; llm_count_tokens; }
--- request eval
["POST /v1/messages/count_tokens\n{}", "POST /small/count\n{\"a\":\"0123456789\"}"]
--- error_code eval
[403, 413]
--- response_body_like eval
['^\{"type":"error","error":\{"type":"permission_error",',
 '^\{"error":\{"message":"[^"]*client_max_body_size']



=== TEST 12: in a server whose calls go through the gateway
--- http_config
    llm_provider sim { format openai; url http://127.0.0.1:$TEST_NGINX_CLOSED_PORT; }
    llm_cache_zone answers { memory 1m; }
--- config
    llm on;
    llm_cache answers;
    location / { llm_pass sim; }
    location = /v1/messages/count_tokens { llm_count_tokens; }
    location = /tokens/chat/completions { llm_count_tokens; }
--- request eval
["POST /v1/messages/count_tokens\n{\"model\":\"claude-sonnet-4-5\",$::Hello}",
 "POST /tokens/chat/completions\n{\"model\":\"gpt-4o\",$::Hello}"]
--- response_body_like eval
['^\{"input_tokens":\d+\}$', '^\{"input_tokens":11,"model":"gpt-4o","exact":true\}$']



=== TEST 13: one content handler for each location
--- config
    location / { llm_count_tokens; llm_simulate openai; }
--- must_die
--- error_log
is incompatible with



=== TEST 14: ... whichever is first
--- http_config
    llm_provider sim { format openai; url http://127.0.0.1:1; }
--- config
    location / { llm_pass sim; llm_count_tokens; }
--- must_die
--- error_log
"llm_count_tokens" directive is incompatible with
