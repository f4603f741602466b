# Lists of texts for models that take fewer a call: the gateway makes the
# calls, and joins the answers.

use lib 't/lib';
use LLMTest;
use LLMSteps;
use LLMTitan;

master_on();

our $Model = 'amazon.titan-embed-text-v2:0';

our $HttpConfig = qq{
    llm_provider titan {
        format openai;
        embeddings bedrock;
        url http://127.0.0.1:\$TEST_NGINX_UPSTREAM_PORT2;
        api_key titan-key;
    }
    llm_provider twin {
        format openai;
        embeddings bedrock;
        url http://127.0.0.1:\$TEST_NGINX_UPSTREAM_PORT2;
    }
    llm_provider big {
        format openai;
        url http://127.0.0.1:\$TEST_NGINX_UPSTREAM_PORT2/v1;
    }
    llm_provider gone {
        format openai;
        embeddings bedrock;
        url http://127.0.0.1:\$TEST_NGINX_CLOSED_PORT;
    }
    llm_upstream one {
        model titan/$Model as=titan max_fails=0;
        tries 1;
    }
    llm_upstream twins {
        model titan/$Model max_fails=0;
        model twin/$Model max_fails=0;
    }
    llm_upstream mixed {
        model titan/$Model max_fails=0;
        model big/large backup max_fails=0;
    }
    llm_upstream reverse {
        model gone/$Model max_fails=0;
        model big/large max_fails=0 backup;
    }
    llm_upstream forth {
        model big/large max_fails=0 down;
        model gone/$Model;
        model titan/$Model backup;
    }
    llm_upstream dead {
        model gone/$Model max_fails=0;
    }
    log_format llm '\$status|\$llm_provider|\$llm_prompt_tokens|'
        '\$llm_usage_source|\$llm_tries';
    llm_limit_zone \$arg_who zone=team:1m rate=1000/h burst=100;
};

our $Config = q{
    access_log logs/access.log llm;
    location /one/ { llm_pass one; }
    location /twins/ { llm_pass twins; }
    location /mixed/ { llm_pass mixed; }
    location /reverse/ { llm_pass reverse; }
    location /forth/ { llm_pass forth; }
    location /chat/ { llm_pass big; }
    location /dead/ { llm_pass dead; }
    location /paged/ { error_page 502 =200 /page; llm_pass dead; }
    location /again/ { error_page 502 = @again; llm_pass dead; }
    location @again { llm_pass one; }
    location = /page { llm off; return 200 "page"; }
    location /small/ { llm_max_response_size 100; llm_pass one; }
    location /limited/ { llm_limit zone=team; llm_pass one; }
    location ~ ^/--(report|forget)$ {
        llm off;
        proxy_pass http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2/$1;
    }
};

# A call with these texts.
sub embed {
    my ($where, @texts) = @_;
    my $list = join ',', map { qq("$_") } @texts;
    return post("/$where/v1/embeddings", qq({"model":"m","input":[$list]}));
}

# What is to be seen of its answer: vectors in order, and the sum.
sub vectors {
    my ($tokens, @vectors) = @_;
    my $data = join ',', map {
        qq({"object":"embedding","index":$_,"embedding":[$vectors[$_]]})
    } 0 .. $#vectors;
    return qr/\r\n\r\n\Q{"object":"list","data":[$data],"model":"m",\E
        \Q"usage":{"prompt_tokens":$tokens,"total_tokens":$tokens}}\E\z/x;
}

# What is to be seen of an answer to prompts that cost so much each.
sub choices {
    my ($prompts, $answer, @texts) = @_;
    my $list = join ',', map {
        qq({"index":$_,"text":"$texts[$_]","logprobs":null,)
            . '"finish_reason":"stop"}'
    } 0 .. $#texts;
    my ($in, $out) = (3 * $prompts, $answer * $prompts);
    return qr/"choices":\[\Q$list\E\],"usage":\{"prompt_tokens":$in,
        "completion_tokens":$out,/x;
}

# What the provider has seen, since it was to forget all before.
sub forget {
    return get('/--forget') => qr/""/;
}

sub report {
    my ($words) = @_;
    return get('/--report') => qr/"\Q$words\E/;
}

sub await_report {
    my ($words) = @_;
    LLMSteps::await($words, sub {
        LLMSteps::receive(LLMSteps::start(get('/--report'))) =~ /\Q$words\E/;
    });
    return '';
}

# The access log's last lines.
sub logged {
    my (@lines) = @_;
    return sub {
        LLMSteps::await_requests(0);
        open my $log, '<', "$ENV{TEST_NGINX_SERVROOT}/logs/access.log"
            or die "open() failed: $!";
        my @all = grep { /\|/ && !/^20[04]\|-\|/ } <$log>;
        chomp @all;
        return join "\n", @all[-@lines .. -1];
    } => qr/^@{[ join "\n", map { quotemeta } @lines ]}$/;
}

no strict 'refs';
*{"Test::Base::Filter::$_"} = \&$_ for qw(embed vectors choices forget report await_report logged);

run_tests();

__DATA__

=== TEST 1: a list of one is one call
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    forget(),
    embed('one', 't5') => vectors(5, '5,0.5'),
    report('calls 1, most 1,'),
]



=== TEST 2: a list of three, whose answers come in another order
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    forget(),
    embed('one', 't3', 't1', 't2') => vectors(6, '3,0.5', '1,0.5', '2,0.5'),
    report('calls 3, most 3,'),
    logged('200|titan|6|provider|3'),
]



=== TEST 3: forty texts, eight at a time, on connections that are kept
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    forget(),
    embed('one', map { "t$_" } 1 .. 40)
        => vectors(820, map { "$_,0.5" } 1 .. 40),
    report('calls 40, most 8, connections 8, open 0'),
    embed('one', map { "t$_" } 1 .. 40)
        => vectors(820, map { "$_,0.5" } 1 .. 40),
]



=== TEST 4: the model's name is in the header, as for one text
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    embed('one', 't1', 't2')
        => [vectors(3, '1,0.5', '2,0.5'), 'X-LLM-Model' => "titan/$::Model",
            'Content-Type' => 'application/json'],
]



=== TEST 5: one text's error is the answer's, and ends the others
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    forget(),
    embed('one', (map { "t$_" } 1 .. 7), '429 3', map { "t$_" } 9 .. 40)
        => [qr{^HTTP/1.1 429 .*"message":"status 429"}s, 'Retry-After' => 3],
    report('calls 8, most 8, connections 8, open 0'),
    logged('429|titan|21|estimate|8'),
]
--- error_log eval
"titan/$::Model answered 429: status 429"



=== TEST 6: an error has the shape of the client's API
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    post('/one/v2/embed', '{"model":"m","texts":["t1","400"],'
            . '"input_type":"search_query"}')
        => qr{^HTTP/1.1 400 .*"message":"status 400}s,
    post('/one/api/embed', '{"model":"m","input":["t1","503"]}')
        => qr{^HTTP/1.1 503 .*\{"error":"status 503}s,
]



=== TEST 7: each call has its tries, at members of the same model
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    forget(),
    embed('twins', 't1', 'once 503', 't3')
        => vectors(7, '1,0.5', '1', '3,0.5'),
    report('calls 4,'),
]



=== TEST 8: a connection that breaks is tried again, too
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    forget(),
    embed('twins', 'once close', 'once reset', 't3')
        => vectors(7, '1', '1', '3,0.5'),
    report('calls 5,'),
]



=== TEST 9: a model that fails hands the whole list to the next
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    forget(),
    embed('mixed', 't1', '503', 't3')
        => qr/"data":\[(\{"object":"embedding","index":\d,"embedding":\[-1\]\},?){3}\],"model":"big-1","usage":\{"prompt_tokens":3,/,
    report('calls 4,'),
]



=== TEST 10: a provider that cannot be reached, too
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    embed('reverse', 't1', 't2')
        => [qr/"embedding":\[-1\]\}\],"model":"big-1"/,
            'X-LLM-Model' => 'big/large'],
    embed('forth', 't1', 't2')
        => [vectors(3, '1,0.5', '2,0.5'), 'X-LLM-Model' => "titan/$::Model"],
]
--- error_log
connect() failed



=== TEST 11: nobody can be reached: 503, unless there is a page for it
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    embed('dead', 't1', 't2')
        => qr{^HTTP/1.1 503 .*could not be reached}s,
    embed('paged', 't1', 't2') => qr{^HTTP/1.1 200 .*page}s,
    embed('again', 't1', 't2') => vectors(3, '1,0.5', '2,0.5'),
    logged('200|titan|3|provider|3'),
]
--- error_log
connect() failed



=== TEST 12: an answer that is none
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    embed('one', 't1', 'bad') => qr{^HTTP/1.1 502 .*"error"}s,
]



=== TEST 13: what cannot be said is a 400 and costs no call
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    forget(),
    post('/one/v1/embeddings', '{"model":"m","input":[[1,2],[3]]}')
        => qr{^HTTP/1.1 400 .*takes texts, not tokens.*"param":"input"}s,
    post('/one/v1/embeddings', '{"model":"m","input":["a","b"],'
            . '"truncate":true}')
        => qr{^HTTP/1.1 400 .*"param":"truncate"}s,
    embed('one', ('a') x 2049)
        => qr{^HTTP/1.1 400 .*one text a call, and 2049 .*"param":"input"}s,
    report('calls 0,'),
]



=== TEST 14: the limit on the answer's size is one for the list
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    embed('small', 't1', 't2') => vectors(3, '1,0.5', '2,0.5'),
    embed('small', 't1', 't2', 't3')
        => qr{^HTTP/1.1 502 .*llm_max_response_size}s,
]



=== TEST 15: limits settle with the sum
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    at('', post('/limited/v1/embeddings?who=a',
        '{"model":"m","input":["t30","t20"]}'))
        => [vectors(50, '30,0.5', '20,0.5')],
    at('', post('/limited/v1/embeddings?who=a',
        '{"model":"m","input":"t1"}'))
        => [undef, 'x-ratelimit-remaining-tokens' => qr/^4\d$/],
]



=== TEST 16: what was paid counts, though the list failed
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    at('', post('/limited/v1/embeddings?who=b',
        '{"model":"m","input":["400","t50"]}'))
        => qr{^HTTP/1.1 400}s,
    at('', post('/limited/v1/embeddings?who=b',
        '{"model":"m","input":"t1"}'))
        => [undef, 'x-ratelimit-remaining-tokens' => qr/^4\d$/],
]



=== TEST 17: a client that leaves ends all calls, and pays for them
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    forget(),
    sub {
        my $socket = LLMSteps::start(embed('one', 't5', ('hold') x 11));
        await_report('calls 9, most 8, connections 8, open 8');
        close $socket;
        await_report('open 0');
    } => '',
    logged('499|titan|13|estimate|9'),
    embed('one', 't1', 't2') => vectors(3, '1,0.5', '2,0.5'),
]



=== TEST 18: a reload in the midst loses nothing
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    forget(),
    started(embed('one', 't1', 'hold', map { "t$_" } 3 .. 20)) => '',
    sub {
        await_report('open 1');
        my %before = map { $_ => 1 } LLMSteps::children();
        kill 'HUP', LLMSteps::master();
        LLMSteps::await('another worker',
            sub { grep { !$before{$_} } LLMSteps::children() });
        return '';
    } => '',
    embed('one', 'release', 't2') => qr{^HTTP/1.1 200},
    finished() => vectors(209, '1,0.5', '1', map { "$_,0.5" } 3 .. 20),
]



=== TEST 19: a client's connection is kept after a list
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    sub {
        my $list = embed('one', 't1', 't2');
        my $request = "POST $list->{path} HTTP/1.1\r\nHost: localhost\r\n"
            . 'Content-Length: ' . length($list->{body})
            . "\r\n\r\n$list->{body}";
        my $socket = LLMSteps::connection();
        my $seen = '';
        for (1 .. 3) {
            syswrite $socket, $request;
            my $answer = LLMSteps::receive($socket, qr/"total_tokens":3\}\}/);
            $seen .= LLMSteps::say($answer) . ($answer =~ /: keep-alive/);
        }
        return $seen;
    } => '111',
]



=== TEST 20: Gemini's batch
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    post('/one/v1beta/models/m:batchEmbedContents',
        '{"requests":[{"content":{"parts":[{"text":"t1"}]}},'
            . '{"content":{"parts":[{"text":"t2"}]}}]}')
        => qr/"embeddings":\[\{"values":\[1,0.5\]\},\{"values":\[2,0.5\]\}\]/,
]



=== TEST 21: a list logs once, as its subrequests are no calls of their own
--- http_config eval
$::HttpConfig . 'llm_prices off; log_subrequest on;'
--- config eval
$::Config . 'location = /--totals { llm_status; }'
--- steps eval
[
    embed('one', 't1', 't2') => vectors(3, '1,0.5', '2,0.5'),
    logged('200|titan|3|provider|2'),
]



=== TEST 22: the prompts of a completions call are questions to a chat model
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    forget(),
    post('/chat/v1/completions', '{"model":"m","prompt":["a","b","c"]}')
        => choices(3, 4, 're:a', 're:b', 're:c'),
    report('calls 3, most 3,'),
    post('/chat/v1/completions', '{"model":"m","prompt":["a","b"],"n":2}')
        => choices(2, 4, 're:a', 're:a', 're:b', 're:b'),
    logged('200|big|9|provider|3', '200|big|6|provider|2'),
]



=== TEST 23: one prompt's error is the answer's
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    post('/chat/v1/completions', '{"model":"m","prompt":["a","429"]}')
        => qr{^HTTP/1.1 429 .*"message":"status 429"}s,
    post('/chat/v1/completions', '{"model":"m","prompt":[[1],[2]]}')
        => qr{^HTTP/1.1 400 .*a prompt of tokens.*"param":"prompt"}s,
]
