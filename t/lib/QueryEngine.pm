# A server with Redis' query engine, for tests where there is none: a proxy to
# a plain Redis that answers FT.CREATE, FT.INFO and FT.SEARCH itself, in the
# words and shapes of a product ("stack": Redis Stack, "valkey": Valkey
# search). It compares every hash, and knows the queries of the module only.
#
#     our $engine = QueryEngine->server($redis, 'stack');
#     $engine->port, $engine->drop        as FT.DROPINDEX does
#
# The index is a key of the Redis behind it, so that FLUSHALL drops it, too.
package QueryEngine;

use v5.10.1;
use strict;
use warnings;

use IO::Socket::INET;
use IO::Socket::UNIX;
use POSIX ();

use LLMTest ();

my @servers;
my $creator = $$;

my %missing = (
    stack => { 'FT.INFO' => 'Unknown index name',
        'FT.SEARCH' => '%s: no such index' },
    valkey => { 'FT.INFO' => "Index with name '%s' not found",
        'FT.SEARCH' => "Index with name '%s' not found" },
);
my %existing = (
    stack => 'Index already exists', valkey => 'Index %s already exists.');

sub server {
    my ($class, $redis, $product) = @_;
    my $port = LLMTest::free_ports(1);
    my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
        LocalPort => $port, Listen => 64, ReuseAddr => 1)
        or die "listen() failed: $!";
    my $self = bless { port => $port, redis => $redis, product => $product },
        $class;
    push @servers, $self;

    $self->{pid} = fork() // die "fork() failed: $!";
    return $self if $self->{pid};

    $SIG{PIPE} = 'IGNORE';
    $SIG{CHLD} = 'IGNORE';
    while (1) {
        my $client = $listener->accept or next;
        next if fork();
        $self->serve($client);
        POSIX::_exit(0);
    }
}

sub port { $_[0]{port} }

sub drop {
    my ($self) = @_;
    my @keys = split /\n/, $self->{redis}->cli('KEYS', 'index of *');
    $self->{redis}->cli('DEL', $_) for @keys;
}

# Makes an index that the module did not make.
sub occupy {
    my ($self, $name, $dimensions) = @_;
    $self->{redis}->cli('SET', "index of $name", "shop: $dimensions");
}

sub serve {
    my ($self, $client) = @_;
    my $redis = IO::Socket::UNIX->new(Peer => $self->{redis}->socket)
        or return;
    my %from = (client => '', redis => '');
    my $more = sub {
        my ($who) = @_;
        my $socket = $who eq 'client' ? $client : $redis;
        sysread $socket, $from{$who}, 65536, length $from{$who}
            or POSIX::_exit(0);
    };
    my $line = sub {
        my ($who) = @_;
        $more->($who) while index($from{$who}, "\r\n") < 0;
        my $end = index $from{$who}, "\r\n";
        return substr $from{$who}, 0, $end + 2, '';
    };
    my $bytes = sub {
        my ($who, $count) = @_;
        $more->($who) while length $from{$who} < $count;
        return substr $from{$who}, 0, $count, '';
    };
    # A whole value, as it is on the wire.
    my $value;
    $value = sub {
        my ($who) = @_;
        my $raw = $line->($who);
        my ($type, $count) = $raw =~ /^([*\$])(-?\d+)/ or return $raw;
        return $raw if $count < 0;
        return $raw . $bytes->($who, $count + 2) if $type eq '$';
        $raw .= $value->($who) for 1 .. $count;
        return $raw;
    };
    my $ask = sub {
        my $command = command(@_);
        syswrite $redis, $command;
        return $value->('redis');
    };

    while (1) {
        my $raw = $value->('client');
        my @words = words($raw);
        my $reply;
        if ($words[0] =~ /^FT\./) {
            $reply = $self->answer($ask, @words);
        } else {
            my $sent = 0;
            while ($sent < length $raw) {
                $sent += syswrite($redis, $raw, length($raw) - $sent, $sent)
                    // POSIX::_exit(0);
            }
            $reply = $value->('redis');
        }
        syswrite $client, $reply;
    }
}

sub command {
    return '*' . @_ . "\r\n" . join '', map { text($_) } @_;
}

# The strings of an array.
sub words {
    my ($raw) = @_;
    my @words;
    $raw =~ s/^\*(-?\d+)\r\n//;
    while ($raw =~ s/^\$(-?\d+)\r\n//) {
        push @words, $1 < 0 ? undef : substr $raw, 0, $1, '';
        substr $raw, 0, 2, '' if defined $words[-1];
    }
    return @words;
}

sub text { return '$' . length($_[0]) . "\r\n$_[0]\r\n" }
sub array { return '*' . @_ . "\r\n" . join '', @_ }

sub answer {
    my ($self, $ask, $command, $index, @rest) = @_;
    no warnings 'redundant';    # not every product names the index
    my $product = $self->{product};
    my ($definition) = words("*1\r\n" . $ask->('GET', "index of $index"));

    if ($command eq 'FT.CREATE') {
        return sprintf "-$existing{$product}\r\n", $index
            if defined $definition;
        my ($prefix) = "@rest" =~ /^ON HASH PREFIX 1 (\S+) SCHEMA/;
        my ($dimensions) = "@rest" =~ / DIM (\d+) DISTANCE_METRIC COSINE$/;
        return "-ERR bad index\r\n" if !$prefix || !$dimensions;
        $ask->('SET', "index of $index", "$prefix $dimensions");
        return "+OK\r\n";
    }
    return sprintf "-$missing{$product}{$command}\r\n", $index
        if !defined $definition;
    my ($prefix, $dimensions) = split ' ', $definition;
    return $self->info($prefix, $dimensions) if $command eq 'FT.INFO';
    return search($ask, $prefix, $dimensions, @rest);
}

sub info {
    my ($self, $prefix, $dimensions) = @_;
    my @vector = map { text($_) } qw(identifier vector attribute vector
        type VECTOR);
    if ($self->{product} eq 'valkey') {
        push @vector, text('index'), array(text('dimensions'),
            ":$dimensions\r\n", text('distance_metric'), text('COSINE'));
    } else {
        push @vector, text('dim'), ":$dimensions\r\n",
            text('distance_metric'), text('COSINE');
    }
    return array(
        text('index_definition'),
        array(text('key_type'), text('HASH'), text('prefixes'),
            array(text($prefix))),
        text('attributes'),
        array(array(map { text($_) } qw(identifier partition attribute
                partition type TAG)), array(@vector)));
}

sub search {
    my ($ask, $prefix, $dimensions, $query, @rest) = @_;
    my ($partition) = $query =~ /\@partition:\{(\w+)\}/;
    my ($most) = $query =~ /KNN (\d+) \@vector \$v AS distance/;
    my %option = (@rest >= 3 && $rest[0] eq 'PARAMS') ? (v => $rest[3]) : ();
    my @vector = defined $option{v} ? unpack 'f<*', $option{v} : ();
    return "-ERR query vector blob size does not match\r\n"
        if $most && @vector != $dimensions;

    my @found;
    for my $name (words($ask->('KEYS', "$prefix*"))) {
        my ($tag, $blob, $question) = words($ask->('HMGET', $name,
            'partition', 'vector', 'question'));
        next if !defined $tag || $tag ne $partition;
        my $dot = 0;
        if ($most) {
            my @other = unpack 'f<*', $blob;
            $dot += $vector[$_] * $other[$_] for 0 .. $#vector;
        }
        push @found, [$name, 1 - $dot, $question];
    }
    return array(':' . @found . "\r\n", map { text($_->[0]) } @found)
        if !$most;

    @found = sort { $a->[1] <=> $b->[1] } @found;
    splice @found, $most if @found > $most;
    return array(':' . @found . "\r\n", map {
        (text($_->[0]), array(text('distance'), text($_->[1]),
            text('question'), text($_->[2])))
    } @found);
}

END {
    if ($$ == $creator) {
        local $?;
        for my $server (@servers) {
            kill 'KILL', $server->{pid};
            waitpid $server->{pid}, 0;
        }
    }
}

1;
