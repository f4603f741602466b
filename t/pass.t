# llm_pass: each client's API to each provider's, whole and streamed; what
# stays in its API passes byte for byte.

use lib 't/lib';
use LLMTest;
use LLMAnswers;

our $HttpConfig = q{
    llm_provider openai {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
        api_key openai-key;
    }
    llm_provider anthropic {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT;
        api_key anthropic-key;
    }
    llm_upstream gpt { model openai/gpt-4o; }
    llm_upstream claude { model anthropic/claude-sonnet-4-5; }
    log_format llm '$llm_provider|$llm_model|$llm_request_model|'
        '$llm_response_model|$llm_prompt_tokens+$llm_completion_tokens='
        '$llm_total_tokens|$llm_cached_tokens|$llm_usage_source|'
        '$llm_finish_reason|$llm_stream|$llm_tries|$llm_format';
    access_log logs/access.log llm;
};

our $Config = q{
    location /openai/ { llm_pass openai; }
    location /anthropic/ { llm_pass anthropic; }
    location /gpt/ { llm_pass gpt; }
    location /claude/ { llm_pass claude; }
};

# Odd white space, members that nobody knows, in an order of their own.
our $Odd = '{ "zork" :[ ],"messages": [ {"content":"Hi \u00fc",'
    . '"role" :"user", "x":{}} ],' . "\t" . '"max_tokens":7, "model":"m" , '
    . '"temperature":0.10, "seed":12345678901234567890 }';
our $OddAnswer = ' {"usage":{"prompt_tokens":9,"completion_tokens":4,'
    . '"total_tokens":13 },  "zork":{},"choices":[{"message":{"content":'
    . '"Hello","role":"assistant"},"index":0,"finish_reason":"stop"}],'
    . '"model":"x", "id":"c1","object":"chat.completion","created":1}' . "\n";

run_tests();

__DATA__

=== TEST 1: openai to openai, byte for byte
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole($::OddAnswer)
--- upstream_request_like eval
["\\A" . quotemeta("POST /v1/chat/completions HTTP/1.1\r\n"
    . "Host: 127.0.0.1:$ENV{TEST_NGINX_UPSTREAM_PORT}\r\n"
    . "Content-Type: application/json\r\n"
    . "Content-Length: " . length($::Odd) . "\r\n"
    . "Accept: application/json\r\n"
    . "Accept-Encoding: identity\r\n"
    . "Authorization: Bearer openai-key\r\n\r\n"
    . $::Odd) . "\\z"]
--- request eval
"POST /openai/v1/chat/completions\n$::Odd"
--- response_headers
Content-Type: application/json
X-LLM-Model: openai/m
!Retry-After
--- response_body eval
$::OddAnswer



=== TEST 2: anthropic to anthropic, byte for byte
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(anthropic_text('Hello') . " \n")
--- upstream_request_like eval
["\\APOST /v1/messages HTTP/1\\.1\r\n.*^x-api-key: anthropic-key\r\n.*"
    . "\r\n" . quotemeta($::Odd) . "\\z"]
--- request eval
"POST /anthropic/v1/messages\n$::Odd"
--- response_headers
Content-Type: application/json
X-LLM-Model: anthropic/m
--- response_body eval
anthropic_text('Hello') . " \n"



=== TEST 3: the model is spliced, all else stays
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole($::OddAnswer)
--- upstream_request_like eval
[quotemeta($::Odd =~ s/"model":"m"/"model":"gpt-4o"/r) . "\\z"]
--- request eval
"POST /gpt/v1/chat/completions\n$::Odd"
--- response_headers
X-LLM-Model: openai/gpt-4o
--- response_body eval
$::OddAnswer



=== TEST 4: usage of a stream is asked for and hidden
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[stream(openai_stream('Hel', 'lo'), openai_usage(), $Done)]
--- upstream_request_like eval
["^Accept: text/event-stream\r\n.*"
    . quotemeta('"stream_options":{"include_usage":true}')]
--- request eval
ask_openai('/openai/v1/chat/completions', '"stream":true')
--- response_headers
Content-Type: text/event-stream
Cache-Control: no-cache
!Content-Length
--- response_body eval
CORE::join('', openai_stream('Hel', 'lo'), $Done)
--- access_log
openai|m|m|gpt-4o-2024-08-06|9+4=13|0|provider|stop|1|1|openai



=== TEST 5: who asks for usage gets it, in the very same bytes
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[stream(": hello\n\n", openai_stream('Hel', 'lo'), openai_usage(), $Done)]
--- request eval
ask_openai('/openai/v1/chat/completions', '"stream":true',
    '"stream_options":{"include_usage":true}')
--- response_body eval
CORE::join('', ": hello\n\n", openai_stream('Hel', 'lo'),
    openai_usage(), $Done)



=== TEST 6: an anthropic stream passes as it is
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
my ($start, @rest) = anthropic_stream('Hel', 'lo');
[stream($start, anthropic_event('ping'), anthropic_event('zork', '"z":[]'),
    @rest)]
--- request eval
ask_anthropic('/anthropic/v1/messages', '"stream":true')
--- response_headers
Content-Type: text/event-stream
--- response_body eval
my ($start, @rest) = anthropic_stream('Hel', 'lo');
CORE::join('', $start, anthropic_event('ping'),
    anthropic_event('zork', '"z":[]'), @rest)
--- access_log
anthropic|m|m|claude-sonnet-4-5-20250929|9+4=13|0|provider|stop|1|1|anthropic



=== TEST 7: openai to anthropic
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(anthropic_text('Hello'))
--- upstream_request_like eval
["\\APOST /v1/messages HTTP/1\\.1\r\n.*"
    . "^anthropic-version: 2023-06-01\r\n.*^x-api-key: anthropic-key\r\n.*"
    . "\r\n" . quotemeta('{"model":"claude-sonnet-4-5",') . ".*"
    . quotemeta('"messages":[{"role":"user",') . ".*\\}\\z"]
--- upstream_request_unlike
Authorization
--- request eval
ask_openai('/claude/v1/chat/completions', '"max_tokens":20')
--- response_headers
Content-Type: application/json
X-LLM-Model: anthropic/claude-sonnet-4-5
--- response_body_like eval
'^' . quotemeta('{"id":"msg_1","object":"chat.completion","created":')
    . '\d{10}'
    . quotemeta(',"model":"claude-sonnet-4-5-20250929","choices":[{"index":0,'
    . '"message":{"role":"assistant","content":"Hello","refusal":null},'
    . '"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":9,'
    . '"completion_tokens":4,"total_tokens":13') . '.*\}\}$'
--- access_log
anthropic|claude-sonnet-4-5|m|claude-sonnet-4-5-20250929|9+4=13|0|provider|stop|0|1|openai



=== TEST 8: openai to anthropic, streamed
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[stream(anthropic_stream("Hel", "lo"))]
--- request eval
ask_openai('/claude/v1/chat/completions', '"stream":true')
--- response_headers
Content-Type: text/event-stream
--- response_body_like eval
my $head = quotemeta('data: {"id":"msg_1","object":"chat.completion.chunk",'
    . '"created":') . '\d{10}' . quotemeta(',"model":'
    . '"claude-sonnet-4-5-20250929","choices":[{"index":0,"delta":');
my $tail = quotemeta(',"finish_reason":null}]}') . "\n\n";
'\A' . $head . quotemeta('{"role":"assistant","content":""}') . '.*?' . $tail
    . $head . quotemeta('{"content":"Hel"}') . '.*?' . $tail
    . $head . quotemeta('{"content":"lo"}') . '.*?' . $tail
    . $head . quotemeta('{}') . '.*?' . quotemeta('"finish_reason":"stop"}]}')
    . "\n\n" . quotemeta($Done) . '\z'
--- access_log
anthropic|claude-sonnet-4-5|m|claude-sonnet-4-5-20250929|9+4=13|0|provider|stop|1|1|openai



=== TEST 9: anthropic to openai
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(openai_text('Hello'))
--- upstream_request_like eval
["\\APOST /v1/chat/completions HTTP/1\\.1\r\n.*"
    . "^Authorization: Bearer openai-key\r\n\r\n"
    . quotemeta('{"model":"gpt-4o","messages":[{"role":"user",'
    . '"content":"Hi"}],"max_completion_tokens":50}') . "\\z"]
--- upstream_request_unlike
anthropic-version|x-api-key
--- request eval
ask_anthropic('/gpt/v1/messages')
--- response_headers
Content-Type: application/json
X-LLM-Model: openai/gpt-4o
--- response_body_like eval
'\A' . quotemeta('{"id":"') . '[^"]+' . quotemeta('","type":"message",'
    . '"role":"assistant","model":"gpt-4o-2024-08-06","content":'
    . '[{"type":"text","text":"Hello"}],"stop_reason":"end_turn",'
    . '"stop_sequence":null,"usage":{"input_tokens":9,') . '.*'
    . quotemeta('"output_tokens":4') . '.*\}\}\z'
--- access_log
openai|gpt-4o|m|gpt-4o-2024-08-06|9+4=13|0|provider|stop|0|1|anthropic



=== TEST 10: anthropic to openai, streamed
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[stream(openai_stream('Hel', 'lo'), openai_usage(), $Done)]
--- request eval
ask_anthropic('/gpt/v1/messages', '"stream":true')
--- response_headers
Content-Type: text/event-stream
--- response_body_like eval
my $next = '.*?\}' . "\n\n";
'\A' . quotemeta("event: message_start\ndata: " . '{"type":"message_start",')
    . $next
    . quotemeta(anthropic_event('content_block_start',
        '"index":0,"content_block":{"type":"text","text":""}'))
    . quotemeta(anthropic_event('content_block_delta',
        '"index":0,"delta":{"type":"text_delta","text":"Hel"}'))
    . quotemeta(anthropic_event('content_block_delta',
        '"index":0,"delta":{"type":"text_delta","text":"lo"}'))
    . quotemeta(anthropic_event('content_block_stop',
        '"index":0'))
    . quotemeta("event: message_delta\ndata: "
        . '{"type":"message_delta","delta":{"stop_reason":"end_turn",'
        . '"stop_sequence":null}') . $next
    . quotemeta(anthropic_event('message_stop')) . '\z'
--- access_log
openai|gpt-4o|m|gpt-4o-2024-08-06|9+4=13|0|provider|stop|1|1|anthropic



=== TEST 11: the client's credentials stay here, tracing goes on
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(openai_text('Hello'))
--- upstream_request_like
^traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r$
--- upstream_request_unlike
client|cookie|x-forwarded|x-api-key
--- more_headers
Authorization: Bearer client
X-Api-Key: client
Cookie: client=1
Proxy-Authorization: client
traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
--- request eval
ask_openai('/openai/v1/chat/completions')
--- response_body eval
openai_text('Hello')



=== TEST 12: a key and headers of the operator's, from variables
--- http_config
llm_provider openai {
    url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
    api_key $http_authorization;
    header OpenAI-Project $arg_project;
    header X-Empty $arg_empty;
}
--- config
location / { llm_pass openai; }
--- upstream eval
whole(openai_text('Hello'))
--- upstream_request_like
^Authorization: Bearer client\r$.*^OpenAI-Project: p1\r$
--- upstream_request_unlike
X-Empty|Bearer Bearer
--- more_headers
Authorization: Bearer client
--- request eval
ask_openai('/v1/chat/completions?project=p1')
--- error_code: 200



=== TEST 13: headers of Anthropic's clients go through to Anthropic
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(anthropic_text('Hello'))
--- upstream_request_like
^anthropic-version: 2024-01-01\r$
^anthropic-beta: a-2025, b-2025\r$
--- more_headers
anthropic-version: 2024-01-01
anthropic-beta: a-2025, b-2025
--- request eval
ask_anthropic('/anthropic/v1/messages')
--- error_code: 200



=== TEST 14: ... but not to another API
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(openai_text('Hello'))
--- upstream_request_unlike
anthropic-
--- more_headers
anthropic-version: 2024-01-01
anthropic-beta: a-2025
--- request eval
ask_anthropic('/gpt/v1/messages')
--- error_code: 200



=== TEST 15: a body in a temporary file
--- http_config eval: $::HttpConfig
--- config
client_body_buffer_size 1k;
location / { llm_pass gpt; }
--- upstream eval
whole(openai_text('Hello'))
--- upstream_request_like eval
["\r\n\r\n" . quotemeta('{"model":"gpt-4o","messages":[{"role":"user",'
    . '"content":"') . 'x{60000}10"\}\],"user":"u"\}\z']
--- request eval
"POST /v1/chat/completions\n" . '{"model":"m","messages":[{"role":"user",'
    . '"content":"' . 'x' x 60000 . '10"}],"user":"u"}'
--- response_body eval
openai_text('Hello')



=== TEST 16: ... and in chunks
--- http_config eval: $::HttpConfig
--- config
client_body_buffer_size 1k;
location / { llm_pass claude; }
--- upstream eval
whole(anthropic_text('Hello'))
--- more_headers
Transfer-Encoding: chunked
--- request eval
my $body = '{"model":"m","messages":[{"role":"user",'
    . '"content":"' . 'x' x 60000 . '10"}],"user":"u"}';
"POST /v1/chat/completions\n" . chunk(substr $body, 0, 3)
    . chunk(substr $body, 3) . "0\r\n\r\n"
--- upstream_request_like eval
['^Content-Length: 6\d{4}\r$.*x{60000}10"']
--- response_body_like chomp
"content":"Hello"



=== TEST 17: llm_headers off
--- http_config eval: $::HttpConfig
--- config
llm_headers off;
location / { llm_pass gpt; }
--- upstream eval
whole(openai_text('Hello'))
--- request eval
ask_openai()
--- response_headers
!X-LLM-Model
--- error_code: 200



=== TEST 18: a host that is an upstream block
--- http_config
upstream servers {
    server 127.0.0.1:$TEST_NGINX_CLOSED_PORT;
    server 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT backup;
}
llm_provider openai { url http://servers/v1; }
--- config
location / { llm_pass openai; }
--- upstream eval
whole(openai_text('Hello'))
--- upstream_request_like
^Host: servers\r$
--- request eval
ask_openai()
--- response_body eval
openai_text('Hello')



=== TEST 19: TLS to the provider, its certificate verified
--- http_config
server {
    listen 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2 ssl;
    ssl_certificate $TEST_NGINX_CERTIFICATE;
    ssl_certificate_key $TEST_NGINX_CERTIFICATE_KEY;
    location / {
        proxy_set_header X-SNI $ssl_server_name;
        proxy_pass http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT;
    }
}
llm_provider openai {
    url https://localhost:$TEST_NGINX_UPSTREAM_PORT2/v1;
    ssl_trusted_certificate $TEST_NGINX_CERTIFICATE;
}
--- config
location / { llm_pass openai; }
--- upstream eval
whole(openai_text('Hello'))
--- upstream_request_like
^X-SNI: localhost\r$
--- request eval
ask_openai()
--- response_body eval
openai_text('Hello')



=== TEST 20: a certificate that is not trusted
--- http_config
server {
    listen 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2 ssl;
    ssl_certificate $TEST_NGINX_CERTIFICATE;
    ssl_certificate_key $TEST_NGINX_CERTIFICATE_KEY;
    return 200 "never";
}
llm_provider openai {
    url https://localhost:$TEST_NGINX_UPSTREAM_PORT2/v1;
}
--- config
location / { llm_pass openai; }
--- request eval
ask_openai()
--- error_code: 503
--- response_body_like chomp
^\{"error":\{"message":".+","type":"server_error",
--- error_log
upstream SSL certificate verify error



=== TEST 21: an answer in chunks
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
my $text = openai_text('Hello');
[["HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\n"
    . "Transfer-Encoding: chunked\r\n\r\n",
    chunk(substr $text, 0, 30), chunk(substr $text, 30), "0\r\n",
    "X-Trailer: 1\r\n\r\n"]]
--- request eval
ask_openai('/openai/v1/chat/completions')
--- response_headers eval
'Content-Length: ' . length(openai_text('Hello'))
--- response_body eval
openai_text('Hello')



=== TEST 22: no Content-Type, or another one, does not matter
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(openai_text('Hello'))
--- upstream_request_like eval
['^Content-Type: application/json\r$']
--- more_headers
Content-Type: text/plain
--- request eval
ask_openai('/openai/v1/chat/completions')
--- response_body eval
openai_text('Hello')



=== TEST 23: the provider's name for the call, under the client's name for it; error answers keep the connection
--- http_config
server {
    listen 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2;
    add_header x-request-id req-$connection_requests always;
    location / { llm_simulate openai status=400; }
}
llm_provider openai { url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2/v1; }
--- config
location / { llm_pass openai; }
--- request eval
[ask_openai(), ask_anthropic('/v1/messages')]
--- error_code eval
[400, 400]
--- response_headers eval
["x-request-id: req-1\n!request-id", "request-id: req-2\n!x-request-id"]



=== TEST 24: a list of betas in several lines
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(anthropic_text('Hello'))
--- upstream_request_like eval
["^anthropic-beta: a-1,b-2\r\nanthropic-beta: c-3\r\n"]
--- more_headers
anthropic-beta: a-1,b-2
anthropic-beta: c-3
--- request eval
ask_anthropic('/anthropic/v1/messages')
--- response_body eval
anthropic_text('Hello')



=== TEST 25: a stream that breaks off speaks against the model
--- http_config
server {
    listen 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2;
    location / { llm_simulate openai reply=simulated; }
}
llm_provider openai { url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1; }
llm_provider other { format openai; url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2/v1; }
llm_upstream chat { model openai/a; model other/b backup; }
--- config
add_header X-Tries $llm_tries;
location / { llm_pass chat; }
--- upstream eval
cut((openai_stream('Hel', 'lo'))[0 .. 1])
--- request eval
[ask_openai('/v1/chat/completions', '"stream":true'), ask_openai()]
--- response_body_like eval
[qr/data: \{"error":.*ended before the answer was complete/, qr/"content":"simulated"/]
--- response_headers eval
["X-LLM-Model: openai/a\nX-Tries: 1", "X-LLM-Model: other/b\nX-Tries: 1"]



=== TEST 26: nginx's own variables: the status is not that of an interim answer, the length is the body's
--- http_config
llm_provider openai { url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1; }
log_format upstream '$upstream_status $upstream_response_length.';
access_log logs/access.log upstream;
--- config
location / { llm_pass openai; }
--- upstream eval
"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" . whole('{"choices":[]}')
--- request eval
ask_openai()
--- access_log
200 14.



=== TEST 27: a connection with TLS that was kept takes the next call, small or large
--- http_config
server {
    listen 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2 ssl;
    ssl_certificate $TEST_NGINX_CERTIFICATE;
    ssl_certificate_key $TEST_NGINX_CERTIFICATE_KEY;
    default_type application/json;
    location / { return 200 '{"choices":[],"call":$connection_requests}'; }
}
llm_provider openai {
    url https://localhost:$TEST_NGINX_UPSTREAM_PORT2/v1;
    ssl_trusted_certificate $TEST_NGINX_CERTIFICATE;
}
--- config
client_body_buffer_size 256k;
location / { llm_pass openai; }
--- request eval
[ask_openai(), ask_openai(),
 map { ask_openai(undef, '"zork":"' . 'x' x $_ . '"') } 20_000, 100_000]
--- response_body eval
[map { qq({"choices":[],"call":$_}) } 1 .. 4]
