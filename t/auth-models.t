# llm_allow_models and llm_deny_models: which models a location answers for.

use lib 't/lib';
use LLMTest;
use LLMAnswers;

our $HttpConfig = q{
    llm_provider openai {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
    }
    llm_upstream pool {
        model openai/gpt-4o as=smart;
        model openai/gpt-4o-mini;
        model openai/o3;
    }
    map $http_x_team $team_models {
        research  "gpt-*, o3";
        all       *;
        default   "";
    }
};

sub model {
    my ($name, $ask) = @_;
    return ($ask // ask_openai()) =~ s/"model":"m"/"model":"$name"/r;
}

our @Models = qw(gpt-4o o3 claude-x);
our @Calls = map { model($_) } @Models;

run_tests();

__DATA__

=== TEST 1: only these
--- http_config eval: $::HttpConfig
--- config
llm_allow_models gpt-* o1;
location / { llm_pass openai; }
--- upstream eval
whole(openai_text('Hello'))
--- upstream_request_like eval
['"gpt-4o"']
--- request eval: [@::Calls]
--- error_code eval
[200, 403, 403]
--- response_body_like eval
['Hello',
 '^\{"error":\{"message":"the model \\\\"o3\\\\" is not allowed here",'
 . '"type":"permission_error","param":"model","code":"model_not_allowed"\}\}$',
 'claude-x']



=== TEST 2: not these
--- http_config eval: $::HttpConfig
--- config
llm_deny_models *4o o3;
location / { llm_pass openai; }
--- upstream eval
whole(openai_text('Hello'))
--- request eval: [@::Calls]
--- error_code eval
[403, 403, 200]



=== TEST 3: what is denied is not allowed
--- http_config eval: $::HttpConfig
--- config
llm_allow_models gpt-* o3;
llm_deny_models O3;
location / { llm_pass openai; }
--- upstream eval
whole(openai_text('Hello'))
--- request eval: [@::Calls]
--- error_code eval
[200, 403, 403]



=== TEST 4: the shape of Anthropic's API
--- http_config eval: $::HttpConfig
--- config
llm_allow_models gpt-*;
location / { llm_pass openai; }
--- request eval
::model('claude-x', ask_anthropic())
--- error_code: 403
--- response_body_like eval
'^\{"type":"error","error":\{"type":"permission_error","message":"the model .*'



=== TEST 5: variables, which may hold several patterns or none
--- http_config eval: $::HttpConfig
--- config
llm_allow_models $team_models;
location / { llm_pass openai; }
--- upstream eval
whole(openai_text('Hello'))
--- request eval
[@::Calls, @::Calls, @::Calls]
--- more_headers eval
[("X-Team: research\n") x 3, ("X-Team: all\n") x 3, ('') x 3]
--- error_code eval
[200, 200, 403, 200, 200, 200, 403, 403, 403]



=== TEST 6: a model is not had by another of its names
--- http_config eval: $::HttpConfig
--- config
llm_deny_models gpt-4o;
location / { llm_pass pool strict; }
--- upstream eval
whole(openai_text('Hello'))
--- request eval
[map { ::model($_) } qw(gpt-4o smart openai/gpt-4o openai/o3 zork)]
--- error_code eval
[403, 403, 403, 200, 404]



=== TEST 7: any of its names allows a model
--- http_config eval: $::HttpConfig
--- config
llm_allow_models smart openai/o3;
location / { llm_pass pool strict; }
--- upstream eval
whole(openai_text('Hello'))
--- request eval
[map { ::model($_) } qw(gpt-4o smart o3 gpt-4o-mini)]
--- error_code eval
[200, 200, 200, 403]



=== TEST 8: the list of models
--- http_config eval: $::HttpConfig
--- config
location /a/ { llm_allow_models gpt-*; llm_pass pool; }
location /b/ { llm_deny_models gpt-4o; llm_pass pool; }
location /c/ { llm_deny_models *; llm_pass $arg_pool; }
--- request eval
['GET /a/v1/models', 'GET /b/v1/models', 'GET /c/v1/models']
--- response_body_like eval
['^(?!.*o3).*"smart".*"openai/gpt-4o-mini"',
 '^(?!.*smart).*"openai/gpt-4o-mini".*"openai/o3"', '"data":\[\]']



=== TEST 9: the list that a provider has
--- http_config eval: $::HttpConfig
--- config
location / { llm_allow_models gpt-*; llm_pass openai; }
--- upstream eval
whole('{"object":"list","data":[{"id":"gpt-4o","object":"model"},'
    . '{"id":"o3","object":"model"}]}')
--- request eval
['GET /v1/models', 'GET /v1/models']
--- more_headers eval
['', "anthropic-version: 2023-06-01\n"]
--- response_body_like eval
[('^(?!.*o3).*"id":"gpt-4o"') x 2]



=== TEST 10: in front of another handler
--- http_config eval: $::HttpConfig
--- config
llm_allow_models gpt-*;
location / { proxy_pass http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT; }
--- upstream eval
whole(openai_text('Hello'))
--- request eval
[@::Calls, "POST /v1/images\n{}", 'GET /v1/files']
--- error_code eval
[200, 403, 403, 403, 200]



=== TEST 11: a cached answer is not for those who may not ask
--- http_config eval
$::HttpConfig . 'llm_cache_zone answers { memory 1m; }'
--- config
location / {
    llm_cache answers;
    llm_allow_models $team_models;
    llm_pass openai;
}
--- upstream eval
whole(openai_text('Hello'))
--- request eval
[(::model('o3')) x 2]
--- more_headers eval
["X-Team: all\n", '']
--- error_code eval
[200, 403]



=== TEST 12: error_page may lead to another model
--- http_config eval: $::HttpConfig
--- config
location / {
    llm_allow_models gpt-*;
    error_page 403 = @small;
    llm_pass openai;
}
location @small { llm_pass pool; }
--- upstream eval
whole(openai_text('Hello'))
--- upstream_request_like eval
['"model":"gpt-4o']
--- request eval: ::model('claude-x')
--- response_body_like eval
'"Hello"'



=== TEST 13: nor by two models in one call, or by another method
--- http_config eval: $::HttpConfig
--- config
llm_allow_models gpt-*;
location / { proxy_pass http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT; }
--- upstream eval
whole(openai_text('never'))
--- upstream_request_like eval
[]
--- request eval
[::model('gpt-4o","model":"o3'), ::model('gpt-4o","mod\u0065l":"o3'),
 ::model('gpt-4o", "MODEL":"x","model":"o3'), ::model('gpt-4o","Model":"o3'),
 "PUT /v1/chat/completions\n{\"model\":\"o3\"}", 'DELETE /v1/models',
 ask_openai('/v1/chat/completions/')]
--- error_code eval
[400, 400, 400, 400, 403, 403, 403]



=== TEST 14: a call that names no model
--- http_config eval: $::HttpConfig
--- config
llm_allow_models gpt-*;
location / { proxy_pass http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT; }
--- upstream eval
whole(openai_text('never'))
--- upstream_request_like eval
[]
--- request eval
ask_openai() =~ s/"model":"m",//r
--- error_code_like: ^4



=== TEST 15: nor by what a server behind is to ask when the first one fails
--- http_config eval: $::HttpConfig
--- config
llm_allow_models gpt-*;
location / { llm_pass openai; }
--- upstream eval
whole(openai_text('Hello'))
--- request eval
[::model('gpt-4o","models":["gpt-4o-mini","o3"],"x":"'),
 ::model('gpt-4o","fallbacks":["o3"],"x":"'),
 ::model('gpt-4o","fallbacks":[{"model":"o3"}],"x":"'),
 ::model('gpt-4o","models":["gpt-4o-mini"],"fallbacks":[1,null,{}],"x":"')]
--- error_code eval
[403, 403, 403, 200]
--- response_body_like eval
['"message":"the model \\\\"o3\\\\" is not allowed here",.*"param":"models"',
 '"param":"fallbacks"', '"param":"fallbacks"', 'Hello']
