# Answers that are long, and clients that are slow to take them.

use lib 't/lib';
use LLMTest;
use LLMAnswers;
use LLMSteps;

our $Http = q{
    llm_provider openai {
        format openai;
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
    }
    llm_upstream pool {
        model openai/m fail_timeout=600s;
        model openai/other backup fail_timeout=600s;
    }
};

our $Config = q{
    send_timeout 1s;
    location /v1/ { llm_pass openai; llm_pass_through on; }
    location /pool/ { llm_pass pool; }
    location /relay/ {
        llm on;
        proxy_pass http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/;
        proxy_http_version 1.1;
        proxy_buffering off;
    }
};

# How many bytes have come of each of several answers that are taken at once,
# so that it is now a client that is waited for and now the provider.
sub sizes {
    my @calls = @_;
    return sub {
        my $select = IO::Select->new(map { LLMSteps::start($_) } @calls);
        my %sizes;
        while ($select->count) {
            my @readable = $select->can_read(5) or last;
            for my $socket (@readable) {
                my $count = sysread $socket, my $part, 1 << 18;
                $sizes{$socket} += $count // 0;
                $select->remove($socket) if !$count;
            }
        }
        return join ' ', values %sizes, map { 'hangs' } $select->handles;
    };
}

# Begins to take the answer, until nginx has had enough of it.
sub stalled {
    my ($call) = @_;
    return sub {
        my $socket = LLMSteps::start($call);
        LLMSteps::receive($socket, qr/\r\n\r\n/);
        LLMSteps::await('the time for a client to take something', sub {
            open my $log, '<', "$ENV{TEST_NGINX_SERVROOT}/logs/error.log"
                or return 0;
            return grep { /client timed out/ } <$log>;
        });
        close $socket;
        return '';
    };
}

# By how many MB the worker's memory has grown at most since this was asked
# last; "little" where it is less than that.
our $Peak = 0;
sub growth {
    my ($little) = @_;
    return sub {
        my ($worker) = (LLMSteps::children(), LLMSteps::master());
        open my $file, '<', "/proc/$worker/status"
            or die "no status of $worker\n";
        my ($peak) = join('', <$file>) =~ /^VmHWM:\s+(\d+) kB/m;
        my $grown = int(($peak - $Peak) / 1024);
        $Peak = $peak;
        # A sanitizer keeps what is freed.
        return $grown < $little || $ENV{ASAN_OPTIONS} ? 'little' : "$grown MB";
    };
}

our $Events = openai_chunk('{"content":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}');

run_tests();

__DATA__

=== TEST 1: all of it comes, whoever is waited for
--- http_config eval: $::Http
--- config eval: $::Config
--- upstream eval
whole('x' x (32 << 20), undef, 'Content-Type: audio/wav')
--- steps eval
[
    ::sizes(map { get('/v1/files/f/content') } 1 .. 4)
        => qr/\A33554\d{3}( 33554\d{3}){3}\z/,
]



=== TEST 2: a client that takes nothing says nothing of the provider
--- http_config eval: $::Http
--- config eval: $::Config
--- upstream eval
[[@{cut($::Events x 60000)}, \'hold'], whole(openai_text('Hello'))]
--- steps eval
[
    ::stalled(at('/pool', streamed(ask('Hi')))) => '',
    at('/pool', ask('Hi')) => ['Hello', 'X-LLM-Model' => 'openai/m'],
]
--- no_error_log
temporarily disabled
[alert]
[crit]



=== TEST 3: what is passed through takes little memory, however much it is
--- http_config eval: $::Http
--- config eval: $::Config
--- upstream eval
[whole('x', undef, 'Content-Type: audio/wav'),
 whole('x' x (48 << 20), undef, 'Content-Type: audio/wav')]
--- steps eval
[
    ::sizes(get('/v1/files/f/content')) => qr/\A\d+\z/,
    ::growth(1000) => 'little',
    ::sizes(get('/v1/files/f/content')) => qr/\A503\d{5}\z/,
    ::growth(8) => 'little',
]



=== TEST 4: so do the events of a stream, however many they are
--- http_config eval: $::Http
--- config eval: $::Config
--- upstream eval
[stream($::Events), cut($::Events)->[0] . (LLMAnswers::chunk($::Events) x 100_000)]
--- steps eval
[
    ::sizes(streamed(ask('Hi'))) => qr/\A\d+\z/,
    ::growth(1000) => 'little',
    ::sizes(streamed(ask('Hi'))) => qr/\A\d{8}\z/,
    # A piece that is kept of each event would be 9 MB.
    ::growth(7) => 'little',
]



=== TEST 5: ... of another handler's
--- http_config eval: $::Http
--- config eval: $::Config
--- upstream eval
[stream($::Events), cut($::Events)->[0] . (LLMAnswers::chunk($::Events) x 100_000)]
--- steps eval
[
    ::sizes(at('/relay', streamed(ask('Hi')))) => qr/\A\d+\z/,
    ::growth(1000) => 'little',
    ::sizes(at('/relay', streamed(ask('Hi')))) => qr/\A\d{8}\z/,
    # A piece that is kept of each event would be 9 MB.
    ::growth(7) => 'little',
]
