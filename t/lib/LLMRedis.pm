# Real Redis servers for tests, on free ports of 127.0.0.1; they are gone when
# the test file is.
#
#     use LLMTest;
#     use LLMRedis;
#
#     our $redis = LLMRedis->server();                   # started
#     our $other = LLMRedis->server('requirepass secret');
#     our @nodes = LLMRedis->cluster();     # three masters, three replicas
#     our ($master, $replica, @sentinels) = LLMRedis->sentinel('mymaster');
#
# A server is an object:
#
#     $redis->port, $redis->pid, $redis->folder; $redis->socket (a path)
#     $redis->cli('SET', 'key', 'value')      redis-cli's output, chomped
#     $redis->kill, $redis->start             as a crash, and back
#     $redis->pause, $redis->resume           it hangs
#
# Each sets a variable of the environment, so that configurations may say
# $TEST_NGINX_REDIS_PORT (the first server), ..._PORT2 and so on, in the order
# of their start, and $TEST_NGINX_REDIS_SOCKET, ..._SOCKET2.
#
# A server that is none, for what a real one does not do:
#
#     our $fake = LLMRedis->fake([sub { "-ERR no\r\n" }], ['garbage']);
#
# has an array for each connection, the last one for all that follow; each
# element answers what is read at once, and is the answer or a function that
# gets the bytes and returns it. Then the connection is closed. \'hold' instead
# waits until the peer closes; \'wait' sends the next element without reading.
# "seen" is how many connections there were.
#
# Sections of a block:
#
#     --- redis
#     SET greeting hello
#
#   Commands to the first server before nginx starts, after FLUSHALL.
#
#     --- script
#     $::redis->kill;
#     is(get('/get'), "(failure) connection refused\n");
#
#   Perl, run after the block's request; with get(PATH), which returns the
#   body of an answer, soon { ... }, which waits until that is true, and the
#   functions of Test::More.
#
# With a cluster there are node_of(KEY), other_master(NODE), and for a slot that
# moves to another node move_slot(SLOT, FROM, TO), after which its keys are to
# be migrated, and slot_moved(SLOT, TO).
package LLMRedis;

use v5.10.1;
use strict;
use warnings;

use File::Path qw(make_path);
use IO::Socket::INET;
use IO::Socket::UNIX;
use POSIX ();
use Test::Nginx::Socket ();
use Test::Nginx::Util ();

use LLMTest ();

my @servers;
my @cluster;
my $creator = $$;

sub import {
    my $caller = caller;
    no strict 'refs';
    *{"${caller}::$_"} = \&{$_} for qw(get begin finish soon error_log
        node_of other_master move_slot slot_moved);
}

# Lines of redis.conf.
sub server {
    my ($class, @lines) = @_;
    my $port = LLMTest::free_ports(2);
    my $folder = "$LLMTest::State/redis_$port";
    system 'rm', '-rf', $folder;
    make_path($folder);

    my $self = bless { port => $port, folder => $folder,
        socket => "$folder/s" }, $class;
    my $tls = grep { /^tls-port/ } @lines;
    s/\$port\b/$port/ for @lines;
    s/\$bus\b/$port + 1/e for @lines;
    $self->{tls} = $tls;
    $self->{password} = (map { /^requirepass (\S+)/ ? $1 : () } @lines)[0];
    $self->{sentinel} = grep { /^sentinel monitor/ } @lines;

    open my $conf, '>', "$folder/redis.conf" or die "open() failed: $!";
    print $conf map { "$_\n" }
        ($tls ? 'port 0' : "port $port"), 'bind 127.0.0.1',
        "dir $folder", 'save ""', 'appendonly no', 'daemonize no',
        'logfile redis.log', 'enable-debug-command yes',
        "unixsocket $folder/s", 'repl-diskless-sync-delay 0',
        # Lines of the test come last, for they win.
        @lines;
    close $conf or die "close() failed: $!";
    if ($self->{sentinel}) {
        # It refuses what it does not know.
        system 'sed', '-i', '-E', '/^(save|appendonly|enable-debug|repl-)/d',
            "$folder/redis.conf";
    }

    push @servers, $self;
    my $number = @servers > 1 ? @servers : '';
    $ENV{"TEST_NGINX_REDIS_PORT$number"} = $port;
    $ENV{"TEST_NGINX_REDIS_SOCKET$number"} = "$folder/s";

    $self->start;
    return $self;
}

sub fake {
    my ($class, @scripts) = @_;
    my $port = LLMTest::free_ports(1);
    my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
        LocalPort => $port, Listen => 64, ReuseAddr => 1)
        or die "listen() failed: $!";
    my $self = bless { port => $port, folder => "$LLMTest::State/fake_$port" },
        $class;
    system 'rm', '-rf', $self->{folder};
    make_path($self->{folder});
    push @servers, $self;
    my $number = @servers > 1 ? @servers : '';
    $ENV{"TEST_NGINX_REDIS_PORT$number"} = $port;

    $self->{pid} = fork() // die "fork() failed: $!";
    return $self if $self->{pid};

    my $count = 0;
    $SIG{PIPE} = 'IGNORE';
    $SIG{CHLD} = 'IGNORE';
    while (my $connection = $listener->accept) {
        my $script = $scripts[$count < @scripts ? $count : -1];
        open my $seen, '>>', "$self->{folder}/seen";
        syswrite $seen, '.';
        $count++;
        next if fork();
        my $wait = 0;
        for my $part (@$script) {
            if (ref $part eq 'SCALAR') {
                $wait = $$part eq 'wait';
                next if $wait;
                1 while sysread $connection, my $rest, 65536;
                last;
            }
            my $bytes = '';
            $wait || sysread $connection, $bytes, 65536 or last;
            $wait = 0;
            syswrite $connection, ref $part ? $part->($bytes) : $part;
        }
        POSIX::_exit(0);
    }
    POSIX::_exit(0);
}

sub seen {
    my ($self) = @_;
    return -s "$self->{folder}/seen" // 0;
}

sub port { $_[0]{port} }
sub pid { $_[0]{pid} }
sub folder { $_[0]{folder} }
sub socket { $_[0]{socket} }

sub launch {
    my ($self) = @_;
    unlink $self->{socket};
    my $pid = fork() // die "fork() failed: $!";
    if ($pid == 0) {
        open STDOUT, '>', "$self->{folder}/stdout";
        open STDERR, '>&', \*STDOUT;
        exec 'redis-server', "$self->{folder}/redis.conf",
            $self->{sentinel} ? '--sentinel' : ()
            or POSIX::_exit(1);
    }
    $self->{pid} = $pid;
}

# Returns when it listens; it may still be loading.
sub start {
    my ($self) = @_;
    $self->launch;
    soon(sub {
        IO::Socket::UNIX->new(Peer => $self->{socket})
            || waitpid($self->{pid}, POSIX::WNOHANG()) == $self->{pid};
    });
    # Sentinels look around every ten seconds; Redis 7 can be told otherwise.
    $self->cli('SENTINEL', 'DEBUG', 'INFO-PERIOD', 100, 'PUBLISH-PERIOD', 100)
        if $self->{sentinel};
    return $self;
}

sub kill {
    my ($self) = @_;
    my $pid = delete $self->{pid} // return;
    CORE::kill 'CONT', $pid;
    CORE::kill 'KILL', $pid;
    waitpid $pid, 0;
}

sub pause { CORE::kill 'STOP', $_[0]{pid} }
sub resume { CORE::kill 'CONT', $_[0]{pid} }

sub cli {
    my ($self, @words) = @_;
    my @command = ('timeout', 10, 'redis-cli', '-s', $self->{socket});
    push @command, '--no-auth-warning', '-a', $self->{password}
        if defined $self->{password};
    open my $pipe, '-|', @command, @words or die "redis-cli failed: $!";
    my $output = do { local $/; <$pipe> } // '';
    close $pipe;
    chomp $output;
    return $output;
}

# Three masters with a third of the slots each, and a replica for each.
sub cluster {
    my ($class, @lines) = @_;
    my @nodes = map {
        $class->server('cluster-enabled yes', 'cluster-port $bus',
            'cluster-node-timeout 500', 'cluster-config-file nodes.conf',
            'cluster-replica-validity-factor 0', @lines)
    } 1 .. 6;

    # What redis-cli --cluster create does, without its pauses.
    my @third = ('0 5460', '5461 10922', '10923 16383');
    for my $i (0 .. 5) {
        $nodes[$i]->cli('CONFIG', 'SET', 'cluster-allow-replica-migration',
            'no');
        $nodes[$i]->cli('CLUSTER', 'SET-CONFIG-EPOCH', $i + 1);
        $nodes[$i]->cli('CLUSTER', 'ADDSLOTSRANGE', split ' ', $third[$i])
            if $i < 3;
        $nodes[0]->cli('CLUSTER', 'MEET', '127.0.0.1', $nodes[$i]->port,
            $nodes[$i]->port + 1) if $i > 0;
    }
    for my $i (3 .. 5) {
        my $id = $nodes[$i - 3]->cli('CLUSTER', 'MYID');
        soon(sub {
            $nodes[$i]->cli('CLUSTER', 'REPLICATE', $id) eq 'OK'
        });
    }
    for my $node (@nodes) {
        soon(sub {
            $node->cli('CLUSTER', 'INFO') =~ /cluster_state:ok/
                && (() = $node->cli('CLUSTER', 'NODES') =~ /slave/g) == 3
        });
    }
    for my $i (3 .. 5) {
        soon(sub {
            $nodes[$i]->cli('INFO', 'replication')
                =~ /master_link_status:up/
        });
    }
    return @cluster = @nodes;
}

# The master of a key, as the first live node sees it.
sub node_of {
    my ($key) = @_;
    my ($live) = grep { $_->pid } @cluster;
    my $slot = $live->cli('CLUSTER', 'KEYSLOT', $key);
    for my $line (split /\n/, $live->cli('CLUSTER', 'NODES')) {
        my ($id, $address, $flags, @rest) = split ' ', $line;
        next if $flags !~ /master/ || $flags =~ /fail/;
        for my $range (@rest[5 .. $#rest]) {
            my ($first, $last) = $range =~ /^(\d+)(?:-(\d+))?$/ or next;
            next if $slot < $first || $slot > ($last // $first);
            my ($port) = $address =~ /:(\d+)@/;
            return grep { $_->port == $port } @cluster;
        }
    }
    return;
}

sub other_master {
    my ($from) = @_;
    my ($to) = grep { $_ != $from && $_->cli('ROLE') =~ /^master/ } @cluster;
    return $to;
}

sub move_slot {
    my ($slot, $from, $to) = @_;
    my ($from_id, $to_id) = map { $_->cli('CLUSTER', 'MYID') } $from, $to;
    $to->cli('CLUSTER', 'SETSLOT', $slot, 'IMPORTING', $from_id);
    $from->cli('CLUSTER', 'SETSLOT', $slot, 'MIGRATING', $to_id);
    return ($from_id, $to_id);
}

sub slot_moved {
    my ($slot, $to) = @_;
    my $id = $to->cli('CLUSTER', 'MYID');
    for my $node ($to, grep { $_ != $to } grep { $_->pid } @cluster) {
        $node->cli('CLUSTER', 'SETSLOT', $slot, 'NODE', $id);
    }
}

# A master, a replica of it, and three Sentinels.
sub sentinel {
    my ($class, $name, @lines) = @_;
    my $master = $class->server('repl-ping-replica-period 1', @lines);
    my $replica = $class->server('replicaof 127.0.0.1 ' . $master->port,
        'repl-ping-replica-period 1', @lines);
    soon(sub {
        $replica->cli('INFO', 'replication') =~ /master_link_status:up/
    });

    my @sentinels = map {
        $class->server(
            "sentinel monitor $name 127.0.0.1 " . $master->port . ' 2',
            "sentinel down-after-milliseconds $name 500",
            "sentinel failover-timeout $name 2000")
    } 1 .. 3;
    for my $sentinel (@sentinels) {
        soon(sub {
            my $about = $sentinel->cli('SENTINEL', 'MASTER', $name);
            $about =~ /num-slaves\n1\n/ && $about =~ /num-other-sentinels\n2\n/
        });
    }
    return ($master, $replica, @sentinels);
}

# Waits until CODE is true; dies after a minute.
sub soon(&) {
    my ($code) = @_;
    # A failover that Sentinel gives up is tried again after a while.
    my $until = time + 60;
    while (time < $until) {
        my $result = $code->();
        return $result if $result;
        select undef, undef, undef, 0.01;
    }
    require Carp;
    Carp::confess('it did not happen');
}

# A request is sent; finish() returns its answer's body.
sub begin {
    my ($path) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
        PeerPort => $ENV{TEST_NGINX_SERVER_PORT}, Proto => 'tcp',
        Timeout => 5) or die "connect() failed: $!";
    syswrite $socket,
        "GET $path HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    return $socket;
}

sub finish {
    my ($socket) = @_;
    my $got = '';
    local $SIG{ALRM} = sub { die "no answer\n" };
    alarm 10;
    1 while sysread $socket, $got, 65536, length $got;
    alarm 0;
    $got =~ s/\A.*?\r\n\r\n//s;
    return $got;
}

sub get { return finish(begin(@_)) }

sub error_log {
    open my $log, '<', "$ENV{TEST_NGINX_SERVROOT}/logs/error.log"
        or return '';
    local $/;
    return <$log> // '';
}

Test::Nginx::Socket::add_block_preprocessor(sub {
    my ($block) = @_;
    if (defined $block->redis) {
        $servers[0]->cli('FLUSHALL');
        for my $line (split /\n/, $block->redis) {
            $servers[0]->cli(split ' ', $line);
        }
    }
    if (defined $block->script && !defined $block->request) {
        $block->set_value('request', 'GET /none');
        $block->set_value('error_code', 404);
    }
});

Test::Nginx::Socket::add_response_body_check(sub {
    my ($block) = @_;
    my $script = $block->script // return;
    local $Test::Builder::Level = $Test::Builder::Level + 2;
    my $name = $block->name;
    eval "package main; use Test::More; $script; 1"
        or Test::More::fail("$name - the script dies: $@");
});

# A test file that dies leaves no server behind.
END {
    if ($$ == $creator) {
        local $?;
        for my $server (@servers) {
            $server->kill;
            system 'rm', '-rf', $server->{folder};
        }
    }
}

1;
