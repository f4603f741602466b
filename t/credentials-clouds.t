# auth google, azure and aws: what each source asks of whom, and what the
# provider is shown then.

use lib 't/lib';
use LLMTest;
use LLMSteps;
use LLMCredentials;

our $Config = 'location / { llm_pass cloud; }';
our $Here = 'http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT';

sub http_config {
    return LLMCredentials::echo() . LLMCredentials::provider('cloud', @_);
}

# AWS: what is signed, instead of the signature, which is another each second.
sub aws_config {
    return LLMCredentials::echo(
        '$http_authorization|$http_x_amz_date|$http_x_amz_security_token')
        . LLMCredentials::provider('cloud', "aws region=eu-west-1 @_");
}

our $Form = '^Content-Type: application/x-www-form-urlencoded\r\n';

sub signed {
    my ($key, $token, $service) = @_;
    $service //= 'bedrock';
    my $headers = 'content-type;host;x-amz-date';
    $headers .= ';x-amz-security-token' if $token;
    return qr{^HTTP/1.1 200(?s:.*)"AWS4-HMAC-SHA256 Credential=\Q$key\E/\d{8}/eu-west-1/$service/aws4_request, ?SignedHeaders=\Q$headers\E, ?Signature=[0-9a-f]{64}\|\d{8}T\d{6}Z\|\Q$token\E"};
}

our $Session = answer('200 OK', '{"Code":"Success","AccessKeyId":"ASIAX",'
    . '"SecretAccessKey":"secret","Token":"session","Expiration":'
    . '"2099-01-01T00:00:00Z"}');

sub sts {
    my ($action) = @_;
    return answer('200 OK', "<${action}Response><${action}Result><Credentials>"
        . '<AccessKeyId>ASIAROLE</AccessKeyId>'
        . '<SecretAccessKey>role-secret</SecretAccessKey>'
        . '<SessionToken>role-session</SessionToken>'
        . '<Expiration>2099-01-01T00:00:00Z</Expiration>'
        . "</Credentials></${action}Result></${action}Response>");
}

our $Role = 'RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fr'
    . '&RoleSessionName=nginx-llm&DurationSeconds=3600';

run_tests();

__DATA__

=== TEST 1: Google, a service account's key
--- user_files eval: [['key.json', service_account()]]
--- http_config eval
::http_config("google file=../html/key.json token_url=$::Here/token")
--- config eval: $::Config
--- upstream eval: token('ya29.sa')
--- upstream_request_like eval
["^POST /token HTTP/1.1\r\n(?s:.*)$::Form(?s:.*)\r\n\r\n"
 . 'grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion='
 . '[\w-]+\.[\w-]+\.[\w-]{342}$']
--- steps eval: [ask('a') => 'Bearer ya29.sa']



=== TEST 2: Google, a user's refresh token
--- user_files
>>> user.json
{"type":"authorized_user","client_id":"id","client_secret":"s","refresh_token":"r"}
--- http_config eval
::http_config("google file=../html/user.json token_url=$::Here/token")
--- config eval: $::Config
--- upstream eval: token('user')
--- upstream_request_like eval
['\r\n\r\ngrant_type=refresh_token&client_id=id&client_secret=s&refresh_token=r$']
--- steps eval: [ask('a') => 'Bearer user']



=== TEST 3: Google, the metadata server of a named account, with scopes
--- http_config eval
::http_config("google metadata_url=$::Here service_account=a\@b scope='x y'"
    =~ s/scope='x y'/"scope=x y"/r)
--- config eval: $::Config
--- upstream eval: token('meta')
--- upstream_request_like eval
['^GET /computeMetadata/v1/instance/service-accounts/a%40b/token\?scopes=x%2Cy HTTP/1.1\r\n(?s:.*)Metadata-Flavor: Google\r\n']
--- steps eval: [ask('a') => 'Bearer meta']



=== TEST 4: Azure, a secret
--- http_config eval
::http_config("azure authority=$::Here tenant=contoso client_id=app client_secret=s%1")
--- config eval: $::Config
--- upstream eval: token('entra')
--- upstream_request_like eval
["^POST /contoso/oauth2/v2.0/token HTTP/1.1\r\n(?s:.*)\r\n\r\n"
 . 'grant_type=client_credentials&client_id=app&scope=https%3A%2F%2Fcognitiveservices.azure.com%2F.default&client_secret=s%251$']
--- steps eval: [ask('a') => 'Bearer entra']



=== TEST 5: Azure, a secret in the environment, and one in a file
--- main_config
env LLM_TEST_SECRET=from-env;
--- user_files
>>> secret
from-file
--- http_config eval
LLMCredentials::echo()
. LLMCredentials::provider('cloud', "azure token_url=$::Here/t client_id=app client_secret_env=LLM_TEST_SECRET")
. LLMCredentials::provider('other', "azure token_url=$::Here/t client_id=app client_secret_file=../html/secret scope=other")
--- config
    location / { llm_pass cloud; }
    location /other/ { llm_pass other; }
--- upstream eval: token('t')
--- upstream_request_like eval
['&client_secret=from-env$', '&scope=other&client_secret=from-file$']
--- steps eval
[ask('a') => 'Bearer t', at('/other', ask('b')) => 'Bearer t']



=== TEST 6: Azure, the token of a workload, which is read anew
--- user_files
>>> federated
eyJ.work.load
--- http_config eval
::http_config("azure token_url=$::Here/t client_id=app token_file=../html/federated fail_timeout=0")
--- config eval: $::Config
--- upstream eval: [answer('400 Bad Request', ''), token('t')]
--- upstream_request_like eval
['&client_assertion=eyJ.work.load$', '&client_assertion=eyJ.other$']
--- steps eval
[
    ask('a') => '502 (error)',
    sub {
        open my $file, '>', "$ENV{TEST_NGINX_SERVROOT}/html/federated" or die;
        print $file "eyJ.other\n";
        return '';
    } => '',
    ask('b') => 'Bearer t',
    sub { unlink "$ENV{TEST_NGINX_SERVROOT}/html/federated"; '' } => '',
    ask('c') => 'Bearer t',
]



=== TEST 7: Azure, a machine's identity
--- http_config eval
::http_config("azure source=machine metadata_url=$::Here client_id=mine")
--- config eval: $::Config
--- upstream eval
answer('200 OK', '{"access_token":"m","expires_in":"86400","expires_on":"1","resource":"r","token_type":"Bearer"}')
--- upstream_request_like eval
['^GET /metadata/identity/oauth2/token\?api-version=2018-02-01&resource=https%3A%2F%2Fcognitiveservices.azure.com&client_id=mine HTTP/1.1\r\n(?s:.*)Metadata: true\r\n']
--- steps eval: [ask('a') => 'Bearer m']



=== TEST 8: Azure, an App Service's identity
--- main_config eval
"env IDENTITY_ENDPOINT=http://127.0.0.1:\$TEST_NGINX_UPSTREAM_PORT/msi/token;\n"
. "env IDENTITY_HEADER=header-1;\n"
--- http_config eval: ::http_config('azure')
--- config eval: $::Config
--- upstream eval
answer('200 OK', '{"access_token":"app","expires_on":"4070908800","token_type":"Bearer"}')
--- upstream_request_like eval
['^GET /msi/token\?api-version=2019-08-01&resource=https%3A%2F%2Fcognitiveservices.azure.com HTTP/1.1\r\n(?s:.*)X-IDENTITY-HEADER: header-1\r\n']
--- steps eval: [ask('a') => 'Bearer app']



=== TEST 9: Azure's token is no api-key, whatever the provider's keys are
--- http_config eval
LLMCredentials::echo('$http_authorization|$http_api_key')
. LLMCredentials::provider('cloud', "azure token_url=$::Here/t client_id=a client_secret=b",
    'api_key_header api-key;')
--- config eval: $::Config
--- upstream eval: token('t')
--- steps eval: [ask('a') => 'Bearer t|']



=== TEST 10: AWS, keys
--- http_config eval
::aws_config('access_key=AKID secret_key=s/k session_token=tok==')
--- config eval: $::Config
--- steps eval: [ask('a') => ::signed('AKID', 'tok=='), ask('b') => ::signed('AKID', 'tok==')]



=== TEST 11: AWS, each request's own keys
--- http_config eval
::aws_config('access_key=$http_x_key secret_key=$http_x_secret')
--- config eval: $::Config
--- steps eval
[
    with(ask('a'), 'X-Key: AKA', 'X-Secret: s') => ::signed('AKA', ''),
    with(ask('b'), 'X-Key: AKB', 'X-Secret: s') => ::signed('AKB', ''),
    ask('c') => '500 (error)',
]
--- error_log
llm: credentials of "cloud": a key is empty, the request is not sent



=== TEST 12: AWS, keys in the environment
--- main_config
env AWS_ACCESS_KEY_ID=AKENV;
env AWS_SECRET_ACCESS_KEY=secret;
env AWS_SESSION_TOKEN=session;
--- http_config eval: ::aws_config('service=other')
--- config eval: $::Config
--- steps eval: [ask('a') => ::signed('AKENV', 'session', 'other')]



=== TEST 13: AWS, a profile
--- user_files
>>> credentials
[default]
aws_access_key_id = AKDEFAULT
aws_secret_access_key = s
[work]
aws_access_key_id = AKWORK
aws_secret_access_key = s
--- http_config eval
::aws_config('profile=work credentials_file=../html/credentials')
--- config eval: $::Config
--- steps eval: [ask('a') => ::signed('AKWORK', '')]



=== TEST 14: AWS, an instance's role
--- http_config eval: ::aws_config("metadata_url=$::Here")
--- config eval: $::Config
--- upstream eval
[answer('200 OK', "TOKEN\n"), answer('200 OK', "my-role\n"), $::Session]
--- upstream_request_like eval
[
    '^PUT /latest/api/token HTTP/1.1\r\n(?s:.*)X-aws-ec2-metadata-token-ttl-seconds: 21600\r\n(?s:.*)Content-Length: 0\r\n',
    '^GET /latest/meta-data/iam/security-credentials/ HTTP/1.1\r\n(?s:.*)X-aws-ec2-metadata-token: TOKEN\r\n',
    '^GET /latest/meta-data/iam/security-credentials/my-role HTTP/1.1\r\n(?s:.*)X-aws-ec2-metadata-token: TOKEN\r\n',
]
--- steps eval
[ask('a') => ::signed('ASIAX', 'session'), ask('b') => ::signed('ASIAX', 'session')]



=== TEST 15: AWS, a pod's identity
--- user_files
>>> token
pod-token
--- http_config eval
::aws_config("container_url=$::Here/v1/credentials token_file=../html/token")
--- config eval: $::Config
--- upstream eval: $::Session
--- upstream_request_like eval
['^GET /v1/credentials HTTP/1.1\r\n(?s:.*)Authorization: pod-token\r\n']
--- steps eval: [ask('a') => ::signed('ASIAX', 'session')]



=== TEST 16: AWS, what the environment of a container says
--- main_config
env AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/full;
env AWS_CONTAINER_AUTHORIZATION_TOKEN=env-token;
env AWS_REGION=eu-west-1;
--- http_config eval
LLMCredentials::echo('$http_authorization|$http_x_amz_date|$http_x_amz_security_token')
. LLMCredentials::provider('cloud', 'aws')
--- config eval: $::Config
--- upstream eval: $::Session
--- upstream_request_like eval
['^GET /full HTTP/1.1\r\n(?s:.*)Authorization: env-token\r\n']
--- steps eval: [ask('a') => ::signed('ASIAX', 'session')]



=== TEST 17: AWS, a service account of Kubernetes
--- user_files
>>> token
eyJ.web.identity
--- http_config eval
::aws_config("sts_url=$::Here token_file=../html/token web_identity_role=arn:aws:iam::123456789012:role/r")
--- config eval: $::Config
--- upstream eval: ::sts('AssumeRoleWithWebIdentity')
--- upstream_request_like eval
["^POST / HTTP/1.1\r\n(?s:.*)\r\n\r\n"
 . "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&$::Role&WebIdentityToken=eyJ.web.identity\$"]
--- steps eval: [ask('a') => ::signed('ASIAROLE', 'role-session')]



=== TEST 18: AWS, a role on top of keys
--- http_config eval
::aws_config("sts_url=$::Here access_key=AKID secret_key=s role=arn:aws:iam::123456789012:role/r external_id=e")
--- config eval: $::Config
--- upstream eval: ::sts('AssumeRole')
--- upstream_request_like eval
['^POST / HTTP/1.1\r\n(?=(?s:.*)^Host: 127.0.0.1:\d+\r\n)(?=(?s:.*)^authorization: AWS4-HMAC-SHA256 Credential=AKID/\d{8}/eu-west-1/sts/aws4_request)(?s:.*)\r\n\r\n'
 . "Action=AssumeRole&Version=2011-06-15&$::Role&ExternalId=e\$"]
--- steps eval: [ask('a') => ::signed('ASIAROLE', 'role-session')]



=== TEST 19: AWS, a role on top of an instance's
--- http_config eval
::aws_config("metadata_url=$::Here sts_url=http://127.0.0.1:\$TEST_NGINX_UPSTREAM_PORT role=arn:aws:iam::123456789012:role/r")
--- config eval: $::Config
--- upstream eval
[answer('200 OK', 'TOKEN'), answer('200 OK', 'my-role'), $::Session, ::sts('AssumeRole')]
--- upstream_request_like eval
['^PUT ', '^GET ', '^GET ', '^POST / HTTP/1.1\r\n(?s:.*)x-amz-security-token: session\r\n']
--- steps eval: [ask('a') => ::signed('ASIAROLE', 'role-session')]



=== TEST 20: AWS, a role that may not be assumed
--- http_config eval
::aws_config("sts_url=$::Here access_key=AKID secret_key=s role=arn:aws:iam::123456789012:role/r")
--- config eval: $::Config
--- upstream eval
answer('403 Forbidden', '<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>User: arn:aws:iam::123456789012:user/u is not authorized to perform: sts:AssumeRole</Message></Error></ErrorResponse>')
--- steps eval
[
    # The client is not told who the gateway is.
    ask('a') => qr/^(?!(?s:.*)123456789012)HTTP\/1.1 502 (?s:.*)AWS STS answered 403 \(AccessDenied\) \(the next try/,
]
--- error_log
AWS STS answered 403 (AccessDenied): User: arn:aws:iam::123456789012:user/u is not authorized to perform: sts:AssumeRole



=== TEST 21: AWS, a clock that is wrong
--- http_config eval
LLMCredentials::provider('cloud', 'aws region=eu-west-1 access_key=AKID secret_key=s')
. q{
    server {
        listen 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2;
        default_type application/json;
        location / {
            return 403 '{"message":"Signature expired: 20260102T030405Z is now earlier than 20260102T031000Z (20260102T031500Z - 5 min.)"}';
        }
    }
}
--- config eval: $::Config
--- steps eval
[
    ask('a') => qr/^HTTP\/1.1 502 (?s:.*)"message":"the provider \\"cloud\\" refuses the gateway's credentials: the signature was too old when it came: this machine's clock is behind AWS's"/,
]



=== TEST 22: AWS, each try has a signature of its own
--- http_config eval
LLMCredentials::echo('$http_authorization|$http_x_amz_date|$http_x_amz_security_token')
. LLMCredentials::provider('cloud', 'aws region=eu-west-1 access_key=AKFIRST secret_key=s')
. q{
    llm_provider broken {
        format openai;
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT3/v1;
        auth aws region=eu-west-1 access_key=AKBROKEN secret_key=s;
    }
    server {
        listen 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT3;
        location / { return 503; }
    }
    llm_upstream chat { model broken/m; model cloud/m backup; }
}
--- config
    location / { llm_pass chat; }
--- steps eval: [ask('a') => ::signed('AKFIRST', '')]
