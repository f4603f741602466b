# auth: mistakes are found when the configuration is read, with file and line,
# and no secret is told.

use lib 't/lib';
use LLMTest;
use LLMCredentials;

sub mistake {
    my ($auth, $more) = @_;
    return LLMCredentials::provider('p', $auth, $more);
}

run_tests();

__DATA__

=== TEST 1: an unknown cloud
--- http_config eval: ::mistake('oracle')
--- config
--- must_die
--- error_log eval
qr{\[emerg\] .*unknown auth "oracle", it must be "google", "azure" or "aws" in .*nginx.conf:\d+}



=== TEST 2: an unknown parameter; what may be a secret is not repeated
--- http_config eval: ::mistake('azure client_sceret=hush')
--- config
--- must_die
--- error_log eval
qr{\[emerg\] .*invalid parameter "client_sceret" in .*nginx.conf:\d+}
--- no_error_log
hush



=== TEST 3: a parameter of another cloud
--- http_config eval: ::mistake('google region=eu-west-1')
--- config
--- must_die
--- error_log
invalid parameter "region"



=== TEST 4: a duplicate, in whatever way it is said
--- http_config eval: ::mistake('azure client_secret=a client_secret_file=b')
--- user_files
>>> b
--- config
--- must_die
--- error_log
duplicate parameter "client_secret_file"



=== TEST 5: an empty parameter
--- http_config eval: ::mistake('aws region=')
--- config
--- must_die
--- error_log
parameter "region" is empty



=== TEST 6: a key file that is not there
--- http_config eval: ::mistake('google file=nowhere.json')
--- config
--- must_die
--- error_log eval
qr{\[emerg\] .*file ".*/conf/nowhere.json" cannot be read, open\(\) failed: No such file or directory: in "auth" of llm_provider "p" in .*nginx.conf:\d+}



=== TEST 7: a key file that is no key
--- user_files
>>> key.json
{"type":"service_account","client_email":"a@b","private_key":"-----BEGIN PRIVATE KEY-----\nhush\n-----END PRIVATE KEY-----\n"}
--- http_config eval: ::mistake('google file=../html/key.json')
--- config
--- must_die
--- error_log eval
qr{\[emerg\] .*file ".*/html/key.json" has a "private_key" that is not a private key in PEM without a passphrase: in "auth" of llm_provider "p" in .*nginx.conf:\d+}
--- no_error_log
hush



=== TEST 8: ... or of another kind
--- user_files
>>> key.json
{"type":"external_account"}
--- http_config eval: ::mistake('google file=../html/key.json')
--- config
--- must_die
--- error_log
has a "type" other than "service_account" and "authorized_user"



=== TEST 9: a URL that is none
--- http_config eval: ::mistake('google metadata_url=metadata')
--- config
--- must_die
--- error_log eval
qr{\[emerg\] .*"metadata_url" .*: in "auth" of llm_provider "p" in }



=== TEST 10: Azure without a tenant, and without a proof
--- http_config eval: ::mistake('azure client_id=a client_secret=b')
--- config
--- must_die
--- error_log
no "tenant", and AZURE_TENANT_ID is not in the environment



=== TEST 11: ... without a proof
--- http_config eval: ::mistake('azure tenant=t client_id=a')
--- config
--- must_die
--- error_log
no "client_secret" and no "token_file"



=== TEST 12: a secret with a variable, where one serves all requests
--- http_config eval: ::mistake('azure tenant=t client_id=a client_secret=$hush')
--- config
--- must_die
--- error_log
"client_secret" may have no variables
--- no_error_log
$hush



=== TEST 13: the environment lacks a secret
--- http_config eval: ::mistake('azure tenant=t client_id=a client_secret_env=LLM_TEST_NOWHERE')
--- config
--- must_die
--- error_log
environment variable "LLM_TEST_NOWHERE" is not set



=== TEST 14: AWS without a region
--- http_config eval: ::mistake('aws access_key=a secret_key=b')
--- config
--- must_die
--- error_log
no "region", and neither a "url" before this line nor AWS_REGION



=== TEST 15: a region that is none
--- http_config eval: ::mistake('aws region=evil.example/ access_key=a secret_key=b')
--- config
--- must_die
--- error_log
invalid region "evil.example/"



=== TEST 16: half a pair of keys
--- http_config eval: ::mistake('aws region=r access_key=a')
--- config
--- must_die
--- error_log
"access_key" and "secret_key" need each other



=== TEST 17: a role that is none
--- http_config eval: ::mistake('aws region=r access_key=a secret_key=b role=admin')
--- config
--- must_die
--- error_log
"auth aws" has an invalid role, an ARN begins with "arn:"



=== TEST 18: a profile that is not there
--- user_files
>>> credentials
[default]
aws_access_key_id = a
aws_secret_access_key = hush
--- http_config eval: ::mistake('aws region=r profile=work credentials_file=../html/credentials')
--- config
--- must_die
--- error_log eval
qr{file ".*/html/credentials" has no profile "work"}
--- no_error_log
hush



=== TEST 19: a token's file that is not there
--- http_config eval: ::mistake('azure tenant=t client_id=a token_file=nowhere')
--- config
--- must_die
--- error_log eval
qr{file ".*/conf/nowhere" cannot be read, open\(\) failed: No such file}



=== TEST 20: an unknown source
--- http_config eval: ::mistake('aws region=r source=sso')
--- config
--- must_die
--- error_log
unknown source "sso"



=== TEST 21: a pod's token does not go anywhere
--- main_config
env AWS_CONTAINER_CREDENTIALS_FULL_URI=http://evil.example/;
--- http_config eval: ::mistake('aws region=r')
--- config
--- must_die
--- error_log
AWS_CONTAINER_CREDENTIALS_FULL_URI is neither of HTTPS nor of a container's agent



=== TEST 22: a key beside it
--- http_config eval: ::mistake('aws region=r access_key=a secret_key=b', 'api_key k;')
--- config
--- must_die
--- error_log
"auth" and an API key in llm_provider "p" exclude each other



=== TEST 23: the header beside it
--- http_config eval
::mistake('aws region=r access_key=a secret_key=b', 'header Authorization x;')
--- config
--- must_die
--- error_log
header "Authorization" and "auth" in llm_provider "p" exclude each other



=== TEST 24: nothing is asked for before there is a call
--- http_config eval
::mistake('google metadata_url=http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT')
. LLMCredentials::provider('q', 'aws url=x') =~ s/ url=x/ region=us-east-1/r
--- config
    location / { llm_pass p; }
    location = /up { return 200 "up"; }
--- request
GET /up
--- response_body chomp
up
--- upstream
HTTP/1.1 500 never
--- upstream_request_like eval: []



=== TEST 25: a line end in a variable of the environment is not sent
--- main_config
env "AWS_ACCESS_KEY_ID=hush\n";
env AWS_SECRET_ACCESS_KEY=b;
--- http_config eval: ::mistake('aws region=r')
--- config
--- must_die
--- error_log eval
qr{\[emerg\] .*environment variable "AWS_ACCESS_KEY_ID" has control characters: in "auth" of llm_provider "p" in .*nginx.conf:\d+}
--- no_error_log
hush
