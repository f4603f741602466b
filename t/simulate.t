# llm_simulate: a simulated model as a content handler.

use lib 't/lib';
use LLMTest;

run_tests();

__DATA__

=== TEST 1: a chat of the OpenAI API is echoed, tokens counted
--- config
location / { llm_simulate openai; }
--- request
POST /v1/chat/completions
{"model":"gpt-x","messages":[{"role":"user","content":"Hello there"}]}
--- response_headers
Content-Type: application/json
--- response_body_like chomp
^\{"id":"chatcmpl-[0-9a-f]+","object":"chat\.completion","created":\d+,"model":"gpt-x","choices":\[\{"index":0,"message":\{"role":"assistant","content":"Hello there".*"finish_reason":"stop"\}\],"usage":\{"prompt_tokens":\d+,"completion_tokens":2,



=== TEST 2: a message of the Anthropic API
--- config
location / { llm_simulate anthropic; }
--- request
POST /v1/messages
{"model":"claude-x","max_tokens":50,"messages":[{"role":"user","content":"Hello there"}]}
--- response_body_like chomp
^\{"id":"msg_[0-9a-f]+","type":"message","role":"assistant","model":"claude-x","content":\[\{"type":"text","text":"Hello there"\}\],"stop_reason":"end_turn",.*"output_tokens":2



=== TEST 3: a stream of the OpenAI API
--- config
location / { llm_simulate openai; }
--- request
POST /v1/chat/completions
{"model":"gpt-x","stream":true,"messages":[{"role":"user","content":"Hello there"}]}
--- response_headers
Content-Type: text/event-stream
Cache-Control: no-cache
--- response_body_filters eval
sub { my $body = shift; $body =~ s/"(id|created)":[^,]+,//g;
      $body =~ s/\n\n\z/\n/; $body }
--- response_body
data: {"object":"chat.completion.chunk","model":"gpt-x","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}

data: {"object":"chat.completion.chunk","model":"gpt-x","choices":[{"index":0,"delta":{"content":"Hello"},"finish_reason":null}]}

data: {"object":"chat.completion.chunk","model":"gpt-x","choices":[{"index":0,"delta":{"content":" there"},"finish_reason":null}]}

data: {"object":"chat.completion.chunk","model":"gpt-x","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}

data: [DONE]




=== TEST 4: a stream of the Anthropic API
--- config
location / { llm_simulate anthropic; }
--- request
POST /v1/messages
{"model":"claude-x","max_tokens":50,"stream":true,"messages":[{"role":"user","content":"Hello there"}]}
--- response_headers
Content-Type: text/event-stream
--- response_body_like chomp
^event: message_start
data: \{"type":"message_start",.*"model":"claude-x".*
event: content_block_start
[^\n]+

event: content_block_delta
[^\n]+"text":"Hello"\}\}

event: content_block_delta
[^\n]+"text":" there"\}\}

event: content_block_stop
[^\n]+

event: message_delta
[^\n]+"stop_reason":"end_turn"[^\n]+

event: message_stop
data: \{"type":"message_stop"\}

\z



=== TEST 5: usage in a stream, where it is asked for
--- config
location / { llm_simulate openai; }
--- request
POST /v1/chat/completions
{"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"a b c"}]}
--- response_body_like chomp
"choices":\[\],"usage":\{"prompt_tokens":\d+,"completion_tokens":3,.*

data: \[DONE\]



=== TEST 6: the same request gets the same answer, another seed another one
--- config
location /a/ { llm_simulate openai reply=lorem tokens=6 seed=7; }
location /b/ { llm_simulate openai reply=lorem tokens=6 seed=8; }
location /same/ { llm_simulate openai reply=lorem tokens=6 seed=7; }
--- request eval
my $body = '{"model":"m","messages":[{"role":"user","content":"Hello"}]}';
["POST /a/chat/completions\n$body", "POST /same/chat/completions\n$body",
 "POST /b/chat/completions\n$body"]
--- response_body_filters eval
sub {
    my ($id, $text) = $_[0] =~ /"id":"([^"]+)".*"content":"([^"]+)"/;
    our %seen;
    return ($seen{"$id $text"}++ ? 'seen' : 'new') . ' '
        . scalar(split ' ', $text);
}
--- response_body eval
['new 6', 'seen 6', 'new 6']



=== TEST 7: a fixed reply
--- config
location / { llm_simulate anthropic "reply=All is well."; }
--- request
POST /v1/messages
{"model":"m","max_tokens":50,"messages":[{"role":"user","content":"Hello"}]}
--- response_body_like chomp
"text":"All is well\."



=== TEST 8: a reply of as many tokens as asked for
--- config
location / { llm_simulate openai "reply=one two three" tokens=5; }
--- request
POST /v1/chat/completions
{"model":"m","messages":[{"role":"user","content":"Hello"}]}
--- response_body_like chomp
"content":"one two three one two".*"completion_tokens":5



=== TEST 9: the client's bound ends the answer
--- config
location / { llm_simulate openai reply=lorem tokens=50; }
--- request
POST /v1/chat/completions
{"model":"m","max_tokens":4,"messages":[{"role":"user","content":"Hello"}]}
--- response_body_like chomp
"finish_reason":"length".*"completion_tokens":4



=== TEST 10: tools are called
--- config
location / { llm_simulate openai; }
--- request
POST /v1/chat/completions
{"model":"m","messages":[{"role":"user","content":"What is the weather in Paris?"}],"tools":[{"type":"function","function":{"name":"get_weather","parameters":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}}]}
--- response_body_like chomp
"tool_calls":\[\{"id":"call_[^"]+","type":"function","function":\{"name":"get_weather","arguments":"\{\\"city\\":\\"Paris\\"\}"\}\}\].*"finish_reason":"tool_calls"



=== TEST 11: the model's name
--- config
location / { llm_simulate anthropic model=claude-simulated; }
--- request
POST /v1/messages
{"model":"claude-x","max_tokens":50,"messages":[{"role":"user","content":"Hello"}]}
--- response_body_like chomp
"model":"claude-simulated"



=== TEST 12: the list of models
--- config
location /o/ { llm_simulate openai; }
location /a/ { llm_simulate anthropic model=claude-simulated; }
--- request eval
['GET /o/v1/models', 'GET /a/v1/models', 'HEAD /a/v1/models']
--- response_body_like eval
['^\{"object":"list","data":\[\{"id":"simulated","object":"model",',
 '^\{"data":\[\{"type":"model","id":"claude-simulated"',
 '^\z']



=== TEST 13: only the API that is simulated is there
--- config
location /o/ { llm_simulate openai; }
location /a/ { llm_simulate anthropic; }
--- request eval
["POST /o/v1/messages\n{}", "POST /a/v1/chat/completions\n{}",
 "POST /o/v1/embeddingsx\n{}", "GET /a/"]
--- error_code eval
[404, 404, 404, 404]
--- response_body_like eval
['^\{"error":\{"message":"no such route in the API \\\\"openai\\\\" .* \.\.\./chat/completions, \.\.\./models, \.\.\./models/\{model\}, \.\.\./embeddings","type":"invalid_request_error","param":null,"code":"unknown_url"\}\}\z',
 '^\{"type":"error","error":\{"type":"not_found_error","message":"no such route',
 '^\{"error":', '^\{"type":"error"']



=== TEST 14: the method
--- config
location /o/ { llm_simulate openai; }
location /a/ { llm_simulate anthropic; }
--- request eval
['GET /o/v1/chat/completions', "POST /a/v1/models\n{}"]
--- error_code eval
[405, 405]
--- response_headers eval
['Allow: POST', 'Allow: GET, HEAD']
--- response_body_like eval
['^\{"error":\{"message":"the method is not allowed here, use POST"',
 '^\{"type":"error","error":\{"type":"invalid_request_error"']



=== TEST 15: status= answers everything with that error
--- config
location /o/ { llm_simulate openai status=429 retry_after=7; }
location /a/ { llm_simulate anthropic status=529; }
location /e/ { llm_simulate openai status=401; }
--- request eval
my $body = '{"model":"m","messages":[{"role":"user","content":"Hello"}]}';
["POST /o/v1/chat/completions\n$body", "POST /a/v1/messages\n$body",
 "POST /e/v1/chat/completions\n$body", "GET /o/v1/models"]
--- error_code eval
[429, 529, 401, 429]
--- response_headers eval
['Retry-After: 7', '!Retry-After', '!Retry-After', 'Retry-After: 7']
--- response_body_like eval
['^\{"error":\{"message":"simulated error 429",.*"code":"rate_limit_exceeded"\}\}\z',
 '^\{"type":"error","error":\{"type":"overloaded_error","message":"simulated error 529"\}\}\z',
 '"message":"simulated error 401"', '"message":"simulated error 429"']



=== TEST 16: fail= spreads failures evenly
--- config
location / { llm_simulate openai fail=40%; }
--- pipelined_requests eval
[("POST /v1/chat/completions\n"
  . '{"model":"m","messages":[{"role":"user","content":"Hello"}]}') x 5]
--- error_code eval
[200, 200, 500, 200, 500]
--- response_body_like eval
['chat.completion', 'chat.completion', '^\{"error":\{"message":"simulated error 500","type":"server_error"', 'chat.completion',
 '^\{"error"']



=== TEST 17: fail=100 fails always, fail=0 never
--- config
location /a/ { llm_simulate openai fail=100; }
location /b/ { llm_simulate openai fail=0; }
--- pipelined_requests eval
my $body = '{"model":"m","messages":[{"role":"user","content":"Hello"}]}';
["POST /a/chat/completions\n$body", "POST /a/chat/completions\n$body",
 "POST /b/chat/completions\n$body", "POST /b/chat/completions\n$body"]
--- error_code eval
[500, 500, 200, 200]



=== TEST 18: cut= breaks a stream off in the middle
--- config
location / { llm_simulate openai reply=lorem tokens=10 cut=100; }
--- raw_request eval
my $body = '{"model":"m","stream":true,"messages":[{"role":"user","content":"Hello"}]}';
"POST /v1/chat/completions HTTP/1.0\r\nContent-Length: " . length($body)
. "\r\n\r\n$body"
--- response_body_filters eval
sub {
    my @events = $_[0] =~ /^data: (.+)$/gm;
    return @events . ' ' . ($_[0] =~ /finish_reason":"|DONE/ || 0);
}
--- response_body chomp
6 0



=== TEST 19: a chunked stream that is cut has no last chunk
--- config
location /sim/ { llm_simulate anthropic reply=lorem tokens=10 cut=100; }
location / {
    proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/sim/;
    proxy_http_version 1.1;
    proxy_buffering off;
}
--- request
POST /v1/messages
{"model":"m","max_tokens":50,"stream":true,"messages":[{"role":"user","content":"Hello"}]}
--- ignore_response
--- error_log
upstream prematurely closed connection



=== TEST 20: cut= leaves answers that are no streams alone
--- config
location / { llm_simulate openai cut=100; }
--- request
POST /v1/chat/completions
{"model":"m","messages":[{"role":"user","content":"Hello"}]}
--- response_body_like chomp
"content":"Hello"



=== TEST 21: an answer takes the time to first token and that of its tokens
The header is sent with the whole answer: 200 ms + 10 tokens / 100 per second.
--- config
location / {
    llm_simulate openai reply=lorem tokens=10 ttft=200ms rate=100;
    add_header X-Time $request_time;
}
--- request
POST /v1/chat/completions
{"model":"m","messages":[{"role":"user","content":"Hello"}]}
--- response_headers_like
X-Time: (0\.[3-9]|[1-9]\d*\.).*
--- response_body_like chomp
"completion_tokens":10



=== TEST 22: a stream's head comes with its first token, its end with the last
--- http_config
log_format pace "$sent_http_x_time $request_time";
--- config
location /sim/ {
    llm_simulate openai reply=lorem tokens=10 ttft=200ms rate=50;
    add_header X-Time $request_time;
    access_log logs/pace.log pace;
}
location = /log {
    default_type text/plain;
    alias $TEST_NGINX_SERVER_ROOT/logs/pace.log;
}
--- request eval
["POST /sim/chat/completions\n"
 . '{"model":"m","stream":true,"messages":[{"role":"user","content":"Hello"}]}',
 'GET /log']
--- response_body_like eval
['"finish_reason":"stop"\}\]\}\n\ndata: \[DONE\]\n\n\z',
 '^(0\.[2-9]|[1-9]\d*\.)\d+ (0\.[4-9]|[1-9]\d*\.)\d+\n']



=== TEST 23: a rate with a fraction
--- config
location / { llm_simulate openai reply=lorem tokens=1 rate=10.5; }
--- request
POST /v1/chat/completions
{"model":"m","stream":true,"messages":[{"role":"user","content":"Hello"}]}
--- response_body_like chomp
\[DONE\]



=== TEST 24: a long stream, whole, to a client that is held back
--- config
location / {
    llm_simulate openai reply=lorem tokens=20000;
    limit_rate 8m;
}
--- request
POST /v1/chat/completions
{"model":"m","stream":true,"messages":[{"role":"user","content":"Hello"}]}
--- response_body_filters eval
sub {
    my @tokens = $_[0] =~ /"delta":\{"content":"[^"]+"\}/g;
    return @tokens . ' ' . substr $_[0], -14;
}
--- response_body eval
"20000 data: [DONE]\n\n"
--- timeout: 20



=== TEST 25: clients that leave before and within a stream
The requests wait for ever, so they end because the clients leave.
--- config
location /wait/ { llm_simulate openai ttft=1h; }
location /slow/ { llm_simulate openai reply=lorem tokens=10 rate=0.001; }
--- request eval
my $stream = '{"model":"m","stream":true,"messages":[{"role":"user","content":"Hello"}]}';
["POST /wait/chat/completions\n$stream", "POST /slow/chat/completions\n$stream",
 "POST /wait/chat/completions\n"
 . '{"model":"m","messages":[{"role":"user","content":"Hello"}]}']
--- timeout: 100ms
--- abort
--- ignore_response
--- wait: 0.1
--- error_log eval
['client prematurely closed connection', 'client prematurely closed connection',
 'client prematurely closed connection']



=== TEST 26: a compressed stream
--- config
location /sim/ {
    llm_simulate openai reply=lorem tokens=100 rate=100000;
    gzip on;
    gzip_types text/event-stream;
    gzip_proxied any;
}
location / {
    proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/sim/;
    proxy_http_version 1.1;
    proxy_set_header Accept-Encoding gzip;
    gunzip on;
}
--- request
POST /v1/chat/completions
{"model":"m","stream":true,"messages":[{"role":"user","content":"Hello"}]}
--- response_body_filters eval
sub { scalar(() = $_[0] =~ /"delta":\{"content":"[^"]+"\}/g)
      . substr $_[0], -14 }
--- response_body eval
"100data: [DONE]\n\n"



=== TEST 27: a body in a temporary file
--- config
location / {
    client_body_buffer_size 1k;
    client_body_in_file_only clean;
    llm_simulate openai tokens=2;
}
--- request eval
"POST /v1/chat/completions\n"
. '{"model":"m","messages":[{"role":"user","content":"Hello ' . 'x' x 100000
. '"}]}'
--- response_body_like chomp
"content":"Hello x



=== TEST 28: a chunked body
--- config
location / { llm_simulate openai; }
--- more_headers
Transfer-Encoding: chunked
--- request eval
my ($one, $two) = ('{"model":"m","messages":[{"role":"us',
    'er","content":"Hello there"}]}');
"POST /v1/chat/completions\n"
. CORE::join '', map { sprintf("%x\r\n%s\r\n", length, $_) } $one, $two, ''
--- response_body_like chomp
"content":"Hello there"



=== TEST 29: bad bodies
--- config
location / { llm_simulate openai; llm_max_depth 20; }
--- request eval
[map { "POST /v1/chat/completions\n$_" }
 'Hello', '[]', '{"model":"m"}', '{"messages":[{"role":"user","content":"a"}]}',
 '{"model":"m","model":"n","messages":[{"role":"user","content":"a"}]}',
 '{"model":"m","messages":[{"role":"user","content":7}]}',
 '{"model":"m","messages":[{"role":"user","content":"a"}],"x":' . '[' x 30
 . ']' x 30 . '}']
--- error_code eval
[400, 400, 400, 400, 400, 400, 400]
--- response_body_like eval
['^\{"error":\{"message":"invalid JSON', '^\{"error":\{', '"param":"messages"',
 '"param":"model"', '^\{"error":\{', '"param":"messages\[0\]\.content"',
 '^\{"error":\{']



=== TEST 30: no body
--- config
location / { llm_simulate anthropic; }
--- request
POST /v1/messages
--- error_code: 400
--- response_body_like chomp
^\{"type":"error","error":\{"type":"invalid_request_error",



=== TEST 31: as a mirror, whose answer nobody reads
--- config
location / {
    mirror /copy/v1/chat/completions;
    llm_simulate openai;
}
location /copy/ {
    internal;
    llm_simulate openai ttft=10ms tokens=5000;
}
--- request
POST /v1/chat/completions
{"model":"m","stream":true,"messages":[{"role":"user","content":"Hello"}]}
--- response_body_like chomp
"content":"Hello".*\[DONE\]



=== TEST 32: behind llm on
--- config
location / { llm on; llm_simulate anthropic; }
--- request
POST /v1/messages
{"model":"m","max_tokens":50,"stream":true,"messages":[{"role":"user","content":"Hello"}]}
--- response_body_like chomp
message_stop



=== TEST 33: limit_except and if inherit the handler, a nested location does not
--- config
location /a/ {
    llm_simulate openai;
    limit_except POST { deny all; }
    if ($arg_x) { set $x 1; }
    location /a/b/ { return 204; }
}
--- request eval
my $body = '{"model":"m","messages":[{"role":"user","content":"Hello"}]}';
["POST /a/chat/completions\n$body", "POST /a/chat/completions?x=1\n$body",
 'GET /a/models', "POST /a/b/chat/completions\n$body"]
--- error_code eval
[200, 200, 403, 204]



=== TEST 34: no format
--- config
location / { llm_simulate; }
--- must_die
--- error_log
invalid number of arguments in "llm_simulate" directive in



=== TEST 35: an unknown format
--- config
location / { llm_simulate soap; }
--- must_die
--- error_log
unknown format "soap" in



=== TEST 36: an unknown parameter
--- config
location / { llm_simulate openai speed=7; }
--- must_die
--- error_log
invalid parameter "speed=7" in



=== TEST 37: a bad time
--- config
location / { llm_simulate openai ttft=soon; }
--- must_die
--- error_log
invalid value "soon" in "ttft" parameter, it must be a time in



=== TEST 38: a bad rate
--- config
location / { llm_simulate openai rate=-1; }
--- must_die
--- error_log
invalid value "-1" in "rate" parameter, it must be a number of tokens per second up to 1000000 in



=== TEST 39: no tokens
--- config
location / { llm_simulate openai tokens=0; }
--- must_die
--- error_log
invalid value "0" in "tokens" parameter, it must be a number between 1 and 131072 in



=== TEST 40: a status that is no error
--- config
location / { llm_simulate openai status=200; }
--- must_die
--- error_log
invalid value "200" in "status" parameter, it must be between 400 and 599 in



=== TEST 41: more than all
--- config
location / { llm_simulate openai fail=100.5; }
--- must_die
--- error_log
invalid value "100.5" in "fail" parameter, it must be a percentage between 0 and 100 in



=== TEST 42: no percentage
--- config
location / { llm_simulate openai cut=%; }
--- must_die
--- error_log
invalid value "%" in "cut" parameter, it must be a percentage between 0 and 100 in



=== TEST 43: an empty reply
--- config
location / { llm_simulate openai reply=; }
--- must_die
--- error_log
invalid value "" in "reply" parameter, it must be "echo", "lorem" or a text in



=== TEST 44: an empty name
--- config
location / { llm_simulate openai model=; }
--- must_die
--- error_log
invalid value "" in "model" parameter, it must be a name in



=== TEST 45: a bad seed
--- config
location / { llm_simulate openai seed=x; }
--- must_die
--- error_log
invalid value "x" in "seed" parameter, it must be a number in



=== TEST 46: a bad Retry-After
--- config
location / { llm_simulate openai status=429 retry_after=tomorrow; }
--- must_die
--- error_log
invalid value "tomorrow" in "retry_after" parameter, it must be seconds between 0 and 86400 in



=== TEST 47: a Retry-After without a status that has one
--- config
location / { llm_simulate openai status=500 retry_after=1; }
--- must_die
--- error_log
"retry_after" parameter requires "status" 429, 503 or 529 in



=== TEST 48: twice
--- config
location / { llm_simulate openai; llm_simulate anthropic; }
--- must_die
--- error_log
"llm_simulate" directive is duplicate in



=== TEST 49: together with llm_pass
--- config
location / { llm_simulate openai; llm_pass x; }
--- must_die
--- error_log
"llm_pass" directive is incompatible with "llm_simulate" in



=== TEST 50: llm_pass first
--- config
location / { llm_pass x; llm_simulate openai; }
--- must_die
--- error_log
"llm_simulate" directive is incompatible with "llm_pass" in



=== TEST 51: outside of a location
--- config
llm_simulate openai;
--- must_die
--- error_log
"llm_simulate" directive is not allowed here in



=== TEST 52: embeddings of no more texts than OpenAI takes
--- config
location / { llm_simulate openai; }
--- request eval
[map { qq(POST /v1/embeddings\n{"model":"m","dimensions":2,"input":[)
    . CORE::join(',', ('"a"') x $_) . ']}' } 2048, 2049]
--- error_code eval
[200, 400]
--- response_body_like eval
['^\{"object":"list"', '"message":"there are 2048 texts at most",.*"param":"input"']



=== TEST 53: megabytes without a space
--- config
location / { llm_simulate openai; }
--- request eval
"POST /v1/chat/completions\n" . '{"model":"m","messages":[{"role":"user",'
    . '"content":"' . 'x' x (4 << 20) . '"}]}'
--- response_body_like: "content":"x{1000}
