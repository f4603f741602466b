# llm_pass: to what pool and model a request goes, and which requests are
# none.

use lib 't/lib';
use LLMTest;
use LLMAnswers;

our $HttpConfig = q{
    llm_provider openai {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
    }
    llm_provider anthropic {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT;
    }
    llm_upstream chat {
        model openai/gpt-4o as=large;
        model openai/gpt-4o-mini;
        model anthropic/claude-sonnet-4-5 backup;
    }
    llm_upstream other { model anthropic/claude-haiku-4-5 as=haiku; }
};

our $Config = q{
    location / { llm_pass $llm_request_model; }
    location /chat/ { llm_pass chat; }
    location /strict/ { llm_pass chat strict; }
    location /provider/ { llm_pass openai; }
    location /by-argument/ { llm_pass $arg_to; }
    location /by-argument-strict/ { llm_pass $arg_to strict; }
};

# A request for MODEL at PATH.
sub ask_for {
    my ($path, $model) = @_;
    my $request = ask_openai("$path/v1/chat/completions");
    return $request =~ s/"model":"m"/"model":"$model"/r;
}

# The model that the provider is asked for.
sub asked {
    return '"model":"' . quotemeta($_[0]) . '"';
}

run_tests();

__DATA__

=== TEST 1: a pool answers whatever model is named
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(openai_text('Hello'))
--- upstream_request_like eval
[::asked('gpt-4o')]
--- request eval
::ask_for('/chat', 'whatever')
--- response_headers
X-LLM-Model: openai/gpt-4o



=== TEST 2: ... and takes turns
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(openai_text('Hello'))
--- upstream_request_like eval
[::asked('gpt-4o'), ::asked('gpt-4o-mini'), ::asked('gpt-4o')]
--- request eval
[map { ::ask_for('/chat', 'whatever') } 1 .. 3]
--- error_code eval
[200, 200, 200]



=== TEST 3: a member by its alias, its model or its whole name
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(openai_text('Hello'))
--- upstream_request_like eval
[::asked('gpt-4o'), ::asked('gpt-4o'), ::asked('gpt-4o'), ::asked('gpt-4o-mini'),
 ::asked('gpt-4o-mini')]
--- request eval
[map { ::ask_for('/chat', $_) } qw(large gpt-4o openai/gpt-4o gpt-4o-mini
    openai/gpt-4o-mini)]
--- error_code eval
[(200) x 5]



=== TEST 4: a backup is for those who name it
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(anthropic_text('Hello'))
--- upstream_request_like eval
['^POST /v1/messages .*' . ::asked('claude-sonnet-4-5')]
--- request eval
::ask_for('/chat', 'claude-sonnet-4-5')
--- response_headers
X-LLM-Model: anthropic/claude-sonnet-4-5



=== TEST 5: strict: no other name will do
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(openai_text('Hello'))
--- upstream_request_like eval
[::asked('gpt-4o')]
--- request eval
[::ask_for('/strict', 'whatever'), ::ask_for('/strict', 'large')]
--- error_code eval
[404, 200]
--- response_body_like eval
['^\{"error":\{"message":"the model \\\\"whatever\\\\" [^"]*[^}]*'
    . '"type":"invalid_request_error","param":"model",'
    . '"code":"model_not_found"\}\}$',
 '"content":"Hello"']



=== TEST 6: strict, for an anthropic client
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
ask_anthropic('/strict/v1/messages')
--- error_code: 404
--- response_headers
Content-Type: application/json
--- response_body_like chomp
^\{"type":"error","error":\{"type":"not_found_error","message":".*\\"m\\".*"\}\}$



=== TEST 7: a provider gets the model as it is
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(openai_text('Hello'))
--- upstream_request_like eval
[::asked('org/any:thing@1')]
--- request eval
::ask_for('/provider', 'org/any:thing@1')
--- response_headers
X-LLM-Model: openai/org/any:thing@1



=== TEST 8: a variable may be a pool, a provider's model or an alias
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(openai_text('Hello'))
--- upstream_request_like eval
[::asked('gpt-4o'), ::asked('new/model'), ::asked('gpt-4o')]
--- request eval
[map { ::ask_for('', $_) } qw(chat openai/new/model large)]
--- error_code eval
[200, 200, 200]



=== TEST 9: ... of any pool
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(anthropic_text('Hello'))
--- upstream_request_like eval
[::asked('claude-haiku-4-5'), ::asked('claude-haiku-4-5')]
--- request eval
[map { ::ask_for('', $_) } qw(haiku other)]
--- error_code eval
[200, 200]



=== TEST 10: anything else is not found
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
[map { ::ask_for('', $_) } 'gpt-5', 'openai/', '/x', 'nobody/gpt-4o', 'openai',
    'CHAT']
--- error_code eval
[(404) x 6]
--- response_body_like eval
[('"param":"model","code":"model_not_found"') x 6]



=== TEST 11: other variables route as well
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(openai_text('Hello'))
--- upstream_request_like eval
[::asked('gpt-4o-mini'), ::asked('x')]
--- request eval
[::ask_for('/by-argument', 'gpt-4o-mini') =~ s/completions/completions?to=chat/r,
 ::ask_for('/by-argument', 'large') =~ s{completions}{completions?to=openai/x}r,
 ::ask_for('/by-argument', 'large'),
 ::ask_for('/by-argument-strict', 'm') =~ s/completions/completions?to=chat/r]
--- error_code eval
[200, 200, 404, 404]



=== TEST 12: any prefix of the path will do
--- http_config eval: $::HttpConfig
--- config
location /a/b/ { llm_pass chat; }
location = /chat/completions { llm_pass chat; }
location ~ ^/re/ { llm_pass chat; }
--- upstream eval
whole(openai_text('Hello'))
--- upstream_request_like eval
[('^POST /v1/chat/completions HTTP') x 4]
--- request eval
[map { ask_openai($_) } '/a/b/v1/chat/completions', '/a/b/c/chat/completions',
    '/chat/completions', '/re/v1/chat/completions/?x=y']
--- error_code eval
[(200) x 4]



=== TEST 13: paths that are no route
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
[map { ask_openai("/chat$_") } '/v1/edits', '/v1/chat/completionsx',
    '/v1/xmessages', '/', '/v1/embeddingsx', '/v1/messages/count_tokens']
--- error_code eval
[(404) x 6]
--- response_body_like eval
[('^\{"error":\{"message":"[^"]+","type":"invalid_request_error",'
    . '"param":null,"code":"unknown_url"\}\}$') x 6]



=== TEST 14: a path that is no route has an error in the API that the headers tell
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
[("GET /chat/v1/nothing") x 4]
--- more_headers eval
['anthropic-version: 2023-06-01', 'x-goog-api-key: k',
 'x-fern-sdk-name: cohere', 'x-none: 1']
--- error_code eval
[(404) x 4]
--- response_body_like eval
['^\{"type":"error","error":\{"type":"not_found_error","message":"no such API',
 '^\{"error":\{"code":404,"message":"no such API', '^\{"message":"no such API',
 '^\{"error":\{"message":"no such API.* \.\.\./api/chat, .*"unknown_url"']



=== TEST 15: methods
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
['GET /chat/v1/chat/completions', 'PUT /chat/v1/messages',
 'DELETE /chat/v1/chat/completions', "POST /chat/v1/models\n{}"]
--- error_code eval
[405, 405, 405, 405]
--- response_body_like eval
['POST', '^\{"type":"error".*POST', 'POST', 'GET']



=== TEST 16: the answer to a wrong method names the right one
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request
GET /chat/v1/chat/completions
--- error_code: 405
--- response_headers
Allow: POST
Content-Type: application/json



=== TEST 17: the models of a pool
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request
GET /chat/v1/models
--- response_headers
Content-Type: application/json
--- response_body_like eval
'\A' . quotemeta('{"object":"list","data":[{"id":"large","object":"model",'
    . '"created":') . '\d+' . quotemeta(',"owned_by":') . '"[^"]+",'
    . quotemeta('"type":"base","capabilities":{"completion_chat":true}},')
    . quotemeta('{"id":"openai/gpt-4o-mini",') . '.*'
    . quotemeta('{"id":"anthropic/claude-sonnet-4-5",') . '.*\]\}\z'



=== TEST 18: ... in Anthropic's shape
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- more_headers
anthropic-version: 2023-06-01
--- request
GET /chat/v1/models
--- response_body_like eval
'\A' . quotemeta('{"data":[{"type":"model","id":"large",') . '.*'
    . quotemeta('"first_id":"large","last_id":"anthropic/claude-sonnet-4-5",'
    . '"has_more":false}') . '\z'



=== TEST 19: by a variable, all that there are
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request
GET /v1/models
--- response_body_like eval
CORE::join('.*', map { quotemeta qq("id":"$_") } qw(chat other large
    openai/gpt-4o-mini anthropic/claude-sonnet-4-5 haiku))



=== TEST 20: HEAD of the models
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request
HEAD /chat/v1/models
--- response_body



=== TEST 21: inside an if, and beside limit_except
--- http_config eval: $::HttpConfig
--- config
location /if/ {
    if ($arg_a) { set $b 1; }
    llm_pass chat;
}
location /limit/ {
    limit_except POST { deny all; }
    llm_pass chat;
}
--- upstream eval
whole(openai_text('Hello'))
--- request eval
[ask_openai('/if/v1/chat/completions?a=1'),
 ask_openai('/limit/v1/chat/completions'), 'GET /limit/v1/models']
--- error_code eval
[200, 200, 403]



=== TEST 22: a nested location has no handler of its parent's
--- http_config eval: $::HttpConfig
--- config
location /v1/ {
    llm_pass chat;
    location /v1/static/ { return 200 "static"; }
    location /v1/nothing/ { }
}
--- request eval
['GET /v1/static/x', ask_openai('/v1/nothing/chat/completions')]
--- error_code eval
[200, 404]



=== TEST 23: a subrequest is no call
--- http_config eval: $::HttpConfig
--- config
location /auth/ { llm_pass chat; }
location / {
    auth_request /auth/v1/chat/completions;
    empty_gif;
}
--- request
GET /
--- error_code: 500
--- error_log
auth request unexpected status: 404
