# What is kept: only answers that are complete, good and allowed to be.
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
    llm_upstream chat { model openai/a max_fails=0; }
    llm_cache_zone answers { memory 1m; }
    log_format cache '<$llm_cache_not_stored>';
    access_log logs/access.log cache;
};

our $Config = q{
    llm_cache answers;
    location / { llm_pass chat; }
    location /claude/ { llm_pass anthropic; }
    location /proxy/ {
        llm on;
        proxy_pass http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/;
    }
};

# An answer that ended so.
sub ended {
    my ($reason) = @_;
    return whole(openai_text('one') =~ s/"stop"/"$reason"/r);
}

our $Good = whole(openai_text('good'));

run_tests();

__DATA__

=== TEST 1: errors are not kept
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[(map { whole(openai_error('e', 'No'), $_) } '400 Bad', '401 No', '404 None',
  '429 Slow', '500 Oh', '503 Not now'), $::Good]
--- steps eval
[
    ask('Hello') => 'Miss 400 (error)',
    ask('Hello') => 'Miss 401 (error)',
    ask('Hello') => 'Miss 404 (error)',
    ask('Hello') => 'Miss 429 (error)',
    ask('Hello') => 'Miss 500 (error)',
    ask('Hello') => 'Miss 503 (error)',
    ask('Hello') => 'Miss good',
    ask('Hello') => 'Hit good',
]



=== TEST 2: ... in front of another content handler
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[(map { whole(openai_error('e', 'No'), $_) } '400 Bad', '429 Slow', '500 Oh'),
  whole('{"error":{"message":"a 200"}}'), whole('not JSON'), $::Good]
--- steps eval
my $hello = at('/proxy', ask('Hello'));
[
    $hello => 'Miss 400 (error)',
    $hello => 'Miss 429 (error)',
    $hello => 'Miss 500 (error)',
    $hello => 'Miss (error)',
    $hello => 'Miss',
    $hello => 'Miss good',
    $hello => 'Hit good',
]



=== TEST 3: what is no answer at all
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[whole('{"error":{"message":"a 200","type":"server_error"}}'), whole('no JSON'),
 whole('{}'), "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", $::Good]
--- steps eval
[
    ask('Hello') => qr/Miss.*\(?error/s,
    ask('Hello') => qr/502.*Miss.*error/s,
    ask('Hello') => qr/Miss/s,
    ask('Hello') => qr/502.*Miss.*error/s,
    ask('Hello') => 'Miss good',
]



=== TEST 4: a stream that breaks off is not kept
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[cut((openai_stream('on', 'e'))[0 .. 2]),
 cut((openai_stream('on', 'e'))[0 .. 2], openai_chunk('{}', 'stop')),
 stream(openai_stream('goo', 'd'), $Done)]
--- steps eval
my $hello = streamed(ask('Hello'));
[
    $hello => 'Miss (error) one',
    $hello => qr/Miss/,
    $hello => qr/(Miss|Hit)/,
]
--- access_log
<error>



=== TEST 5: ... in front of another content handler
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[cut((openai_stream('on', 'e'))[0 .. 2]), stream(openai_stream('goo', 'd'), $Done)]
--- steps eval
my $hello = at('/proxy', streamed(ask('Hello')));
[
    $hello => qr/Miss.*"content":"e"/s,
    $hello => 'Miss good',
    $hello => 'Hit good',
]
--- access_log
<error>



=== TEST 6: a stream with an error in it
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[stream((openai_stream('on', 'e'))[0 .. 2], 'data: ' . openai_error('server_error', 'Oh') . "\n\n"),
 stream(openai_stream('goo', 'd'), $Done)]
--- steps eval
my $hello = streamed(ask('Hello'));
[
    $hello => 'Miss (error) one',
    $hello => 'Miss good',
    $hello => 'Hit good',
]
--- access_log
<error>



=== TEST 7: what was withheld
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[::ended('content_filter'), $::Good]
--- steps eval
[
    ask('Hello') => 'Miss one',
    ask('Hello') => 'Miss good',
    ask('Hello') => 'Hit good',
]
--- access_log
<content_filter>



=== TEST 8: what the model would not do
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[whole(openai_text('x') =~ s/"content":"x","refusal":null/"content":null,"refusal":"I would rather not"/r),
 $::Good]
--- steps eval
[
    ask('Hello') => qr/Miss.*rather not/s,
    ask('Hello') => 'Miss good',
]
--- access_log
<refusal>



=== TEST 9: ... in Anthropic's words
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[whole(anthropic_text('no') =~ s/end_turn/refusal/r), whole(anthropic_text('good'))]
--- steps eval
my $hello = at('/claude', claude('Hello'));
[
    $hello => 'Miss no',
    $hello => 'Miss good',
    $hello => 'Hit good',
]



=== TEST 10: where the model failed behind some text
--- http_config eval
$::HttpConfig . 'llm_provider gemini { url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1beta; keepalive 0; }'
--- config eval: "$::Config location /gemini/ { llm_pass gemini; }"
--- upstream eval
[map { whole('{"candidates":[{"content":{"role":"model","parts":[{"text":"' . $_->[0]
    . '"}]},"finishReason":"' . $_->[1] . '"}]}') }
    ['bad', 'MALFORMED_FUNCTION_CALL'], ['good', 'STOP']]
--- steps eval
my $hello = at('/gemini', ask('Hello'));
[
    $hello => 'Miss bad',
    $hello => 'Miss good',
    $hello => 'Hit good',
]
--- access_log
<error>



=== TEST 11: what was cut at the limit of tokens
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[::ended('length'), $::Good]
--- steps eval
[
    ask('Hello') => 'Miss one',
    ask('Hello') => 'Miss good',
]
--- access_log
<length>



=== TEST 12: ... unless that is asked for
--- http_config eval: $::HttpConfig
--- config eval
"llm_cache_truncated on;\n$::Config"
--- upstream eval
[::ended('length'), $::Good]
--- steps eval
[
    ask('Hello') => 'Miss one',
    ask('Hello') => qr/Hit.*"finish_reason":"length"/s,
]



=== TEST 13: an answer that says nothing
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[whole(openai_text('')), $::Good]
--- steps eval
[
    ask('Hello') => 'Miss',
    ask('Hello') => 'Miss good',
]
--- access_log
<empty>



=== TEST 14: llm_cache_no_store: the predicate may know the answer
--- http_config eval
$::HttpConfig . 'map $llm_total_tokens $cheap { 13 1; }'
--- config eval
"llm_cache_no_store \$cheap;\n$::Config"
--- upstream eval
[whole(openai_text('cheap')), whole(openai_text('dear') =~ s/13/14/r)]
--- steps eval
[
    ask('Hello') => 'Miss cheap',
    ask('Hello') => 'Miss dear',
    ask('Hello') => 'Hit dear',
]
--- access_log
<no_store>



=== TEST 15: ... and only what it says is not kept
--- http_config eval: $::HttpConfig
--- config eval
"llm_cache_no_store \$http_x_secret;\n$::Config"
--- steps eval
[
    with(ask('Hello'), 'X-Secret: 1') => 'Miss one',
    with(ask('Hello'), 'X-Secret: 0') => 'Miss two',
    with(ask('Hello'), 'X-Secret: 1') => 'Hit two',
    at('/proxy', with(ask('Hello'), 'X-Secret: 1')) => 'Miss three',
    at('/proxy', with(ask('Hello'), 'X-Secret: 1')) => 'Miss four',
]
--- access_log
<no_store>



=== TEST 16: llm_cache_bypass: nothing is read, but the answer is kept
--- http_config eval: $::HttpConfig
--- config eval
"llm_cache_bypass \$arg_nocache;\n$::Config"
--- steps eval
my $fresh = ask('Hello');
$fresh->{path} .= '?nocache=1';
[
    ask('Hello') => 'Miss one',
    $fresh => ['Bypass two', 'Age' => undef],
    ask('Hello') => 'Hit two',
]



=== TEST 17: llm_cache_min_uses
--- http_config eval: $::HttpConfig
--- config eval
"llm_cache_min_uses 3;\n$::Config"
--- steps eval
[
    ask('Hello') => 'Miss one',
    ask('Hello') => 'Miss two',
    ask('Hello') => 'Miss three',
    ask('Hello') => 'Hit three',
]
--- access_log
<min_uses>



=== TEST 18: llm_cache_max_entry, whole and streamed
--- http_config eval: $::HttpConfig
--- config eval
"llm_cache_max_entry 1k;\n$::Config"
--- upstream eval
[whole(openai_text('x' x 1000)), stream(openai_stream(('x' x 250) x 5), $Done), $::Good]
--- steps eval
[
    ask('Hello') => 'Miss ' . 'x' x 1000,
    streamed(ask('Hello')) => 'Miss ' . 'x' x 1250,
    ask('Hello') => 'Miss good',
    ask('Hello') => 'Hit good',
]
--- access_log eval
["<too_large>", "<too_large>"]



=== TEST 19: more than the zone takes
--- http_config eval
$::HttpConfig =~ s/memory 1m/memory 512k/r
--- config eval: $::Config
--- upstream eval
[whole(openai_text('x' x 200000)), $::Good]
--- steps eval
[
    ask('Hello') => 'Miss ' . 'x' x 200000,
    ask('Hello') => 'Miss good',
    ask('Hello') => 'Hit good',
]
--- access_log
<too_large>



=== TEST 20: a client that leaves before the answer leaves nothing behind
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[[\'hold'], $::Good]
--- steps eval
[
    leave(ask('Hello')) => '',
    ask('Hello') => 'Miss good',
    ask('Hello') => 'Hit good',
]



=== TEST 21: ... likewise in the middle of a stream
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
my $half = cut((openai_stream('on', 'e'))[0 .. 1]);
[[@$half, \'hold'], $::Good]
--- steps eval
[
    leave(streamed(ask('Hello')), qr/"on"/) => '',
    ask('Hello') => 'Miss good',
    ask('Hello') => 'Hit good',
]



=== TEST 22: ... in front of another content handler
--- http_config eval: $::HttpConfig
--- config eval: $::Config =~ s/proxy_pass/proxy_buffering off; proxy_pass/r
--- upstream eval
my $half = cut((openai_stream('on', 'e'))[0 .. 1]);
[[@$half, \'hold'], $::Good]
--- steps eval
[
    leave(at('/proxy', streamed(ask('Hello'))), qr/"on"/) => '',
    at('/proxy', ask('Hello')) => 'Miss good',
    at('/proxy', ask('Hello')) => 'Hit good',
]



=== TEST 23: of several tries only the one that answered is kept
--- http_config eval
$::HttpConfig =~ s/llm_upstream chat \{.*?\}/
    llm_upstream chat { model openai\/a max_fails=0; model openai\/b backup max_fails=0; }/r
--- config eval: $::Config
--- upstream eval
[stream('data: ' . openai_error('server_error', 'Oh') . "\n\n"),
 stream(openai_stream('goo', 'd'), $Done)]
--- steps eval
[
    streamed(ask('Hello')) => 'Miss good',
    ask('Hello') => 'Hit good',
]
--- access_log
<->



=== TEST 24: an answer of another kind than JSON passes by
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole('hello', '200 OK', 'Content-Type: text/plain')
--- steps eval
[(at('/proxy', ask('Hello')) => qr/Miss.*hello/s) x 2]
