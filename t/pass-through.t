# llm_pass_through: calls that are passed on as they are.

use lib 't/lib';
use LLMTest;
use LLMAnswers;

our $HttpConfig = q{
    llm_provider openai {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
        api_key provider-key;
    }
    llm_provider other {
        format openai;
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2/v1;
        api_key other-key;
    }
    llm_provider gone {
        format openai;
        url http://127.0.0.1:$TEST_NGINX_CLOSED_PORT/v1;
    }
    llm_provider bare {
        format openai;
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT;
    }
    llm_provider azure {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/openai;
        hosting azure;
        api_version 2024-10-21;
        api_key azure-key;
    }
    llm_upstream pool {
        model gone/dead max_fails=0;
        model openai/dall-e-3 as=painter backup max_fails=0;
        next_upstream error http_5xx;
    }
    llm_upstream painters {
        model openai/dall-e-3 as=painter max_fails=0;
        model openai/dall-e-2 backup max_fails=0;
        next_upstream http_5xx;
    }
    log_format llm '$llm_provider|$llm_model|$llm_request_model|'
        '$llm_response_model|$llm_prompt_tokens+$llm_completion_tokens='
        '$llm_total_tokens|$llm_usage_source|$llm_tries|$status';
    access_log logs/access.log llm;
};

our $Config = q{
    llm_pass_through on;
    location /v1/ { llm_pass openai; }
    location /pool/ { llm_pass pool; }
    location /painters/ { llm_pass painters; }
    location /bare/ { llm_pass bare; }
    location /any/ { llm_pass $arg_to; }
};

# A form as SDKs send it.
sub form {
    my ($path, @fields) = @_;
    my $body = join('', map {
        my ($name, $value) = @$_;
        qq{--XX\r\nContent-Disposition: form-data; name="$name"\r\n\r\n}
            . "$value\r\n"
    } @fields) . "--XX--\r\n";
    return "POST $path\n$body";
}

# For what the provider at the upstream's port would have signed.
our $Signed = q{
    llm_provider signed {
        format openai;
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
        auth aws region=eu-west-1 access_key=AKID secret_key=s;
    }
    llm_upstream signed-too {
        model openai/m max_fails=0;
        model signed/m backup max_fails=0;
    }
};
our $Signature = 'authorization: AWS4-HMAC-SHA256 Credential=AKID/\d{8}/'
    . 'eu-west-1/bedrock/aws4_request, ?SignedHeaders=[a-z;-]*host;'
    . 'x-amz-date, ?Signature=[0-9a-f]{64}\r\n';

our $Form = 'Content-Type: multipart/form-data; boundary=XX';
our $Json = 'Content-Type: application/json';
our $Image = '{"model":"m" ,"prompt":"a cat","zork":[ ]}';
our $ImageAnswer = '{"created":1,"data":[{"b64_json":"AAAA"}],"usage":'
    . '{"input_tokens":10,"output_tokens":20,"total_tokens":30}}';

run_tests();

__DATA__

=== TEST 1: without the directive there is no such route
--- http_config eval: $::HttpConfig
--- config
location /v1/ { llm_pass openai; }
location /off/v1/ { llm_pass_through off; llm_pass openai; }
location /some/v1/ { llm_pass_through audio files; llm_pass openai; }
--- upstream eval
whole('{}')
--- request eval
["POST /v1/images/generations\n{}", "POST /off/v1/images/generations\n{}",
 "POST /some/v1/images/generations\n{}", "GET /some/v1/files",
 "GET /some/v1/organization/files"]
--- error_code eval
[404, 404, 404, 200, 404]
--- response_body_like eval
['no such API route.*\.\.\./chat/completions, .*\.\.\./api/chat, '
    . '.*"code":"unknown_url"', 'no such', 'no such', '{}', 'no such']



=== TEST 2: method, path, query and body stay; the key is the provider's
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole($::ImageAnswer, '200 OK', 'Content-Type: application/json',
    'X-Request-Id: req-1', 'X-Zork: y', 'Set-Cookie: a=b', 'Server: them',
    'X-RateLimit-Limit-Tokens: 7', 'X-Accel-Redirect: /secret',
    'OpenAI-Organization: org-1')
--- upstream_request_like eval
["\\A" . quotemeta("POST /v1/images/generations?a=b&c=%20 HTTP/1.1\r\n"
    . "Host: 127.0.0.1:$ENV{TEST_NGINX_UPSTREAM_PORT}\r\n"
    . "Content-Length: " . length($::Image) . "\r\n"
    . "Accept: */*\r\n"
    . "Accept-Encoding: identity\r\n"
    . "Content-Type: application/json\r\n"
    . "idempotency-key: i-1\r\n"
    . "Authorization: Bearer provider-key\r\n\r\n"
    . $::Image) . "\\z"]
--- more_headers eval
"$::Json\nAuthorization: Bearer client-key\nCookie: secret\n"
    . "Idempotency-Key: i-1\nX-Forwarded-For: 1.2.3.4"
--- request eval
"POST /v1/images/generations?a=b&c=%20\n$::Image"
--- response_headers
Content-Type: application/json
X-LLM-Model: openai/m
X-Request-Id: req-1
X-Zork: y
!Set-Cookie
!X-RateLimit-Limit-Tokens
!X-Accel-Redirect
!OpenAI-Organization
--- response_body eval
$::ImageAnswer
--- access_log
openai|m|m|-|10+20=30|provider|1|200



=== TEST 3: other methods, and answers of other kinds
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[whole('{"id":"f"}'), whole("\x00\xff\r\n", '200 OK',
    'Content-Type: application/octet-stream', 'ETag: "x"'),
 "HTTP/1.1 204 No Content\r\n\r\n",
 "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n",
 "HTTP/1.1 302 Found\r\nLocation: https://blob.example/x\r\n"
    . "Content-Length: 0\r\n\r\n"]
--- upstream_request_like eval
["\\AGET /v1/files/f-1 HTTP/1\\.1\r\n(?!.*Content-Length)",
 '\AGET /v1/files/f-1/content ', '\ADELETE /v1/files/f-1 ',
 '\AHEAD /v1/files/f-1 ', '\AGET /v1/files/f-2/content ']
--- request eval
["GET /v1/files/f-1", "GET /v1/files/f-1/content", "DELETE /v1/files/f-1",
 "HEAD /v1/files/f-1", "GET /v1/files/f-2/content"]
--- error_code eval
[200, 200, 204, 200, 302]
--- response_body eval
['{"id":"f"}', "\x00\xff\r\n", '', '', '']



=== TEST 4: an answer in events is streamed, and its usage read
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[["HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
    . "Transfer-Encoding: chunked\r\n\r\n",
  chunk("data: {\"type\":\"transcript.text.delta\"}\n\n"),
  chunk("data: {\"type\":\"transcript.text.done\",\"usage\":{\"input_tok"),
  chunk("ens\":3,\"output_tokens\":4}}\n\n"), "0\r\n\r\n"]]
--- more_headers eval: $::Json
--- request
POST /v1/audio/speech
{"model":"tts"}
--- response_headers
Content-Type: text/event-stream
--- response_body eval
"data: {\"type\":\"transcript.text.delta\"}\n\n"
. "data: {\"type\":\"transcript.text.done\",\"usage\":{\"input_tokens\":3,"
. "\"output_tokens\":4}}\n\n"
--- access_log
openai|tts|tts|-|3+4=7|provider|1|200



=== TEST 5: the head goes out before the body is there
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[["HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\n"
    . "Content-Length: 6\r\n\r\n", "abc", "def"]]
--- more_headers eval: $::Json
--- request
POST /v1/audio/speech
{"model":"tts"}
--- response_headers
Content-Length: 6
Content-Type: audio/mpeg
--- response_body: abcdef



=== TEST 6: a form is sent on as it comes, the log knows its model
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole('{"text":"hello","usage":{"type":"duration","seconds":3}}')
--- upstream_request_like eval
["\\APOST /v1/audio/transcriptions HTTP/1\\.1\r\n.*"
    . "^Content-Type: multipart/form-data; boundary=XX\r\n.*\r\n\r\n"
    . quotemeta((split /\n/, ::form('/x', ['model', 'whisper-1'],
        ['file', "\x00\r\n--X\xff" x 3000]), 2)[1] =~ s/\s+\z//r)]
--- more_headers eval: $::Form
--- request eval
::form('/v1/audio/transcriptions', ['model', 'whisper-1'],
    ['file', "\x00\r\n--X\xff" x 3000])
--- response_body: {"text":"hello","usage":{"type":"duration","seconds":3}}
--- access_log
openai|whisper-1|whisper-1|-|-+-=-|-|1|200



=== TEST 7: a pool goes by a form's model, and names its own
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole('{}')
--- upstream_request_like eval
[quotemeta((split /\n/, ::form('/x', ['prompt', 'cat'],
    ['model', 'dall-e-3'], ['image', "\x00" x 20000]), 2)[1] =~ s/\s+\z//r)]
--- more_headers eval: $::Form
--- request eval
::form('/painters/images/edits', ['prompt', 'cat'], ['model', 'painter'],
    ['image', "\x00" x 20000])
--- response_headers
X-LLM-Model: openai/dall-e-3
--- access_log
openai|dall-e-3|painter|-|-+-=-|-|1|200



=== TEST 8: a pool falls back, with the body that it has
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[whole('{"error":{"message":"busy"}}', '500 Internal Server Error'),
 whole($::ImageAnswer)]
--- upstream_request_like eval
['"model":"dall-e-3"', '"model":"dall-e-2"']
--- more_headers eval: $::Json
--- request eval
"POST /painters/images/generations\n$::Image"
--- response_headers
X-LLM-Model: openai/dall-e-2
--- access_log
openai|dall-e-2|m|-|10+20=30|provider|2|200



=== TEST 9: what names no model goes to the pool's first, always
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole('{}')
--- request eval
["GET /painters/files", "GET /pool/files", "GET /any/files?to=openai",
 "GET /any/files?to=painters", "GET /any/files?to=zork"]
--- error_code eval
[200, 503, 200, 200, 404]
--- no_error_log
[alert]



=== TEST 10: a body that has been sent on is not sent again
--- http_config eval: $::HttpConfig
--- config
llm_pass_through on;
location /v1/ { llm_pass openai; }
--- upstream eval
whole('{"message":"busy"}', '503 Service Unavailable', 'Retry-After: 7')
--- upstream_request_like eval
['POST /v1/files ']
--- more_headers eval: $::Form
--- request eval
::form('/v1/files', ['purpose', 'batch'], ['file', 'x'])
--- error_code: 503
--- response_headers
Content-Type: application/json
Retry-After: 7
--- response_body: {"message":"busy"}
--- access_log
openai|-|-|-|-+-=-|-|1|503



=== TEST 11: errors are the provider's own, but for those of keys
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[whole('{"odd":"error"}', '422 Unprocessable Entity'),
 whole('{"error":{"message":"Incorrect API key provided: provider-key"}}',
    '401 Unauthorized'),
 whole('gone', '410 Gone', 'Content-Type: text/plain'),
 whole('{"message":"not valid: Authorization=Bearer provider-key"}',
    '403 Forbidden')]
--- request eval
[("GET /v1/files") x 4]
--- error_code eval
[422, 401, 410, 403]
--- response_body_like eval
['^{"odd":"error"}$', 'the provider refused the API key', '^gone$',
 '"not valid: Authorization=Bearer \*\*\*"']
--- no_error_log
provider-key



=== TEST 12: no string of the client's leaves the provider's path
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole('{}')
--- upstream_request_like eval
['\AGET /v1/files/a%20b%3Fc%23d HTTP', '\AGET /v1/files/%252e%252e/x HTTP',
 '\AGET /v1/files/x HTTP', '\AGET /v1/@evil.example:80/x HTTP',
 '\AGET /v2/rerank HTTP', '\AGET /v1/files/%5C..%5Cx HTTP']
--- request eval
[map { "GET $_" } '/v1/files/a%20b%3fc%23d', '/v1/files/%252e%252e/x', '/v1//files///x',
    '/v1/@evil.example:80/x', '/bare/v2/rerank', '/v1/files/%5c..%5cx']



=== TEST 13: dots lead out of the location before they lead anywhere else
--- http_config eval: $::HttpConfig
--- config
llm_pass_through on;
merge_slashes off;
location /v1/ { llm_pass openai; }
location / { return 418; }
--- request eval
["GET /v1/../secret", "GET /v1/%2e%2e/secret", "GET /v1/files/..%2f..%2f/x",
 "GET /v1//evil.example/x"]
--- error_code eval
[418, 418, 418, 404]



=== TEST 14: rules on models
--- http_config eval: $::HttpConfig
--- config
llm_pass_through on;
llm_allow_models good-*;
location /v1/ { llm_pass openai; }
--- upstream eval
whole('{}')
--- more_headers eval
[$::Json, $::Json, $::Json, $::Form, $::Form, $::Form, $::Form,
 'Content-Type: text/plain', $::Json, 'X: y', $::Json, $::Json]
--- request eval
["POST /v1/images/generations\n" . '{"model":"good-1"}',
 "POST /v1/images/generations\n" . '{"model":"bad-1"}',
 "POST /v1/images/generations\n" . '{"prompt":"x"}',
 ::form('/v1/audio/translations', ['file', 'x'], ['model', 'good-1']),
 ::form('/v1/audio/translations', ['file', 'x'], ['model', 'bad-1']),
 ::form('/v1/audio/translations', ['file', 'x']),
 ::form('/v1/audio/translations', ['model', 'good-1'], ['model', 'bad-1']),
 "POST /v1/images/generations\n" . '{"model":"good-1"}',
 "POST /v1/images/generations?model=bad-1\n" . '{"model":"good-1"}',
 "GET /v1/files", "POST /v1/images/generations\n" . '{"model":7}',
 "POST /v1/images/generations\n" . '{"model":"good-1","MODEL":"bad-1"}']
--- error_code eval
[200, 403, 403, 200, 403, 403, 400, 403, 400, 200, 400, 400]



=== TEST 15: requests are limited, tokens charged when they are known
--- http_config eval
$::HttpConfig . q{
    llm_limit_zone $remote_addr zone=calls:1m rate=2/h count=requests;
    llm_limit_zone $remote_addr zone=tokens:1m rate=25/h;
}
--- config
llm_pass_through on;
location /calls/ { llm_limit zone=calls; llm_pass openai; }
location /tokens/ { llm_limit zone=tokens; llm_pass openai; }
--- upstream eval
whole($::ImageAnswer)
--- more_headers eval: $::Json
--- request eval
["GET /calls/files", "GET /calls/files", "GET /calls/files",
 "POST /tokens/images/generations\n$::Image",
 "POST /tokens/images/generations\n$::Image"]
--- error_code eval
[200, 200, 429, 200, 429]



=== TEST 16: an answer that breaks off does not look whole
--- http_config eval: $::HttpConfig
--- config
llm_pass_through on;
location /v1/ { llm_pass openai; }
location /t {
    proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/v1/files/f/content;
    proxy_buffering off;
}
--- upstream eval
[["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", chunk('abc')]]
--- request
GET /t
--- ignore_response
--- error_log
upstream prematurely closed connection
--- no_error_log
[alert]



=== TEST 17: azure's deployments are named by the model
--- http_config eval: $::HttpConfig
--- config
llm_pass_through on;
location / { llm_pass azure; }
--- upstream eval
whole('{}')
--- upstream_request_like eval
["\\A" . quotemeta('POST /openai/deployments/d%2F1/images/generations'
    . '?x=1&api-version=2024-10-21') . " HTTP.*^api-key: azure-key\r\n"]
--- more_headers eval: $::Json
--- request
POST /v1/images/generations?x=1
{"model":"d/1"}



=== TEST 18: a body in chunks is sent with its length
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole('{}')
--- upstream_request_like eval
["Content-Length: 6\r\n.*\r\n\r\nabcdef\\z"]
--- raw_request eval
"POST /v1/files HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
. "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n"



=== TEST 19: nor does a whole URL, or a host
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole('{}')
--- upstream_request_like eval
["\\AGET /v1/files HTTP/1\\.1\r\nHost: 127\\.0\\.0\\.1:"]
--- raw_request eval
"GET http://evil.example/v1/files HTTP/1.1\r\nHost: evil.example\r\n"
. "Connection: close\r\n\r\n"



=== TEST 20: values that nobody knows
--- http_config
--- config
llm_pass_through images zork;
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid value "zork" in .*nginx\.conf:\d+/



=== TEST 21: and off beside others
--- http_config
--- config
llm_pass_through off images;
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid value "off"/



=== TEST 22: what is signed is read first, whatever it is
--- http_config eval: $::HttpConfig . $::Signed
--- config
llm_pass_through on;
location /aws/ { llm_pass signed; }
location /any/ { llm_pass $arg_to; }
--- upstream eval
whole('{}')
--- upstream_request_like eval
[map { "\\A$_ HTTP/1.1\r\n.*$::Signature" } 'POST /v1/files',
    'POST /v1/files\?to=signed', 'DELETE /v1/files/a']
--- more_headers eval: $::Form
--- request eval
[::form('/aws/files', ['purpose', 'batch'], ['file', "\x00\r\n" x 30000]),
    ::form('/any/files?to=signed', ['file', 'x']),
    'DELETE /aws/files/a']
--- response_body eval
['{}', '{}', '{}']



=== TEST 23: ... of whichever type
--- http_config eval: $::HttpConfig . $::Signed
--- config
llm_pass_through on;
location /aws/ { llm_pass signed; }
location /pool/ { llm_pass signed-too; }
--- upstream eval
whole('{}')
--- upstream_request_like eval
["\\APUT /v1/files/a HTTP/1.1\r\n.*$::Signature.*\r\nabc\\z",
    "\\APOST /v1/files HTTP/1.1\r\n.*Bearer provider-key.*\r\n\r\nabc\\z"]
--- more_headers
Content-Type: application/octet-stream
--- request eval
["PUT /aws/files/a\nabc", "POST /pool/files\nabc"]
--- response_body eval
['{}', '{}']



=== TEST 24: a location that ends in the middle of a word
--- http_config eval: $::HttpConfig
--- config
llm_pass_through on;
location /api { llm_pass openai; }
--- request eval
['GET /apiv1', 'GET /apiv1/images/a', 'GET /api']
--- error_code eval
[404, 404, 404]



=== TEST 25: a form that comes whole, with its head, is sent whole
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole('{"text":"hello"}')
--- upstream_request_like eval
["\\APOST /v1/audio/transcriptions HTTP/1\\.1\r\n.*^Content-Length: 133\r\n"
    . ".*\r\n\r\n" . quotemeta((split /\n/, ::form('/x',
        ['model', 'whisper-1'], ['file', "\x00\r\n--X\xff"]), 2)[1]
            =~ s/\s+\z//r) . '\z']
--- more_headers eval: $::Form
--- request eval
::form('/v1/audio/transcriptions', ['model', 'whisper-1'],
    ['file', "\x00\r\n--X\xff"])
--- response_body: {"text":"hello"}
--- access_log
openai|whisper-1|whisper-1|-|-+-=-|-|1|200



=== TEST 26: a body that "mirror" has read is sent, too
--- http_config eval: $::HttpConfig
--- config
llm_pass_through on;
location /v1/ { llm_pass openai; mirror /mirrored; }
location = /mirrored {
    internal;
    proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/copies;
}
location = /copies { return 204; }
--- upstream eval
whole('{"text":"hello"}')
--- upstream_request_like eval
["\\APOST /v1/audio/transcriptions HTTP/1\\.1\r\n.*\r\n\r\n--XX\r\n.*--XX--"]
--- more_headers eval: $::Form
--- request eval
::form('/v1/audio/transcriptions', ['model', 'whisper-1'], ['file', 'x'])
--- response_body: {"text":"hello"}



=== TEST 27: an answer of which a chunk cannot be read does not look whole
--- http_config eval: $::HttpConfig
--- config
llm_pass_through on;
location /v1/ { llm_pass openai; }
location /t {
    proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/v1/files/f/content;
    proxy_buffering off;
    proxy_http_version 1.1;
}
--- upstream eval
[["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", chunk('abc'),
  "zork\r\n"]]
--- request
GET /t
--- ignore_response
--- error_log
upstream sent invalid chunked response
upstream prematurely closed connection
--- no_error_log
[alert]



=== TEST 28: what is said of such an answer has no headers of it
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nETag: x\r\n"
    . "Transfer-Encoding: chunked\r\n\r\nzork\r\n"
--- request
GET /v1/files/f/content
--- error_code: 502
--- response_headers
! Content-Encoding
! ETag
Content-Type: application/json
--- response_body_like: not valid HTTP



=== TEST 29: a body that is sent on as it comes gets a connection of its own
--- http_config eval
$::HttpConfig . q{
    server {
        listen 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2;
        default_type application/json;
        # A provider that closes what was kept when it is used again.
        if ($connection_requests = 2) { return 444; }
        location / { return 200 '{}'; }
    }
}
--- config
llm_pass_through on;
location /v1/ { llm_pass other; }
--- more_headers eval: $::Form
--- request eval
[(::form('/v1/files', ['purpose', 'batch'], ['file', 'x' x 200_000])) x 3]
--- error_code eval
[200, 200, 200]
