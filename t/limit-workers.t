# Limits are one for all workers, and outlive each of them.
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
    llm_limit_zone $http_x_team zone=team:64k rate=100/d;
};

our $Config = q{
    llm_limit zone=team;
    location / { llm_pass openai; }
    location = /status { llm off; llm_status; }
};

sub team { return with(ask('Hi', @_ ? @_ : '"max_tokens":20'), 'X-Team: a') }

our $Left = 'x-ratelimit-remaining-tokens';

master_on();
workers(2);
run_tests();

__DATA__

=== TEST 1: requests at the same time do not exceed the budget together, over two workers
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    # 28 are reserved for each, until the provider answers.
    (map { started(::team()) => '' } 1 .. 12),
    sub { LLMSteps::await_requests(3); '' } => '',
    sub {
        # Those that were refused have their answers.
        my @answered = IO::Select->new(@LLMSteps::Running)->can_read(5);
        my %seen;
        $seen{LLMSteps::say(LLMSteps::receive($_))}++ for @answered;
        @LLMSteps::Running = ();
        return CORE::join ', ', map { "$seen{$_} times $_" } sort keys %seen;
    } => '9 times 429 (error)',
    # The others have left: they have cost their prompts, of 8 tokens.
    sub { LLMSteps::await_requests(0); '' } => '',
    ::team('"max_tokens":60') => ['last', $::Left => 100 - 3 * 8 - 60 - 8],
]
--- upstream eval
[(map { [\'hold'] } 1 .. 3), whole(openai_text('last'))]



=== TEST 2: a reload forgets nothing, also with another rate
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    ::team('"max_tokens":85') => 'one',
    reload() => '',
    ::team('"max_tokens":85') => ['429 (error)', $::Left => '87'],
    reload('rate=100/d', 'rate=90/d') => '',
    ::team('"max_tokens":72') => ['429 (error)', $::Left => '77'],
    ::team() => ['two', $::Left => qr/^4\d$/],
    reload('rate=90/d', 'rate=90/h') => '',
    # Another period is another limit.
    ::team() => ['three', $::Left => qr/^6\d$/],
]



=== TEST 3: a worker that is killed takes nothing with it but what it had reserved, for a while
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    ::team() => 'one',
    started(::team('"max_tokens":50')) => '',
    sub { LLMSteps::await_provider(2); '' } => '',
    signal_workers('KILL') => '',
    # 13 are used, and 58 reserved by a call that will never end.
    ::team() => ['three', $::Left => qr/^\d$|^1\d$/],
    ::team() => ['429 (error)'],
]
--- upstream eval
[whole(openai_text('one')), [\'hold'], whole(openai_text('three'))]
--- error_log eval
['[alert]', 'exited on signal 9']
