# Whether a near question is near enough: llm_cache_verify, the grey zone,
# llm_cache_learn.
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
    llm_cache_zone answers { memory 1m; similarity 0.6 grey=0.5; }
    log_format cache '<$llm_cache_status|$llm_cache_match|'
        '$llm_cache_refused|$llm_cache_similarity>';
    access_log logs/access.log cache;
};

our $Config = q{
    llm_cache answers;
    add_header X-Match $llm_cache_match;
    add_header X-Refused $llm_cache_refused;
    add_header X-Nearest $llm_cache_similarity;
    location / { llm_pass openai; }
    location /proxy/ {
        llm on;
        proxy_pass http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/;
    }
    location /trusting/ {
        llm_cache_verify off;
        llm_pass openai;
    }
};

# Two questions that must not share an answer, and why.
sub differ {
    my ($why, $one, $other) = @_;
    return ask($one) => qr/Miss/, ask($other) => [
        qr/Miss/, 'X-Refused' => $why, 'X-Nearest' => qr/^0\.[5-9]/];
}

run_tests();

__DATA__

=== TEST 1: what must agree
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    ::differ('opposite', 'How do I activate my account?', 'How do I deactivate my account?'),
    ::differ('number', 'What are the 3 largest cities of Norway?', 'What are the 5 largest cities of Norway?'),
    ::differ('name', 'What is the capital of Austria?', 'What is the capital of Australia?'),
    ::differ('negation', 'Which birds can fly over the sea?', 'Which birds can not fly over the sea?'),
]



=== TEST 2: ... in front of another content handler
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    at('/proxy', ask('How do I activate my account?')) => 'Miss one',
    at('/proxy', ask('How do I deactivate my account?')) => [
        'Miss two', 'X-Refused' => 'opposite'],
]



=== TEST 3: off: the similarity alone decides
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    at('/trusting', ask('How do I activate my account?')) => 'Miss one',
    at('/trusting', ask('How do I deactivate my account?')) => [
        'Hit one', 'X-Match' => 'semantic', 'X-Refused' => undef],
]



=== TEST 4: where the nearest is refused, one a bit further away may answer
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    ask('How do I deactivate my account?') => 'Miss one',
    ask('How do I activate my account?') => 'Miss two',
    ask('Please tell me how I deactivate my account') => ['Hit one', 'X-Refused' => undef],
    ask('Please tell me how I activate my account') => ['Hit two', 'X-Refused' => undef],
]



=== TEST 5: nothing near: nothing is refused
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    ask('Who is Joseph Conrad?') => 'Miss one',
    ask('Living is easy with eyes closed') => [
        'Miss two', 'X-Refused' => undef, 'X-Nearest' => undef],
]



=== TEST 6: below the similarity there is the grey zone, with a stricter look
--- http_config eval
$::HttpConfig =~ s/similarity 0.6 grey=0.5/similarity 0.9999 grey=0.5/r
--- config eval: $::Config
--- steps eval
[
    ask('Who is Joseph Conrad?') => 'Miss one',
    ask('Please tell me, who is Joseph Conrad?') => [
        'Hit one', 'X-Match' => 'semantic', 'X-Cache-Similarity' => qr/^0\.[89]/],
    ask('Who is the writer Joseph Conrad?') => ['Miss two', 'X-Refused' => qr/./],
]



=== TEST 7: ... and without verification the grey zone serves nothing
--- http_config eval
$::HttpConfig =~ s/similarity 0.6 grey=0.5/similarity 0.9999 grey=0.5/r
--- config eval: $::Config
--- steps eval
[
    at('/trusting', ask('Who is Joseph Conrad?')) => 'Miss one',
    at('/trusting', ask('Please tell me, who is Joseph Conrad?')) => 'Miss two',
]



=== TEST 8: a location's own similarity
--- http_config eval: $::HttpConfig
--- config eval
"$::Config\n" . q{
    location /near/ { llm_cache_similarity 0.9999 grey=0.999; llm_pass openai; }
}
--- steps eval
[
    ask('Who is Joseph Conrad?') => 'Miss one',
    at('/near', ask('Please tell me, who is Joseph Conrad?')) => 'Miss two',
    ask('Would you please tell me, who is Joseph Conrad?') => qr/Hit/,
]



=== TEST 9: the log says what was refused
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    ask('What is the capital of Austria?') => 'Miss one',
    ask('What is the capital of Australia?') => 'Miss two',
]
--- access_log eval
qr/<Miss\|-\|name\|0\.\d{4}>/



=== TEST 10: llm_cache_learn: at first the provider is asked, and compared
--- http_config eval: $::HttpConfig
--- config eval
"llm_cache_learn 0.01;\n$::Config"
--- upstream eval
[(whole(openai_text('A writer.'))) x 2, whole(openai_text('Nothing of the kind, green.'))]
--- steps eval
[
    ask('Who is Joseph Conrad?') => 'Miss A writer.',
    ask('Please tell me, who is Joseph Conrad?') => ['Miss A writer.', 'X-Refused' => 'learning'],
    ask('Please tell me, who is Joseph Conrad?') => ['Hit A writer.', 'X-Match' => 'exact'],
    ask('Now tell me, please, who is Joseph Conrad?') => ['Miss Nothing of the kind, green.', 'X-Refused' => 'learning'],
]
--- error_log eval
[qr/the cached answer at similarity [01]\.\d{3} would have been right/,
 qr/the cached answer at similarity [01]\.\d{3} would have been wrong/]



=== TEST 11: ... also with a stream, in front of another content handler
--- http_config eval: $::HttpConfig
--- config eval
"llm_cache_learn 0.01;\n$::Config"
--- upstream eval
[stream(openai_stream('A wri', 'ter.'), $Done)]
--- steps eval
[
    at('/proxy', streamed(ask('Who is Joseph Conrad?'))) => 'Miss A writer.',
    at('/proxy', streamed(ask('Please tell me, who is Joseph Conrad?'))) => ['Miss A writer.', 'X-Refused' => 'learning'],
]
--- error_log
would have been right



=== TEST 12: an answer that is none teaches nothing
--- http_config eval: $::HttpConfig
--- config eval
"llm_cache_learn 0.01;\n$::Config"
--- upstream eval
[whole(openai_text('A writer.')), whole(openai_text('A') =~ s/"stop"/"content_filter"/r),
 whole('{}', '500 Oh')]
--- steps eval
[
    ask('Who is Joseph Conrad?') => 'Miss A writer.',
    ask('Please tell me, who is Joseph Conrad?') => 'Miss A',
    ask('Please tell me, who is Joseph Conrad?') => qr/500/,
]
--- no_error_log
would have been
[alert]



=== TEST 13: what was right often enough is served, for nearer questions, too
--- http_config eval: $::HttpConfig
--- config eval
"llm_cache_learn 0.5; llm_cache_no_store \$arg_ask;\n$::Config"
--- upstream eval
whole(openai_text('A writer.'))
--- steps eval
my $ask = sub {
    my ($text) = @_;
    my $call = ask($text);
    $call->{path} .= '?ask=1';
    return sub {
        my %seen;
        $seen{say(LLMSteps::call($call))}++ for 1 .. 40;
        return CORE::join ', ', sort keys %seen;
    };
};
[
    ask('Who is Joseph Conrad?') => 'Miss A writer.',
    $ask->('Tell me about Joseph Conrad') => 'Hit A writer., Miss A writer.',
    $ask->('Please tell me, who is Joseph Conrad?') => qr/Hit A writer\./,
]
