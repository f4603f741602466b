# What t/bad-input.t asks of OpenAI's and Anthropic's APIs, asked of all: each
# client is refused in the shape of its own API, and no provider's answer is
# worse than a 502, or a stream that ends with an error.

use lib 't/lib';
use LLMTest;
use LLMAnswers;
use LLMBedrock;

# The ways in: a path, and the body of a good request, after which the shape of
# an error with words of its message.
our (@Fronts, @Chats);

sub openai_shape {
    return '^\{"error":\{"message":"[^\n]*(?i:' . $_[0] . ')[^\n]*","type":'
        . '"invalid_request_error","param":(null|"[^"]*"),"code":.*\}\}$';
}

sub anthropic_shape {
    return '^\{"type":"error","error":\{"type":"invalid_request_error",'
        . '"message":".*(?i:' . $_[0] . ').*"\}\}$';
}

sub google_shape {
    return '^\{"error":\{"code":400,"message":".*(?i:' . $_[0] . ').*",'
        . '"status":"INVALID_ARGUMENT".*\}\}$';
}

sub aws_shape {
    return '^\{"__type":"ValidationException","message":".*(?i:' . $_[0]
        . ').*"\}$';
}

sub cohere_shape { return '^\{.*"message":".*(?i:' . $_[0] . ').*".*\}$' }

sub ollama_shape { return '^\{"error":".*(?i:' . $_[0] . ').*"\}$' }

my $said = '"messages":[{"role":"user","content":"Hi"}]';

@Chats = (
    ['/v1/chat/completions', qq({"model":"m",$said}), \&openai_shape],
    ['/v1/messages', qq({"model":"m","max_tokens":5,$said}),
     \&anthropic_shape],
    ['/v1beta/models/m:generateContent',
     '{"contents":[{"role":"user","parts":[{"text":"Hi"}]}]}', \&google_shape],
    ['/model/m/converse',
     '{"messages":[{"role":"user","content":[{"text":"Hi"}]}]}', \&aws_shape],
    ['/v1/responses', '{"model":"m","input":"Hi"}', \&openai_shape],
    ['/v1/completions', '{"model":"m","prompt":"Hi"}', \&openai_shape],
    ['/v2/chat', qq({"model":"m",$said}), \&cohere_shape],
    ['/api/chat', qq({"model":"m",$said}), \&ollama_shape],
    ['/api/generate', '{"model":"m","prompt":"Hi"}', \&ollama_shape],
);

@Fronts = (
    @Chats,
    ['/v1/embeddings', '{"model":"m","input":"Hi"}', \&openai_shape],
    ['/api/embed', '{"model":"m","input":"Hi"}', \&ollama_shape],
    ['/api/embeddings', '{"model":"m","prompt":"Hi"}', \&ollama_shape],
    ['/v2/embed', '{"model":"m","texts":["Hi"],"input_type":"search_query",'
     . '"embedding_types":["float"]}', \&cohere_shape],
    ['/v1beta/models/m:embedContent', '{"content":{"parts":[{"text":"Hi"}]}}',
     \&google_shape],
);

# Requests of all fronts with what the function makes of a good body, to each
# of the locations.
sub all_fronts {
    my ($change, $fronts, @locations) = @_;
    my @requests;
    for my $location (@locations) {
        for my $front (@$fronts) {
            my ($path, $body) = @$front;
            push @requests, "POST $location$path\n" . $change->($body);
        }
    }
    return \@requests;
}

# What they are answered.
sub refusals {
    my ($words, $fronts, $times) = @_;
    return [(map { $_->[2]->($words) } @$fronts) x $times];
}

# Providers of each format.
our @Formats = qw(openai anthropic gemini bedrock responses completions cohere
    ollama ollama-generate);

our $HttpConfig = join "\n", 'client_max_body_size 8m;', map { qq(
    llm_provider $_ {
        format $_;
        url http://127.0.0.1:\$TEST_NGINX_UPSTREAM_PORT;
        api_key key;
        read_timeout 2s;
    }
) } @Formats;

our $Config = join '', map { "location /$_/ { llm_pass $_; }\n" } @Formats;

# What they answer, whole ...
my $created = '"model":"m","created_at":"2023-11-14T22:13:20Z"';
my $completion = '"id":"c","object":"text_completion","created":1,"model":"m"';

our %Whole = (
    openai => openai_text('Hello'),
    anthropic => anthropic_text('Hello'),
    gemini => '{"candidates":[{"content":{"role":"model","parts":[{"text":'
        . '"Hello"}]},"finishReason":"STOP"}]}',
    bedrock => bedrock_text('Hello'),
    responses => '{"id":"resp_1","object":"response","status":"completed",'
        . '"model":"m","created_at":1,"output":[{"type":"message","id":"x",'
        . '"role":"assistant","content":[{"type":"output_text","text":"Hello",'
        . '"annotations":[]}]}]}',
    completions => "{$completion,\"choices\":[{\"index\":0,\"text\":\"Hello\","
        . '"finish_reason":"stop"}]}',
    cohere => '{"id":"c","finish_reason":"COMPLETE","message":{"role":'
        . '"assistant","content":[{"type":"text","text":"Hello"}]}}',
    ollama => "{$created,\"message\":{\"role\":\"assistant\",\"content\":"
        . '"Hello"},"done":true,"done_reason":"stop"}',
    'ollama-generate' => "{$created,\"response\":\"Hello\",\"done\":true,"
        . '"done_reason":"stop"}',
);

# ... and as events, the second or third of which says "Hel".
sub gemini_event {
    return 'data: {"candidates":[{"content":{"role":"model","parts":[{"text":'
        . qq("$_[0]"}]}$_[1]}]}\n\n);
}

sub responses_event {
    my ($type, $members) = @_;
    return qq(event: $type\ndata: {"type":"$type","sequence_number":0,)
        . "$members}\n\n";
}

sub completions_event {
    return "data: {$completion,\"choices\":[{\"index\":0,\"text\":"
        . qq("$_[0]","finish_reason":$_[1]}]}\n\n);
}

sub generated { return qq({$created,"response":"$_[0]",$_[1]}\n) }

our %Stream = (
    openai => [openai_stream('Hel', 'lo'), $Done],
    anthropic => [anthropic_stream('Hel', 'lo')],
    gemini => [gemini_event('', ''), gemini_event('Hel', ''),
        gemini_event('lo', ',"finishReason":"STOP"')],
    bedrock => [bedrock_stream('Hel', 'lo')],
    responses => [
        responses_event('response.created', '"response":{"id":"resp_1",'
            . '"model":"m","created_at":1}'),
        (map { responses_event('response.output_text.delta',
            qq("output_index":0,"content_index":0,"delta":"$_")) } 'Hel', 'lo'),
        responses_event('response.completed',
            '"response":{"status":"completed","output":[]}')],
    completions => [completions_event('', 'null'),
        completions_event('Hel', 'null'), completions_event('lo', '"stop"'),
        $Done],
    cohere => [
        cohere_event('message-start',
            '"id":"c","delta":{"message":{"role":"assistant"}}'),
        (map { cohere_event('content-delta', '"index":0,"delta":{"message":'
            . qq({"content":{"text":"$_"}}})) } 'Hel', 'lo'),
        cohere_event('message-end', '"delta":{"finish_reason":"COMPLETE"}')],
    ollama => [(map { ollama_line(qq({"role":"assistant","content":"$_"})) }
        '', 'Hel', 'lo'),
        ollama_line('{"role":"assistant","content":""}', '"done":true',
            '"done_reason":"stop"')],
    'ollama-generate' => [(map { generated($_, '"done":false') } '', 'Hel',
        'lo'), generated('', '"done":true,"done_reason":"stop"')],
);

our %Type = (
    (map { $_ => 'text/event-stream' } @Formats),
    bedrock => 'application/vnd.amazon.eventstream',
    ollama => 'application/x-ndjson',
    'ollama-generate' => 'application/x-ndjson',
);

# A provider's stream of these events, or one that breaks off.
sub streamed {
    my ($format, $send, @events) = @_;
    my $parts = $send->(@events);
    $parts->[0] =~ s{text/event-stream}{$Type{$format}};
    return $parts;
}

# Clients of all providers that speak another API, and what they get of a 502.
our @Asks = map { ["/$_" . ($_ eq 'openai' ? $Chats[1] : $Chats[0])->[0], $_] }
    @Formats;

sub ask_all {
    my (@members) = @_;
    return [map {
        my ($path, $format) = @$_;
        $format eq 'openai' ? ask_anthropic($path, @members)
            : ask_openai($path, @members);
    } @Asks];
}

sub bad_gateways {
    my ($words) = @_;
    return [map { $_ eq 'openai'
        ? '^\{"type":"error","error":\{"type":"api_error","message":".*'
            . "(?i:$words).*\"\\}\\}\$"
        : '^\{"error":\{"message":".*(?i:' . $words . ').*","type":'
            . '"server_error","param":null,"code":"\w+"\}\}$' } @Formats];
}

# A stream that has begun and ends with an error, whichever it is.
sub broken_streams {
    my ($words) = @_;
    return [map { $_ eq 'openai'
        ? 'event: error\ndata: \{"type":"error","error":\{"type":"api_error",'
            . '"message":"[^\n]*(?i:' . $words . ')[^\n]*\n\n\z'
        : 'data: \{"error":\{"message":"[^\n]*(?i:' . $words . ')[^\n]*\n\n\z'
    } @Formats];
}

# One that ends as it should, and does not say so twice.
sub good_streams {
    return [map { $_ eq 'openai'
        ? '(?s)\A(?:(?!"message_stop"|event: error).)*"text":"Hel"(?:'
            . '(?!"message_stop"|event: error).)*"message_stop"\}\n\n\z'
        : '(?s)\A(?:(?!\[DONE\]|"error").)*"content":"Hel"(?:'
            . '(?!\[DONE\]|"error").)*\[DONE\]\n\n\z' } @Formats];
}

run_tests();

__DATA__

=== TEST 1: no body
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
::all_fronts(sub { '' }, \@::Fronts, '/openai')
--- error_code eval
[(400) x @::Fronts]
--- response_body_like eval
::refusals('body is empty', \@::Fronts, 1)



=== TEST 2: bodies that are cut off
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
[map { my $part = $_; @{::all_fronts(
    sub { substr $_[0], 0, length($_[0]) * $part }, \@::Fronts, '/openai')}
} 0.99, 0.5, 0.05]
--- error_code eval
[(400) x (3 * @::Fronts)]
--- response_body_like eval
::refusals('invalid JSON', \@::Fronts, 3)



=== TEST 3: JSON that is no object
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
[map { my $body = $_;
    @{::all_fronts(sub { $body }, \@::Fronts, '/openai')} } '[]', '1', 'null']
--- error_code eval
[(400) x (3 * @::Fronts)]
--- response_body_like eval
::refusals('must be a JSON object', \@::Fronts, 3)



=== TEST 4: what was said is of a wrong type
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
my $name = qr/"(messages|contents?|input|prompt|texts)":/;
[map { my $value = $_;
    map { my $other = m{/v1beta/} ? '/openai' : '/gemini'; s{ \K}{$other}r }
    @{::all_fronts(sub {
        $_[0] =~ s/$name\K(\[\{.*\}\]|\{.*\}(?=\})|\["Hi"\]|"Hi")/$value/r
    }, \@::Fronts, '')} } 7, 'true']
--- error_code eval
[(400) x (2 * @::Fronts)]
--- response_body_like eval
::refusals('messages|content|input|prompt|texts', \@::Fronts, 2)



=== TEST 5: messages of a wrong type, deeper
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
[map { my $value = $_;
    @{::all_fronts(
        sub { $_[0] =~ s/"(messages|contents)":\[\K.*(?=\])/$value/r },
        [grep { $_->[1] =~ /"(messages|contents)"/ } @::Chats], '/responses')}
} 7, '[]', '{"role":[]}', '{"role":"user","content":7,"parts":7}',
    '{"role":"user","content":[7],"parts":[7]}']
--- error_code eval
[(400) x 30]
--- response_body_like eval
my @fronts = grep { $_->[1] =~ /"(messages|contents)"/ } @::Chats;
::refusals('(messages|contents)\[0\]|message|part|role|content', \@fronts, 5)



=== TEST 6: two megabytes of brackets
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
::all_fronts(sub { $_[0] =~ s/\}\z//r . ',"x":' . '[' x (2 << 20) },
    \@::Fronts, '/openai')
--- error_code eval
[(400) x @::Fronts]
--- response_body_like eval
::refusals('nested deeper than', \@::Fronts, 1)
--- timeout: 20



=== TEST 7: NUL, UTF-8 that is none, half of a surrogate pair
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
[map { my $text = $_;
    @{::all_fronts(sub { $_[0] =~ s/"Hi"/"$text"/r }, \@::Fronts, '/openai')}
} "\0", "\xff", "\xed\xa0\x80", '\ud800']
--- error_code eval
[(400) x (4 * @::Fronts)]
--- response_body_like eval
::refusals('invalid JSON', \@::Fronts, 4)



=== TEST 8: a megabyte of a model's name
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
my $name = 'x' x (1 << 20);
::all_fronts(sub { $_[0] =~ s/"m"/"$name"/r },
    [grep { $_->[1] =~ /"m"/ } @::Fronts], '/openai')
--- error_code eval
[(400) x grep { $_->[1] =~ /"m"/ } @::Fronts]
--- response_body_like eval
::refusals('longer than 512 bytes', [grep { $_->[1] =~ /"m"/ } @::Fronts], 1)



=== TEST 9: ... three kilobytes in the path
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
my $name = 'x' x 3072;
[map { s{/m(?=[:/])}{/$name}r } @{::all_fronts(sub { $_[0] },
    [grep { $_->[0] =~ m{/m[:/]} } @::Fronts], '/openai')}]
--- error_code eval
[(400) x 3]
--- response_body_like eval
::refusals('longer than 512 bytes', [grep { $_->[0] =~ m{/m[:/]} } @::Fronts],
    1)



=== TEST 10: a model's name stays one part of the provider's path
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[whole($::Whole{gemini}), whole($::Whole{gemini}), whole($::Whole{gemini}),
 whole($::Whole{bedrock}), whole($::Whole{bedrock}), whole($::Whole{bedrock})]
--- upstream_request_like eval
[map { "\\APOST $_ HTTP/1\\.1\r\n(?!.*^X-Evil)" }
    '/models/\.\.%2F\.\.%2Fx:generateContent',
    '/models/a%0D%0AX-Evil%3A%201:generateContent',
    '/models/a%3Fb%23%00:generateContent',
    '/model/\.\.%2F\.\.%2Fx/converse', '/model/a%0D%0AX-Evil%3A%201/converse',
    '/model/a%3Fb%23%00/converse']
--- request eval
[map { my $location = $_; map { my $name = $_;
    ask_openai("/$location/v1/chat/completions") =~ s/"m"/"$name"/r
} '../../x', 'a\r\nX-Evil: 1', 'a?b#\u0000' } 'gemini', 'bedrock']
--- error_code eval
[(200) x 6]



=== TEST 11: ... and is no part that leads elsewhere
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval
[map { my $location = $_; map { my $name = $_;
    ask_openai("/$location/v1/chat/completions") =~ s/"m"/"$name"/r
} '.', '..' } 'gemini', 'bedrock']
--- error_code eval
[(400) x 4]
--- response_body_like eval
[(::openai_shape('is no model.s name')) x 4]



=== TEST 12: a model's name of the client's path goes on as it was meant
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole($::Whole{bedrock})
--- upstream_request_like eval
[map { "\\APOST /model/$_/converse HTTP/1\\.1\r\n(?!.*^X-Evil)" }
    'a%0D%0AX-Evil%3A%201', 'a%3Fb', 'a%20b']
--- request eval
[map { "POST /bedrock/v1beta/models/$_:generateContent\n$::Chats[2][1]" }
    'a%0d%0aX-Evil:%201', 'a%3fb', 'a%20b']
--- error_code eval
[(200) x 3]



=== TEST 13: answers that are none
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole('Hello')
--- request eval
::ask_all()
--- error_code eval
[(502) x @::Formats]
--- response_body_like eval
::bad_gateways('invalid JSON')



=== TEST 14: ... that are empty
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
whole('')
--- request eval
::ask_all()
--- error_code eval
[(502) x @::Formats]
--- response_body_like eval
::bad_gateways('invalid JSON: empty')



=== TEST 15: ... that are JSON of another kind
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[(map { whole($_) } ('[]') x @::Formats, ('{}') x @::Formats)]
--- request eval
[@{::ask_all()}, @{::ask_all()}]
--- error_code eval
[(502) x (2 * @::Formats)]
--- response_body_like eval
[(@{::bad_gateways('the provider.s answer')}) x 2]



=== TEST 16: ... that are cut off, or not UTF-8
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[(map { whole(substr $::Whole{$_}, 0, -1) } @::Formats),
 (map { whole($::Whole{$_} =~ s/Hello/\xff/r) } @::Formats)]
--- request eval
[@{::ask_all()}, @{::ask_all()}]
--- error_code eval
[(502) x (2 * @::Formats)]
--- response_body_like eval
[(@{::bad_gateways('invalid JSON')}) x 2]



=== TEST 17: ... that are larger than the operator allows
--- http_config eval: $::HttpConfig
--- config eval: 'llm_max_response_size 2000;' . $::Config
--- upstream eval
my $long = 'x' x 2000;
[map { whole($::Whole{$_} =~ s/Hello/$long/r) } @::Formats]
--- request eval
::ask_all()
--- error_code eval
[(502) x @::Formats]
--- response_body_like eval
::bad_gateways('llm_max_response_size')



=== TEST 18: an answer is known by what it is, not by what it is called
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[map { whole($::Whole{$_}, '200 OK', 'Content-Type: text/html') } @::Formats]
--- request eval
::ask_all()
--- error_code eval
[(200) x @::Formats]
--- response_body_like eval
[('"Hello"') x @::Formats]



=== TEST 19: ... but a stream has to say so
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[map {
    my $parts = ::streamed($_, \&stream, @{$::Stream{$_}});
    $parts->[0] =~ s{^Content-Type: \S+}{Content-Type: text/html}m;
    $parts } @::Formats]
--- request eval
::ask_all('"stream":true')
--- error_code eval
[(502) x @::Formats]
--- response_body_like eval
::bad_gateways('the provider.s answer')



=== TEST 20: ... and is none where nobody asked for it
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[map { ::streamed($_, \&stream, @{$::Stream{$_}}) } @::Formats]
--- request eval
::ask_all()
--- error_code eval
[(502) x @::Formats]
--- response_body_like eval
::bad_gateways('sent a stream although none was asked for')



=== TEST 21: streams of nothing
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[map { ["HTTP/1.1 200 OK\r\nContent-Type: $::Type{$_}\r\n"
    . "Content-Length: 0\r\n\r\n"] } @::Formats]
--- request eval
::ask_all('"stream":true')
--- error_code eval
[(502) x @::Formats]
--- response_body_like eval
::bad_gateways('ended before the answer was complete')



=== TEST 22: streams that begin with garbage
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[map { ::streamed($_, \&stream, $_ eq 'bedrock' ? "\xff\0\1" x 50
    : $_ =~ /ollama/ ? "\xff\0\1\n" : "data: \xff\0\1\n\n",
    @{$::Stream{$_}}) } @::Formats]
--- request eval
::ask_all('"stream":true')
--- error_code eval
[(502) x @::Formats]
--- response_body_like eval
::bad_gateways('JSON|stream')



=== TEST 23: ... have it in their middle
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[map { my @events = @{$::Stream{$_}};
    ::streamed($_, \&stream, @events[0 .. @events - 3],
        $_ eq 'bedrock' ? "\xff\0\1" x 50
        : $_ =~ /ollama/ ? "zork\n" : "data: zork\n\n", $events[-1]) }
    @::Formats]
--- request eval
::ask_all('"stream":true')
--- response_body_like eval
::broken_streams('JSON|event stream|stream')



=== TEST 24: ... break off
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[map { ::streamed($_, \&cut, @{$::Stream{$_}}[0, 1]) } @::Formats]
--- request eval
::ask_all('"stream":true')
--- response_body_like eval
::broken_streams('ended before the answer was complete')



=== TEST 25: ... end too early, as if that were all
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[map { ::streamed($_, \&stream, @{$::Stream{$_}}[0, 1]) } @::Formats]
--- request eval
::ask_all('"stream":true')
--- response_body_like eval
::broken_streams('ended before the answer was complete')



=== TEST 26: ... end in the middle of an event
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[map { my @events = @{$::Stream{$_}};
    ::streamed($_, \&stream, @events[0, 1],
        substr $events[2], 0, 0.7 * length $events[2]) } @::Formats]
--- request eval
::ask_all('"stream":true')
--- response_body_like eval
::broken_streams('JSON|ended|event')



=== TEST 27: ... have an event that is too large
--- http_config eval: $::HttpConfig
--- config eval: 'llm_max_event_size 2000;' . $::Config
--- upstream eval
my $long = 'x' x 2000;
[map { my @events = @{$::Stream{$_}};
    ::streamed($_, \&stream, @events[0, 1], $_ eq 'bedrock'
        ? bedrock_event('contentBlockDelta', qq({"delta":{"text":"$long"}}))
        : $events[2] =~ s/Hel|lo/$long/r, @events[3 .. $#events]) } @::Formats]
--- request eval
::ask_all('"stream":true')
--- response_body_like eval
::broken_streams('more than 2000 bytes')



=== TEST 28: ... say everything twice
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[map { ::streamed($_, \&stream, (@{$::Stream{$_}}) x 2) } @::Formats]
--- request eval
::ask_all('"stream":true')
--- response_body_like eval
::good_streams()



=== TEST 29: ... have each event twice
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[map { ::streamed($_, \&stream, map { ($_) x 2 } @{$::Stream{$_}}) }
    @::Formats]
--- request eval
::ask_all('"stream":true')
--- response_body_like eval
my %outcome;
@outcome{@::Formats} = @{::good_streams()};
$outcome{bedrock} = 'data: \{"error":\{"message":"the provider began its '
    . 'answer twice"[^\n]*\n\n\z';
[@outcome{@::Formats}]



=== TEST 30: ... lack their beginning
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[map { my @events = @{$::Stream{$_}}; shift @events;
    shift @events if $events[0] !~ /Hel/;
    ::streamed($_, \&stream, @events) } @::Formats]
--- request eval
::ask_all('"stream":true')
--- response_body_like eval
::good_streams()



=== TEST 31: ... go on after their end
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[map { my @events = @{$::Stream{$_}};
    ::streamed($_, \&stream, @events, $events[1], $events[1]) } @::Formats]
--- request eval
::ask_all('"stream":true')
--- response_body_like eval
::good_streams()



=== TEST 32: what an answer must have is of another type
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- upstream eval
[(map { whole($_) } '{"candidates":[5]}', '{"candidates":[{"content":{}}]}',
    '{"id":"c","finish_reason":"COMPLETE","message":"Hello"}',
    '{"id":"c","finish_reason":"COMPLETE","message":5}')]
--- request eval
[map { ask_openai("/$_/v1/chat/completions") }
    'gemini', 'gemini', 'cohere', 'cohere']
--- error_code eval: [(502) x 4]
--- response_body_like eval: [('"type":"server_error"') x 4]
