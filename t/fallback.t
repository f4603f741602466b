# A try that fails is followed by one on another model, of whichever API,
# while nothing has reached the client.

use lib 't/lib';
use LLMTest;
use LLMAnswers;

our $Providers = q{
    llm_provider first {
        format openai;
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
        read_timeout 10s;
    }
    llm_provider second {
        format anthropic;
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT;
    }
    llm_provider closed {
        format openai;
        url http://127.0.0.1:$TEST_NGINX_CLOSED_PORT/v1;
    }
    llm_provider closed-anthropic {
        format anthropic;
        url http://127.0.0.1:$TEST_NGINX_CLOSED_PORT;
    }
    # An address that is for documentation: nobody is there.
    llm_provider far {
        format openai;
        url http://192.0.2.1/v1;
        connect_timeout 100ms;
    }
    log_format llm '$llm_provider tries=$llm_tries $llm_finish_reason '
        '$llm_total_tokens';
    access_log logs/access.log llm;
};

# ... where a provider that says nothing is not waited for.
sub impatient { return $_[0] =~ s/read_timeout 10s/read_timeout 300ms/r }

# The first model, then the second, with these parameters.
our $HttpConfig = $Providers . q{
    llm_upstream chat {
        model first/a;
        model second/b backup;
    }
    llm_upstream refusing {
        model closed/a;
        model second/b backup;
    }
    llm_upstream dead {
        model closed/a;
        model closed-anthropic/b backup;
    }
    llm_upstream silent {
        model far/a;
        model second/b backup;
    }
};

our $Config = q{
    location / { llm_pass chat; }
    location /refusing/ { llm_pass refusing; }
    location /dead/ { llm_pass dead; }
    location /silent/ { llm_pass silent; }
};

our $ToFirst = '^POST /v1/chat/completions HTTP.*"model":"a"';
our $ToSecond = '^POST /v1/messages HTTP.*"model":"b".*"max_tokens":';
our $Hello = '"content":"Hello"';

run_tests();

__DATA__

=== TEST 1: nobody listens: the next one gets the call in its own API
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(anthropic_text('Hello'))
--- upstream_request_like eval
[$::ToSecond]
--- request eval
ask_openai('/refusing/v1/chat/completions')
--- response_headers
X-LLM-Model: second/b
!Retry-After
--- response_body_like eval: $::Hello
--- access_log
second tries=2 stop 13



=== TEST 2: ... streams as well
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[stream(anthropic_stream('Hello'))]
--- request eval
ask_openai('/refusing/v1/chat/completions', '"stream":true')
--- response_body_like eval
'"delta":\{"content":"Hello"\}.*' . quotemeta($Done) . '\z'



=== TEST 3: nobody answers the connection
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(anthropic_text('Hello'))
--- request eval
ask_openai('/silent/v1/chat/completions')
--- response_body_like eval: $::Hello
--- access_log
second tries=2



=== TEST 4: 5xx
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[whole(openai_error('server_error', 'broken'), '500 Oops', 'Retry-After: 9'),
 whole(anthropic_text('Hello'))]
--- upstream_request_like eval
[$::ToFirst, $::ToSecond]
--- request eval
ask_openai()
--- response_headers
X-LLM-Model: second/b
!Retry-After
--- response_body_like eval: $::Hello
--- access_log
second tries=2 stop 13



=== TEST 5: 429, and nobody is asked again before Retry-After is over
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[whole(openai_error('rate_limit_error', 'slow'), '429 Too Many',
    'Retry-After: 600'),
 whole(anthropic_text('Hello'))]
--- upstream_request_like eval
[$::ToFirst, $::ToSecond, $::ToSecond, $::ToSecond]
--- request eval
[map { ask_openai() } 1 .. 3]
--- error_code eval
[200, 200, 200]



=== TEST 6: 429 with retry-after-ms, as long as it says
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[whole(openai_error('rate_limit_error', 'slow'), '429 Too Many',
    'retry-after-ms: 600000'),
 whole(anthropic_text('Hello'))]
--- upstream_request_like eval
[$::ToFirst, $::ToSecond, $::ToSecond]
--- request eval
[map { ask_openai() } 1 .. 2]
--- error_code eval
[200, 200]



=== TEST 7: an answer that is none
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[whole('<html>Hello</html>'), whole(anthropic_text('Hello'))]
--- upstream_request_like eval
[$::ToFirst, $::ToSecond]
--- request eval
ask_openai()
--- response_body_like eval: $::Hello



=== TEST 8: half an answer
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[substr(whole(openai_text('Hello')), 0, -20), whole(anthropic_text('Hello'))]
--- upstream_request_like eval
[$::ToFirst, $::ToSecond]
--- request eval
ask_openai()
--- response_body_like eval: $::Hello



=== TEST 9: the connection is reset before there is an answer
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[[\'reset'], whole(anthropic_text('Hello'))]
--- upstream_request_like eval
[$::ToFirst, $::ToSecond]
--- request eval
ask_openai()
--- response_body_like eval: $::Hello



=== TEST 10: nothing comes in time
--- http_config eval: ::impatient($::HttpConfig)
--- config eval: $::Config
--- upstream eval
[[\'hold'], whole(anthropic_text('Hello'))]
--- upstream_request_like eval
[$::ToFirst, $::ToSecond]
--- request eval
ask_openai()
--- response_body_like eval: $::Hello
--- access_log
second tries=2



=== TEST 11: an error as the first event of a stream
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[stream('data: ' . openai_error('server_error', 'overloaded') . "\n\n"),
 stream(anthropic_stream('Hello'))]
--- upstream_request_like eval
[$::ToFirst, $::ToSecond]
--- request eval
ask_openai(undef, '"stream":true')
--- response_headers
X-LLM-Model: second/b
--- response_body_like eval
'\A(?!.*overloaded).*"delta":\{"content":"Hello"\}.*' . quotemeta($Done) . '\z'



=== TEST 12: a stream that ends before it has begun
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[cut(": wait\n\n"), stream(anthropic_stream('Hello'))]
--- upstream_request_like eval
[$::ToFirst, $::ToSecond]
--- request eval
ask_openai(undef, '"stream":true')
--- response_body_like eval: '"content":"Hello"'



=== TEST 13: nothing is tried again once the answer has begun
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[cut(openai_chunk('{"role":"assistant","content":"Hel"}')),
 stream(anthropic_stream('Hello'))]
--- upstream_request_like eval
[$::ToFirst]
--- request eval
ask_openai(undef, '"stream":true')
--- ignore_response
--- access_log
first tries=1 error



=== TEST 14: what a client did wrong is wrong everywhere
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(openai_error('invalid_request_error', 'no such thing'),
    '400 Bad Request')
--- upstream_request_like eval
[$::ToFirst]
--- request eval
ask_openai()
--- error_code: 400
--- response_body_like chomp
"message":"no such thing"



=== TEST 15: all are down: 503 in the client's shape
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
[ask_openai('/dead/v1/chat/completions'), ask_anthropic('/dead/v1/messages')]
--- error_code eval
[503, 503]
--- response_body_like eval
['^\{"error":\{"message":"[^"\\\\]*(\\\\"[^"\\\\]*)*","type":"server_error","param":null,'
    . '"code":"unavailable"\}\}$',
 '^\{"type":"error","error":\{"type":"overloaded_error","message":".+"\}\}$']



=== TEST 16: ... with Retry-After, where it is known
--- http_config eval
$::Providers . q{
    llm_upstream one { model first/a; }
}
--- config
location / { llm_pass one; }
--- upstream eval
[whole(openai_error('rate_limit_error', 'slow'), '429 Too Many',
    'Retry-After: 600')]
--- upstream_request_like eval
[$::ToFirst]
--- request eval
[ask_openai(), ask_openai()]
--- error_code eval
[429, 503]
--- response_headers_like eval
['Retry-After: 600', 'Retry-After: (600|59\d)']



=== TEST 17: the last failure is what the client is told
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[whole(openai_error('server_error', 'first is broken'), '500 Oops'),
 whole(anthropic_error('overloaded_error', 'second is busy'), '529 Busy',
    'Retry-After: 3')]
--- request eval
ask_openai()
--- error_code: 503
--- response_headers
Retry-After: 3
--- response_body_like chomp
"message":"second is busy"
--- error_log
"second/b" of llm_upstream "chat" is temporarily disabled for 3s, as it asked



=== TEST 18: next_upstream off
--- http_config eval
$::Providers . q{
    llm_upstream chat {
        model first/a;
        model second/b backup;
        next_upstream off;
    }
}
--- config eval: $::Config =~ s/(refusing|dead|silent);/chat;/gr
--- upstream eval
[whole(openai_error('server_error', 'broken'), '500 Oops'),
 whole(anthropic_text('Hello'))]
--- upstream_request_like eval
[$::ToFirst]
--- request eval
ask_openai()
--- error_code: 500
--- response_body_like chomp
"message":"broken"



=== TEST 19: only for the reasons that next_upstream names
--- http_config eval
$::Providers . q{
    llm_upstream chat {
        model first/a max_fails=0;
        model second/b backup;
        next_upstream http_429;
    }
}
--- config
location / { llm_pass chat; }
--- upstream eval
[whole(openai_error('server_error', 'broken'), '500 Oops'),
 whole(openai_error('rate_limit_error', 'slow'), '429 Too Many'),
 whole(anthropic_text('Hello'))]
--- upstream_request_like eval
[$::ToFirst, $::ToFirst, $::ToSecond]
--- request eval
[ask_openai(), ask_openai()]
--- error_code eval
[500, 200]



=== TEST 20: tries
--- http_config eval
$::Providers . q{
    llm_upstream chat {
        model closed/a;
        model closed/b;
        model closed/c;
        model second/d backup;
        tries 2;
    }
}
--- config
location / { llm_pass chat; }
--- request eval
ask_openai()
--- error_code: 503
--- access_log
closed tries=2



=== TEST 21: the time for all tries
--- http_config eval
::impatient($::Providers) . q{
    llm_upstream chat {
        model first/a;
        model second/b backup;
        timeout 50ms;
    }
}
--- config
location / { llm_pass chat; }
--- upstream eval
[[\'hold'], whole(anthropic_text('Hello'))]
--- upstream_request_like eval
[$::ToFirst]
--- request eval
ask_openai()
--- error_code: 504
--- response_body_like eval
'"type":"timeout_error"'
--- access_log
first tries=1



=== TEST 22: nobody is tried twice before all were
--- http_config eval
$::Providers . q{
    llm_upstream chat {
        model first/a max_fails=0 weight=100;
        model first/b max_fails=0;
        model first/c max_fails=0;
        model second/d max_fails=0 backup;
        tries 5;
    }
}
--- config
location / { llm_pass chat; }
--- upstream eval
whole(openai_error('server_error', 'broken'), '500 Oops')
--- upstream_request_like eval
['"model":"a"', '"model":"[bc]"', '"model":"[bc]"', '"model":"d"',
 '"model":"a"']
--- request eval
ask_openai()
--- error_code: 500
--- access_log
tries=5



=== TEST 23: a model that failed is left out for a while
--- http_config eval
$::Providers . q{
    llm_upstream chat {
        model first/a max_fails=1 fail_timeout=600s;
        model second/b backup;
    }
}
--- config
location / { llm_pass chat; }
--- upstream eval
[whole(openai_error('server_error', 'broken'), '500 Oops'),
 whole(anthropic_text('Hello'))]
--- upstream_request_like eval
[$::ToFirst, $::ToSecond, $::ToSecond]
--- request eval
[ask_openai(), ask_openai()]
--- error_code eval
[200, 200]



=== TEST 24: a call that the next API cannot say is no reason to fail
--- http_config eval
$::Providers . q{
    llm_upstream chat {
        model second/b;
        model first/a backup;
    }
}
--- config
location / { llm_pass chat; }
--- upstream eval
whole(openai_text('Hello'))
--- upstream_request_like eval
[$::ToFirst]
--- request eval
ask_openai(undef, '"n":2')
--- response_body_like eval: $::Hello



=== TEST 25: a kept connection that the provider has closed is no failure
--- http_config eval
$::Providers . q{
    llm_upstream one { model first/a max_fails=1 fail_timeout=600s; }
}
--- config
location / { llm_pass one; }
--- upstream eval
[[whole(openai_text('Hello')), \'reset'], whole(openai_text('Hello'))]
--- request eval
[map { ask_openai() } 1 .. 4]
--- error_code eval
[200, 200, 200, 200]
--- no_error_log
temporarily disabled
[alert]
[crit]



=== TEST 26: ... but one that it closes in the middle of an answer is one
--- http_config eval
$::Providers . q{
    llm_provider kept {
        format openai;
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2/v1;
    }
    llm_upstream one { model kept/a; next_upstream off; }
    server {
        listen 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2;
        location / {
            proxy_pass http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT;
            proxy_buffering off;
        }
    }
}
--- config
location / { llm_pass one; }
--- upstream eval
[whole(openai_text('Hello')), substr(whole(openai_text('Hello')), 0, -20),
 whole(openai_text('Hello'))]
--- upstream_request_like eval
['"model":"a"', '"model":"a"']
--- request eval
[map { ask_openai() } 1 .. 2]
--- error_code eval
[200, 502]
--- access_log
kept tries=1



=== TEST 27: a client that names a member gets another if it fails
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole(anthropic_text('Hello'))
--- request eval
ask_openai('/refusing/v1/chat/completions') =~ s/"m"/"a"/r
--- response_headers
X-LLM-Model: second/b
--- error_code: 200



=== TEST 28: a quota that is used up
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[whole(openai_error('insufficient_quota', 'pay first'), '429 Too Many'),
 whole(anthropic_text('Hello'))]
--- upstream_request_like eval
[$::ToFirst, $::ToSecond]
--- request eval
ask_openai()
--- response_body_like eval: $::Hello



=== TEST 29: a large body is made anew for the next one
--- http_config eval: $::HttpConfig
--- config
client_body_buffer_size 1k;
location / { llm_pass chat; }
--- upstream eval
[whole(openai_error('server_error', 'broken'), '500 Oops'),
 whole(anthropic_text('Hello'))]
--- upstream_request_like eval
['"model":"a".*"content":"x{60000}y"', '"model":"b".*"x{60000}y"']
--- request eval
my $body = 'x' x 60000 . 'y';
ask_openai() =~ s/"Hi"/"$body"/r
--- response_body_like eval: $::Hello
