# Names of providers are looked up while nginx runs, by a name server of this
# file: what a name resolves to is told by its first label.

use lib 't/lib';
use LLMTest;

use IO::Socket::INET;

# The name server is a child; LLMTest has found the port free.
our $dns = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
    LocalPort => $ENV{TEST_NGINX_UPSTREAM_PORT4}, Proto => 'udp')
    or die "bind() failed: $!\n";
our $dns_pid = fork() // die "fork() failed: $!\n";
if ($dns_pid == 0) {
    serve_names();
    POSIX::_exit(0);
}
close $dns;
END {
    if ($dns_pid) {
        local $?;
        kill 'KILL', $dns_pid;
        waitpid $dns_pid, 0;
    }
}

our $servers = 'resolver 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT4;'
    . 'resolver_timeout 200ms;'
    . 'server { listen 127.0.0.1:$TEST_NGINX_UPSTREAM_PORT;'
    . ' default_type application/json;'
    . ' location / { return 200 \'{"id":"c1","object":"chat.completion",'
    . '"created":1,"model":"m","choices":[{"index":0,"message":'
    . '{"role":"assistant","content":"hello $host"},'
    . '"finish_reason":"stop"}]}\'; } }';
our $call = "POST /v1/chat/completions\n"
    . '{"model":"any","messages":[{"role":"user","content":"hi"}]}';

# RFC 1035. one: an address; both: one that answers, of IPv4, and one of IPv6
# that does not; none: no such name; silent: no answer at all.
sub serve_names {
    my %a = (one => ['127.0.0.1'], both => ['127.0.0.1']);
    my %aaaa = (both => ["\x20\x01\x0d\xb8" . "\0" x 11 . "\x01"]);

    while ($dns->recv(my $query, 4096)) {
        my ($id) = unpack 'n', $query;
        my $question = substr $query, 12;
        $question =~ /\A((?:[^\0].*?)??\0..\0\x01)/s or next;
        $question = $1;
        my $type = unpack 'n', substr $question, -4;
        my $name = substr $question, 1, ord $question;
        next if $name eq 'silent';

        my @records = $type == 1 ? map { pack 'C4', split /\./ } @{$a{$name} // []}
            : $type == 28 ? @{$aaaa{$name} // []} : ();
        my $code = exists $a{$name} ? 0 : 3;
        $dns->send(pack('n6', $id, 0x8180 | $code, 1, scalar @records, 0, 0)
            . $question
            . CORE::join('', map {
                pack 'n n n N n/a*', 0xc00c, $type, 1, 60, $_
            } @records));
    }
}

run_tests();

__DATA__

=== TEST 1: a name is looked up when it is needed
--- http_config eval
$main::servers . 'llm_provider p {
    format openai;
    url http://one.test:$TEST_NGINX_UPSTREAM_PORT;
}'
--- config
location / { llm_pass p; }
--- request eval
[($main::call) x 2]
--- error_code eval
[200, 200]
--- response_body_like eval
["hello one.test", "hello one.test"]



=== TEST 2: IPv4 goes before IPv6
--- http_config eval
$main::servers . 'llm_provider p {
    format openai;
    url http://both.test:$TEST_NGINX_UPSTREAM_PORT;
    keepalive 0;
}'
--- config
location / { llm_pass p; add_header X-Address $upstream_addr; }
--- request eval
[($main::call) x 3]
--- error_code eval
[(200) x 3]
--- response_headers_like eval
[('X-Address: 127\.0\.0\.1:\d+') x 3]



=== TEST 3: a name that does not exist is a 503
--- http_config eval
$main::servers . 'llm_provider p { format openai; url http://none.test; }'
--- config
location / { llm_pass p; }
--- request eval
$main::call
--- error_code: 503
--- error_log
llm: "none.test" could not be resolved (3: Host not found)



=== TEST 4: a name server that says nothing does not hold up a call for long
--- http_config eval
$main::servers . 'llm_provider p { format openai; url http://silent.test; }'
--- config
location / { llm_pass p; }
--- request eval
$main::call
--- error_code: 503
--- error_log
llm: "silent.test" could not be resolved (110: Operation timed out)



=== TEST 5: a client that leaves during the look-up harms nobody
--- http_config eval
$main::servers . 'llm_provider p { format openai; url http://silent.test; }'
--- config
location / { llm_pass p; }
--- request eval
$main::call
--- timeout: 50ms
--- abort
--- ignore_response
--- wait: 0.3
--- error_log
llm: "silent.test" could not be resolved (110: Operation timed out)



=== TEST 6: another member answers when a name cannot be resolved
--- http_config eval
$main::servers . 'llm_provider gone { format openai; url http://none.test; }
llm_provider p {
    format openai;
    url http://one.test:$TEST_NGINX_UPSTREAM_PORT;
}
llm_upstream chat { model gone/m; model p/m; }'
--- config
location / { llm_pass chat; }
--- request eval
$main::call
--- error_code: 200
--- response_headers
X-LLM-Model: p/m
--- error_log
llm: "none.test" could not be resolved



=== TEST 7: localhost needs no name server
--- http_config eval
$main::servers . 'llm_provider p {
    format openai;
    url http://LocalHost:$TEST_NGINX_UPSTREAM_PORT;
}'
--- config
location / { llm_pass p; }
--- request eval
$main::call
--- error_code: 200
