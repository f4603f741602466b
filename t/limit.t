# Limits: reserved before a call, settled after it; what clients are told.
# HUP: no, because what was used lives through a reload.

use lib 't/lib';
use LLMTest;
use LLMAnswers;
use LLMSteps;

# Each answer of the provider uses 9 + 4 tokens.
our $HttpConfig = q{
    llm_provider openai {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
        keepalive 0;
    }
    llm_provider anthropic {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT;
        keepalive 0;
    }
    llm_limit_zone $http_x_team zone=team:64k rate=100/h;
    log_format limit '<$llm_limit_status|$llm_limit_zone|'
        '$llm_limit_remaining|$llm_limit_reserved|$llm_total_tokens>';
    access_log logs/access.log limit;
};

our $Config = q{
    llm_limit zone=team;
    location / { llm_pass openai; }
    location /claude/ { llm_pass anthropic; }
    location /proxy/ {
        proxy_pass http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/;
    }
    location /off/ { llm_pass openai; llm_limit off; }
    location = /metrics { llm off; llm_metrics; }
    location = /status { llm off; llm_status; }
};

sub team { return with(ask('Hi', @_ ? @_ : '"max_tokens":20'), 'X-Team: a') }

# What is logged of so many calls, once they are over.
sub lines {
    my ($count) = @_;
    return sub {
        my @lines;
        LLMSteps::await("$count lines in the log", sub {
            open my $log, '<', "$ENV{TEST_NGINX_SERVROOT}/logs/access.log"
                or return 0;
            @lines = grep { /^<[A-Z]/ } <$log>;
            return @lines >= $count;
        });
        return join '', @lines;
    };
}

our $Limit = 'x-ratelimit-limit-tokens';
our $Left = 'x-ratelimit-remaining-tokens';
our $Reset = 'x-ratelimit-reset-tokens';

run_tests();

__DATA__

=== TEST 1: a request counts at once with all that it may need, and afterwards with what it used
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    ::team() => ['one', $::Limit => '100', $::Left => qr/^7[0-4]$/,
            $::Reset => qr/^\d+[hms]/, 'Retry-After' => undef],
    ::team() => ['two', $::Left => qr/^5[7-9]|6[01]$/],
    # 26 are used.
    ::team('"max_tokens":60') => ['three', $::Left => qr/^[0-9]$/],
    # 39 are used: 60 more and the prompt do not fit.
    ::team('"max_tokens":60') => ['429 (error)', $::Left => '61',
        'Retry-After' => qr/^\d+$/, 'retry-after-ms' => qr/^\d+$/],
    # What was refused has cost nothing.
    ::team('"max_tokens":40') => 'four',
    ::lines(5) => qr/^<PASSED\|-\|7\d\|2\d\|13>\n<PASSED\|-\|\d+\|2\d\|13>\n<PASSED\|-\|\d\|6\d\|13>\n<REJECTED\|team\|61\|-\|->\n<PASSED\|-\|\d+\|4\d\|13>\n\z/,
]
--- error_log
limiting request, by llm_limit_zone "team": 61 of 100 left



=== TEST 2: each key has a budget of its own, and none is not limited
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
my $call = ask('Hi', '"max_tokens":85');
[
    with($call, 'X-Team: b') => 'one',
    with($call, 'X-Team: b') => '429 (error)',
    with($call, 'X-Team: c') => 'two',
    $call => ['three', $::Limit => undef],
    $call => 'four',
    at('/off', with($call, 'X-Team: b')) => ['five', $::Limit => undef],
]



=== TEST 3: a refusal has the shape of the client's API
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    ::team('"max_tokens":85') => 'one',
    ::team('"max_tokens":85') => qr/^HTTP\/1.1 429 .*^Content-Type: application\/json\r.*^\{"error":\{"message":"the limit \\"team\\" has 87 of 100 tokens left, and this request may need 9\d; try again in [^"]*","type":"[a-z_]+","param":null,"code":"rate_limit_exceeded"\}\}/sm,
    { %{::team('"max_tokens":85')}, path => '/claude/v1/messages' } =>
        qr/^HTTP\/1.1 429 .*^retry-after-ms: \d+\r.*^\{"type":"error","error":\{"type":"rate_limit_error","message":"the limit/sm,
]
--- upstream eval
[map { whole(openai_text($_)) } 'one', 'two']



=== TEST 4: a request above the whole budget is refused for good, and says so
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    ::team('"max_tokens":100') => ['429 (error)', 'x-should-retry' => 'false',
        'Retry-After' => undef, $::Left => '100'],
    ::team('"max_tokens":1000000000000000000') => [
        qr/429 .*never has more than 100 tokens, and this request may need/s,
        'x-should-retry' => 'false'],
    ::team('"max_tokens":20', '"n":100') => ['429 (error)',
        'x-should-retry' => 'false'],
    ::team('"max_completion_tokens":1', '"max_tokens":1000') => [
        '429 (error)', 'x-should-retry' => 'false'],
    with(post('/v1beta/models/m:generateContent', '{"contents":[{"parts":'
        . '[{"text":"Hi"}]}],"generationConfig":{"maxOutputTokens":20,'
        . '"candidateCount":8}}'), 'X-Team: a') => ['429 (error)',
        'x-should-retry' => 'false'],
    ::team() => 'one',
]



=== TEST 5: bad requests get their own errors, and cost nothing
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    (map { ::team(qq("max_tokens":$_)) => ['400 (error)', $::Limit => undef] }
        '-1', '0', '1.5', '"20"', '1e400', '99999999999999999999', '[]'),
    ::team() => ['one', $::Left => qr/^7\d$/],
]



=== TEST 6: nothing is charged for failures
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    ::team() => '500 (error)',
    ::team() => '502 (error)',
    at('/proxy', ::team()) => '503 (error)',
    ::team() => ['one', $::Left => qr/^7\d$/],
]
--- upstream eval
[whole(openai_error('server_error', 'no'), '500 Internal Server Error'),
 whole('no JSON'), whole(openai_error('server_error', 'no'), '503 No'),
 whole(openai_text('one'))]
--- error_log
llm:



=== TEST 7: a stream is charged with its usage, and one that breaks off with what came
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    streamed(::team()) => ['Hello', $::Left => qr/^7\d$/],
    # 87 are left: 13 were used.
    streamed(::team('"max_tokens":1')) => [qr/"error"/, $::Left => qr/^7\d$/],
    # The estimate of the prompt and of what came is all that it has cost.
    ::team('"max_tokens":60') => ['three', $::Left => qr/^1\d$/],
    ::lines(2) => qr/^<PASSED\|-\|7\d\|\d+\|13>\n<PASSED\|-\|7\d\|\d+\|1?\d>\n/,
]
--- upstream eval
[stream(openai_stream('Hello'), openai_usage(), $Done),
 cut((openai_stream('Hel'))[0, 1]), whole(openai_text('three'))]



=== TEST 8: a client that leaves is charged with what it got
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    leave(streamed(::team()), qr/Hello/) => '',
    ::lines(1) => qr/^<PASSED\|-\|7\d\|\d+\|\d+>\n/,
    ::team('"max_tokens":80') => ['two', $::Left => qr/^\d$/],
]
--- upstream eval
[[@{cut((openai_stream('Hello'))[0, 1])}, \'hold'],
 whole(openai_text('two'))]



=== TEST 9: with another content handler, which llm_limit switches on
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    at('/proxy', ::team()) => ['one', $::Limit => '100', $::Left => qr/^7\d$/],
    at('/proxy', streamed(::team())) => ['Hello', $::Left => qr/^6\d|5\d$/],
    at('/proxy', ::team('"max_tokens":80')) => ['429 (error)', $::Left => '74',
        'retry-after-ms' => qr/^\d+$/],
    # Other paths are nobody's business here.
    get('/proxy/v1/models') => [qr/^HTTP\/1.1 200 .*three/s,
        $::Limit => undef],
]
--- upstream eval
[whole(openai_text('one'), '200 OK',
       'X-RateLimit-Limit-Tokens: 7', 'X-Ratelimit-Remaining-Tokens: 8'),
 stream(openai_stream('Hello'), openai_usage(), $Done),
 whole('{"three":3}')]



=== TEST 10: an answer from the cache is free
--- http_config eval
$::HttpConfig . 'llm_cache_zone answers { memory 1m; embedding off; }'
--- config eval
$::Config . 'llm_cache answers;'
--- steps eval
[
    ::team() => ['Miss one', $::Left => qr/^7\d$/],
    ::team() => ['Hit one', $::Limit => undef],
    ::team() => 'Hit one',
    ::team('"max_tokens":21') => ['Miss two', $::Left => qr/^5\d|6[01]$/],
]



=== TEST 11: ... or counts, if that is what one wants
--- http_config eval
$::HttpConfig . 'llm_cache_zone answers { memory 1m; embedding off; }'
--- config eval
$::Config . 'llm_cache answers; llm_limit_cached count;'
--- steps eval
[
    ::team() => ['Miss one', $::Left => qr/^7\d$/],
    ::team() => ['Hit one', $::Left => qr/^5\d|6[01]$/],
    ::team() => ['Hit one', $::Left => qr/^4\d$/],
    ::team('"max_tokens":80') => ['429 (error)', $::Left => '61'],
]



=== TEST 12: a dry run lets everything through and tells what it would have done
--- http_config eval: $::HttpConfig
--- config eval
$::Config . 'llm_limit_dry_run on; llm_limit_log_level notice;'
--- steps eval
[
    ::team('"max_tokens":85') => ['one', $::Limit => undef],
    ::team('"max_tokens":85') => ['two', 'Retry-After' => undef],
    ::lines(2) => qr/^<PASSED\|-\|\d+\|9\d\|13>\n<REJECTED_DRY_RUN\|team\|87\|-\|13>\n/,
]
--- error_log
[notice]
limiting request, dry run, by llm_limit_zone "team"



=== TEST 13: several limits: all or none, and the tightest is told
--- http_config eval
$::HttpConfig . '
    llm_limit_zone $http_x_team zone=day:64k rate=1k/d;
    llm_limit_zone $http_x_team zone=calls:64k rate=3/h count=requests;'
--- config eval
$::Config . 'location /all/ { llm_pass openai;
    llm_limit zone=team; llm_limit zone=day; llm_limit zone=calls; }'
--- steps eval
[
    at('/all', ::team()) => ['one', $::Limit => '100',
        'x-ratelimit-limit-requests' => '3',
        'x-ratelimit-remaining-requests' => '2'],
    # The limit of 100 refuses: nothing is taken from the others.
    at('/all', ::team('"max_tokens":90')) => ['429 (error)', $::Limit => '100',
        $::Left => '87', 'x-ratelimit-remaining-requests' => '2'],
    at('/all', ::team()) => ['two', 'x-ratelimit-remaining-requests' => '1'],
    at('/all', ::team()) => ['three', 'x-ratelimit-remaining-requests' => '0'],
    at('/all', ::team()) => ['429 (error)',
        'x-ratelimit-remaining-requests' => '0', $::Left => '61',
        'Retry-After' => qr/^\d+$/],
]



=== TEST 14: the status of a refusal, headers in the IETF's form, or none
--- http_config eval: $::HttpConfig
--- config eval
$::Config . '
    location /draft/ { llm_pass openai; llm_limit_headers draft; }
    location /none/ { llm_pass openai; llm_limit_headers off;
        llm_limit_status 503; }'
--- steps eval
[
    at('/draft', ::team()) => ['one', $::Limit => undef,
        'RateLimit-Policy' => '"team";q=100;qu="tokens";w=3600',
        'RateLimit' => qr/^"team";r=7\d;t=\d+$/],
    at('/none', ::team()) => ['two', $::Limit => undef, RateLimit => undef],
    at('/none', ::team('"max_tokens":90')) => ['503 (error)', $::Limit => undef,
        'Retry-After' => qr/^\d+$/],
]



=== TEST 15: without max_tokens the default is reserved, until there is something to learn from
--- http_config eval
$::HttpConfig =~ s/100\/h/10k\/h/r
--- config eval
$::Config . 'llm_limit_reserve default=500;'
--- steps eval
my $call = with(ask('Hi'), 'X-Team: a');
[
    $call => ['one', $::Left => qr/^949\d$/],
    (map { $call => qr/200 OK/ } 2 .. 20),
    # 20 answers of 4 tokens each.
    $call => [undef, $::Left => qr/^97[23]\d$/],
]



=== TEST 16: prompt, completion and requests, each by itself
--- http_config eval
$::HttpConfig . '
    llm_limit_zone $http_x_team zone=in:64k rate=50/h count=prompt;
    llm_limit_zone $http_x_team zone=out:64k rate=50/h count=completion;'
--- config eval
$::Config . '
    location /in/ { llm_pass openai; llm_limit zone=in; }
    location /out/ { llm_pass openai; llm_limit zone=out; }'
--- steps eval
[
    at('/in', ::team('"max_tokens":9999')) => ['one', $::Left => qr/^4\d$/],
    at('/in', ::team('"max_tokens":9999')) => ['two', $::Left => qr/^3\d$/],
    at('/out', ::team()) => ['three', $::Left => '30'],
    at('/out', ::team()) => ['four', $::Left => '26'],
    at('/out', ::team('"max_tokens":43')) => ['429 (error)', $::Left => '42'],
]



=== TEST 17: a rate of one's own, and the default for those who have none
--- http_config eval
$::HttpConfig . '
    map $http_x_team $rate { a 50/h; b nonsense; c 50/m; default ""; }
    llm_limit_zone $http_x_team zone=own:64k rate=$rate default=100/h;'
--- config eval
$::Config . 'location /own/ { llm_pass openai; llm_limit zone=own; }'
--- steps eval
my $call = at('/own', ask('Hi', '"max_tokens":20'));
[
    with($call, 'X-Team: a') => ['one', $::Limit => '50'],
    with($call, 'X-Team: b') => ['two', $::Limit => '100'],
    with($call, 'X-Team: c') => ['three', $::Limit => '100'],
    with($call, 'X-Team: d') => ['four', $::Limit => '100'],
]
--- error_log
llm_limit_zone "own": invalid rate "nonsense"
llm_limit_zone "own": invalid rate "50/m": must be for the period of the limit; its default is used



=== TEST 18: a limit for some models
--- http_config eval
$::HttpConfig . '
    llm_limit_zone $http_x_team zone=big:64k rate=50/h;'
--- config eval
$::Config . 'location /some/ { llm_pass openai;
    llm_limit zone=big model=gpt-5* model=o3; }'
--- steps eval
sub of { my $call = at('/some', ::team()); $call->{body} =~ s/"m"/"$_[0]"/; $call }
[
    of('gpt-4o') => ['one', $::Limit => undef],
    of('gpt-5-mini') => ['two', $::Limit => '50'],
    of('o3') => ['three', $::Left => qr/^\d$/],
    of('o3') => ['429 (error)'],
    of('o3-mini') => 'four',
]



=== TEST 19: what answered counts, not what was asked
--- http_config eval
$::HttpConfig . '
    llm_limit_zone $http_x_team zone=first:64k rate=100/h;
    llm_limit_zone $http_x_team zone=second:64k rate=100/h;
    llm_upstream chat { model openai/a max_fails=0; model openai/b backup; }'
--- config eval
$::Config . 'location /chat/ { llm_pass chat;
    llm_limit zone=first model=openai/a; llm_limit zone=second model=b; }'
--- steps eval
[
    at('/chat', ::team()) => 'two',
    at('/chat', ::team()) => 'three',
    # The first model has cost the 13 tokens of the second call, the other one
    # those of the first.
    get('/status') => [qr/"first":\{[^}]*"used":13,.*"second":\{[^}]*"used":13,/s],
]
--- upstream eval
[whole(openai_error('server_error', 'no'), '500 Internal Server Error'),
 whole(openai_text('two')), whole(openai_text('three'))]
--- error_log
llm:



=== TEST 20: a request waits for its budget
--- http_config eval
$::HttpConfig . '
    llm_limit_zone $http_x_team zone=drip:64k rate=1000/s burst=20 count=completion;'
--- config eval
$::Config . 'location /drip/ { llm_pass openai;
    llm_limit zone=drip delay=10s; }
    location /never/ { llm_pass openai; llm_limit zone=team delay=10s; }'
--- steps eval
[
    together(map { at('/drip', ::team()) } 1 .. 6)
        => 'five, four, one, six, three, two',
    ::lines(6) => qr/<DELAYED\|/,
    # Nothing comes back within the time: there is nothing to wait for.
    at('/never', ::team('"max_tokens":85')) => 'seven',
    at('/never', ::team('"max_tokens":90')) => '429 (error)',
    at('/never', ::team('"max_tokens":999')) => '429 (error)',
]
--- error_log
delaying request, by llm_limit_zone "drip"



=== TEST 21: a request that waits goes on when another gives back what it did not need
--- http_config eval
$::HttpConfig . '
    llm_provider slow { format openai;
        url http://127.0.0.1:$TEST_NGINX_SERVER_PORT/slow/v1; }'
--- config eval
$::Config . 'location /wait/ { llm_pass slow;
    llm_limit zone=team delay=15s; }
location /slow/ { llm_limit off; llm_simulate openai ttft=500ms reply=one; }'
--- steps eval
[
    together(map { at('/wait', ::team('"max_tokens":60')) } 1 .. 2) => 'one, one',
    ::lines(2) => qr/<DELAYED\|/,
]



=== TEST 22: status and metrics
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    ::team() => 'one',
    ::team('"max_tokens":90') => '429 (error)',
    get('/status') => qr/"limits":\{"team":\{"passed":1,"delayed":0,"rejected":1,"delayed_dry_run":0,"rejected_dry_run":0,"from_share":0,"used":13,"keys":1,/,
    get('/metrics') => qr/^llm_limit_passed_total\{zone="team"\} 1\n.*^llm_limit_rejected_total\{zone="team"\} 1\n.*^llm_limit_used_total\{zone="team"\} 13\n.*^llm_limit_keys\{zone="team"\} 1\n/sm,
]



=== TEST 23: money, by the price of who answered
--- http_config eval
$::HttpConfig . '
    llm_limit_zone $http_x_team zone=money:64k rate=0.01usd/d;'
--- config eval
$::Config . 'location /money/ { llm_pass openai; llm_limit zone=money;
    llm_prices prices.json; }'
--- user_files
>>> ../conf/prices.json
{"currency": "USD", "prices": [
  {"provider": "openai", "models": ["m"], "input": 10, "output": 100,
   "source": "none", "date": "2026-11-20"}
]}
--- steps eval
[
    # Of 10000 millionths of a dollar each token of an answer costs 100.
    at('/money', ::team('"max_tokens":80')) => ['one', $::Limit => undef],
    get('/status') => qr/"money":\{[^}]*"used":490,/,
    # 9510 are left.
    at('/money', ::team('"max_tokens":96')) => qr/429 .*the limit \\"money\\" is used up; try again in/s,
    at('/money', ::team('"max_tokens":101')) => qr/429 .*is used up; a smaller one/s,
    at('/money', ::team('"max_tokens":90')) => 'two',
]



=== TEST 24: a prompt is counted with its vocabulary where the budget is not much larger
--- http_config eval
$::HttpConfig . '
    llm_upstream two { model openai/gpt-4o; model anthropic/claude-sonnet-4-5 down;
        model openai/o1; model anthropic/claude-3-5-haiku-latest; }
    llm_upstream spare { model anthropic/claude-sonnet-4-5 down; model openai/gpt-5 backup; }'
--- config eval
$::Config . 'location /two/ { llm_pass two; llm_limit zone=team; }
    location /spare/ { llm_pass spare; llm_limit zone=team; }'
--- steps eval
my $say = sub {
    my ($model, $text) = @_;
    my $call = with(ask($text, '"max_tokens":20'), 'X-Team: a');
    $call->{body} =~ s/"m"/"$model"/;
    return $call;
};
[
    # 3 for a message, 1 for the role, 3 for the answer's beginning.
    $say->('gpt-4o', 'Hi') => ['one', $::Left => 100 - 20 - 7 - 1],
    $say->('gpt-4', 'tiktoken is great!') => ['two', $::Left => 100 - 13 - 20 - 7 - 6],
    # What is estimated is an eighth more than that.
    $say->('claude-sonnet-4-5', 'word ' x 16) => ['three', $::Left => 100 - 26 - 20 - 7 - 18],
    # Who needs most of those that may be asked.
    at('/two', $say->('any', 'word ' x 16)) => ['four', $::Left => 100 - 39 - 20 - 7 - 18],
    at('/spare', $say->('any', 'Hi')) => ['five', $::Left => 100 - 52 - 20 - 7 - 1],
]
--- upstream eval
[map { whole(openai_text($_)) } qw(one two three four five)]



=== TEST 25: a bound of the prompt is reserved where the budget is a thousand times as large
--- http_config eval
$::HttpConfig . '
    llm_limit_zone $http_x_team zone=large:64k rate=1m/h;
    llm_limit_zone $http_x_team zone=tight:64k rate=120k/h;'
--- config eval
$::Config . '
    location /large/ { llm_pass openai; llm_limit zone=large; }
    location /both/ { llm_pass openai; llm_limit zone=large; llm_limit zone=team; }
    location /tight/ { llm_pass openai; llm_limit zone=tight; }'
--- steps eval
my $call = ::team();
my $image = with(messages(['user', \ '[{"type":"image_url","image_url":{"url":"http://a/"}}]'], '"max_tokens":20'), 'X-Team: a');
[
    # One token for each byte is more than there can be.
    at('/large', $call) => ['one', $::Left => 1000000 - 20 - length $call->{body}],
    # Nobody knows the tokens of an image by its bytes.
    at('/large', $image) => ['two', $::Left => 1000000 - 13 - 20 - 7 - 85 - 8 * 170],
    # One limit that is near its end, and all get the count.
    at('/both', $call) => ['three', $::Limit => 100, $::Left => 100 - 20 - 8],
    ::lines(3) => qr/\|28\|13>\n\z/,
    get('/status') => qr/"large":\{"passed":3,.*"used":39,/,
    # The bound would be too much of what is left beside the answer.
    at('/tight', ::team('"max_tokens":80000')) => ['four', $::Left => 120000 - 80000 - 8],
]



=== TEST 26: a client that leaves before the answer has begun pays for its prompt
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    leave(::team()) => '',
    ::lines(1) => qr/^<PASSED\|-\|7\d\|2\d\|8>\n\z/,
    leave(at('/proxy', ::team())) => '',
    ::lines(2) => qr/\n<PASSED\|-\|6\d\|2\d\|8>\n\z/,
    leave(streamed(::team())) => '',
    ::lines(3) => qr/\n<PASSED\|-\|5\d\|2\d\|8>\n\z/,
    ::team() => ['four', $::Left => qr/^4\d$/],
    get('/status') => qr/"used":37,/,
]
--- upstream eval
[(map { [\'hold'] } 1 .. 3), whole(openai_text('four'))]



=== TEST 27: a call that error_page makes once more in the same place is one more call
--- http_config eval: $::HttpConfig
--- config eval
$::Config . 'location /again/ { llm_pass openai; error_page 502 = /again/; }
    location /once/ { llm_pass openai; error_page 429 /once/429.html; }
    location /both/ { proxy_pass http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/;
        proxy_method POST; error_page 504 = /both/;
        proxy_intercept_errors on; }'
--- steps eval
[
    at('/again', ::team()) => ['one', $::Left => qr/^7\d$/],
    at('/both', ::team()) => ['two', $::Left => qr/^5\d|6[01]$/],
    ::lines(2) => qr/^<PASSED\|-\|7\d\|2\d\|13>\n<PASSED\|-\|\d+\|2\d\|13>\n\z/,
    at('/once', ::team('"max_tokens":80')) => '429 (error)',
    get('/status') => qr/"passed":4,"delayed":0,"rejected":1,.*"used":26,/,
]
--- upstream eval
[[], whole(openai_text('one')), whole('', '504 No'), whole(openai_text('two'))]
--- error_log
upstream prematurely closed connection



=== TEST 28: what is passed through counts from when it is sent, too
--- http_config eval
$::HttpConfig . '
    llm_limit_zone $http_x_team zone=calls:64k rate=3/d count=requests;'
--- config eval
$::Config . 'location /raw/ { llm_pass openai; llm_pass_through on;
    llm_limit zone=calls; }'
--- steps eval
my $call = at('/raw', with(post('/v1/images/generations',
    '{"model":"m","prompt":"Hi"}'), 'X-Team: a', 'Content-Type: application/json'));
[
    leave($call) => '',
    ::lines(1) => qr/^<PASSED\|/,
    get('/status') => qr/"calls":\{"passed":1,.*?"used":1,/,
    $call => '500 (error)',
    $call => [qr/^HTTP\S+ 200/, 'x-ratelimit-remaining-requests' => 1],
]
--- upstream eval
[[\'hold'], whole(openai_error('server_error', 'no'), '500 No'),
 whole('{"data":[]}')]
--- error_log
answered 500



=== TEST 29: a rule about some models takes nothing from one about all
--- http_config eval
$::HttpConfig . 'llm_upstream two { model openai/a; model openai/b; }'
--- config eval
$::Config . 'location /rules/ { llm_pass two; llm_limit zone=team;
    llm_limit zone=team model=openai/b; }'
--- steps eval
[
    at('/rules', ::team()) => ['one', $::Left => qr/^7\d$/],
    at('/rules', ::team()) => ['two', $::Left => qr/^5\d|6[01]$/],
    at('/rules', ::team()) => ['three', $::Left => qr/^4\d$/],
    get('/status') => qr/"used":39,/,
]
