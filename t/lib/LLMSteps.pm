# A conversation with the gateway, a call after the other, for tests whose
# blocks are about more than one call:
#
#     --- steps eval
#     [
#         ask('Who is Joseph Conrad?') => 'Miss one',
#         ask('Who is Joseph Conrad?') => 'Hit one',
#     ]
#
# Each step is a call and what is to be seen of its answer: X-Cache-Status,
# if there is one, the status unless it is 200, "(error)" where an API's error
# is in the body, and the text of the answer in whatever API and form it came.
# Instead of the text there may be a pattern for the whole answer, head and
# body, or an array: such a text and then names of headers, each with a value
# or a pattern; undef: there is no such header. A step whose call is a sub is
# run; what it returns is what is to be seen.
#
# Calls:
#
#   ask(TEXT, MEMBER...)     of the OpenAI API, at /v1/chat/completions
#   claude(TEXT, MEMBER...)  of the Anthropic API, at /v1/messages
#   post(PATH, BODY), get(PATH), request(METHOD, PATH, BODY)
#
# and in other words:
#
#   at(PREFIX, CALL)         at a path that begins so
#   with(CALL, HEADER...)    with headers, each a whole line
#   streamed(CALL)           "stream": true
#   messages([ROLE, TEXT]..., MEMBER...)  a longer conversation
#
# Ways to make them:
#
#   together(CALL...)        at once; seen: all of it, sorted, in one text
#   leave(CALL, PATTERN)     the client closes once the pattern has come; no
#                            pattern: once the provider has got the call
#   started(CALL)            the call is sent; its answer is taken by
#   finished()
#
# What happens to nginx meanwhile:
#
#   reload(), reload(FROM, TO)          with a change of its configuration
#   reload_fails(FROM, TO, WORDS)       with a mistake in it
#   signal_workers(NAME)
#
# The provider at $TEST_NGINX_UPSTREAM_PORT answers the first call with "one",
# the next with "two", and so on, in the OpenAI API, unless the block has a
# section "upstream".
#
# A block without a section "request" gets one that is answered by itself.
package LLMSteps;

use strict;
use warnings;

use Exporter ();
use IO::Select;
use IO::Socket::INET;
use LLMAnswers;
use LLMTest;
use Test::Nginx::Util ();

our @ISA = 'Exporter';
our @EXPORT = qw(ask claude post get request at with streamed messages
    together leave started finished say signal_workers reload
    reload_fails);

sub import {
    my ($class) = @_;
    $class->export_to_level(1, $class);
    $class->Exporter::export('Test::Base::Filter', @EXPORT);
}

our @Numbers = qw(one two three four five six seven eight nine ten);

# Calls.

sub request {
    my ($method, $path, $body, @headers) = @_;
    return { method => $method, path => $path, body => $body // '',
             headers => [@headers] };
}

sub post { return request('POST', @_) }
sub get { return request('GET', @_) }

sub content {
    my ($text) = @_;
    return ref $text ? $$text : '"' . $text =~ s/(["\\])/\\$1/gr . '"';
}

sub messages {
    my @messages = map { ref $_ ? $_ : () } @_;
    my @members = map { ref $_ ? () : $_ } @_;
    return post('/v1/chat/completions', '{' . join(',', '"model":"m"',
        '"messages":[' . join(',', map {
            qq({"role":"$_->[0]","content":) . content($_->[1]) . '}'
        } @messages) . ']', @members) . '}');
}

sub ask {
    my ($text, @members) = @_;
    return messages(['user', $text], @members);
}

sub claude {
    my ($text, @members) = @_;
    my $call = ask($text, '"max_tokens":50', @members);
    $call->{path} = '/v1/messages';
    return $call;
}

sub at {
    my ($prefix, $call) = @_;
    return { %$call, path => "$prefix$call->{path}" };
}

sub with {
    my ($call, @headers) = @_;
    return { %$call, headers => [@{$call->{headers}}, @headers] };
}

sub streamed {
    my ($call) = @_;
    return { %$call, body => $call->{body} =~ s/\}\z/,"stream":true}/r };
}

# Making them.

sub connection {
    return IO::Socket::INET->new(PeerAddr => '127.0.0.1',
        PeerPort => $ENV{TEST_NGINX_SERVER_PORT}, Proto => 'tcp', Timeout => 5)
        // die "connect() failed: $!\n";
}

sub start {
    my ($call) = @_;
    my $socket = connection();
    syswrite $socket, join "\r\n", "$call->{method} $call->{path} HTTP/1.1",
        'Host: localhost', 'Connection: close', @{$call->{headers}},
        'Content-Length: ' . length $call->{body}, '', $call->{body};
    return $socket;
}

# Until the pattern has come, or the end of the connection.
sub receive {
    my ($socket, $awaited) = @_;
    my $select = IO::Select->new($socket);
    my $got = '';
    while (!defined $awaited || $got !~ $awaited) {
        $select->can_read(20) or die "no answer in time; so far: $got\n";
        sysread($socket, $got, 65536, length $got) or last;
    }
    return $got;
}

sub call {
    my ($call) = @_;
    return $call->() if ref $call eq 'CODE';
    return receive(start($call));
}

sub together {
    my @calls = @_;
    return sub {
        my @sockets = map { start($_) } @calls;
        return join ', ', sort map { say(receive($_)) } @sockets;
    };
}

# Until something is true.
sub await {
    my ($what, $is_true) = @_;
    for (1 .. 1000) {
        return if $is_true->();
        select undef, undef, undef, 0.01;
    }
    die "$what: not in time\n";
}

# The calls that the provider has got.
sub provider_calls {
    my $file = "$LLMTest::State/upstream_$ENV{TEST_NGINX_UPSTREAM_PORT}";
    open my $in, '<:raw', $file or return 0;
    local $/;
    my $calls = () = (<$in> // '') =~ m{POST /}g;
    return $calls;
}

# Until the provider has got so many.
sub await_provider {
    my ($count) = @_;
    await('calls of the provider', sub { provider_calls() >= ($count // 1) });
}

# Until nginx works at so many requests, beside the one that asks for it.
sub await_requests {
    my ($count) = @_;
    await('requests', sub {
        receive(start(get('/--status'))) =~ /Writing: (\d+)/
            && $1 == $count + 1;
    });
}

our @Running;

sub started {
    my ($call) = @_;
    return sub { push @Running, start($call); return '' };
}

sub finished {
    return sub { return receive(shift @Running) };
}

sub leave {
    my ($call, $awaited) = @_;
    return sub {
        my $calls = provider_calls();
        my $socket = start($call);
        defined $awaited ? receive($socket, $awaited)
                         : await_provider($calls + 1);
        close $socket;
        return '';
    };
}

# Answers.

sub head_and_body {
    my ($answer) = @_;
    my ($head, $body) = split /\r\n\r\n/, $answer, 2;
    $head //= '';
    $body //= '';
    if ($head =~ /^transfer-encoding: chunked/im) {
        my $chunks = $body;
        $body = '';
        while ($chunks =~ s/^([0-9a-f]+)\r\n//i && (my $size = hex $1)) {
            $body .= substr $chunks, 0, $size, '';
            substr $chunks, 0, 2, '';
        }
    }
    return ($head, $body);
}

sub header {
    my ($head, $name) = @_;
    my @found = $head =~ /^\Q$name\E: *([^\r\n]*)/gim;
    return @found ? join ', ', @found : undef;
}

# What is to be seen of an answer, in a few words.
sub say {
    my ($answer) = @_;
    return $answer if $answer !~ m{^HTTP/};
    my ($head, $body) = head_and_body($answer);
    my ($status) = $head =~ m{^HTTP/\S+ (\d+)};
    my @words = header($head, 'X-Cache-Status') // ();
    push @words, $status if $status != 200;
    push @words, '(error)' if $body =~ /"error" *:/;
    my $text = join '', $body =~ /"(?:content|text)":"((?:[^"\\]++|\\.)*+)"/g;
    return join ' ', @words, $text ne '' ? $text : ();
}

# The processes.

sub master {
    return Test::Nginx::Util::get_pid_from_pidfile('steps');
}

sub children {
    return sort { $a <=> $b } split ' ', `pgrep -P @{[ master() ]}`;
}

# Sends a signal to each worker that there is, and returns when others are
# there in their place.
sub signal_workers {
    my ($signal) = @_;
    return sub {
        my %before = map { $_ => 1 } children();
        kill $signal, keys %before;
        await_others(%before);
        return '';
    };
}

# Changes the configuration on disk.
sub configure {
    my ($from, $to) = @_;
    my $file = "$ENV{TEST_NGINX_SERVROOT}/conf/nginx.conf";
    open my $in, '<', $file or die "open() failed: $!";
    my $conf = do { local $/; <$in> };
    $conf =~ s/\Q$from\E/$to/ or die "no \"$from\" in $file";
    open my $out, '>', $file or die "open() failed: $!";
    print $out $conf;
    close $out;
}

# Changes the configuration, if there is something to change, and returns when
# the workers are others.
sub reload {
    my ($from, $to) = @_;
    return sub {
        configure($from, $to) if defined $from;
        my %before = map { $_ => 1 } children();
        kill 'HUP', master();
        await_others(%before);
        return '';
    };
}

# The same with a mistake: returns when the log has these words.
sub reload_fails {
    my ($from, $to, $words) = @_;
    return sub {
        configure($from, $to);
        kill 'HUP', master();
        await($words, sub {
            open my $log, '<', "$ENV{TEST_NGINX_SERVROOT}/logs/error.log"
                or return 0;
            return grep { index($_, $words) >= 0 } <$log>;
        });
        return '';
    };
}

# Until none of the old ones is there and as many new ones are.
sub await_others {
    my (%before) = @_;
    await('other workers', sub {
        my @now = children();
        return @now >= keys %before && !grep { $before{$_} } @now;
    });
}

# Blocks.

LLMTest::add_block_preprocessor(sub {
    my ($block) = @_;
    return if !defined $block->steps;

    if (!defined $block->upstream) {
        LLMTest::start_upstream([map { whole(openai_text($_)) } @Numbers]);
    }
    if (!defined $block->request) {
        $block->set_value('request', 'GET /--start');
        $block->set_value('error_code', 204);
        $block->set_value('config', $block->config
            . "\nlocation = /--start { llm off; return 204; }\n"
            . "location = /--status { llm off; stub_status; }\n");
    }
});

sub check {
    my ($name, $answer, $wanted) = @_;
    my ($seen, %headers) = ref $wanted eq 'ARRAY' ? @$wanted : ($wanted);

    if (ref $seen eq 'Regexp') {
        Test::More::like($answer, $seen, $name);
    } elsif (defined $seen) {
        Test::More::is(say($answer), $seen, $name)
            or Test::More::diag($answer);
    }
    my ($head) = head_and_body($answer);
    for my $header (sort keys %headers) {
        my $value = header($head, $header);
        if (ref $headers{$header} eq 'Regexp') {
            Test::More::like($value // '', $headers{$header},
                "$name - $header");
        } else {
            Test::More::is($value, $headers{$header}, "$name - $header");
        }
    }
}

LLMTest::add_response_body_check(sub {
    my ($block) = @_;
    my @steps = @{$block->steps // return};
    @Running = ();

    for (my $number = 1; @steps; ++$number) {
        my ($call, $wanted) = splice @steps, 0, 2;
        my $answer = eval { call($call) } // "failed: $@";
        check($block->name . " - step $number", $answer, $wanted);
    }
});

1;
