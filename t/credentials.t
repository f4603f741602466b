# auth: credentials that end. Tokens are fetched without blocking, once for
# all who wait, renewed before they end; what goes wrong is a clear 502.
# HUP: no, because workers are replaced here.

use lib 't/lib';
use LLMTest;
use LLMSteps;
use LLMCredentials;

master_on();

our $Metadata = 'google metadata_url=http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT';

our $HttpConfig = LLMCredentials::echo()
    . LLMCredentials::provider('cloud', $Metadata);

# The next call asks again at once.
our $NoPause = LLMCredentials::echo()
    . LLMCredentials::provider('cloud', "$Metadata fail_timeout=0");

our $Config = 'location / { llm_pass cloud; }';

our $Asked = '^GET /computeMetadata/v1/instance/service-accounts/default/token'
    . ' HTTP/1.1\r\n(?s:.*)^Metadata-Flavor: Google\r\n';

# Asks until the new token is seen; all that was seen.
sub until_new {
    return sub {
        my %seen;
        until ($seen{new} || keys %seen > 2) {
            $seen{LLMSteps::say(LLMSteps::call(ask('x'))) =~ s/Bearer //r}++;
            select undef, undef, undef, 0.02;
        }
        return CORE::join(', ', sort keys %seen);
    };
}

run_tests();

__DATA__

=== TEST 1: a token is fetched for the first call and used for the next ones
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval: token('one')
--- upstream_request_like eval: [$::Asked]
--- steps eval
[
    ask('a') => 'Bearer one',
    ask('b') => 'Bearer one',
    claude('c') => 'Bearer one',
    streamed(ask('d')) => qr/200 OK/,
]



=== TEST 2: all who wait share one fetch
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[[split //, token('shared')]]
--- upstream_request_like eval: [$::Asked]
--- steps eval
[
    together((ask('a')) x 20) => 'Bearer shared, ' x 19 . 'Bearer shared',
    ask('b') => 'Bearer shared',
]



=== TEST 3: one who leaves takes nobody's token away
--- http_config eval
LLMCredentials::echo() . LLMCredentials::provider('cloud',
    "$::Metadata timeout=500ms fail_timeout=0")
--- config eval: $::Config
--- upstream eval: [[\'hold'], token('two')]
--- upstream_request_like eval: [$::Asked, $::Asked]
--- steps eval
[
    started(ask('a')) => '',
    started(ask('b')) => '',
    sub { close shift @LLMSteps::Running; '' } => '',
    finished() => '502 (error)',
    ask('c') => 'Bearer two',
]
--- error_log
their server did not answer in time



=== TEST 4: an endpoint that fails is a 502, and the next call tries again
--- http_config eval: $::NoPause
--- config eval: $::Config
--- upstream eval
[
    answer('500 Internal Server Error', ''),
    answer('403 Forbidden', '{"error":"access_denied","error_description":'
        . '"The account gateway-0123456789abcdefghij is disabled."}'),
    token('late'),
]
--- upstream_request_like eval: [$::Asked, $::Asked, $::Asked]
--- steps eval
[
    ask('a') => qr/^HTTP\/1.1 502 (?s:.*)"message":"there are no credentials for the provider \\"cloud\\": Google's metadata server answered 500"/,
    ask('b') => qr/^HTTP\/1.1 502 (?s:.*)Google's metadata server answered 403 \(access_denied\)"/,
    ask('c') => 'Bearer late',
]
--- error_log
llm: credentials of "cloud": Google's metadata server answered 403 (access_denied): The account *** is disabled.
llm: credentials of "cloud" are good for 3600 s
--- no_error_log
0123456789abcdefghij
[alert]
[crit]



=== TEST 5: ... in the shape of the client's API
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval: answer('404 Not Found', '<html>')
--- steps eval
[
    claude('a') => qr/^HTTP\/1.1 502 (?s:.*)"type":"error","error":\{"type":"api_error","message":"there are no credentials for the provider/,
]



=== TEST 6: a dead endpoint is not asked with each call
--- http_config eval
LLMCredentials::echo() . LLMCredentials::provider('cloud',
    "$::Metadata fail_timeout=30s")
--- config eval: $::Config
--- upstream eval: answer('500 Internal Server Error', '')
--- upstream_request_like eval: [$::Asked]
--- steps eval
[
    ask('a') => qr/answered 500 \(the next try is in (29|30) s\)"/,
    ask('b') => qr/^HTTP\/1.1 502 (?s:.*)answered 500 \(the next try is in \d+ s\)"/,
    ask('c') => '502 (error)',
]



=== TEST 7: an endpoint that hangs is given up
--- http_config eval
LLMCredentials::echo() . LLMCredentials::provider('cloud',
    "$::Metadata timeout=200ms")
--- config eval: $::Config
--- upstream eval: [[\'hold']]
--- steps eval
[
    ask('a') => qr/^HTTP\/1.1 502 (?s:.*)their server did not answer in time/,
]



=== TEST 8: ... and one that is not there
--- http_config eval
LLMCredentials::echo() . LLMCredentials::provider('cloud',
    'google metadata_url=http://127.0.0.1:$TEST_NGINX_CLOSED_PORT')
--- config eval: $::Config
--- steps eval
[
    ask('a') => qr/^HTTP\/1.1 502 (?s:.*)no connection to their server came up \(/,
]



=== TEST 9: answers that are no token
--- http_config eval: $::NoPause
--- config eval: $::Config
--- upstream eval
[
    answer('200 OK', ''),
    answer('200 OK', '{"access_token":"t'),
    answer('200 OK', '{"token":"t"}'),
    answer('200 OK', '{"access_token":"a\r\nX-Evil: 1"}'),
    answer('200 OK', '{"access_token":"' . ('x' x 70000) . '"}'),
    "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{",
    "nonsense\r\n\r\n",
    answer('302 Found', ''),
    token('good'),
]
--- steps eval
[
    ask('a') => qr/ 502 (?s:.*)its answer is not a JSON object/,
    ask('b') => qr/ 502 (?s:.*)its answer is not a JSON object/,
    ask('c') => qr/ 502 (?s:.*)its answer has no \\"access_token\\"/,
    ask('d') => qr/ 502 (?s:.*)its \\"access_token\\" cannot be sent/,
    ask('e') => qr/ 502 (?s:.*)their server gave no whole answer/,
    ask('f') => qr/ 502 (?s:.*)their server gave no whole answer/,
    ask('g') => qr/ 502 (?s:.*)their server gave no whole answer/,
    ask('h') => qr/ 502 (?s:.*)metadata server answered 302/,
    ask('i') => 'Bearer good',
]



=== TEST 10: a token that has ended already is none
--- http_config eval: $::NoPause
--- config eval: $::Config
--- upstream eval: [token('old', 0), token('old', 10), token('new')]
--- steps eval
[
    ask('a') => qr/ 502 (?s:.*)gave credentials that have expired already/,
    ask('b') => qr/ 502 (?s:.*)gave credentials that have expired already/,
    ask('c') => 'Bearer new',
]



=== TEST 11: a renewal in the background, before the end
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval: [token('old', 14), token('new')]
--- upstream_request_like eval: [$::Asked, $::Asked]
--- steps eval: [ask('a') => 'Bearer old', ::until_new() => 'new, old']



=== TEST 12: ... and one that fails: what there is goes on serving
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[token('old', 18), answer('500 Internal Server Error', ''), token('new')]
--- upstream_request_like eval: [$::Asked, $::Asked, $::Asked]
--- steps eval: [ask('a') => 'Bearer old', ::until_new() => 'new, old']
--- error_log
Google's metadata server answered 500
--- timeout: 30s



=== TEST 13: a member without credentials is passed over
--- http_config eval
LLMCredentials::echo()
. LLMCredentials::provider('cloud', "$::Metadata fail_timeout=30s")
. '
    llm_provider plain {
        format openai;
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2/v1;
        api_key plain;
    }
    llm_upstream chat { model cloud/m; model plain/m backup; }
'
--- config
    location / { llm_pass chat; }
--- upstream eval: answer('500 Internal Server Error', '')
--- upstream_request_like eval: [$::Asked]
--- steps eval
[
    ask('a') => 'Bearer plain',
    ask('b') => 'Bearer plain',
]



=== TEST 14: the others of a pool wait only a moment for a hanging endpoint
--- http_config eval
LLMCredentials::echo()
. LLMCredentials::provider('cloud', "$::Metadata timeout=60s")
. '
    llm_provider plain {
        format openai;
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2/v1;
        api_key plain;
    }
    llm_upstream chat { model cloud/m; model plain/m; }
'
--- config
    location / { llm_pass chat; }
--- upstream eval: [[\'hold']]
--- steps eval
[
    ask('a') => 'Bearer plain',
]
--- no_shutdown_error_log
[alert]
[emerg]



=== TEST 15: a provider that refuses the token is not the client's fault
--- http_config eval
LLMCredentials::provider('cloud', $::Metadata) . q{
    server {
        listen 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2;
        location / {
            default_type application/json;
            return 401 '{"error":{"message":"project 42 is unknown","type":"auth"}}';
        }
    }
}
--- config eval: $::Config
--- upstream eval: token('one')
--- upstream_request_like eval: [$::Asked]
--- steps eval
[
    ask('a') => qr/^HTTP\/1.1 502 (?s:.*)"message":"the provider \\"cloud\\" refuses the gateway's credentials"/,
    # What was fetched a moment ago is not fetched anew for that.
    ask('b') => '502 (error)',
]
--- error_log
llm: cloud answered 401



=== TEST 16: a reload fetches anew; what runs ends with the old ones
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval: [token('one'), token('two')]
--- steps eval
[
    ask('a') => 'Bearer one',
    reload() => '',
    ask('b') => 'Bearer two',
]



=== TEST 17: a worker that is told to leave waits for those who wait
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[[(map { $_ } split //, token('slow'))]]
--- steps eval
[
    started(ask('a')) => '',
    reload() => '',
    finished() => 'Bearer slow',
]



=== TEST 18: a worker that is killed in the middle of it
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval: [[\'hold'], token('two')]
--- steps eval
[
    started(ask('a')) => '',
    sub { LLMSteps::await_provider(0); '' } => '',
    signal_workers('TERM') => '',
    ask('b') => 'Bearer two',
]



=== TEST 19: the list of models wants to see it, too
--- http_config eval
LLMCredentials::provider('cloud', $::Metadata) . q{
    server {
        listen 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2;
        location / {
            default_type application/json;
            return 200 '{"object":"list","data":[{"id":"$http_authorization","object":"model"}]}';
        }
    }
}
--- config eval: $::Config
--- upstream eval: token('list')
--- steps eval
[
    get('/v1/models') => qr/"id":"Bearer list"/,
]



=== TEST 20: TLS to the token endpoint is verified
--- http_config eval
LLMCredentials::echo()
. LLMCredentials::provider('cloud',
    'azure token_url=https://localhost:$TEST_NGINX_UPSTREAM_PORT3/t'
    . ' client_id=a client_secret=b'
    . ' trusted_certificate=$TEST_NGINX_CERTIFICATE')
. LLMCredentials::provider('strict',
    'azure token_url=https://localhost:$TEST_NGINX_UPSTREAM_PORT3/t'
    . ' client_id=a client_secret=b')
. q{
    server {
        listen 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT3 ssl;
        ssl_certificate $TEST_NGINX_CERTIFICATE;
        ssl_certificate_key $TEST_NGINX_CERTIFICATE_KEY;
        location = /t {
            return 200 '{"access_token":"$request_method-$ssl_protocol","expires_in":3600}';
        }
    }
}
--- config
    location / { llm_pass cloud; }
    location /strict/ { llm_pass strict; }
--- steps eval
[
    ask('a') => qr/Bearer POST-TLSv1\.\d/,
    at('/strict', ask('b')) => qr/ 502 (?s:.*)no connection to their server came up/,
]
