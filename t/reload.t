# A reload under traffic loses nothing, and costs no memory.
# HUP: no

use lib 't/lib';
use LLMTest;
use LLMAnswers;

use IO::Select;
use IO::Socket::INET;
use Test::Nginx::Util ();

master_on();

our $HttpConfig = q{
    llm_provider simulated {
        format openai;
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2/v1;
        keepalive 4;
    }
    llm_provider claude {
        format anthropic;
        url http://localhost:$TEST_NGINX_UPSTREAM_PORT2;
    }
    llm_upstream chat {
        zone chat 64k;
        model simulated/a;
        model claude/b;
    }
    server {
        listen 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2;
        location /v1/chat/ { llm_simulate openai rate=40 reply=lorem tokens=40; }
        location /v1/messages {
            llm_simulate anthropic rate=40 reply=lorem tokens=40;
        }
    }
};

our $Config = q{
    location / { llm_pass chat; }
};

sub children {
    my ($pid) = @_;
    return map { $_ => 1 } split ' ', `pgrep -P $pid`;
}

# Returns, with the pid of the master, when there is a worker of the new
# configuration.
sub reload {
    my $master = Test::Nginx::Util::get_pid_from_pidfile('reload');
    my %before = children($master);
    kill 'HUP', $master or die "kill() failed: $!";
    for (1 .. 500) {
        my %now = children($master);
        return $master if grep { !$before{$_} } keys %now;
        select undef, undef, undef, 0.01;
    }
    die "nginx does not reload";
}

sub connection {
    return IO::Socket::INET->new(PeerAddr => '127.0.0.1',
        PeerPort => $ENV{TEST_NGINX_SERVER_PORT}, Proto => 'tcp', Timeout => 5)
        // die "connect() failed: $!";
}

sub http {
    my ($line, $body) = split /\n/, shift, 2;
    return "$line HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        . 'Content-Length: ' . length($body) . "\r\n\r\n$body";
}

# Until the pattern has come, or the end of the connection.
sub receive {
    my ($socket, $got, $awaited) = @_;
    my $select = IO::Select->new($socket);
    while (!defined $awaited || $got !~ $awaited) {
        $select->can_read(10) or last;
        sysread($socket, $got, 65536, length $got) or last;
    }
    return $got;
}

sub resident {
    my ($pid) = @_;
    open my $status, '<', "/proc/$pid/status" or return 0;
    my ($kilobytes) = map { /^VmRSS:\s+(\d+)/ ? $1 : () } <$status>;
    return $kilobytes // 0;
}

# Sections: "streams" requests are begun, nginx is reloaded "reloads" times
# while they run, with a call after each reload; all must end well.
add_response_body_check(sub {
    my ($block) = @_;
    my $name = $block->name;
    my $streams = $block->streams // return;

    my @running = map {
        my $socket = connection();
        syswrite $socket, http($_);
        { socket => $socket, got => receive($socket, '', qr/delta/) };
    } @$streams;

    my ($master, $early);
    for my $i (1 .. $block->reloads) {
        $master = reload();
        my $socket = connection();
        syswrite $socket, http(ask_openai());
        Test::More::like(receive($socket, ''), qr/"finish_reason":"stop"/,
            "$name - a call after reload $i") if $i % 5 == 1;
        $early = resident($master) if $i == 10;
    }

    for my $i (0 .. $#running) {
        my $got = receive($running[$i]->{socket}, $running[$i]->{got});
        Test::More::like($got, qr/(\[DONE\]|message_stop).*\r\n0\r\n\r\n\z/s,
            "$name - stream $i is whole");
        Test::More::unlike($got, qr/"error"/, "$name - stream $i is good");
    }

    # AddressSanitizer keeps what was freed for a while, and finds leaks itself.
    if (defined $early && !defined $ENV{ASAN_OPTIONS}) {
        my $late = resident($master);
        Test::More::cmp_ok($late, '<', $early * 1.2 + 2048,
            "$name - the master's memory ($early, $late kB)");
    }
});

run_tests();

__DATA__

=== TEST 1: streams that run go on, calls that come are answered
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- request eval: ask_openai()
--- streams eval
[(ask_openai(undef, '"stream":true')) x 4,
 (ask_anthropic(undef, '"stream":true')) x 4]
--- reloads: 3
--- timeout: 10



=== TEST 2: memory does not grow with reloads
--- http_config eval
$::HttpConfig =~ s/rate=40//gr
--- config eval: $::Config
--- request eval: ask_openai()
--- streams eval
[]
--- reloads: 60
--- timeout: 10



=== TEST 3: a model's pause outlives a reload, in its zone
--- http_config
llm_provider one {
    format openai;
    url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
}
llm_provider two {
    format openai;
    url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2/v1;
}
llm_upstream chat {
    zone chat 64k;
    model one/a;
    model two/b backup;
}
server {
    listen 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2;
    location / { llm_simulate openai; }
}
--- config eval: $::Config
--- upstream eval
whole(openai_error('rate_limit_error', 'slow'), '429 Too Many',
    'Retry-After: 600')
--- upstream_request_like eval
['"model":"a"']
--- request eval: ask_openai()
--- response_headers
X-LLM-Model: two/b
--- streams eval
[]
--- reloads: 2
