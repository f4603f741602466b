# llm_embedding with a provider whose credentials end: tokens, and signatures
# of AWS's.
# HUP: no, because what is in shared memory survives a reload

use lib 't/lib';

BEGIN {
    use File::Basename ();
    use File::Spec ();
    my $module = $ENV{LLM_MODULE} // 'build/release/ngx_http_llm_module.so';
    $ENV{TEST_NGINX_LOAD_MODULES} = File::Spec->rel2abs(
        File::Basename::dirname($module)
        . '/tests/embedding_module/ngx_http_llm_embedding_test_module.so');
}

use LLMTest;
use LLMCredentials;

our $Here = 'http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT';

# A provider that has vectors for those whose Authorization begins so.
sub embedding {
    my ($auth, $authorization, $answer, $more) = @_;
    $more //= '';
    return qq{
    map \$http_authorization \$known {
        "~$authorization" 1;
    }
    server {
        listen 127.0.0.1:\$TEST_NGINX_UPSTREAM_PORT2;
        default_type application/json;
        location / {
            if (\$known = "") { return 401 '{"message":"no"}'; }
            return 200 '$answer';
        }
    }
    llm_provider p {
        format openai;
        url http://127.0.0.1:\$TEST_NGINX_UPSTREAM_PORT2/v1;
        auth $auth;
        $more
    }
};
}

our $Vector = '{"data":[{"embedding":[3,0,-4]}]}';
our $Embedding = 'llm_embedding e { provider p; model m; dimensions 3; }';
our $Location = 'location = /e { llm_test_embed e $arg_text; }';
our $Keys = 'access_key=AKIA1 secret_key=secret';

run_tests();

__DATA__

=== TEST 1: a token is fetched once, and shown
--- http_config eval
::embedding("google metadata_url=$::Here", '^Bearer good$', $::Vector)
. $::Embedding
--- config eval: $::Location
--- upstream eval: [token('good'), answer('500 No', '{}')]
--- upstream_request_like eval
['^GET /computeMetadata/v1/instance/service-accounts/default/token']
--- request eval
['GET /e?text=a', 'GET /e?text=b']
--- response_body_like eval
['^3: 0.600 0.000 -0.800 by', '^3: 0.600 0.000 -0.800 by']



=== TEST 2: one that is refused; as of chats, a new one is not fetched at once
--- http_config eval
::embedding("google metadata_url=$::Here", '^Bearer good$', $::Vector)
. $::Embedding
--- config eval: $::Location
--- upstream eval: token('old')
--- upstream_request_like eval: ['^GET /computeMetadata/']
--- request eval
['GET /e?text=a', 'GET /e?text=a']
--- response_body_like eval
['^none by', '^none by']



=== TEST 3: without a token there is no vector, and the provider is not asked
--- http_config eval
::embedding("google metadata_url=$::Here", '.', $::Vector)
. $::Embedding
--- config eval: $::Location
--- upstream eval: answer('500 No', '{}')
--- request
GET /e?text=a
--- response_body_like eval: '^none by'
--- error_log
llm: embedding "e": its provider has no credentials



=== TEST 4: a call to AWS is signed
--- http_config eval
::embedding("aws region=eu-west-1 $::Keys",
    '^AWS4-HMAC-SHA256 Credential=AKIA1/[0-9]+/eu-west-1/bedrock/aws4_request',
    '{"embedding":[3,0,-4],"inputTextTokenCount":1}')
. 'llm_embedding e { provider p; format bedrock; dimensions 3;
    model amazon.titan-embed-text-v2:0; }'
--- config eval: $::Location
--- request
GET /e?text=a
--- response_body_like eval: '^3: 0.600 0.000 -0.800 by'



=== TEST 5: with the keys that a request brings along
--- http_config eval
::embedding('aws region=eu-west-1 access_key=$arg_key secret_key=$arg_secret',
    '^AWS4-HMAC-SHA256 Credential=AKIA2/', $::Vector)
. 'llm_embedding e { provider p; model m; dimensions 3; recent off; }'
--- config eval: $::Location
--- request eval
['GET /e?text=a&key=AKIA2&secret=s', 'GET /e?text=a&key=AKIA3&secret=s']
--- response_body_like eval
['^3: 0.600 0.000 -0.800 by', '^none by']



=== TEST 6: a request that brings none has no vector
--- http_config eval
::embedding('aws region=eu-west-1 access_key=$arg_key secret_key=$arg_secret',
    '.', $::Vector) . $::Embedding
--- config eval: $::Location
--- request
GET /e?text=a
--- response_body_like eval: '^none by'
--- error_log
credentials of "p": a key is empty, the request is not sent
