# Answers from the cache: by exact text and by meaning, in every API, whole
# and streamed.
# HUP: no, because entries live through a reload.

use lib 't/lib';
use LLMTest;
use LLMAnswers;
use LLMSteps;

our $HttpConfig = q{
    llm_provider openai {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
        keepalive 0;
    }
    llm_provider anthropic {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT;
        keepalive 0;
    }
    llm_cache_zone answers { memory 1m; }
    log_format cache '<$llm_cache_status|$llm_cache_match|$llm_cache_zone|'
        '$llm_cache_similarity|$llm_cache_saved_tokens|$llm_cache_age|'
        '$llm_cache_ttl|$llm_usage_source|$llm_total_tokens|$llm_tries|'
        '$llm_response_model|$llm_finish_reason>';
    access_log logs/access.log cache;
};

our $Config = q{
    llm_cache answers;
    add_header X-Match $llm_cache_match;
    add_header X-Nearest $llm_cache_similarity;
    location / { llm_pass openai; }
    location /claude/ { llm_pass anthropic; }
    location /proxy/ {
        llm on;
        proxy_pass http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/;
    }
};

run_tests();

__DATA__

=== TEST 1: the same question is a hit, a near one by meaning, another one not
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    ask('Who is Joseph Conrad?') => 'Miss one',
    ask('Who is Joseph Conrad?') => ['Hit one', 'X-Match' => 'exact'],
    ask('Tell me more about Joseph Conrad') => [
        'Miss two', 'X-Nearest' => qr/^0\.[5-9]/],
    ask('Living is easy with eyes closed') => 'Miss three',
    ask('Please tell me, who is Joseph Conrad?') => [
        'Hit one', 'X-Match' => 'semantic',
        'X-Cache-Similarity' => qr/^0\.[89]\d\d\d$/],
]



=== TEST 2: ... likewise in front of another content handler
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    at('/proxy', ask('Who is Joseph Conrad?')) => 'Miss one',
    at('/proxy', ask('Who is Joseph Conrad?')) => 'Hit one',
    at('/proxy', ask('Living is easy with eyes closed')) => 'Miss two',
    at('/proxy', ask('Please tell me, who is Joseph Conrad?')) => [
        'Hit one', 'X-Match' => 'semantic'],
]



=== TEST 3: what the headers say
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    ask('Hello') => [
        'Miss one', 'X-Cache-Key' => qr/^[0-9a-f]{64}$/, 'Age' => undef,
        'X-Cache-Ttl' => undef, 'X-Cache-Similarity' => undef,
        'X-LLM-Model' => 'openai/m'],
    ask('Hello') => [
        'Hit one', 'X-Cache-Key' => qr/^[0-9a-f]{64}$/, 'Age' => qr/^\d$/,
        'X-Cache-Ttl' => qr/^3(600|59\d)$/, 'X-Cache-Similarity' => undef,
        'X-LLM-Model' => undef, 'Content-Type' => 'application/json'],
]



=== TEST 4: ... and that they can be switched off
--- http_config eval: $::HttpConfig
--- config eval
"llm_cache_headers off;\n" . $::Config =~ s/add_header.*?;//gr
--- steps eval
[
    ask('Who is Joseph Conrad?') => 'one',
    ask('Who is Joseph Conrad?') => [
        'one', 'X-Cache-Status' => undef, 'X-Cache-Key' => undef,
        'Age' => undef, 'X-Cache-Ttl' => undef],
    ask('Please tell me, who is Joseph Conrad?') => [
        'one', 'X-Cache-Similarity' => undef],
]



=== TEST 5: the key of an answer is that of the entry which gave it
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
my $key = sub {
    my ($call) = @_;
    return sub { LLMSteps::call($call) =~ /^X-Cache-Key: (\w+)/im; $1 };
};
my $first;
[
    sub { $first = $key->(ask('Who wrote Lord Jim?'))->(); 'stored' } => 'stored',
    sub { $key->(ask('Who wrote Lord Jim?'))->() eq $first } => '1',
    sub { $key->(ask('Please, who wrote Lord Jim?'))->() eq $first } => '1',
    sub { $key->(ask('Who wrote Emma?'))->() eq $first } => '',
]



=== TEST 6: variables of a miss and of hits
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    ask('Who is Joseph Conrad?') => 'Miss one',
    ask('Who is Joseph Conrad?') => 'Hit one',
    ask('Please tell me, who is Joseph Conrad?') => 'Hit one',
]
--- access_log eval
[
    '<Miss|-|answers|-|-|-|-|provider|13|1|gpt-4o-2024-08-06|stop>',
    '<Hit|exact|answers|-|13|',
    '<Hit|semantic|answers|0.',
    '|cache|13|-|gpt-4o-2024-08-06|stop>',
]



=== TEST 7: what a location that has no cache says of it: nothing
--- http_config eval: $::HttpConfig
--- config
llm_cache answers;
location / {
    llm_cache off;
    llm_pass openai;
}
--- steps eval
[
    ask('Hello') => ['one', 'X-Cache-Status' => undef],
    ask('Hello') => ['two', 'X-Cache-Key' => undef],
]
--- access_log
<-|-|-|-|-|-|-|provider|



=== TEST 8: a stream from an answer in one piece
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    ask('Hello') => 'Miss one',
    streamed(ask('Hello')) => [
        qr/"role":"assistant".*"content":"one".*"finish_reason":"stop".*data: \[DONE\]\n\n/s,
        'X-Cache-Status' => 'Hit', 'Content-Type' => 'text/event-stream',
        'Cache-Control' => 'no-cache'],
]



=== TEST 9: ... with its usage, where the client asks for it
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    ask('Hello') => 'Miss one',
    streamed(ask('Hello', '"stream_options":{"include_usage":true}')) =>
        qr/X-Cache-Status: Hit.*"choices":\[\],"usage":\{"prompt_tokens":9,"completion_tokens":4,"total_tokens":13.*\[DONE\]/s,
]



=== TEST 10: an answer in one piece from a stream
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[stream(openai_stream('on', 'e'), openai_usage(), $Done)]
--- steps eval
[
    streamed(ask('Hello')) => 'Miss one',
    ask('Hello') => [
        qr/"object":"chat\.completion".*"content":"one".*"finish_reason":"stop".*"total_tokens":13/s,
        'X-Cache-Status' => 'Hit', 'Content-Type' => 'application/json'],
    streamed(ask('Hello')) => 'Hit one',
]
--- upstream_request_like eval
['"stream":true']



=== TEST 11: ... in front of another content handler
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[stream(openai_stream('on', 'e'), openai_usage(), $Done)]
--- steps eval
[
    at('/proxy', streamed(ask('Hello'))) => 'Miss one',
    at('/proxy', ask('Hello')) => 'Hit one',
    at('/proxy', streamed(ask('Hello'))) => 'Hit one',
]
--- upstream_request_like eval
['"stream":true']



=== TEST 12: usage that the provider did not tell is estimated on a hit, too
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[stream(openai_stream('on', 'e'), $Done)]
--- steps eval
[
    streamed(ask('Hello')) => 'Miss one',
    ask('Hello') => qr/"usage":\{"prompt_tokens":[1-9]\d*,"completion_tokens":1,"total_tokens":[1-9]/,
]



=== TEST 13: the APIs share answers
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    ask('Hello', '"max_tokens":50') => 'Miss one',
    claude('Hello') => [
        qr/"type":"message".*"text":"one".*"stop_reason":"end_turn".*"input_tokens":9,.*"output_tokens":4/s,
        'X-Cache-Status' => 'Hit'],
    streamed(claude('Hello')) =>
        qr/Hit.*event: message_start.*"text":"one".*event: message_stop\n/s,
]



=== TEST 14: ... the other way round
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[stream(anthropic_stream('on', 'e'))]
--- steps eval
[
    at('/claude', streamed(claude('Hello'))) => 'Miss one',
    at('/claude', claude('Hello')) => 'Hit one',
    at('/claude', ask('Hello', '"max_tokens":50')) =>
        qr/Hit.*"object":"chat\.completion".*"content":"one"/s,
]



=== TEST 15: each answer has an id of its own, in the manner of its API
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
my %ids;
my $id = sub {
    my ($call) = @_;
    LLMSteps::call($call) =~ /"id":"([^"]+)"/ or return 'none';
    return $ids{$1}++ ? 'seen before' : $1;
};
[
    sub { $id->(ask('Hello', '"max_tokens":50')) } => 'c1',
    (sub { $id->(ask('Hello', '"max_tokens":50')) } => qr/^chatcmpl-\w{16,}$/) x 2,
    sub { $id->(claude('Hello')) } => qr/^msg_\w{16,}$/,
    (sub { $id->(streamed(ask('Hello', '"max_tokens":50'))) } => qr/^chatcmpl-\w{16,}$/) x 2,
]



=== TEST 16: calls of tools are kept whole
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(openai_text('x') =~ s/"content":"x"/"content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"f","arguments":"{\\"a\\":1}"}},{"id":"call_2","type":"function","function":{"name":"g","arguments":"{}"}}]/r =~ s/"stop"/"tool_calls"/r)
--- steps eval
my $tools = '"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}},{"type":"function","function":{"name":"g"}}]';
[
    ask('Call both', $tools) => qr/Miss.*"call_1".*"call_2"/s,
    ask('Call both', $tools) => qr/Hit.*"id":"call_1","type":"function","function":\{"name":"f","arguments":"\{\\"a\\":1\}"\}.*"id":"call_2".*"name":"g".*"finish_reason":"tool_calls"/s,
    streamed(ask('Call both', $tools)) => qr/Hit.*"index":0.*"id":"call_1".*"index":1.*"id":"call_2".*"finish_reason":"tool_calls"/s,
]
--- upstream_request_like eval
['Call both']



=== TEST 17: ... and what a model thought, signed
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(anthropic_text('x') =~ s/"content":\[/"content":[{"type":"thinking","thinking":"Well","signature":"S=="},/r)
--- steps eval
my $think = '"thinking":{"type":"enabled","budget_tokens":1024}';
my $call = at('/claude', claude('Think', $think));
[
    $call => qr/Miss.*"thinking":"Well","signature":"S=="/s,
    $call => qr/Hit.*"thinking":"Well","signature":"S==".*"text":"x"/s,
    streamed($call) => qr/Hit.*"thinking":"Well".*"signature":"S==".*"text":"x"/s,
]



=== TEST 18: several answers to one call
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(openai_text('a') =~ s/("choices":\[)(.*?"finish_reason":"stop"\})\]/my $c = $2; "$1$c," . ($c =~ s{"index":0}{"index":1}r =~ s{"a"}{"b"}r) . ']'/er)
--- steps eval
[
    (ask('Two of them', '"n":2') => qr/"index":0,"message":\{"role":"assistant","content":"a".*"index":1,"message":\{"role":"assistant","content":"b"/) x 2,
    streamed(ask('Two of them', '"n":2')) => qr/Hit.*"content":"a".*"content":"b"/s,
]
--- upstream_request_like eval
['"n":2']



=== TEST 19: text that JSON has to escape, and text in other scripts
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(openai_text('a\\"b\\nc \\u4f60\\ud83d\\ude00'))
--- steps eval
my $ask = ask("\xe4\xbd\xa0\xe5\xa5\xbd");
my $said = qr/"content":"a\\"b\\nc \xe4\xbd\xa0\xf0\x9f\x98\x80"/;
[
    $ask => qr/Miss/,
    $ask => qr/Hit.*$said/s,
    streamed($ask) => qr/Hit.*$said/s,
]
--- upstream_request_like eval
['POST']



=== TEST 20: a question with no words in it is found by its text
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    ask('') => 'Miss one',
    ask('') => 'Hit one',
    ask('?!') => 'Miss two',
    ask('?!') => 'Hit two',
    ask('...') => 'Miss three',
]



=== TEST 21: calls that are no chats pass by
--- http_config eval: $::HttpConfig
--- config
llm_cache answers;
location / { llm on; return 200 "hello"; }
--- steps eval
[
    get('/v1/models') => ['', 'X-Cache-Status' => undef],
    post('/v1/embeddings', '{"model":"m","input":"x"}') => ['', 'X-Cache-Status' => undef],
]



=== TEST 22: a call that is not understood goes to the provider, unread
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
my $call = post('/v1/chat/completions', '{"model":"m","messages":[{"role":"user","content":[{"type":"text"}]}]}');
[
    $call => 'Bypass one',
    $call => ['Bypass two', 'X-Cache-Key' => undef],
]



=== TEST 23: one connection, several hits, whole and streamed
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- pipelined_requests eval
my $plain = '{"model":"m","messages":[{"role":"user","content":"Hello"}]}';
my $stream = $plain =~ s/\}\z/,"stream":true}/r;
[map { "POST /v1/chat/completions\n$_" } $plain, $plain, $stream, $plain]
--- upstream eval
whole(openai_text('one'))
--- response_body_like eval
[qr/one/, qr/one/, qr/one.*DONE/s, qr/one/]



=== TEST 24: over HTTP/2
--- http_config eval
$::HttpConfig . q{
    server {
        listen 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2 http2;
        location / { llm_pass openai; llm_cache answers; }
    }
}
--- config eval: $::Config
--- steps eval
my $curl = sub {
    my ($more) = @_;
    return sub {
        my $output = `curl -s -N -i -m 10 --http2-prior-knowledge -d '{"model":"m","messages":[{"role":"user","content":"Hello"}]$more}' http://127.0.0.1:$ENV{TEST_NGINX_UPSTREAM_PORT2}/v1/chat/completions`;
        return $output;
    };
};
[
    $curl->('') => qr/^HTTP\/2 200.*x-cache-status: Miss.*one/s,
    $curl->('') => qr/^HTTP\/2 200.*x-cache-status: Hit.*one/s,
    $curl->(',"stream":true') => qr/x-cache-status: Hit.*one.*DONE/s,
]



=== TEST 25: a hit of hundreds of kilobytes
--- http_config eval: $::HttpConfig
--- config eval
"llm_cache_max_entry 1m;\n$::Config"
--- upstream eval
whole(openai_text('word ' x 40000))
--- steps eval
[
    ask('A long one') => qr/Miss/,
    ask('A long one') => qr/Hit.*"content":"(word ){40000}"/s,
    streamed(ask('A long one')) => qr/Hit.*(word ){1000}.*DONE/s,
]
--- upstream_request_like eval
['POST']



=== TEST 26: calls for which the provider runs a tool go past it
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    ask('What is new?', '"web_search_options":{}') => 'Bypass one',
    ask('What is new?', '"web_search_options":{}') => 'Bypass two',
    ask('What is new?') => 'Miss three',
]
