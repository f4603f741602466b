# llm_embedding: who shares a call, who ends it, and what lives on after a
# reload.
# HUP: no

use lib 't/lib';

BEGIN {
    use File::Basename ();
    use File::Spec ();
    my $module = $ENV{LLM_MODULE} // 'build/release/ngx_http_llm_module.so';
    $ENV{TEST_NGINX_LOAD_MODULES} = File::Spec->rel2abs(
        File::Basename::dirname($module)
        . '/tests/embedding_module/ngx_http_llm_embedding_test_module.so');
}

use LLMTest;

use IO::Select;
use IO::Socket::INET;
use Test::Nginx::Util ();

master_on();
workers(2);

our $answer = "HTTP/1.1 200 OK\r\nContent-Length: 33\r\n\r\n"
    . '{"data":[{"embedding":[3,0,-4]}]}';
# Some tenths of a second long.
our $slow = [unpack '(a6)*', $answer];

# A server of its own, whose connections the kernel spreads over the workers.
our $http = q{
    llm_provider p {
        format openai;
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
    }
    llm_embedding e { provider p; model m; dimensions 3; timeout 30s; }
    llm_embedding one {
        provider p; model m; dimensions 3; timeout 30s; connections 1;
        recent off;
    }
    server {
        listen 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2 reuseport;
        location = /e { llm_test_embed e $arg_text; }
        location = /one { llm_test_embed one $arg_text; }
    }
};

our $good = qr/^3: 0\.600 0\.000 -0\.800 by (\d+)$/m;

sub ask {
    my ($path) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
        PeerPort => $ENV{TEST_NGINX_UPSTREAM_PORT2}, Proto => 'tcp')
        // die "connect() failed: $!";
    syswrite $socket, "GET $path HTTP/1.1\r\nHost: localhost\r\n"
        . "Connection: close\r\n\r\n";
    return $socket;
}

sub answer_of {
    my ($socket) = @_;
    my $got = '';
    my $select = IO::Select->new($socket);
    while ($select->can_read(10)) {
        sysread($socket, $got, 4096, length $got) or last;
    }
    return $got;
}

# How many requests the scripted upstream has read.
sub requests {
    my $file = "$LLMTest::State/upstream_$ENV{TEST_NGINX_UPSTREAM_PORT}";
    open my $record, '<:raw', $file or die "open() failed: $!";
    my $text = do { local $/; <$record> };
    return scalar(() = $text =~ m{POST /}g);
}

sub await_requests {
    my ($count) = @_;
    for (1 .. 1000) {
        return if requests() >= $count;
        select undef, undef, undef, 0.01;
    }
    die "no $count requests";
}

sub children {
    my ($pid) = @_;
    return map { $_ => 1 } split ' ', `pgrep -P $pid`;
}

# Returns the workers of before when there is one of after.
sub reload {
    my ($block) = @_;
    my $master = Test::Nginx::Util::get_pid_from_pidfile($block->name);
    my %before = children($master);
    kill 'HUP', $master or die "kill() failed: $!";
    for (1 .. 500) {
        return keys %before
            if grep { !$before{$_} } keys %{{ children($master) }};
        select undef, undef, undef, 0.01;
    }
    die "nginx does not reload";
}

sub gone {
    my (@pids) = @_;
    for (1 .. 500) {
        return 1 if !grep { kill 0, $_ } @pids;
        select undef, undef, undef, 0.01;
    }
    return 0;
}

# The section "play" names what happens after the block's own request.
our %plays = (
    share => sub {
        my ($name) = @_;
        my @sockets = map { ask('/one?text=hi') } 1 .. 16;
        Test::More::like(answer_of($_), $good, "$name - one of many")
            for @sockets;
        Test::More::cmp_ok(requests(), '<=', 2,
            "$name - a call for each worker");
    },
    workers => sub {
        my ($name) = @_;
        my %pids;
        for (1 .. 64) {
            answer_of(ask('/e?text=hi')) =~ $good or next;
            $pids{$1}++;
        }
        Test::More::is(scalar keys %pids, 2, "$name - both workers know");
    },
    leave => sub {
        my ($name) = @_;
        my $socket = ask('/e?text=gone');
        await_requests(2);
        close $socket;
        # The upstream serves the next when the peer has closed this one.
        Test::More::like(answer_of(ask('/e?text=next')), $good,
            "$name - the next is served");
    },
    leave_one => sub {
        my ($name) = @_;
        my @sockets = map { ask('/e?text=hi') } 1 .. 16;
        await_requests(2);
        close shift @sockets for 1 .. 8;
        Test::More::like(answer_of($_), $good, "$name - one that stays")
            for @sockets;
    },
    queue => sub {
        my ($name) = @_;
        my @sockets = map { ask("/one?text=$_") } 1 .. 6;
        Test::More::like(answer_of($_), $good, "$name - in its turn")
            for @sockets;
    },
    reload => sub {
        my ($name, $block) = @_;
        my @old = reload($block);
        Test::More::like(answer_of(ask('/e?text=known')), $good,
            "$name - still known");
        Test::More::ok(gone(@old), "$name - no old worker stays");
    },
    reload_under_way => sub {
        my ($name, $block) = @_;
        my $socket = ask('/e?text=hi');
        await_requests(2);
        my @old = reload($block);
        Test::More::like(answer_of($socket), $good, "$name - is answered");
        Test::More::ok(gone(@old), "$name - no old worker stays");
    },
    stop => sub {
        my ($name) = @_;
        # nginx is stopped while this one is under way.
        our $held = ask('/e?text=held');
        await_requests(2);
        Test::More::pass("$name - a call is under way");
    },
);

add_response_body_check(sub {
    my ($block) = @_;
    my $play = $block->play // return;
    chomp $play;
    $plays{$play}->($block->name, $block);
});

run_tests();

__DATA__

=== TEST 1: equal texts at the same time share a call
--- http_config eval: $::http
--- config
location = /t { return 204; }
--- request
GET /t
--- error_code: 204
--- response_body
--- upstream eval
[[map { unpack '(a3)*' } $::answer]]
--- play: share



=== TEST 2: what one worker has asked for the others know
--- http_config eval: $::http
--- config
location = /e { llm_test_embed e $arg_text; }
--- request
GET /e?text=hi
--- response_body_like eval: $::good
--- upstream eval: $::answer
--- play: workers
--- upstream_request_like eval
['"input":"hi"']



=== TEST 3: a call ends with the only client that waits for it
--- http_config eval: $::http
--- config
location = /e { llm_test_embed e $arg_text; }
--- request
GET /e?text=hi
--- response_body_like eval: $::good
--- upstream eval
[$::answer, [\'hold'], $::answer]
--- play: leave
--- upstream_request_like eval
['"input":"hi"', '"input":"gone"', '"input":"next"']



=== TEST 4: and goes on while another one waits
--- http_config eval: $::http
--- config
location = /e { llm_test_embed e first; }
--- request
GET /e
--- response_body_like eval: $::good
--- upstream eval
[$::answer, $::slow]
--- play: leave_one



=== TEST 5: who finds no connection waits for one
--- http_config eval: $::http
--- config
location = /e { llm_test_embed e first; }
--- request
GET /e
--- response_body_like eval: $::good
--- upstream eval
[$::answer, $::slow, $::answer]
--- play: queue
--- upstream_request_like eval
[('POST') x 7]



=== TEST 6: vectors survive a reload
--- http_config eval: $::http
--- config
location = /e { llm_test_embed e known; }
--- request
GET /e
--- response_body_like eval: $::good
--- upstream eval: $::answer
--- play: reload
--- upstream_request_like eval
['"input":"known"']



=== TEST 7: a call that is under way when nginx is reloaded
--- http_config eval: $::http
--- config
location = /e { llm_test_embed e first; }
--- request
GET /e
--- response_body_like eval: $::good
--- upstream eval
[$::answer, $::slow]
--- play: reload_under_way
--- upstream_request_like eval
['"input":"first"', '"input":"hi"']



=== TEST 8: a call that is under way when nginx is stopped
--- http_config eval: $::http
--- config
location = /e { llm_test_embed e first; }
--- request
GET /e
--- response_body_like eval: $::good
--- upstream eval
[$::answer, [\'hold']]
--- play: stop
