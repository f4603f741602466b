# Gateways that share a cache in Redis, for tests. Two zones of one nginx with
# one prefix are as much apart as two machines are: each has a memory of its
# own, and follows the stream by itself.
#
#     use LLMTest;
#     use LLMRedis;
#     use LLMCache;
#
#     our $redis = LLMRedis->server();
#     --- http_config eval: two_gateways('index memory;')
#     --- config eval: $LLMCache::Locations
#     --- script
#     is(ask('/a', 'Who is it?'), 'Miss');
#
# In scripts:
#
#     ask(PATH, QUESTION, MEMBER...)
#                             "Miss", "Hit", "Hit semantic", ...; what is
#                             stored is stored when it returns, but for Redis
#     key(PATH, QUESTION)     X-Cache-Key of the same
#     purge(ARGUMENTS)        by gateway a: the answer's status
#     entries(ZONE)           how many its memory has
package LLMCache;

use v5.10.1;
use strict;
use warnings;

use IO::Socket::INET;

sub import {
    my $caller = caller;
    no strict 'refs';
    *{"${caller}::$_"} = \&{$_}
        for qw(two_gateways ask key purge entries http);
}

# Lines of both zones; ZONE => lines of one.
sub two_gateways {
    my ($lines, %own) = @_;
    my $zone = sub {
        my ($name) = @_;
        return "llm_cache_zone $name { memory 2m; redis shared;"
            . " prefix test:; $lines @{[$own{$name} // '']} }\n";
    };
    return 'llm_redis shared { server 127.0.0.1:$TEST_NGINX_REDIS_PORT;'
        . ' timeout 5s; connect_timeout 5s; fail_timeout 200ms; }' . "\n"
        . $zone->('a') . $zone->('b') . q{
        llm_provider simulated {
            format openai;
            url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2/v1;
        }
        server {
            listen 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT2;
            location / { llm_simulate openai reply=lorem tokens=5; }
        }
    };
}

our $Locations = q{
    location /a/ { llm_pass simulated; llm_cache a; }
    location /b/ { llm_pass simulated; llm_cache b; }
    location = /purge { llm_cache_purge a; }
    location = /status { llm_status; }
};

# Head and body of an answer.
sub http {
    my ($method, $path, $body) = @_;
    $body //= '';
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
        PeerPort => $ENV{TEST_NGINX_SERVER_PORT}, Proto => 'tcp',
        Timeout => 5) or die "connect() failed: $!";
    syswrite $socket, "$method $path HTTP/1.1\r\nHost: localhost\r\n"
        . "Connection: close\r\nContent-Length: @{[length $body]}\r\n\r\n"
        . $body;
    my $got = '';
    local $SIG{ALRM} = sub { die "no answer\n" };
    alarm 20;
    1 while sysread $socket, $got, 65536, length $got;
    alarm 0;
    return split /\r\n\r\n/, $got, 2;
}

sub call {
    my ($path, $question, @members) = @_;
    my $members = join '', map { ",$_" } @members;
    my ($head) = http('POST', "$path/v1/chat/completions",
        qq({"model":"m","messages":[{"role":"user","content":"$question"}])
        . "$members}");
    return $head;
}

sub ask {
    my $head = call(@_);
    $head =~ m{^HTTP/1.1 200} or return $head;
    my ($status) = $head =~ /^X-Cache-Status: (\S+)/mi;
    return ($status // 'none')
        . ($head =~ /^X-Cache-Similarity:/mi ? ' semantic' : '');
}

sub key {
    my ($key) = call(@_) =~ /^X-Cache-Key: (\S+)/mi;
    return $key;
}

sub purge {
    my ($arguments) = @_;
    my ($head) = http('DELETE', '/purge' . ($arguments // ''));
    return $head =~ m{^HTTP/1.1 (\d+)} ? $1 : $head;
}

sub entries {
    my ($zone) = @_;
    my (undef, $body) = http('GET', '/status');
    my ($entries) = $body =~ /"$zone":\{[^{}]*"entries":(\d+)/;
    return $entries;
}

1;
