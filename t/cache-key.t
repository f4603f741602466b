# What is the same question: whatever else can change the answer is a
# partition of its own.
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
    llm_upstream chat { model openai/a; }
    llm_upstream other { model openai/a; }
    llm_cache_zone answers { memory 1m; }
};

our $Config = q{
    llm_cache answers;
    add_header X-Match $llm_cache_match;
    add_header X-Refused $llm_cache_refused;
    add_header X-Partition $llm_cache_partition;
    add_header X-Consumer $llm_consumer;
    location / { llm_pass chat; }
    location /other/ { llm_pass other; }
    location /any/ { llm_pass openai; }
    location /proxy/ {
        llm on;
        proxy_pass http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/;
    }
};

our $Who = 'Who is Joseph Conrad?';
our $Please = 'Please tell me, who is Joseph Conrad?';

run_tests();

__DATA__

=== TEST 1: consumers do not hear each other's answers
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
my $as = sub { with(ask($_[1]), "Authorization: Bearer $_[0]") };
[
    $as->('alice', $::Who) => 'Miss one',
    $as->('bob', $::Who) => 'Miss two',
    ask($::Who) => 'Miss three',
    $as->('alice', $::Please) => 'Hit one',
    $as->('bob', $::Please) => 'Hit two',
    ask($::Please) => 'Hit three',
]



=== TEST 2: ... whichever header has their key
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    with(ask($::Who), 'Authorization: k') => 'Miss one',
    with(ask($::Who), 'x-api-key: k') => 'Miss two',
    with(ask($::Who), 'api-key: k') => 'Miss three',
    with(ask($::Who), 'x-goog-api-key: k') => 'Miss four',
    with(ask($::Who), 'x-api-key: k', 'Authorization: k') => 'Miss five',
    with(ask($::Please), 'x-api-key: k') => 'Hit two',
]



=== TEST 3: ... or the URL
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
my $asked_with = sub {
    my $call = ask($::Who);
    return { %$call, path => "$call->{path}?key=$_[0]" };
};
[
    ask($::Who) => 'Miss one',
    $asked_with->('a') => 'Miss two',
    $asked_with->('b') => 'Miss three',
    $asked_with->('a') => 'Hit two',
    with(ask($::Who), 'x-goog-api-key: a') => 'Miss four',
]



=== TEST 4: ... in front of another content handler
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    at('/proxy', with(ask($::Who), 'Authorization: a')) => 'Miss one',
    at('/proxy', with(ask($::Who), 'Authorization: b')) => 'Miss two',
    at('/proxy', with(ask($::Who), 'Authorization: a')) => 'Hit one',
]



=== TEST 5: llm_consumer says who they are, whatever their key
--- http_config eval: $::HttpConfig
--- config eval
"llm_consumer \$http_x_team;\n$::Config"
--- steps eval
my $as = sub { with(ask($::Who), "X-Team: $_[0]", "Authorization: $_[1]") };
[
    $as->('red', 'one') => ['Miss one', 'X-Consumer' => 'red'],
    $as->('red', 'two') => 'Hit one',
    $as->('blue', 'one') => ['Miss two', 'X-Consumer' => 'blue'],
]



=== TEST 6: without a name it is the key again, and no name is a key
--- http_config eval: $::HttpConfig
--- config eval
"llm_consumer \$http_x_team;\n$::Config"
--- steps eval
[
    with(ask($::Who), 'Authorization: red') => [
        'Miss one', 'X-Consumer' => undef],
    with(ask($::Who), 'X-Team: red') => 'Miss two',
    with(ask($::Who), "X-Team: cred\t\t\t") => 'Miss three',
    with(ask($::Who), 'Authorization: red') => 'Hit one',
]



=== TEST 7: llm_cache_shared: all hear all answers
--- http_config eval: $::HttpConfig
--- config eval
"llm_cache_shared on;\n$::Config"
--- steps eval
[
    with(ask($::Who), 'Authorization: a') => 'Miss one',
    with(ask($::Who), 'Authorization: b') => 'Hit one',
    with(ask($::Please), 'x-api-key: c') => 'Hit one',
]



=== TEST 8: the operator's own partition
--- http_config eval: $::HttpConfig
--- config eval
"llm_cache_key \$http_accept_language;\n$::Config"
--- steps eval
my $in = sub { with(ask($_[1]), "Accept-Language: $_[0]") };
[
    $in->('de', $::Who) => 'Miss one',
    $in->('en', $::Who) => 'Miss two',
    $in->('de', $::Please) => 'Hit one',
    ask($::Please) => 'Miss three',
]



=== TEST 9: the system prompt
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
my $by = sub { messages(['system', $_[0]], ['user', $_[1]]) };
[
    $by->('Be brief.', $::Who) => 'Miss one',
    $by->('Be verbose.', $::Who) => 'Miss two',
    ask($::Who) => 'Miss three',
    $by->('Be brief.', $::Please) => 'Hit one',
    messages(['developer', 'Be brief.'], ['user', $::Who]) => 'Hit one',
]



=== TEST 10: ... wherever the API has it
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    claude($::Who, '"system":"Be brief."') => 'Miss one',
    claude($::Who, '"system":"Be verbose."') => 'Miss two',
    messages(['system', 'Be brief.'], ['user', $::Who], '"max_tokens":50') => 'Hit one',
]



=== TEST 11: earlier turns
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
my $after = sub { messages(['user', 'Lord Jim'], ['assistant', $_[0]], ['user', $_[1]]) };
[
    $after->('A novel.', 'Who wrote it?') => 'Miss one',
    $after->('A film.', 'Who wrote it?') => 'Miss two',
    ask('Who wrote it?') => 'Miss three',
    $after->('A novel.', 'Please, who wrote it?') => 'Hit one',
]



=== TEST 12: llm_cache_ignore: what is not looked at
--- http_config eval: $::HttpConfig
--- config eval
"llm_cache_ignore system assistant;\n$::Config"
--- steps eval
[
    messages(['system', 'Be brief.'], ['user', 'Lord Jim'], ['assistant', 'A novel.'], ['user', 'Who wrote it?']) => 'Miss one',
    messages(['system', 'Be verbose.'], ['user', 'Lord Jim'], ['assistant', 'A film.'], ['user', 'Who wrote it?']) => 'Hit one',
    messages(['user', 'Emma'], ['assistant', 'A novel.'], ['user', 'Who wrote it?']) => 'Miss two',
]



=== TEST 13: ... in a location that ignores nothing again
--- http_config eval: $::HttpConfig
--- config eval
"llm_cache_ignore system;\n" . $::Config =~ s/(location \/ \{)/$1 llm_cache_ignore none;/r
--- steps eval
[
    messages(['system', 'Be brief.'], ['user', $::Who]) => 'Miss one',
    messages(['system', 'Be verbose.'], ['user', $::Who]) => 'Miss two',
    at('/other', messages(['system', 'Be brief.'], ['user', $::Who])) => 'Miss three',
    at('/other', messages(['system', 'Be verbose.'], ['user', $::Who])) => 'Hit three',
]



=== TEST 14: llm_cache_messages: more than the last one is the question
--- http_config eval: $::HttpConfig
--- config eval
"llm_cache_messages 2;\n$::Config"
--- steps eval
my $two = sub { messages(['user', $_[0]], ['assistant', 'A novelist.'], ['user', $_[1]]) };
[
    $two->('Who is Joseph Conrad?', 'And what did he write?') => 'Miss one',
    $two->('Please, who is Joseph Conrad?', 'And what did he write?') => [
        'Hit one', 'X-Match' => 'semantic'],
    $two->('Who is Jane Austen?', 'And what did he write?') => 'Miss two',
]



=== TEST 15: with one, earlier questions have to be the same
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
my $two = sub { messages(['user', $_[0]], ['assistant', 'A novelist.'], ['user', $_[1]]) };
[
    $two->('Who is Joseph Conrad?', 'And what did he write?') => 'Miss one',
    $two->('Please, who is Joseph Conrad?', 'And what did he write?') => 'Miss two',
]



=== TEST 16: members that change the answer, and those that do not
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    ask($::Who) => 'Miss one',
    ask($::Who, '"top_p":0.5') => 'Miss two',
    ask($::Who, '"response_format":{"type":"json_object"}') => 'Miss three',
    ask($::Who, '"stop":["x"]') => 'Miss four',
    ask($::Who, '"max_tokens":7') => 'Miss five',
    ask($::Who, '"reasoning_effort":"low"') => 'Miss six',
    ask($::Who, '"of_a_later_year":1') => 'Miss seven',
    ask($::Who, '"user":"u"', '"metadata":{"a":"b"}', '"n":1', '"store":true') => 'Hit one',
    ask($::Who, '"response_format":{"type":"text"}', '"top_p":null') => 'Hit one',
    ask($::Please, '"top_p":0.50') => 'Hit two',
    post('/v1/chat/completions', qq({ "messages" : [ { "content" : "$::Who", "role" : "user" } ], "model" : "m" })) => 'Hit one',
]



=== TEST 17: pools are apart, though their models be the same
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    ask($::Who) => 'Miss one',
    at('/other', ask($::Who)) => 'Miss two',
    at('/other', ask($::Please)) => 'Hit two',
]



=== TEST 18: within a pool the client's name of it is of no account
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
my $model = sub { my $call = ask($::Who); $call->{body} =~ s/"m"/"$_[0]"/; $call };
[
    $model->('x') => 'Miss one',
    $model->('y') => 'Hit one',
]



=== TEST 19: a model that the client chooses is apart from others
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
my $model = sub { my $call = at('/any', ask($::Who)); $call->{body} =~ s/"m"/"$_[0]"/; $call };
[
    $model->('x') => 'Miss one',
    $model->('y') => 'Miss two',
    $model->('x') => 'Hit one',
]



=== TEST 20: another content handler's location and the client's model
--- http_config eval: $::HttpConfig
--- config eval
"$::Config\n" . q{
    location /second/ {
        llm on;
        proxy_pass http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/;
    }
}
--- steps eval
my $model = sub { my $call = at($_[0], ask($::Who)); $call->{body} =~ s/"m"/"$_[1]"/; $call };
[
    $model->('/proxy', 'x') => 'Miss one',
    $model->('/proxy', 'y') => 'Miss two',
    $model->('/second', 'x') => 'Miss three',
    $model->('/proxy', 'x') => 'Hit one',
]



=== TEST 21: ... of two servers without a name
--- http_config eval
$::HttpConfig . q{
    server {
        listen 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2;
        server_name localhost;
        location /proxy/ {
            llm on;
            llm_cache answers;
            proxy_pass http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/;
        }
    }
}
--- config eval: $::Config
--- steps eval
[
    at('/proxy', ask($::Who)) => 'Miss one',
    sub {
        local $ENV{TEST_NGINX_SERVER_PORT} = $ENV{TEST_NGINX_UPSTREAM_PORT2};
        LLMSteps::call(at('/proxy', ask($::Who)));
    } => 'Miss two',
]



=== TEST 22: ... and what is in its path
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
my $east = at('/proxy/openai/deployments/east', ask($::Who));
my $west = at('/proxy/openai/deployments/west', ask($::Who));
[
    $east => 'Miss one',
    $west => 'Miss two',
    $east => 'Hit one',
    streamed($west) => 'Hit two',
]



=== TEST 23: what a call has that must not be answered by meaning
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
my $only_exact = sub {
    my ($why, $number, @members) = @_;
    return ask($::Who, @members) => [qr/Miss/, 'X-Refused' => $why],
           ask($::Please, @members) => [qr/Miss/, 'X-Refused' => $why],
           ask($::Who, @members) => ["Hit $number", 'X-Match' => 'exact',
               'X-Refused' => undef];
};
[
    $only_exact->('several', 'one', '"n":2'),
    $only_exact->('seed', 'three', '"seed":7'),
    $only_exact->('temperature', 'five', '"temperature":1.1'),
    $only_exact->('tools', 'seven', '"tools":[{"type":"function","function":{"name":"f"}}]'),
]



=== TEST 24: ... images
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
my $see = sub {
    my ($text, $image) = @_;
    return messages(['user', \qq([{"type":"text","text":"$text"},{"type":"image_url","image_url":{"url":"data:image/png;base64,$image"}}])]);
};
[
    $see->($::Who, 'AAAA') => ['Miss one', 'X-Refused' => 'media'],
    $see->($::Who, 'BBBB') => 'Miss two',
    $see->($::Please, 'AAAA') => 'Miss three',
    $see->($::Who, 'AAAA') => 'Hit one',
]



=== TEST 25: ... results of tools
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
my $told = sub {
    my ($id, $result) = @_;
    return post('/v1/chat/completions', qq({"model":"m","messages":[
        {"role":"user","content":"How warm is it?"},
        {"role":"assistant","tool_calls":[{"id":"$id","type":"function","function":{"name":"f","arguments":"{}"}}]},
        {"role":"tool","tool_call_id":"$id","content":"$result"}]}));
};
[
    $told->('call_1', '20 degrees') => ['Miss one', 'X-Refused' => 'tool_results'],
    $told->('call_1', '21 degrees') => 'Miss two',
    $told->('call_2', '20 degrees') => 'Hit one',
]



=== TEST 26: how warm is too warm
--- http_config eval: $::HttpConfig
--- config eval
"llm_cache_max_temperature 0.3;\n$::Config"
--- steps eval
[
    ask($::Who, '"temperature":0.3') => 'Miss one',
    ask($::Please, '"temperature":0.3') => 'Hit one',
    ask($::Who, '"temperature":0.31') => 'Miss two',
    ask($::Please, '"temperature":0.31') => ['Miss three', 'X-Refused' => 'temperature'],
    ask($::Who, '"temperature":0.0') => 'Miss four',
    ask($::Who, '"temperature":0') => 'Hit four',
]



=== TEST 27: llm_cache_similarity: exact matches only
--- http_config eval: $::HttpConfig
--- config eval
"llm_cache_similarity off;\n$::Config\n" . q{
    location /one/ { llm_cache_similarity 1; llm_pass chat; }
    location /some/ { llm_cache_similarity 0.8; llm_pass chat; }
}
--- steps eval
[
    ask($::Who) => 'Miss one',
    ask($::Please) => 'Miss two',
    at('/one', ask('Would you tell me who Joseph Conrad is?')) => 'Miss three',
    at('/one', ask($::Who)) => 'Hit one',
]



=== TEST 28: what was asked without a search is not found by one
--- http_config eval: $::HttpConfig
--- config eval
"llm_cache_similarity off;\n$::Config\n" . q{
    location /some/ { llm_cache_similarity 0.8; llm_pass chat; }
}
--- steps eval
[
    ask($::Who) => 'Miss one',
    at('/some', ask($::Please)) => 'Miss two',
    at('/some', ask("$::Please Now.")) => [undef, 'X-Cache-Status' => qr/./],
]



=== TEST 29: the partition of a near question is the same, and its key is not
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
my %seen;
my $note = sub {
    my ($call) = @_;
    return sub {
        my $answer = LLMSteps::call($call);
        CORE::join ' ', map { $answer =~ /^$_: (\w{64})/im; $seen{$1}++ ? 'old' : 'new' }
            'X-Partition', 'X-Cache-Key';
    };
};
[
    $note->(ask($::Who)) => 'new new',
    $note->(ask('Who is Jane Austen?')) => 'old new',
    $note->(ask($::Who, '"top_p":0.5')) => 'new new',
]
