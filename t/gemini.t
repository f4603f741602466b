# Google's generateContent: as a provider of OpenAI's and Anthropic's clients,
# and as the API of clients of theirs.

use lib 't/lib';
use LLMTest;
use LLMAnswers;
use Digest::SHA ();

our $HttpConfig = q{
    llm_provider gemini {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1beta;
        api_key google-key;
    }
    llm_provider vertex {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1/projects/p/locations/l/publishers/google;
        api_key token;
    }
    llm_provider vertex-anthropic {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1/projects/p/locations/l/publishers/anthropic;
        api_key token;
    }
    llm_provider openai {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
        api_key openai-key;
    }
    llm_provider anthropic {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT;
        api_key anthropic-key;
    }
    llm_upstream pool {
        model gemini/gemini-3-flash max_fails=0;
        model openai/gpt-4o max_fails=0 backup;
    }
    log_format llm '$request_uri $llm_provider $llm_model $llm_total_tokens '
                   '$llm_cached_tokens $llm_finish_reason $status';
};

our $Config = q{
    access_log logs/access.log llm;
    location /gemini/ { llm_pass gemini; }
    location /vertex/ { llm_pass vertex; }
    location /vertex-anthropic/ { llm_pass vertex-anthropic; }
    location /openai/ { llm_pass openai; }
    location /anthropic/ { llm_pass anthropic; }
    location /pool/ { llm_pass pool; }
    location /closed/ { deny all; llm_pass openai; }
    location ~ :countTokens$ { llm_count_tokens; }
    location /simulate/ { llm_simulate gemini; }
};

our $Ask = '{"contents":[{"role":"user","parts":[{"text":"Hi"}]}]}';
our $Usage = '"usageMetadata":{"promptTokenCount":9,'
    . '"cachedContentTokenCount":2,"candidatesTokenCount":3,'
    . '"thoughtsTokenCount":1,"totalTokenCount":13}';

sub gemini_parts {
    my ($parts, $members) = @_;
    return qq({"candidates":[{"content":{"parts":[$parts],"role":"model"}$members}],)
        . '"modelVersion":"gemini-3-flash-001","responseId":"r1"';
}

sub gemini_text {
    return gemini_parts(qq({"text":"$_[0]"}), ',"finishReason":"STOP"')
        . ",$::Usage}";
}

sub gemini_events {
    my $last = pop;
    return (map({ 'data: ' . gemini_parts(qq({"text":"$_"}), '')
                . "}\r\n\r\n" } @_),
        'data: ' . gemini_text($last) . "\r\n\r\n");
}

run_tests();

__DATA__

=== TEST 1: an OpenAI client's call, and what Google gets of it
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(::gemini_text('Good day'))
--- upstream_request_like eval
["\\APOST /v1beta/models/m:generateContent HTTP/1\\.1\r\n.*"
    . "^x-goog-api-key: google-key\r\n.*\r\n\\{\"contents\":"
    . '\[\{"role":"user","parts":\[\{"text":"Hi"\}\]\}\],'
    . '"generationConfig":\{"temperature":0\.5\}\}\z']
--- upstream_request_unlike
Authorization
--- request eval
ask_openai('/gemini/v1/chat/completions', '"temperature":0.5')
--- response_headers
Content-Type: application/json
--- response_body eval
qr/"id":"r1",.*"model":"gemini-3-flash-001",.*"content":"Good day",.*"finish_reason":"stop".*"prompt_tokens":9,"completion_tokens":4,"total_tokens":13,.*"cached_tokens":2,.*"reasoning_tokens":1/



=== TEST 2: an Anthropic client's
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(::gemini_text('Good day'))
--- request eval
ask_anthropic('/gemini/v1/messages')
--- response_body eval
qr/"type":"message",.*"content":\[\{"type":"text","text":"Good day"\}\],"stop_reason":"end_turn",.*"input_tokens":7,.*"cache_read_input_tokens":2,"output_tokens":4/



=== TEST 3: a stream for an OpenAI client
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[stream(::gemini_events('Hel', 'lo'))]
--- upstream_request_like eval
["\\APOST /v1beta/models/m:streamGenerateContent\\?alt=sse HTTP/1\\.1"]
--- request eval
ask_openai('/gemini/v1/chat/completions', '"stream":true',
    '"stream_options":{"include_usage":true}')
--- response_headers
Content-Type: text/event-stream
--- response_body eval
qr/"role":"assistant".*"content":"Hel".*"content":"lo".*"finish_reason":"stop".*"total_tokens":13.*data: \[DONE\]\n\n\z/s



=== TEST 4: a stream for an Anthropic client
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[stream(::gemini_events('Hel', 'lo'))]
--- request eval
ask_anthropic('/gemini/v1/messages', '"stream":true')
--- response_body eval
qr/event: message_start.*"text":"Hel".*"text":"lo".*"stop_reason":"end_turn".*"output_tokens":4.*event: message_stop/s



=== TEST 5: calls, their signatures, and their results
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[whole(::gemini_parts('{"functionCall":{"name":"f","args":{"a":1}},'
    . '"thoughtSignature":"U0lH"}', ',"finishReason":"STOP"') . '}'),
 whole(::gemini_text('Done'))]
--- upstream_request_like eval
['"tools":\[\{"functionDeclarations":\[\{"name":"f"',
 '"functionCall":\{"id":"c1","name":"f","args":\{"a":1\}\},'
    . '"thoughtSignature":"U0lH"\}\]\},\{"role":"user","parts":\['
    . '\{"functionResponse":\{"id":"c1","name":"f",'
    . '"response":\{"output":"sunny"\}\}\}\]\}']
--- request eval
[ask_openai('/gemini/v1/chat/completions',
    '"tools":[{"type":"function","function":{"name":"f"}}]'),
 ask_openai('/gemini/v1/chat/completions') =~ s{\]\}$}{,
    {"role":"assistant","tool_calls":[{"id":"c1","type":"function",
    "function":{"name":"f","arguments":"{\\"a\\":1}"},
    "extra_content":{"google":{"thought_signature":"U0lH"}}}]},
    {"role":"tool","tool_call_id":"c1","content":"sunny"}]\}}r]
--- response_body eval
[qr/"function":\{"name":"f","arguments":"\{\\"a\\":1\}"\},"extra_content":\{"google":\{"thought_signature":"U0lH"\}\}.*"finish_reason":"tool_calls"/,
 qr/Done/]



=== TEST 6: errors have the client's shape, and say how long to wait
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole('[{"error":{"code":429,"message":"slow down","status":'
    . '"RESOURCE_EXHAUSTED","details":[{"@type":'
    . '"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"6.5s"}]}}]',
    '429 Too Many Requests')
--- request eval
ask_openai('/gemini/v1/chat/completions', '"stream":true')
--- error_code: 429
--- response_headers
Retry-After: 7
--- response_body_like: "message":"slow down","type":"rate_limit_error"



=== TEST 7: a wrong key is the gateway's, and nobody sees it
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole('{"error":{"code":400,"message":"API key not valid: google-key",'
    . '"status":"INVALID_ARGUMENT","details":[{"@type":'
    . '"type.googleapis.com/google.rpc.ErrorInfo",'
    . '"reason":"API_KEY_INVALID"}]}}', '400 Bad Request')
--- request eval
ask_anthropic('/gemini/v1/messages')
--- error_code: 401
--- response_body_like: "type":"authentication_error","message":"the provider refused the API key"
--- no_error_log
google-key
[alert]
[crit]
[emerg]



=== TEST 8: an error in a stream is one for the client
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[stream('data: ' . ::gemini_parts('{"text":"Hel"}', '') . "}\r\n\r\n",
    qq({\n  "error": {\n    "code": 503,\n    "message": "busy",\n)
    . qq(    "status": "UNAVAILABLE"\n  }\n}\n))]
--- request eval
ask_openai('/gemini/v1/chat/completions', '"stream":true')
--- response_body eval
qr/"content":"Hel".*data: \{"error":\{"message":"busy","type":"server_error".*\}\n\n\z/s



=== TEST 9: an error as the first event is a status
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[stream('data: {"error":{"code":503,"message":"busy","status":'
    . qq("UNAVAILABLE"}}\r\n\r\n))]
--- request eval
ask_anthropic('/gemini/v1/messages', '"stream":true')
--- error_code: 529
--- response_body_like: "type":"overloaded_error","message":"busy"



=== TEST 10: a stream that breaks off is not a whole answer
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[stream('data: ' . ::gemini_parts('{"text":"Hel"}', '') . "}\r\n\r\n")]
--- request eval
ask_anthropic('/gemini/v1/messages', '"stream":true')
--- response_body eval
qr/"text":"Hel".*event: error\ndata: .*"message":"the provider's stream ended before the answer was complete"\}\}\n\n\z/s



=== TEST 11: Google's client with OpenAI's model
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(openai_text('Hello'))
--- upstream_request_like eval
["\\APOST /v1/chat/completions HTTP/1\\.1\r\n.*"
    . "^Authorization: Bearer openai-key\r\n.*"
    . '\{"model":"gpt-4o","messages":\[\{"role":"user","content":"Hi"\}\]\}']
--- upstream_request_unlike
client-key
--- more_headers
x-goog-api-key: client-key
--- request eval
"POST /openai/v1beta/models/gpt-4o:generateContent\n$::Ask"
--- response_headers
Content-Type: application/json
--- response_body eval
qr/\A\{"candidates":\[\{"content":\{"parts":\[\{"text":"Hello"\}\],"role":"model"\},"finishReason":"STOP","index":0\}\],"usageMetadata":\{"promptTokenCount":9,"candidatesTokenCount":4,"totalTokenCount":13\}/



=== TEST 12: Google's client with Anthropic's model, streamed
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[stream(anthropic_stream('Hel', 'lo'))]
--- upstream_request_like eval
['"model":"claude","max_tokens":4096,"stream":true']
--- request eval
"POST /anthropic/v1beta/models/claude:streamGenerateContent?alt=sse\n$::Ask"
--- response_headers
Content-Type: text/event-stream
--- response_body eval
qr/\Adata: \{"candidates":.*"text":"Hel".*"text":"lo".*"finishReason":"STOP".*"totalTokenCount":13.*\}\r\n\r\n\z/s



=== TEST 13: the same as an array, for who does not say "alt=sse"
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[stream(anthropic_stream('Hel', 'lo')), stream(::gemini_events('Hel', 'lo'))]
--- upstream_request_like eval
['\APOST /v1/messages ', '\APOST /v1beta/models/g:streamGenerateContent\?alt=sse ']
--- request eval
["POST /anthropic/v1beta/models/claude:streamGenerateContent\n$::Ask",
 "POST /gemini/v1beta/models/g:streamGenerateContent?alt=json\n$::Ask"]
--- response_headers eval
['Content-Type: application/json', 'Content-Type: application/json']
--- response_body eval
[qr/\A\[\{"candidates":.*,\r\n\{"candidates":.*\}\]\z/s,
 qr/\A\[\{"candidates":.*,\r\n\{"candidates":.*\}\]\z/s]



=== TEST 14: a call that stays in the format goes through as it is
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
my ($first, $last) = ::gemini_events('Hel', 'lo');
[stream($first =~ s/"text"/"new": 1,"text"/r, $last)]
--- upstream_request_like eval
["\r\n\r\n" . '\{ "contents":\[\{"parts":\[\{"text":"Hi"\}\]\}\], "new":1\.0 \}\s*\z']
--- request
POST /gemini/v1beta/models/g:streamGenerateContent?alt=sse
{ "contents":[{"parts":[{"text":"Hi"}]}], "new":1.0 }
--- response_body eval
qr/\Adata: .*"new": 1,"text":"Hel".*"text":"lo".*\r\n\r\n\z/s



=== TEST 15: errors for Google's clients
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[whole(openai_error('rate_limit_error', 'slow down'),
    '429 Too Many Requests', 'Retry-After: 3'),
 stream((openai_stream('Hel'))[0, 1])]
--- request eval
["POST /openai/v1beta/models/m:generateContent\n$::Ask",
 "POST /openai/v1beta/models/m:streamGenerateContent?alt=sse\n$::Ask",
 "POST /openai/v1beta/models/m:generateContent\n{}",
 "POST /closed/v1beta/models/m:generateContent\n$::Ask"]
--- error_code eval
[429, 200, 400, 403]
--- response_headers eval
['Retry-After: 3', '', '', '']
--- response_body eval
[qr/\A\{"error":\{"code":429,"message":"slow down","status":"RESOURCE_EXHAUSTED"/,
 qr/"text":"Hel".*data: \{"error":\{"code":502,"message":"the provider's stream ended before[^}]*"status":"UNAVAILABLE"\}\}\r\n\r\n\z/s,
 qr/\A\{"error":\{"code":400,"message":"contents is missing","status":"INVALID_ARGUMENT"\}\}/,
 qr/\A\{"error":\{"code":403,.*"status":"PERMISSION_DENIED"/]



=== TEST 16: a fallback speaks another API
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[whole('{"error":{"code":503,"message":"busy","status":"UNAVAILABLE"}}',
    '503 Service Unavailable'),
 whole(openai_text('Hello'))]
--- upstream_request_like eval
['\APOST /v1beta/models/gemini-3-flash:generateContent ',
 '\APOST /v1/chat/completions ']
--- request eval
"POST /pool/v1beta/models/any:generateContent\n$::Ask"
--- response_body_like: "text":"Hello"
--- error_log
answered 503: busy



=== TEST 17: a key in the query is treated as one in a header, and not logged
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(openai_text('Hello'))
--- upstream_request_unlike
secret
--- request eval
"POST /openai/v1beta/models/m:generateContent?key=secret-key&x=1\n$::Ask"
--- response_body_like: Hello
--- access_log eval
qr{/openai/v1beta/models/m:generateContent\?key=\*{10}&x=1 openai m 13}
--- no_error_log
secret
[alert]
[crit]
[emerg]



=== TEST 18: nor is it sent where the call stays in the format
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(::gemini_text('Hello'))
--- upstream_request_unlike
secret
--- request eval
"POST /gemini/v1beta/models/m:generateContent?x=1&key=secret%2Dkey\n$::Ask"
--- response_body_like: Hello
--- access_log eval
qr{generateContent\?x=1&key=\*{12} gemini m 13 2 stop 200}
--- no_error_log
secret
[alert]
[crit]
[emerg]



=== TEST 19: nor logged where nobody is let in
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
"POST /closed/v1beta/models/m:generateContent?key=secret-key\n$::Ask"
--- error_code: 403
--- response_body_like: PERMISSION_DENIED
--- access_log eval
qr{generateContent\?key=\*{10} }
--- no_error_log
secret
[alert]
[crit]
[emerg]



=== TEST 20: a key in the query is one for llm_auth
--- http_config eval: $::HttpConfig
--- config
location /keys/ {
    llm_auth file=$TEST_NGINX_SERVER_ROOT/html/keys;
    llm_pass openai;
}
--- user_files eval
">>> keys\nteam " . Digest::SHA::sha256_hex('secret-key') . "\n"
--- upstream eval
whole(openai_text('Hello'))
--- request eval
["POST /keys/v1beta/models/m:generateContent?key=secret-key\n$::Ask",
 "POST /keys/v1beta/models/m:generateContent?key=another\n$::Ask"]
--- error_code eval
[200, 401]
--- response_body_like eval
['Hello', 'UNAUTHENTICATED']



=== TEST 21: Vertex: a token, the project's path, and no ids
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(::gemini_text('Hello'))
--- upstream_request_like eval
["\\APOST /v1/projects/p/locations/l/publishers/google/models/m"
    . ":generateContent HTTP/1\\.1\r\n.*^Authorization: Bearer token\r\n"]
--- upstream_request_unlike
x-goog-api-key
--- request eval
ask_openai('/vertex/v1/chat/completions')
--- response_body_like: Hello



=== TEST 22: Claude on Vertex, translated and as it is
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[whole(anthropic_text('Hello')), stream(anthropic_stream('Hello'))]
--- upstream_request_like eval
["\\APOST /v1/projects/p/locations/l/publishers/anthropic/models/m"
    . ":rawPredict HTTP/1\\.1\r\n.*^Authorization: Bearer token\r\n.*"
    . '\{"anthropic_version":"vertex-2023-10-16","max_tokens"',
 "\\APOST /v1/projects/p/locations/l/publishers/anthropic/models/m"
    . ':streamRawPredict HTTP/1\.1.*\{"anthropic_version":'
    . '"vertex-2023-10-16","messages"']
--- request eval
[ask_openai('/vertex-anthropic/v1/chat/completions'),
 ask_anthropic('/vertex-anthropic/v1/messages', '"stream":true')]
--- response_body_like eval
['"content":"Hello"', '"text":"Hello"']



=== TEST 23: no model's name leaves its place in the path
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(::gemini_text('Hello'))
--- upstream_request_like eval
['\APOST /v1beta/models/..%2F..%2Fadmin%3Fx%3D1%23:generateContent HTTP']
--- request eval
ask_openai('/gemini/v1/chat/completions')
    =~ s{"model":"m"}{"model":"../../admin?x=1#"}r
--- response_body_like: Hello



=== TEST 24: the list of models, of a provider and of a pool
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole('{"models":[{"name":"models/gemini-3-flash","displayName":"x"}]}')
--- upstream_request_like eval
['\AGET /v1beta/models\?pageSize=1000 ', '\AGET /v1beta/models\?pageSize=1000 ']
--- request eval
['GET /gemini/v1/models', 'GET /gemini/v1beta/models?pageSize=5',
 'GET /pool/v1beta/models']
--- response_body eval
[qr/\{"object":"list","data":\[\{"id":"gemini-3-flash"/,
 qr/"displayName":"x"/,
 qr/\{"models":\[\{"name":"models\/gemini\/gemini-3-flash"/]



=== TEST 25: the tokens of a call
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
["POST /v1beta/models/g:countTokens\n$::Ask",
 "POST /v1beta/models/g:countTokens?key=k\n{\"generateContentRequest\":{\"model\":\"models/g\",\"contents\":[{\"parts\":[{\"text\":\"Hi\"}]}]}}",
 "POST /v1beta/models/g:countTokens\n{}"]
--- error_code eval
[200, 200, 400]
--- response_body eval
[qr/\A\{"totalTokens":\d+\}\z/, qr/\A\{"totalTokens":\d+\}\z/,
 qr/"message":"contents is missing","status":"INVALID_ARGUMENT"/]



=== TEST 26: a simulated model
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
["POST /simulate/v1beta/models/g:generateContent\n$::Ask",
 "POST /simulate/v1beta/models/g:streamGenerateContent?alt=sse\n$::Ask",
 "POST /simulate/v1beta/models/g:streamGenerateContent\n$::Ask",
 "GET /simulate/v1beta/models"]
--- response_headers eval
['Content-Type: application/json', 'Content-Type: text/event-stream',
 'Content-Type: application/json', 'Content-Type: application/json']
--- response_body eval
[qr/"text":"Hi".*"finishReason":"STOP".*"modelVersion":"g"/,
 qr/\Adata: .*"text":"Hi".*"finishReason":"STOP".*\r\n\r\n\z/s,
 qr/\A\[\{.*"text":"Hi".*"finishReason":"STOP".*\}\]\z/s,
 qr/"models":\[/]



=== TEST 27: a key in the query of a call that is passed through
--- http_config eval: $::HttpConfig
--- config
access_log logs/access.log llm;
llm_pass_through files;
location /files/ { llm_pass gemini; }
location /keys/ {
    llm_auth file=$TEST_NGINX_SERVER_ROOT/html/keys;
    llm_pass gemini;
}
--- user_files eval
">>> keys\nteam " . Digest::SHA::sha256_hex('secret-key') . "\n"
--- upstream eval
whole('{"files":[]}')
--- upstream_request_like eval
[('\AGET /v1beta/files\?pageSize=1 (?s:.*)^x-goog-api-key: google-key\r\n')
 x 2]
--- upstream_request_unlike
secret
--- request eval
["GET /files/v1beta/files?pageSize=1&key=secret-key",
 "GET /keys/v1beta/files?key=secret-key&pageSize=1"]
--- response_body eval
['{"files":[]}', '{"files":[]}']
--- no_error_log
secret
[alert]
[crit]
[emerg]
