# What a call was and what it cost, as variables: with llm_pass, and with
# "llm on" in front of any other content handler.

use lib 't/lib';
use LLMTest;
use LLMAnswers;

use IO::Select;
use IO::Socket::INET;

our $HttpConfig = q{
    llm_provider openai {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
    }
    llm_provider anthropic {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT;
    }
    log_format llm '$llm_provider|$llm_model|$llm_response_model|'
        '$llm_prompt_tokens+$llm_completion_tokens=$llm_total_tokens|'
        '$llm_cached_tokens|$llm_reasoning_tokens|$llm_usage_source|'
        '$llm_finish_reason|$llm_stream|$llm_tries';
    log_format times '<$llm_ttft> <$llm_latency>';
    access_log logs/access.log llm;

    server {
        listen 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2 http2;
        listen 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT3 ssl http2;
        ssl_certificate $TEST_NGINX_CERTIFICATE;
        ssl_certificate_key $TEST_NGINX_CERTIFICATE_KEY;
        location / { llm_pass openai; }
        location /proxy/ {
            llm on;
            proxy_pass http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/;
        }
    }
};

our $Config = q{
    location / { llm_pass openai; }
    location /claude/ { llm_pass anthropic; }
    location /proxy/ {
        llm on;
        proxy_pass http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/;
    }
};

our $Usage = '"usage":{"prompt_tokens":20,"completion_tokens":9,'
    . '"total_tokens":29,"prompt_tokens_details":{"cached_tokens":8},'
    . '"completion_tokens_details":{"reasoning_tokens":4}}';
our $Detailed = openai_text('Hello') =~ s/"usage":\{.*?\}/$Usage/r;

# A section "curl" with arguments, and what it must print.
add_response_body_check(sub {
    my ($block) = @_;
    my $arguments = $block->curl_arguments // return;
    chomp $arguments;
    $arguments =~ s/\$(TEST_\w+)/$ENV{$1}/g;

    my $output = `curl -s -N --max-time 10 $arguments 2>&1`;
    my $like = $block->curl_output_like;
    Test::More::like($output, qr/$like/s, $block->name . ' - output of curl');
});

run_tests();

__DATA__

=== TEST 1: all that a provider says
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole($::Detailed)
--- request eval: ask_openai()
--- access_log
openai|m|gpt-4o-2024-08-06|20+9=29|8|4|provider|stop|0|1



=== TEST 2: Anthropic counts what is cached apart
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(anthropic_text('Hello') =~ s/"input_tokens":9/"input_tokens":9,"cache_read_input_tokens":5,"cache_creation_input_tokens":6/r)
--- request eval: ask_anthropic('/claude/v1/messages')
--- access_log
anthropic|m|claude-sonnet-4-5-20250929|20+4=24|5|0|provider|stop|0|1



=== TEST 3: usage that is cumulative is not added up
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
my $one = openai_chunk('{"content":"x"}');
[stream(map { openai_chunk('{"content":"x"}')
    =~ s/\}\n\n/,"usage":{"prompt_tokens":9,"completion_tokens":$_,"total_tokens":1}}\n\n/r }
    (1 .. 5)), ]
--- request eval
ask_openai(undef, '"stream":true')
--- access_log
|9+5=



=== TEST 4: times
--- http_config eval: $::HttpConfig
--- config
access_log logs/access.log times;
location / { llm_pass openai; }
--- upstream eval
whole(openai_text('Hello'))
--- request eval: ask_openai()
--- access_log eval
qr/<\d+\.\d{3}> <\d+\.\d{3}>/



=== TEST 5: without usage there is an estimate, and it says so
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(openai_text('Hello') =~ s/,"usage":\{.*?\}//r)
--- request eval: ask_openai()
--- access_log eval
qr/\|[1-9]\d*\+[1-9]\d*=[1-9]\d*\|0\|0\|estimate\|stop\|/



=== TEST 6: ... in a stream as well
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[stream(openai_stream('Hello, ', 'world'), $Done)]
--- request eval
ask_openai(undef, '"stream":true')
--- access_log eval
qr/\|[1-9]\d*\+[1-9]\d*=[1-9]\d*\|0\|0\|estimate\|stop\|1/



=== TEST 7: a stream that broke is accounted for
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[cut((openai_stream('Hello, ', 'world'))[0 .. 2])]
--- request eval
ask_openai(undef, '"stream":true')
--- access_log eval
qr/\|[1-9]\d*\+[1-9]\d*=[1-9]\d*\|0\|0\|estimate\|error\|1/



=== TEST 8: what failed has no tokens
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(openai_error('server_error', 'broken'), '500 Oops')
--- request eval: ask_openai()
--- error_code: 500
--- access_log
openai|m|-|-+-=-|-|-|-|-|0|1



=== TEST 9: nor what never was a call
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request
POST /v1/chat/completions
no JSON
--- error_code: 400
--- access_log
-|-|-|-+-=-|-|-|-|-|



=== TEST 10: in front of proxy_pass: nothing changes but the log
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(" $::Detailed\n", '200 OK', 'X-Request-Id: 7')
--- upstream_request_like eval
['^POST /v1/chat/completions .*' . quotemeta('{"model":"m","messages":'
    . '[{"role":"user","content":"Hi"}]}') . '\z']
--- request eval
ask_openai('/proxy/v1/chat/completions')
--- response_headers
X-Request-Id: 7
--- response_body eval
" $::Detailed\n"
--- access_log
|m|gpt-4o-2024-08-06|20+9=29|8|4|provider|stop|0|1



=== TEST 11: ... a stream: usage is asked for, and hidden
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[stream(openai_stream('Hel', 'lo'), openai_usage(), $Done)]
--- upstream_request_like eval
['^Content-Length: 111\r$.*' . quotemeta('{"stream_options":'
    . '{"include_usage":true},"model":"m",') . '.*"stream":true\}\z']
--- request eval
ask_openai('/proxy/v1/chat/completions', '"stream":true')
--- response_body eval
CORE::join('', openai_stream('Hel', 'lo'), $Done)
--- access_log
|m|gpt-4o-2024-08-06|9+4=13|0|0|provider|stop|1|1



=== TEST 12: ... unless the client asked
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[stream(openai_stream('Hel', 'lo'), openai_usage(), $Done)]
--- request eval
ask_openai('/proxy/v1/chat/completions', '"stream":true',
    '"stream_options":{"include_usage":true}')
--- response_body eval
CORE::join('', openai_stream('Hel', 'lo'), openai_usage(), $Done)



=== TEST 13: ... without buffers
--- http_config eval: $::HttpConfig
--- config
location /proxy/ {
    llm on;
    proxy_buffering off;
    proxy_http_version 1.1;
    proxy_pass http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/;
}
--- upstream eval
[stream(openai_stream('Hel', 'lo'), openai_usage(), $Done)]
--- request eval
ask_openai('/proxy/v1/chat/completions', '"stream":true')
--- response_body eval
CORE::join('', openai_stream('Hel', 'lo'), $Done)
--- access_log
|9+4=13|0|0|provider|stop|1|1



=== TEST 14: ... Anthropic's
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[stream(anthropic_stream('Hel', 'lo'))]
--- request eval
ask_anthropic('/proxy/v1/messages', '"stream":true')
--- response_body eval
CORE::join('', anthropic_stream('Hel', 'lo'))
--- access_log
|m|claude-sonnet-4-5-20250929|9+4=13|0|0|provider|stop|1|1



=== TEST 15: ... with a body in a temporary file
--- http_config eval: $::HttpConfig
--- config eval: 'client_body_buffer_size 1k;' . $::Config
--- upstream eval
[stream(openai_stream('Hel', 'lo'), openai_usage(), $Done)]
--- upstream_request_like eval
['"include_usage":true\}.*x{60000}.*\}\z']
--- request eval
my $text = 'x' x 60000;
ask_openai('/proxy/v1/chat/completions', '"stream":true') =~ s/Hi/$text/r
--- response_body eval
CORE::join('', openai_stream('Hel', 'lo'), $Done)



=== TEST 16: ... errors pass as they are
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole('{"my":"error"}', '418 Teapot')
--- request eval
ask_openai('/proxy/v1/chat/completions')
--- error_code: 418
--- response_body chomp
{"my":"error"}
--- access_log
|-+-=-|-|-|-|-|0|1



=== TEST 17: ... and so does what nobody can read
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole('<html>Hello</html>')
--- request eval
ask_openai('/proxy/v1/chat/completions')
--- response_body chomp
<html>Hello</html>



=== TEST 18: ... a stream that begins with an error
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
my $text = 'data: ' . openai_error('server_error', 'overloaded') . "\n\n";
[stream(substr($text, 0, 20), substr($text, 20))]
--- request eval
ask_openai('/proxy/v1/chat/completions', '"stream":true')
--- response_body_like eval
'^data: \{"error":\{"message":"overloaded",'



=== TEST 19: ... a stream that breaks off
--- http_config eval: $::HttpConfig
--- config
location /proxy/ {
    llm on;
    proxy_http_version 1.1;
    proxy_pass http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/;
}
--- upstream eval
[cut((openai_stream('Hello, ', 'world'))[0 .. 2])]
--- raw_request eval
my $body = (split /\n/, ask_openai(undef, '"stream":true'), 2)[1];
"POST /proxy/v1/chat/completions HTTP/1.0\r\nContent-Length: "
    . length($body) . "\r\n\r\n$body"
--- response_body_like eval
'"Hello, ".*"world"'
--- access_log eval
qr/\|[1-9]\d*\+[1-9]\d*=[1-9]\d*\|0\|0\|estimate\|/



=== TEST 20: ... what is no call at all
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole('anything')
--- request eval
['GET /proxy/v1/chat/completions', 'GET /proxy/health',
 "POST /proxy/v1/moderations\nno JSON", 'GET /proxy/v1/models']
--- response_body eval
[('anything') x 4]



=== TEST 21: ... but what claims to be one must be
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole('never')
--- upstream_request_like eval
[]
--- request
POST /proxy/v1/chat/completions
no JSON
--- error_code: 400
--- response_body_like eval
'^\{"error":\{"message":"[^"]*JSON'



=== TEST 22: the client's gzip is ours, not the provider's
--- http_config eval: $::HttpConfig
--- config
gzip on;
gzip_types application/json;
gzip_min_length 1;
gzip_http_version 1.0;
location / { llm_pass openai; }
location /proxy/ {
    llm on;
    proxy_pass http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/;
}
--- upstream eval
whole($::Detailed)
--- upstream_request_like eval
[('^Accept-Encoding: identity\r$') x 2]
--- upstream_request_unlike
gzip
--- more_headers
Accept-Encoding: gzip
--- request eval
[ask_openai(), ask_openai('/proxy/v1/chat/completions')]
--- response_headers_like eval
[('Content-Encoding: gzip') x 2]
--- access_log
|20+9=29|



=== TEST 23: a compressed answer behind proxy_pass goes through
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole("\x1f\x8b", '200 OK', 'Content-Encoding: gzip')
--- request eval
ask_openai('/proxy/v1/chat/completions')
--- response_headers
Content-Encoding: gzip
--- response_body eval
"\x1f\x8b"



=== TEST 24: a client that speaks HTTP/2
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(openai_text('Hello'))
--- request eval: ask_openai()
--- curl_arguments
--http2-prior-knowledge -i -d '{"model":"m","messages":[{"role":"user","content":"Hi"}]}' http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2/v1/chat/completions
--- curl_output_like eval
'^HTTP/2 200.*x-llm-model: openai/m\r\n.*"content":"Hello"'



=== TEST 25: ... streams
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[stream(openai_stream('Hel', 'lo'), openai_usage(), $Done)]
--- request eval
ask_openai(undef, '"stream":true')
--- curl_arguments
--http2-prior-knowledge -i -d '{"model":"m","messages":[{"role":"user","content":"Hi"}],"stream":true}' http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2/v1/chat/completions
--- curl_output_like eval
'^HTTP/2 200.*' . quotemeta(CORE::join('', openai_stream('Hel', 'lo'), $Done))
    . '\z'



=== TEST 26: ... that break off
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[cut((openai_stream('Hel'))[0, 1])]
--- request eval
ask_openai(undef, '"stream":true')
--- curl_arguments
--http2-prior-knowledge -S -d '{"model":"m","messages":[{"role":"user","content":"Hi"}],"stream":true}' http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2/v1/chat/completions
--- curl_output_like eval
'"Hel".*' . quotemeta('data: {"error":{"message":') . '[^\n]*\n\n\z'



=== TEST 27: ... and is refused
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(openai_text('Hello'))
--- request eval: ask_openai()
--- curl_arguments
--http2-prior-knowledge -i -d 'no JSON' http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2/v1/chat/completions
--- curl_output_like eval
'^HTTP/2 400.*content-type: application/json\r\n.*\r\n\r\n\{"error":'



=== TEST 28: ... in front of proxy_pass
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[stream(openai_stream('Hel', 'lo'), openai_usage(), $Done)]
--- request eval
ask_openai(undef, '"stream":true')
--- curl_arguments
--http2-prior-knowledge -d '{"model":"m","messages":[{"role":"user","content":"Hi"}],"stream":true}' http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2/proxy/v1/chat/completions
--- curl_output_like eval
'\A' . quotemeta(CORE::join('', openai_stream('Hel', 'lo'), $Done)) . '\z'



=== TEST 29: a client over TLS
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[stream(openai_stream('Hel', 'lo'), openai_usage(), $Done)]
--- request eval
ask_openai(undef, '"stream":true')
--- curl_arguments
--cacert $TEST_NGINX_CERTIFICATE --http1.1 -d '{"model":"m","messages":[{"role":"user","content":"Hi"}],"stream":true}' https://localhost:$TEST_NGINX_UPSTREAM_PORT3/v1/chat/completions --next -s --cacert $TEST_NGINX_CERTIFICATE --http2 -d '{"model":"m","messages":[{"role":"user","content":"Hi"}],"stream":true}' https://localhost:$TEST_NGINX_UPSTREAM_PORT3/v1/chat/completions
--- curl_output_like eval
'\A(' . quotemeta(CORE::join('', openai_stream('Hel', 'lo'), $Done)) . '){2}\z'



=== TEST 30: a prompt that no provider counts is counted by the model's own vocabulary
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(openai_text('Hello') =~ s/,"usage":\{.*?\}//r)
--- request
POST /v1/chat/completions
{"model":"gpt-4o","messages":[{"role":"user","content":"Hello, world!"}]}
--- access_log eval
qr/\|11\+[1-9]\d*=[1-9]\d*\|0\|0\|estimate\|stop\|/
