# What clients and providers should not send: each has its outcome, a message
# that helps, and no effect on the next request.

use lib 't/lib';
use LLMTest;
use LLMAnswers;

use IO::Select;
use IO::Socket::INET;

our $HttpConfig = q{
    llm_provider openai {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
        read_timeout 10s;
    }
    llm_provider anthropic {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT;
        read_timeout 10s;
    }
    # For those who come after the clients that leave.
    llm_provider good {
        format openai;
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2/v1;
    }
    server {
        listen 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2;
        location / {
            default_type application/json;
            return 200 'HELLO';
        }
    }
    log_format llm '$status $llm_finish_reason $llm_total_tokens '
        '$llm_usage_source';
    access_log logs/access.log llm;
};
$HttpConfig =~ s/HELLO/openai_text('Hello')/e;

our $Config = q{
    location / { llm_pass openai; }
    location /claude/ { llm_pass anthropic; }
    location /good/ { llm_pass good; }
    location /any/ { llm_pass $llm_request_model; }
};

# ... where a provider that says nothing is waited for.
our $Impatient = $HttpConfig =~ s/read_timeout 10s/read_timeout 1s/gr;

our $Good = ask_openai();
our $GoodAnswer = openai_text('Hello');

# A body at an OpenAI client's route.
sub body {
    my ($body, $path) = @_;
    $path //= '';
    return "POST $path/v1/chat/completions\n$body";
}

# Messages of a request.
sub messages {
    my ($messages, $path) = @_;
    return body(qq({"model":"m","messages":[$messages]}), $path);
}

# An error in OpenAI's shape, with words of the message, and the parameter.
sub refused {
    my ($words, $param) = @_;
    $param = defined $param ? qq("$param") : '(null|"[^"]*")';
    return '^\{"error":\{"message":"(?i:.*(?:' . $words . ').*)","type":'
        . '"invalid_request_error","param":' . $param
        . ',"code":(null|"\w+")\}\}$';
}

sub bad_gateway {
    my ($words) = @_;
    return '^\{"error":\{"message":"(?i:.*(?:' . $words . ').*)","type":'
        . '"server_error","param":null,"code":"\w+"\}\}$';
}

# Clients that leave: a section "leave" with an array of [BYTES, AWAITED], each
# a connection of its own that sends the bytes, reads until it has what is
# awaited (if anything), and is gone. Then a good request must be answered.
sub connection {
    return IO::Socket::INET->new(PeerAddr => '127.0.0.1',
        PeerPort => $ENV{TEST_NGINX_SERVER_PORT}, Proto => 'tcp', Timeout => 5)
        // die "connect() failed: $!";
}

sub receive {
    my ($socket, $awaited) = @_;
    my ($got, $select) = ('', IO::Select->new($socket));
    while ($got !~ $awaited && $select->can_read(10)) {
        sysread($socket, $got, 65536, length $got) or last;
    }
    return $got;
}

add_response_body_check(sub {
    my ($block) = @_;
    my $clients = $block->leave // return;
    my $name = $block->name;

    for my $client (@$clients) {
        my ($bytes, $awaited) = @$client;
        my $socket = connection();
        syswrite $socket, $bytes;
        if (defined $awaited) {
            Test::More::like(receive($socket, qr/$awaited/s),
                qr/$awaited/s, "$name - before the client leaves");
        }
        # At once, without good-byes.
        setsockopt $socket, SOL_SOCKET(), SO_LINGER(), pack('ii', 1, 0)
            if length($bytes) % 2;
        close $socket;
    }

    my $socket = connection();
    syswrite $socket, http(ask_openai('/good/v1/chat/completions'));
    Test::More::like(receive($socket, qr/"Hello"/), qr/^HTTP.1.1 200 /,
        "$name - the next request");
});

use Socket qw(SOL_SOCKET SO_LINGER);

# A section's request as bytes.
sub http {
    my ($request, @headers) = @_;
    my ($line, $body) = split /\n/, $request, 2;
    return join("\r\n", "$line HTTP/1.1", 'Host: localhost',
        'Content-Length: ' . length $body, @headers, '', $body);
}

run_tests();

__DATA__

=== TEST 1: bodies that are not JSON
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole($::GoodAnswer)
--- upstream_request_like eval
['POST']
--- request eval
[(map { ::body($_) } 'x', '{', '{"model":"m"', '{"model":}', "{'model':'m'}",
    '{"model":"m",}', '{} {}', 'model=m', '{"a":01}', '{"a":"\x"}',
    '{"a":nul}'), $::Good]
--- error_code eval
[(400) x 11, 200]
--- response_body_like eval
[(::refused('JSON|valid')) x 11, '"Hello"']



=== TEST 2: JSON that is no object
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
[map { ::body($_) } '[]', '"model"', '1', 'null', '[{"model":"m"}]']
--- error_code eval
[(400) x 5]
--- response_body_like eval
[(::refused('must be a JSON object')) x 5]



=== TEST 3: ... to an anthropic client
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request
POST /v1/messages
[]
--- error_code: 400
--- response_headers
Content-Type: application/json
--- response_body_like chomp
^\{"type":"error","error":\{"type":"invalid_request_error","message":".*must be a JSON object.*"\}\}$



=== TEST 4: no body
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole($::GoodAnswer)
--- request eval
['POST /v1/chat/completions', $::Good]
--- error_code eval
[400, 200]
--- response_body_like eval
[::refused('body.*empty|empty.*body'), '"Hello"']



=== TEST 5: ten megabytes
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole($::GoodAnswer)
--- upstream_request_like eval
['^Content-Length: 1048\d{4}\r$', '^Content-Length: \d\d\r$']
--- request eval
my $text = 'x' x (10 << 20);
[$::Good =~ s/Hi/$text/r, $::Good]
--- error_code eval
[200, 200]
--- timeout: 20



=== TEST 6: ... where less is allowed
--- http_config eval: $::HttpConfig
--- config
location / { llm_pass openai; client_max_body_size 1m; }
--- upstream eval
whole($::GoodAnswer)
--- upstream_request_like eval
['^Content-Length: \d\d\r$']
--- request eval
my $text = 'x' x (2 << 20);
[$::Good =~ s/Hi/$text/r, $::Good]
--- error_code eval
[413, 200]
--- response_body_like eval
[::refused('client_max_body_size'), '"Hello"']



=== TEST 7: nested ten thousand deep
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole($::GoodAnswer)
--- request eval
[(map { ::body($_) } '[' x 10000, '{"a":' x 10000,
    '{"model":"m","messages":' . '[' x 9998 . ']' x 9998 . '}'), $::Good]
--- error_code eval
[400, 400, 400, 200]
--- response_body_like eval
[(::refused('nested|deep')) x 3, '"Hello"']



=== TEST 8: as deep as the operator allows
--- http_config eval: $::HttpConfig
--- config eval: $::Config =~ s/location/llm_max_depth 5; location/r
--- upstream eval
whole($::GoodAnswer)
--- request eval
[map { ask_openai(undef, qq("x":$_)) } '[[[[]]]]', '[[[[[]]]]]']
--- error_code eval
[200, 400]



=== TEST 9: invalid UTF-8
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole($::GoodAnswer)
--- request eval
[(map { $::Good =~ s/Hi/$_/r } "\xff", "\xc3", "\xc0\xaf", "\xed\xa0\x80",
    "\xf5\x80\x80\x80", '\ud800'), $::Good =~ s/Hi/\xf0\x9f\x98\x80/r]
--- error_code eval
[(400) x 6, 200]
--- response_body_like eval
[(::refused('UTF-8')) x 5, ::refused('surrogate|UTF-8|escape'), '"Hello"']



=== TEST 10: NUL and other control characters
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole($::GoodAnswer)
--- request eval
[(map { $::Good =~ s/Hi/$_/r } "\0", "\x01", "\x1f"), "$::Good\0",
    ::body("\0"), $::Good =~ s/Hi/\\u0000/r]
--- error_code eval
[(400) x 5, 200]



=== TEST 11: members that come twice
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
[::body('{"model":"a","messages":[],"model":"b"}'),
 ::body('{"model":"a","messages":[{"role":"user","role":"system"}]}')]
--- error_code eval
[400, 400]
--- response_body_like eval
[(::refused('duplicate|twice')) x 2]



=== TEST 12: members that are missing or of a wrong type
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
[map { ::body($_) }
    '{"messages":[{"role":"user","content":"Hi"}]}',
    '{"model":1,"messages":[{"role":"user","content":"Hi"}]}',
    '{"model":"","messages":[{"role":"user","content":"Hi"}]}',
    '{"model":"m"}', '{"model":"m","messages":"Hi"}',
    '{"model":"m","messages":{}}',
    '{"model":"m","messages":[{"role":"user","content":"Hi"}],"stream":"yes"}']
--- error_code eval
[(400) x 7]
--- response_body_like eval
[(::refused('model', 'model')) x 3, (::refused('messages', 'messages')) x 3,
 ::refused('stream', 'stream')]



=== TEST 13: ... deeper, where the call is translated
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
[(map { ::messages($_, '/claude') } '1', '{}', '{"role":"user","content":1}',
    '{"role":"user","content":[{"type":"image_url","image_url":1}]}',
    '{"role":"user","content":[{"type":"zork"}]}'),
 (map { ask_openai('/claude/v1/chat/completions', $_) }
    '"max_tokens":"many"', '"temperature":"hot"', '"tools":{}', '"tools":[1]',
    '"stop":5', '"tool_choice":5', '"response_format":"x"')]
--- error_code eval
[(400) x 12]
--- response_body_like eval
[(::refused('', 'messages\[0\][^"]*')) x 5,
 map { ::refused('', "$_\[^\"]*") } qw(max_tokens temperature tools tools stop
    tool_choice response_format)]



=== TEST 14: unknown roles
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
[::messages('{"role":"robot","content":"Hi"}', '/claude'),
 ::messages('{"role":7,"content":"Hi"}', '/claude')]
--- error_code eval
[400, 400]
--- response_body_like eval
[(::refused('role', 'messages\[0\].role')) x 2]



=== TEST 15: ... which the provider may know, where the API stays
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole($::GoodAnswer)
--- upstream_request_like eval
['"role":"robot"']
--- request eval
::messages('{"role":"robot","content":"Hi"}')
--- error_code: 200



=== TEST 16: results of tools that nobody called
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
::messages('{"role":"tool","tool_call_id":"c","content":"it is sunny"}',
    '/claude')
--- error_code: 400
--- response_body_like eval
::refused('call', 'messages\[0\][^"]*')



=== TEST 17: model names are no path and no header
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole($::GoodAnswer)
--- upstream_request_like eval
[('^POST /v1/chat/completions HTTP/1.1\r$') x 4]
--- upstream_request_unlike
^X-Evil
--- request eval
[map { $::Good =~ s/"m"/"$_"/r } '../../etc/passwd', 'a\r\nX-Evil: 1',
    'a\"b', '%2e%2e%2f']
--- error_code eval
[(200) x 4]
--- response_headers_like eval
['X-LLM-Model: openai/\.\./\.\./etc/passwd',
 'X-LLM-Model: openai/a_*X-Evil:_1', 'X-LLM-Model: openai/a"b',
 'X-LLM-Model: openai/%2e%2e%2f']



=== TEST 18: ... nor a route
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
[map { ask_openai('/any/v1/chat/completions') =~ s/"m"/"$_"/r }
    '../openai', 'openai/../../x\u0000', 'a\r\nX-Evil: 1', '\"', '\u0000']
--- error_code eval
[404, 503, 404, 404, 404]
--- no_error_log
[alert]
[crit]
[emerg]



=== TEST 19: ten kilobytes of a model's name
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
my $name = 'x' x 10240;
[$::Good =~ s/"m"/"$name"/r,
 ask_openai('/any/v1/chat/completions') =~ s/"m"/"$name"/r]
--- error_code eval
[400, 400]
--- response_body_like eval
[(::refused('longer than 512 bytes', 'model')) x 2]



=== TEST 20: chunks that are none
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole($::GoodAnswer)
--- raw_request eval
"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
    . "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\nzork\r\n"
--- error_code: 400
--- leave eval
[]



=== TEST 21: an upload that stops half-way
--- http_config eval: $::HttpConfig
--- config eval: 'client_body_timeout 200ms;' . $::Config
--- upstream eval
whole($::GoodAnswer)
--- raw_request eval
"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
    . "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\n{\"mod"
--- ignore_response
--- access_log
408
--- leave eval
[]



=== TEST 22: clients that leave, at each stage
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole($::GoodAnswer)
--- request eval: $::Good
--- leave eval
my $all = ::http($::Good);
my ($head, $body) = split /(?<=\r\n\r\n)/, $all;
[map { [$_] } '', substr($head, 0, 20), substr($head, 0, -2), $head,
    $head . substr($body, 0, 5), $all, "$all ", $all]



=== TEST 23: ... while they upload in chunks
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole($::GoodAnswer)
--- request eval: $::Good
--- leave eval
my $head = "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
    . "Transfer-Encoding: chunked\r\n\r\n";
[map { ["$head$_"] } '', '5', "5\r\n", "5\r\n{\"m", "5\r\n{\"mod\r\n",
    "5\r\n{\"mod\r\n0\r\n"]



=== TEST 24: ... while the provider thinks
--- http_config eval: $::Impatient
--- config eval: $::Config
--- upstream eval
[whole($::GoodAnswer), [\'hold']]
--- request eval: $::Good
--- leave eval
[[::http($::Good)], [::http($::Good) . ' ']]



=== TEST 25: ... in the middle of a stream
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
my $begun = cut(openai_stream('Hel'))->[0];
[whole($::GoodAnswer), [$begun, chunk((openai_stream('Hel'))[1]), \'hold'],
 ([$begun, (chunk((openai_stream('Hel'))[1])) x 20]), whole($::GoodAnswer)]
--- request eval: $::Good
--- leave eval
my $request = ::http(ask_openai(undef, '"stream":true'));
[[$request, '"Hel"'], [$request, '"Hel"']]



=== TEST 26: a provider's answer that is no HTTP
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
["\0\1\2\3garbage\r\n\r\n", "SSH-2.0-OpenSSH\r\n", "HTTP/9.9 200 OK\r\n\r\n",
 "HTTP/1.1 OK\r\n\r\n", "HTTP/1.1 200 OK\r\n\0: x\r\n\r\n",
 "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
 "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
 "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
 "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
 whole($::GoodAnswer)]
--- request eval
[($::Good) x 10]
--- error_code eval
[(502) x 9, 200]
--- response_body_like eval
[(::bad_gateway('not valid HTTP|no openai answer')) x 9, '"Hello"']



=== TEST 27: half a head
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
["HTTP/1.1 20", "HTTP/1.1 200 OK\r\nContent-Type: app", '',
 whole($::GoodAnswer)]
--- request eval
[($::Good) x 4]
--- error_code eval
[502, 502, 502, 200]
--- response_body_like eval
[(::bad_gateway('closed the connection')) x 3, '"Hello"']



=== TEST 28: half a head, and then nothing
--- http_config eval: $::Impatient
--- config eval: $::Config
--- upstream eval
[["HTTP/1.1 200 OK\r\nContent-Type: app", \'hold'], [\'hold'],
 whole($::GoodAnswer)]
--- request eval
[($::Good) x 3]
--- error_code eval
[504, 504, 200]
--- response_body_like eval
[('"type":"timeout_error".*') x 2, '"Hello"']



=== TEST 29: header lines that are too long, too many
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
my $line = 'X-Long: ' . 'x' x 200000 . "\r\n";
["HTTP/1.1 200 OK\r\n$line\r\n",
 "HTTP/1.1 200 OK\r\n" . "X-More: 1\r\n" x 20000 . "\r\n",
 whole($::GoodAnswer)]
--- request eval
[($::Good) x 3]
--- error_code eval
[502, 502, 200]
--- response_body_like eval
[(::bad_gateway('buffer_size')) x 2, '"Hello"']



=== TEST 30: a body that is shorter than it says
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[substr(whole($::GoodAnswer), 0, -1), substr(whole($::GoodAnswer), 0, -200),
 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    . chunk($::GoodAnswer),
 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    . substr(chunk($::GoodAnswer), 0, 50),
 whole($::GoodAnswer)]
--- request eval
[($::Good) x 5]
--- error_code eval
[(502) x 4, 200]
--- response_body_like eval
[(::bad_gateway('closed the connection')) x 4, '"Hello"']



=== TEST 31: ... or longer
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[whole($::GoodAnswer) . 'trailing', whole($::GoodAnswer)]
--- request eval
[($::Good) x 2]
--- response_body eval
[($::GoodAnswer) x 2]



=== TEST 32: chunks that are none
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
my $head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
["${head}zork\r\n", "${head}-5\r\nHello", "${head}ffffffffffffffffff\r\nx",
 "${head}5\r\nHelloWorld", whole($::GoodAnswer)]
--- request eval
[($::Good) x 5]
--- error_code eval
[(502) x 4, 200]
--- response_body_like eval
[(::bad_gateway('not valid HTTP')) x 4, '"Hello"']



=== TEST 33: redirects and other statuses that are no answer
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[whole('{}', '302 Found', 'Location: http://127.0.0.1:1/'),
 whole('', '304 Not Modified'), "HTTP/1.1 204 No Content\r\n\r\n",
 "HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", whole($::GoodAnswer)]
--- request eval
[($::Good) x 5]
--- error_code eval
[(502) x 4, 200]
--- response_body_like eval
[::bad_gateway('status 302'), ::bad_gateway('status 304'), ::bad_gateway(''),
 ::bad_gateway('status 101'), '"Hello"']



=== TEST 34: answers that are no answer of the API
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[(map { whole($_) } '', 'Hello', '<html></html>', '[]', 'null', '{}',
    "{\"choices\":\"\xff\"}", '[' x 10000,
    substr($::GoodAnswer, 0, -1)), whole($::GoodAnswer)]
--- request eval
[($::Good) x 10]
--- error_code eval
[(502) x 9, 200]
--- response_body_like eval
[(::bad_gateway('answer')) x 9, '"Hello"']



=== TEST 35: ... for a client of another API
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[(map { whole($_) } '', 'Hello', '[]', '{}', '{"type":"message"}'),
 whole(anthropic_text('Hello'))]
--- request eval
[map { ask_openai('/claude/v1/chat/completions') } 1 .. 6]
--- error_code eval
[(502) x 5, 200]



=== TEST 36: an error under 200
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[whole(openai_error('server_error', 'oh no')), whole($::GoodAnswer)]
--- request eval
[($::Good) x 2]
--- error_code eval
[500, 200]
--- response_body_like eval
['"message":"oh no"', '"Hello"']



=== TEST 37: errors that are not in the API's shape
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[whole('<html>Bad</html>', '502 Bad Gateway', 'Content-Type: text/html'),
 whole('', '500 Oops'), whole('x' x 100000, '429 Slow'),
 whole('{"detail":"the reason"}', '422 No'), "HTTP/1.1 401 No\r\n\r\n",
 whole("\xff\0", '500 Oops'), whole('{"error":"plain"}', '400 Bad'),
 whole($::GoodAnswer)]
--- request eval
[($::Good) x 8]
--- error_code eval
[502, 500, 429, 422, 401, 500, 400, 200]
--- response_body_like eval
['^\{"error":\{"message":', '^\{"error":\{"message":',
 '^\{"error":\{"message":.{1,3000}$', '"message":"the reason"',
 '^\{"error":\{"message":', '^\{"error":\{"message":', '"message":"plain"',
 '"Hello"']



=== TEST 38: a compressed answer, though none was asked for
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[whole("\x1f\x8b\x08", '200 OK', 'Content-Encoding: gzip'),
 whole($::GoodAnswer, '200 OK', 'Content-Encoding: identity')]
--- request eval
[($::Good) x 2]
--- error_code eval
[502, 200]
--- response_body_like eval
[::bad_gateway('compressed.*gzip'), '"Hello"']



=== TEST 39: a stream though none was asked for
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[stream(openai_stream('Hello'), $Done), whole($::GoodAnswer)]
--- request eval
[($::Good) x 2]
--- error_code eval
[502, 200]
--- response_body_like eval
[::bad_gateway('stream'), '"Hello"']



=== TEST 40: answers that end with the connection
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
["HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n$::GoodAnswer",
 ["HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n",
  substr($::GoodAnswer, 0, 50), substr($::GoodAnswer, 50)],
 "HTTP/1.0 500 Oops\r\n\r\n" . openai_error('server_error', 'oh no'),
 whole($::GoodAnswer)]
--- request eval
[($::Good) x 4]
--- error_code eval
[200, 200, 500, 200]
--- response_body_like eval
['"Hello"', '"Hello"', 'oh no', '"Hello"']



=== TEST 41: ... streams as well
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[["HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\n",
  openai_stream('Hel', 'lo'), openai_usage(), $Done]]
--- request eval
ask_openai(undef, '"stream":true')
--- response_body eval
CORE::join('', openai_stream('Hel', 'lo'), $Done)



=== TEST 42: interim answers
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[["HTTP/1.1 100 Continue\r\n\r\n" . whole($::GoodAnswer)],
 ["HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", "HTTP/1.1 102 Processing\r\n",
  "\r\n" . whole($::GoodAnswer)]]
--- request eval
[($::Good) x 2]
--- response_body eval
[($::GoodAnswer) x 2]



=== TEST 43: a hundred megabytes of one line
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
my $head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
[["$head" . 'data: ' . 'x' x (100 << 20)], whole($::GoodAnswer)]
--- request eval
[ask_openai(undef, '"stream":true'), $::Good]
--- error_code eval
[502, 200]
--- response_body_like eval
[::bad_gateway('more than \d+ bytes'), '"Hello"']
--- timeout: 30



=== TEST 44: ... of one answer
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[[whole('"' . 'x' x (100 << 20))], whole($::GoodAnswer)]
--- request eval
[$::Good, $::Good]
--- error_code eval
[502, 200]
--- response_body_like eval
[::bad_gateway('larger than \d+ bytes'), '"Hello"']
--- timeout: 30



=== TEST 45: ... of an error
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[[whole('"' . 'x' x (100 << 20), '500 Oops')], whole($::GoodAnswer)]
--- request eval
[$::Good, $::Good]
--- error_code eval
[500, 200]
--- timeout: 30



=== TEST 46: as large as the operator allows
--- http_config eval: $::HttpConfig
--- config eval
'llm_max_response_size 300; llm_max_event_size 600;' . $::Config
--- upstream eval
my $long = 'x' x 600;
[whole($::GoodAnswer), whole(openai_text($long)),
 stream(openai_stream('Hello'), $Done), stream(openai_stream($long), $Done)]
--- request eval
[$::Good, $::Good, map { ask_openai(undef, '"stream":true') } 1 .. 2]
--- error_code eval
[200, 502, 200, 200]
--- response_body_like eval
['"Hello"', ::bad_gateway('llm_max_response_size'), '"Hello".*\[DONE\]',
 '"error":\{"message":"[^"]*more than 600 bytes']



=== TEST 47: an event that is no JSON
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[stream((openai_stream('Hel'))[0, 1], "data: zork\n\n", $Done),
 stream(openai_stream('Hello'), $Done)]
--- request eval
[map { ask_openai(undef, '"stream":true') } 1 .. 2]
--- error_code eval
[200, 200]
--- response_body_like eval
['"Hel".*data: \{"error":\{"message":', '"Hello"']
--- access_log
200 error



=== TEST 48: a stream that breaks off
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[cut((openai_stream('Hel'))[0, 1])]
--- request eval
ask_openai(undef, '"stream":true')
--- response_body_like eval
'"Hel".*' . quotemeta('data: {"error":{"message":') . '[^\n]*\n\n\z'
--- access_log
200 error



=== TEST 49: ... for a client of another API
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[cut((openai_stream('Hel'))[0, 1])]
--- request eval
ask_anthropic(undef, '"stream":true')
--- response_body_like eval
'"text":"Hel".*' . quotemeta("event: error\ndata: "
    . '{"type":"error","error":{"type":"api_error","message":')
    . '[^\n]*\n\n\z'
--- access_log
200 error



=== TEST 50: a stream with broken chunks
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
my $parts = cut((openai_stream('Hel'))[0, 1]);
[[@$parts, "zork\r\n"]]
--- request eval
ask_openai(undef, '"stream":true')
--- response_body_like eval
'"Hel".*' . quotemeta('data: {"error":{"message":') . '[^\n]*\n\n\z'
--- access_log
200 error



=== TEST 51: a stream that falls silent
--- http_config eval: $::Impatient
--- config eval: $::Config
--- upstream eval
my $parts = cut((openai_stream('Hel'))[0, 1]);
[[@$parts, \'hold']]
--- request eval
ask_openai(undef, '"stream":true')
--- response_body_like eval
'"Hel".*' . quotemeta('data: {"error":{"message":')
    . '[^\n]*"timeout_error"[^\n]*\n\n\z'
--- access_log
200 error



=== TEST 52: other ways to end lines, and events without end
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
my $text = CORE::join('', openai_stream('Hel', 'lo'), $Done);
[stream($text =~ s/\n/\r\n/gr), stream($text =~ s/\n/\r/gr),
 stream($text =~ s/data: /data:/gr), stream($text =~ s/\n+\z//r)]
--- request eval
[map { ask_anthropic(undef, '"stream":true') } 1 .. 4]
--- response_body_like eval
[('"text":"Hel".*"text":"lo".*event: message_stop\n.*\n\n\z') x 4]



=== TEST 53: a body that the client has compressed
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole($::GoodAnswer)
--- request eval
[$::Good, $::Good]
--- more_headers eval
['Content-Encoding: gzip', 'Content-Encoding: identity']
--- error_code eval
[400, 200]
--- response_body_like eval
[::refused('compressed'), '"Hello"']



=== TEST 54: a limit of nothing would refuse every answer
--- config
location / { llm_max_response_size 0; }
--- must_die
--- error_log eval
qr/\[emerg\] .*"llm_max_response_size" must be above 0 in .*nginx\.conf:\d+/



=== TEST 55: ... or every stream
--- config
location / { llm_max_event_size 0; }
--- must_die
--- error_log eval
qr/\[emerg\] .*"llm_max_event_size" must be above 0 in .*nginx\.conf:\d+/
