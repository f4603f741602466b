# Test::Nginx::Socket for this module. A test file needs no more than
#
#     use lib 't/lib';
#     use LLMTest;
#
#     run_tests();
#
#     __DATA__
#
#     === TEST 1: ...
#
# and no plan. It gets:
#
# - the module loaded, from the build that LLM_MODULE names (a .so), or
#   build/release; TEST_NGINX_BINARY is the nginx;
# - ports of its own, free at this moment and locked against other test
#   files, so that "prove -j" works. In every section that Test::Nginx expands
#   (config, http_config, user_files, ...):
#
#     $TEST_NGINX_SERVER_PORT      the server that the requests go to
#     $TEST_NGINX_UPSTREAM_PORT    for mock upstreams ...
#     $TEST_NGINX_UPSTREAM_PORT2   ... up to 4; these may as well be server
#     $TEST_NGINX_UPSTREAM_PORT3       blocks in http_config
#     $TEST_NGINX_UPSTREAM_PORT4
#     $TEST_NGINX_CLOSED_PORT      refuses every connection
#
# - $TEST_NGINX_CERTIFICATE and $TEST_NGINX_CERTIFICATE_KEY: files with a
#   certificate for localhost and 127.0.0.1 that is its own authority;
# - $TEST_NGINX_SERVER_ROOT: the server's prefix; no location is there but
#   those of the block;
# - checks on every block: no [alert], [crit] or [emerg] in the error log,
#   neither during the requests nor when that nginx stops. A block that
#   expects one names it in its error_log section, or sets no_error_log or
#   no_shutdown_error_log itself;
# - under HUP (scripts/test hup) one nginx that is reloaded before each block;
#   a file that cannot be run so says it in a line "# HUP: no, because ...",
#   and is run as ever;
# - a scripted upstream, byte by byte, on $TEST_NGINX_UPSTREAM_PORT:
#
#     --- upstream
#     HTTP/1.1 200 OK
#     ...
#
#   What it sends to every connection, as it is, after it has read a whole
#   request; then it closes. (Lines end as they are written: use "eval" for
#   CRLF.) With eval it may be an array: an element for each connection, the
#   last one repeated. An element that is an array is sent in parts, each in
#   a packet of its own; instead of a part there may be
#
#     \'hold'    wait until the peer closes
#     \'reset'   close with a TCP reset
#
#     --- upstream_request_like
#     ^POST /v1/chat/completions HTTP/1.1
#
#   A pattern that the first request it got must match; with eval an array of
#   patterns, for the requests in their order; there must be as many.
#
#     --- upstream_request_unlike
#
#   A pattern that no request may match.
package LLMTest;

use v5.10.1;
use strict;
use warnings;

use Cwd ();
use Fcntl qw(:flock O_CREAT O_RDWR);
use File::Path qw(make_path);
use File::Spec;
use IO::Socket::INET;
use POSIX ();
use Scalar::Util qw(set_prototype);
use Socket qw(SOL_SOCKET SO_LINGER IPPROTO_TCP TCP_NODELAY);

our ($Root, $State, @Locks, $Closed);

BEGIN {
    my ($volume, $folder) = File::Spec->splitpath(
        File::Spec->rel2abs(__FILE__));
    $Root = Cwd::realpath("$folder/../..");
    $State = "$Root/build/t";
    make_path($State);

    $ENV{LLM_MODULE} //= "$Root/build/release/ngx_http_llm_module.so";
    if (!defined $ENV{TEST_NGINX_LOAD_MODULES}) {
        -f $ENV{LLM_MODULE} or die "no module \"$ENV{LLM_MODULE}\": "
            . "run scripts/build, or name another in LLM_MODULE\n";
        $ENV{TEST_NGINX_LOAD_MODULES}
            = File::Spec->rel2abs($ENV{LLM_MODULE});
    }

    # nginx lives in sbin, which is not in every user's path.
    $ENV{PATH} .= ':/usr/local/sbin:/usr/sbin:/sbin';

    my $port = free_ports(8);
    my @names = qw(SERVER_PORT STREAM_PORT UPSTREAM_PORT UPSTREAM_PORT2
        UPSTREAM_PORT3 UPSTREAM_PORT4 CLOSED_PORT);
    for my $name (@names) {
        $ENV{"TEST_NGINX_$name"} = $port++;
    }

    # Bound and not listening: nobody else gets it, and nobody answers.
    $Closed = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
        LocalPort => $ENV{TEST_NGINX_CLOSED_PORT}, Proto => 'tcp')
        or die "bind() to port $ENV{TEST_NGINX_CLOSED_PORT} failed: $!\n";

    if ($ENV{TEST_NGINX_USE_HUP}) {
        open my $file, '<', $0 or die "open() \"$0\" failed: $!\n";
        delete $ENV{TEST_NGINX_USE_HUP} if grep { /^# HUP: no/ } <$file>;
    }

    # Nobody shall fail for being slow.
    $ENV{TEST_NGINX_TIMEOUT} //= 10;

    # Debug logs cost more than the tests themselves under a sanitizer.
    $ENV{TEST_NGINX_LOG_LEVEL} //= 'info';
    $ENV{TEST_NGINX_SERVROOT}
        = "$State/servroot_$ENV{TEST_NGINX_SERVER_PORT}";

    certificate();

    # COUNT ports in a row that nobody listens on, below those that the
    # kernel gives to outgoing connections; locked as long as this process
    # lives.
    sub free_ports {
        my ($count) = @_;
        my $folder = File::Spec->tmpdir() . "/llm-test-ports-$<";
        make_path($folder);

        for (1 .. 1000) {
            my $base = 10000 + $count * int(rand(22000 / $count));

            sysopen(my $lock, "$folder/$base.lock", O_CREAT | O_RDWR, 0600)
                or die "open() \"$folder/$base.lock\" failed: $!\n";
            flock($lock, LOCK_EX | LOCK_NB) or next;

            my @sockets = map {
                IO::Socket::INET->new(LocalAddr => '0.0.0.0',
                    LocalPort => $base + $_, Proto => 'tcp', Listen => 1,
                    ReuseAddr => 1)
            } 0 .. $count - 1;
            next if grep { !defined $_ } @sockets;

            push @Locks, $lock;
            return $base;
        }

        die "no $count free ports in a row\n";
    }

    # Made once, in a folder that appears when it is complete.
    sub certificate {
        my $folder = "$State/tls";

        if (!-d $folder) {
            my $new = "$folder.$$";
            make_path($new);
            my $command = 'openssl req -x509 -nodes -days 3650 -newkey ec'
                . ' -pkeyopt ec_paramgen_curve:prime256v1 -subj /CN=localhost'
                . ' -addext subjectAltName=DNS:localhost,IP:127.0.0.1'
                . " -keyout $new/key.pem -out $new/cert.pem";
            system("$command 2>$new/log") == 0
                or die "openssl failed, see $new/log\n";
            # Another test file may have been faster.
            rename $new, $folder or system('rm', '-rf', $new);
        }

        $ENV{TEST_NGINX_CERTIFICATE} = "$folder/cert.pem";
        $ENV{TEST_NGINX_CERTIFICATE_KEY} = "$folder/key.pem";
    }
}

# What a passed test leaves behind helps nobody. (Defined before that of
# Test::Nginx, so it runs after it has stopped nginx.)
my $pid = $$;
END {
    if ($$ == $pid && $? == 0) {
        local $?;
        system 'rm', '-rf', $ENV{TEST_NGINX_SERVROOT};
    }
}

use Test::Nginx::Socket -Base;
use Test::Nginx::Util ();

our @EXPORT = qw(run_tests);

my $server;     # the scripted upstream of this block
my $asan_options = $ENV{ASAN_OPTIONS};
my $dying;      # this block expects nginx not to start

# Test::Nginx warns of each [emerg], the expected ones too.
$SIG{__WARN__} = sub {
    warn @_ if !$dying || $_[0] !~ /^WARNING: .*\[emerg\]/;
};

# Planned as late as possible, so that a file may skip itself with
# "plan skip_all => ...".
{
    no warnings 'redefine';
    *run_tests = set_prototype(\&{ sub {
        plan('no_plan') if !Test::More->builder->has_plan;
        no_long_string();
        no_root_location();
        *Test::Nginx::Util::test_config_version = \&wait_for_reload;
        Test::Nginx::Util::run_tests();
    } }, '');
}

# Under HUP: waits until the new configuration is served, by new workers only.
# Test::Nginx asks twenty times for the version, with a curl each, which takes
# longer than the test and says nothing of the old workers where the machine is
# busy: these say themselves when they have stopped to accept.
sub wait_for_reload($$) {
    my ($name, $block) = @_;
    my $master = Test::Nginx::Util::get_pid_from_pidfile($name);
    my $version = $Test::Nginx::Util::ConfigVersion;
    my $served = '';

    for (1 .. 3000) {
        my $workers = grep { !/shutting down/ } workers_of($master);
        # None where the master serves itself.
        if ($workers == 0 || $workers == $Test::Nginx::Util::Workers) {
            $served = served_version() // '';
            return if $served eq $version;
        }
        select undef, undef, undef, 0.01;
    }

    bail_out("$name - no reload within 30 seconds: version \"$served\""
        . " instead of \"$version\"");
}

# What the worker processes of a master call themselves.
sub workers_of($) {
    my ($master) = @_;
    my @titles;

    for my $child (children($master)) {
        open my $file, '<', "/proc/$child/cmdline" or next;
        my $title = <$file> // '';
        push @titles, $title if $title =~ /^nginx: worker/;
    }
    return @titles;
}

sub children($) {
    my ($parent) = @_;
    my @children;

    for my $stat (glob '/proc/[0-9]*/stat') {
        open my $file, '<', $stat or next;
        # PID (COMMAND) STATE PARENT ...
        my ($child, $of) = (<$file> // '') =~ /^(\d+) \(.*\) \S (\d+) /s
            or next;
        push @children, $child if $of == $parent;
    }
    return @children;
}

# What Test::Nginx's server for this answers.
sub served_version() {
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
        PeerPort => $ENV{TEST_NGINX_SERVER_PORT}, Proto => 'tcp',
        Timeout => 10) or return;
    print $socket "GET /ver HTTP/1.0\r\nHost: Test-Nginx\r\n\r\n";
    local $/;
    my ($version) = (<$socket> // '') =~ /\r\n\r\n(.*)\z/s;
    return $version;
}

# [alert] and the like, unless the block expects them.
sub unwanted(@) {
    my $expected = join "\n", map { ref $_ eq 'ARRAY' ? @$_ : $_ // '' } @_;
    return [grep { index($expected, $_) < 0 } '[alert]', '[crit]', '[emerg]'];
}

add_block_preprocessor(sub {
    my ($block) = @_;

    $dying = defined $block->must_die;

    # The message is checked in the log. What a process that gives up at its
    # start does not free is of no interest.
    if ($dying) {
        $block->set_value('suppress_stderr', 1);
    }
    if (defined $asan_options) {
        $ENV{ORI_ASAN_OPTIONS}
            = ($dying ? 'detect_leaks=0,' : '')
            . $asan_options;
    }
    if (!defined $block->no_error_log && !$dying) {
        $block->set_value('no_error_log', unwanted($block->error_log));
    }
    if (!defined $block->no_shutdown_error_log && !$dying) {
        $block->set_value('no_shutdown_error_log',
            unwanted($block->error_log, $block->shutdown_error_log));
    }
    # Blocks that only look at the start of nginx need no request.
    if (!defined $block->config) {
        $block->set_value('config', '');
    }

    if (defined $block->upstream) {
        start_upstream($block->upstream);
    }
});

add_test_cleanup_handler(sub {
    my ($block) = @_;
    return if !defined $server;

    my @requests = stop_upstream();
    my $name = $block->name;

    if (defined(my $wanted = $block->upstream_request_like)) {
        my @wanted = ref $wanted eq 'ARRAY' ? @$wanted
            : map { chomp; $_ } ($wanted);
        Test::More::is(scalar @requests, scalar @wanted,
            "$name - number of upstream requests") if ref $wanted eq 'ARRAY';
        for my $i (0 .. $#wanted) {
            Test::More::like($requests[$i] // '', qr/$wanted[$i]/sm,
                "$name - upstream request $i");
        }
    }
    if (defined(my $unwanted = $block->upstream_request_unlike)) {
        chomp $unwanted if !ref $unwanted;
        for my $i (0 .. $#requests) {
            Test::More::unlike($requests[$i], qr/$unwanted/sm,
                "$name - upstream request $i");
        }
    }
});

# When the test file ends early.
add_cleanup_handler(sub { stop_upstream() if defined $server });

# The scripted upstream: a child that serves one connection after the other
# and writes each request, prefixed with its length, into a file.
sub start_upstream($) {
    my ($replies) = @_;
    $replies = [$replies] if ref $replies ne 'ARRAY';

    my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
        LocalPort => $ENV{TEST_NGINX_UPSTREAM_PORT}, Proto => 'tcp',
        Listen => 64, ReuseAddr => 1)
        or bail_out("listen() on $ENV{TEST_NGINX_UPSTREAM_PORT} failed: $!");
    my $file = "$State/upstream_$ENV{TEST_NGINX_UPSTREAM_PORT}";
    open my $record, '>:raw', $file
        or bail_out("open() \"$file\" failed: $!");

    my $pid = fork() // bail_out("fork() failed: $!");
    if ($pid == 0) {
        $SIG{PIPE} = 'IGNORE';
        my $number = 0;
        while (my $connection = $listener->accept()) {
            my $reply = $replies->[$number < @$replies ? $number : -1];
            $number++;
            # A connection on which no request came is none.
            serve($connection, $record, $reply) or $number--;
        }
        POSIX::_exit(0);
    }

    $server = { pid => $pid, file => $file };
}

sub stop_upstream() {
    kill 'KILL', $server->{pid};
    waitpid $server->{pid}, 0;

    open my $record, '<:raw', $server->{file}
        or bail_out("open() \"$server->{file}\" failed: $!");
    my $text = do { local $/; <$record> };
    unlink $server->{file};
    undef $server;

    my @requests;
    while (length $text) {
        my $length = unpack 'N', substr $text, 0, 4, '';
        push @requests, substr $text, 0, $length, '';
    }
    return @requests;
}

sub serve($$$) {
    my ($connection, $record, $reply) = @_;
    setsockopt $connection, IPPROTO_TCP, TCP_NODELAY, 1;

    my $request = read_request($connection);
    return 0 if $request eq '';
    syswrite $record, pack('N', length $request) . $request;

    my $parts = ref $reply eq 'ARRAY' ? $reply : [$reply];
    for my $i (0 .. $#$parts) {
        my $part = $parts->[$i];

        if (!ref $part) {
            # The pause lets the peer see the parts apart.
            select undef, undef, undef, 0.02 if $i > 0;
            my $sent = 0;
            while ($sent < length $part) {
                my $count = syswrite $connection, $part, length($part), $sent;
                return 1 if !defined $count;
                $sent += $count;
            }

        } elsif ($$part eq 'hold') {
            1 while sysread $connection, my $rest, 4096;

        } elsif ($$part eq 'reset') {
            setsockopt $connection, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0);
        }
    }

    close $connection;
    return 1;
}

# Head and body, the latter by Content-Length or chunked; what came so far
# when the peer closes early.
sub read_request($) {
    my ($connection) = @_;
    my $request = '';

    while (sysread $connection, $request, 65536, length $request) {
        my $end = index $request, "\r\n\r\n";
        next if $end < 0;
        my $head = substr $request, 0, $end;
        my $body = length($request) - $end - 4;

        if ($head =~ /^transfer-encoding:\s*chunked/im) {
            last if $request =~ /\r\n0\r\n\r\n\z/;
        } elsif ($head =~ /^content-length:\s*(\d+)/im) {
            last if $body >= $1;
        } else {
            last;
        }
    }

    return $request;
}

1;
