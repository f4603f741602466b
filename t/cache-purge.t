# llm_cache_purge: all entries, those of a partition, or one.
# HUP: no, because entries live through a reload.

use lib 't/lib';
use LLMTest;
use LLMAnswers;
use LLMSteps;

our $HttpConfig = q{
    llm_provider openai {
        url http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/v1;
        keepalive 0;
    }
    llm_cache_zone answers { memory 1m; }
    llm_cache_zone others { memory 1m; }
};

our $Config = q{
    llm_cache answers;
    add_header X-Partition $llm_cache_partition;
    location / { llm_pass openai; }
    location /others/ { llm_pass openai; llm_cache others; }
    location = /purge { llm_cache_purge answers; }
    location = /closed { llm_cache_purge answers; deny all; }
    location = /secret {
        llm_cache_purge answers;
        satisfy any;
        deny all;
        auth_basic purge;
        auth_basic_user_file $TEST_NGINX_SERVER_ROOT/html/users;
    }
    location /proxy/ {
        llm on;
        proxy_pass http://127.0.0.1:$TEST_NGINX_UPSTREAM_PORT/;
    }
};

our $Hello = ask('Who is Joseph Conrad?');
our $Please = ask('Please tell me, who is Joseph Conrad?');

sub purge { return request($_[1] // 'DELETE', '/purge' . ($_[0] // '')) }
sub purged { return qr/^HTTP\/1\.1 200.*^Content-Type: application\/json\r.*\{"purged":$_[0]\}\n\z/sm }

# A purge of what the last answer to a call says in this header.
sub purge_of {
    my ($argument, $header, $call) = @_;
    return sub {
        LLMSteps::call($call) =~ /^$header: (\w{64})/im;
        return LLMSteps::call(purge("?$argument=$1"));
    };
}

run_tests();

__DATA__

=== TEST 1: all of a zone, and nothing of another one
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    $::Hello => 'Miss one',
    at('/others', $::Hello) => 'Miss two',
    ask('Hi') => 'Miss three',
    ::purge() => ::purged(2),
    $::Hello => 'Miss four',
    $::Please => 'Hit four',
    at('/others', $::Hello) => 'Hit two',
    ::purge() => ::purged(1),
    ::purge() => ::purged(0),
]



=== TEST 2: with POST and PURGE, too; no other method
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    $::Hello => 'Miss one',
    (map { ::purge('', $_) => qr/^HTTP\/1\.1 405/ } 'GET', 'PUT', 'OPTIONS', 'HEAD'),
    $::Hello => 'Hit one',
    ::purge('', 'POST') => ::purged(1),
    $::Hello => 'Miss two',
    ::purge('', 'PURGE') => ::purged(1),
    $::Hello => 'Miss three',
]



=== TEST 3: a body is of no account
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    $::Hello => 'Miss one',
    post('/purge', '{"partition":"x"}') => ::purged(1),
]



=== TEST 4: one entry by its key
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    $::Hello => 'Miss one',
    ask('Hi') => 'Miss two',
    ::purge_of('key', 'X-Cache-Key', $::Hello) => ::purged(1),
    ask('Hi') => 'Hit two',
    $::Please => 'Miss three',
    $::Hello => 'Hit three',
]



=== TEST 5: ... which a semantic hit tells, too
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    $::Hello => 'Miss one',
    ::purge_of('key', 'X-Cache-Key', $::Please) => ::purged(1),
    $::Hello => 'Miss two',
]



=== TEST 6: in capitals as well; one that is not there
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    $::Hello => 'Miss one',
    sub {
        LLMSteps::call($::Hello) =~ /^X-Cache-Key: (\w+)/im;
        LLMSteps::call(::purge("?key=\U$1"));
    } => ::purged(1),
    ::purge('?key=' . '0' x 64) => ::purged(0),
]



=== TEST 7: a partition
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
my $as = sub { with($_[1], "Authorization: $_[0]") };
[
    $as->('alice', $::Hello) => 'Miss one',
    $as->('alice', ask('Hi')) => 'Miss two',
    $as->('bob', $::Hello) => 'Miss three',
    ::purge_of('partition', 'X-Partition', $as->('alice', $::Hello)) => ::purged(2),
    $as->('alice', $::Please) => 'Miss four',
    $as->('alice', ask('Hi')) => 'Miss five',
    $as->('bob', $::Hello) => 'Hit three',
]



=== TEST 8: entries that are not found by meaning are of a partition, too
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
my $two = ask('Who is Joseph Conrad?', '"n":2');
[
    $two => 'Miss one',
    ::purge_of('partition', 'X-Partition', $two) => ::purged(1),
    $two => 'Miss two',
]



=== TEST 9: arguments that are none purge nothing
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
my $k = '0' x 64;
[
    $::Hello => 'Miss one',
    ::purge('?key=') => qr/^HTTP\/1\.1 400.*64 hexadecimal digits/s,
    ::purge('?key=12') => qr/^HTTP\/1\.1 400/,
    ::purge("?key=${k}0") => qr/^HTTP\/1\.1 400/,
    ::purge('?key=' . 'g' x 64) => qr/^HTTP\/1\.1 400/,
    ::purge('?partition=../' . '0' x 61) => qr/^HTTP\/1\.1 400/,
    ::purge("?key=$k&partition=$k") => qr/^HTTP\/1\.1 400.*not both/s,
    ::purge("?partitoin=$k") => qr/^HTTP\/1\.1 400.*the arguments are/s,
    ::purge("?keys=$k") => qr/^HTTP\/1\.1 400/,
    $::Hello => 'Hit one',
    ::purge('?') => ::purged(1),
]



=== TEST 10: access directives guard it
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- user_files
>>> users
admin:{PLAIN}secret
--- steps eval
[
    $::Hello => 'Miss one',
    request('DELETE', '/closed') => qr/^HTTP\/1\.1 403/,
    request('DELETE', '/secret') => qr/^HTTP\/1\.1 401/,
    with(request('DELETE', '/secret'), 'Authorization: Basic YWRtaW46eA==') => qr/^HTTP\/1\.1 401/,
    $::Hello => 'Hit one',
    with(request('DELETE', '/secret'), 'Authorization: Basic YWRtaW46c2VjcmV0') => ::purged(1),
    $::Hello => 'Miss two',
]
--- error_log
access forbidden by rule



=== TEST 11: what was kept for a provider's failure is gone with it
--- http_config eval: $::HttpConfig
--- config eval
"llm_cache_ttl 1s; llm_cache_stale 1h;\n$::Config"
--- upstream eval
[whole(openai_text('one')), whole('{}', '500 Oh')]
--- steps eval
[
    $::Hello => 'Miss one',
    sub { select undef, undef, undef, 1.1; 'later' } => 'later',
    ::purge() => ::purged(1),
    $::Hello => qr/^HTTP\/1\.1 500.*Miss/s,
]



=== TEST 12: it is logged
--- http_config eval: $::HttpConfig
--- config eval: $::Config
--- steps eval
[
    at('/proxy', $::Hello) => 'Miss one',
    ::purge() => ::purged(1),
    at('/proxy', $::Hello) => 'Miss two',
]
--- error_log
llm: 1 entries of "answers" purged
