# A provider of embeddings that takes one text a call, as Titan does on
# Bedrock, on $TEST_NGINX_UPSTREAM_PORT2. It keeps connections, serves all of
# them at once and works in batches: when no more calls come for a moment, it
# answers all that there are, the latest first.
#
# The text says what becomes of it:
#
#     "t7"              the vector [7, 0.5], of 7 tokens
#     "silent"          the vector [1], usage not said
#     "429", "503", ... an error of that status; "429 3" with Retry-After: 3
#     "close", "reset"  no answer
#     "hold"            no answer, until "release" comes (in another call)
#     "once 503"        the first time so, then the vector [1]
#     "bad"             an answer that is none
#
# Other kinds of models: a body with "input" is a call for OpenAI's embeddings,
# answered with [-1] for each text; one with "messages" is a chat, of one
# message, answered with "re:" and its text, as often as "n" says, for 3 and 4
# tokens, or with the error that it names.
#
# GET /report tells of the calls since GET /forget: "calls 40, most 8,
# connections 8, open 0", where most is how many were at work at once, and open
# how many wait now.
package LLMTitan;

use v5.10.1;
use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use POSIX ();
use Socket qw(SOL_SOCKET SO_LINGER);
use Time::HiRes qw(time);

my ($child, $owner);

sub import {
    return if $child;
    my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
        LocalPort => $ENV{TEST_NGINX_UPSTREAM_PORT2}, Proto => 'tcp',
        Listen => 64, ReuseAddr => 1) or die "listen() failed: $!\n";
    $owner = $$;
    $child = fork() // die "fork() failed: $!\n";
    if ($child == 0) {
        $SIG{PIPE} = 'IGNORE';
        serve($listener);
        POSIX::_exit(0);
    }
}

END {
    if ($child && $$ == $owner) {
        local $?;
        kill 'KILL', $child;
        waitpid $child, 0;
    }
}

my (%seen, %report);

sub http {
    my ($body, $status, @headers) = @_;
    return join("\r\n", 'HTTP/1.1 ' . ($status // '200 OK'),
        'Content-Type: application/json', @headers,
        'Content-Length: ' . length $body, '', '') . $body;
}

# What a call is answered with; undef: the connection closes.
sub answer {
    my ($body) = @_;
    if ($body =~ /"input":\s*(\[.*?\]|"[^"]*")/) {
        my $texts = () = $1 =~ /"[^"]*"/g;
        return http('{"object":"list","data":[' . join(',', map {
            qq({"object":"embedding","index":$_,"embedding":[-1]})
        } 0 .. $texts - 1) . qq(],"model":"big-1","usage":{"prompt_tokens":)
            . qq($texts,"total_tokens":$texts}}));
    }
    my ($chat) = $body =~ /"content":"([^"]*)"/;
    my ($text) = defined $chat ? $chat : $body =~ /"inputText":"([^"]*)"/;
    $text = $1 if $text =~ /^once (.*)/ && !$seen{$text}++;

    if (defined $chat && $text !~ /^\d{3}/) {
        my ($n) = $body =~ /"n":(\d+)/;
        return http('{"id":"c1","object":"chat.completion","created":1,'
            . '"model":"big-1","choices":[' . join(',', map {
                qq({"index":$_,"message":{"role":"assistant","content":)
                . qq("re:$text"},"finish_reason":"stop"})
            } 0 .. ($n // 1) - 1) . '],"usage":{"prompt_tokens":3,'
            . '"completion_tokens":4,"total_tokens":7}}');
    }
    if ($text =~ /^t(\d+)/) {
        return http(qq({"embedding":[$1,0.5],"inputTextTokenCount":$1}));
    } elsif ($text =~ /^(\d{3})(?: (\d+))?$/) {
        return http(qq({"message":"status $1"}), "$1 No",
            defined $2 ? "Retry-After: $2" : ());
    } elsif ($text eq 'close' || $text eq 'reset') {
        return undef;
    } elsif ($text eq 'bad') {
        return http('{"embedding":"none"}');
    }
    return http('{"embedding":[1]}');
}

sub serve {
    my ($listener) = @_;
    my $select = IO::Select->new($listener);
    my (%input, @calls, @held, $due);

    my $drop = sub {
        my ($socket) = @_;
        $select->remove($socket);
        delete $input{$socket};
        @calls = grep { $_->[0] != $socket } @calls;
        @held = grep { $_->[0] != $socket } @held;
        close $socket;
    };

    while (1) {
        my $wait = @calls ? $due - time : undef;
        my @ready = defined $wait && $wait <= 0 ? ()
            : $select->can_read($wait);

        for my $socket (@ready) {
            if ($socket == $listener) {
                my $new = $listener->accept() or next;
                $select->add($new);
                $input{$new} = '';
                next;
            }
            if (!sysread $socket, $input{$socket}, 65536,
                length $input{$socket}) {
                $drop->($socket);
                next;
            }
            my ($head, $body) = split /\r\n\r\n/, $input{$socket}, 2;
            next if !defined $body;
            next if $head =~ /^content-length:\s*(\d+)/im
                && length $body < $1;
            $input{$socket} = '';

            if ($head =~ m{^GET /forget}) {
                %report = %seen = ();
                syswrite $socket, http('""');
                next;
            }
            if ($head =~ m{^GET /report}) {
                my $open = @calls + @held;
                syswrite $socket, http(sprintf('"calls %d, most %d, '
                    . 'connections %d, open %d"', $report{calls} // 0,
                    $report{most} // 0,
                    scalar keys %{$report{connections} // {}}, $open));
                next;
            }
            $report{calls}++;
            $report{connections}{$socket} = 1;
            $due = time + 0.05;
            if ($body =~ /"hold"/) {
                push @held, [$socket, $body];
            } else {
                push @calls, [$socket, $body];
            }
            my $now = @calls + @held;
            $report{most} = $now if $now > ($report{most} // 0);
        }
        next if @ready;

        # All of the batch, the latest first.
        if (grep { $_->[1] =~ /"release"/ } @calls) {
            push @calls, splice @held;
        }
        for my $call (reverse splice @calls) {
            my ($socket, $body) = @$call;
            my $answer = answer($body);
            if (defined $answer) {
                syswrite $socket, $answer;
                next;
            }
            setsockopt $socket, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0)
                if $body =~ /"reset"/;
            $drop->($socket);
        }
    }
}

1;
