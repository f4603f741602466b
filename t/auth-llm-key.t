# scripts/llm-key: what it creates lets in, what it revokes does not.
# HUP: no, because it changes files of its own.

use lib 't/lib';
use LLMTest;
use LLMRedis;
use Digest::SHA ();

our $redis = LLMRedis->server();

our $Http = q{
    llm_redis keys { server 127.0.0.1:$TEST_NGINX_REDIS_PORT;
        timeout 5s; connect_timeout 5s; }
};

our $Config = q{
    location /v1/ {
        llm_auth file=$TEST_NGINX_SERVER_ROOT/html/keys;
        add_header X-Who "$llm_consumer|$llm_consumer_group|$llm_key_rate|$llm_key_rate_daily|$llm_key_team|";
        llm_simulate openai;
    }
    location /redis/v1/ {
        llm_auth redis=keys ttl=0 negative_ttl=0;
        add_header X-Who "$llm_consumer|$llm_consumer_group|$llm_key_rate|$llm_key_rate_daily|$llm_key_team|";
        llm_simulate openai;
    }
};

our @Options = ('--group', 'research', '--expires', '2099-12-31', '--models',
    'm,gpt-*', '--rate', '10k/m', '--rate', 'daily=1m/d', '--meta',
    'team=R "17" \\ #1');

sub llm_key {
    my @words = map { "'" . s/'/'\\''/gr . "'" } @_;
    my $said = `timeout 20 $LLMTest::Root/scripts/llm-key @words 2>&1`;
    chomp $said;
    return $said;
}

sub file { return ('--file', "$ENV{TEST_NGINX_SERVROOT}/html/keys") }

sub redis { return ('--redis', 'redis://127.0.0.1:' . $redis->port) }

sub ask {
    my ($key, $path) = @_;
    my $url = "http://127.0.0.1:$ENV{TEST_NGINX_SERVER_PORT}$path/v1/models";
    my $head = `curl -s -m 10 -I -H 'x-api-key: $key' $url`;
    my ($status) = $head =~ m{^HTTP/1.1 (\d+)};
    my ($who) = $head =~ /^X-Who: (.*?)\r/m;
    return $status . ($status == 200 ? " $who" : '');
}

run_tests();

__DATA__

=== TEST 1: in a file
--- http_config eval: $::Http
--- config eval: $::Config
--- redis
--- user_files
>>> keys
# A comment stays.
--- script
my $key = llm_key('create', 'alice', @::Options, ::file());
like($key, qr/^sk-[\w-]{43}$/);
soon sub {
    ask($key, '') eq '200 alice|research|10k/m|1m/d|R "17" \ #1|'
};
my $text = `cat $ENV{TEST_NGINX_SERVROOT}/html/keys`;
like($text, qr/^# A comment stays.\nalice [0-9a-f]{64} group=research /);
unlike($text, qr/\Q$key\E/);

my $other = llm_key('create', 'alice', ::file());
soon sub { ask($other, '') =~ /^200/ };
my $digest = Digest::SHA::sha256_hex($other);
like(llm_key('list', ::file()), qr/^alice\t\w{64}\t.*\nalice\t$digest$/);

is(llm_key('revoke', CORE::substr($digest, 0, 12), ::file()), '1 revoked');
soon sub { ask($other, '') eq '401' };
like(ask($key, ''), qr/^200/);
is(llm_key('revoke', 'alice', ::file()), '1 revoked');
soon sub { ask($key, '') eq '401' };
is(llm_key('list', ::file()), '');
is(llm_key('revoke', 'alice', ::file()), 'llm-key: no key of "alice"');



=== TEST 2: in Redis
--- http_config eval: $::Http
--- config eval: $::Config
--- redis
--- user_files
>>> keys
--- script
my $key = llm_key('create', 'alice', @::Options, ::redis());
is(ask($key, '/redis'), '200 alice|research|10k/m|1m/d|R "17" \ #1|');
my $digest = Digest::SHA::sha256_hex($key);
like(llm_key('list', ::redis()),
    qr/^alice\t$digest\t.*group=research.*rate=10k\/m/);
is($::redis->cli('EXISTS', "llm:key:$digest"), 1);
is(llm_key('revoke', $digest, ::redis()), '1 revoked');
is(ask($key, '/redis'), '401');



=== TEST 3: what makes no sense is refused
--- http_config eval: $::Http
--- config eval: $::Config
--- redis
--- user_files
>>> keys
--- script
my @file = ::file();
is(llm_key('create', 'a b', @file), 'llm-key: invalid name "a b"');
is(llm_key('create', '#a', @file), 'llm-key: a name does not begin with #');
is(llm_key('create', 'a', '--expires', 'soon', @file),
    'llm-key: invalid --expires "soon"');
is(llm_key('create', 'a', '--expires', '2027-02-30', @file),
    'llm-key: invalid --expires "2027-02-30"');
is(llm_key('create', 'a', '--expires', '2027-02-28T24:00:00Z', @file),
    'llm-key: invalid --expires "2027-02-28T24:00:00Z"');
for my $rate (qw(200k 200x/m 0/m 1.5/m 1/w 1/2month 1/367d 1/0m 9999999999m/m)) {
    is(llm_key('create', 'a', '--rate', $rate, @file),
        qq(llm-key: invalid --rate "$rate"));
}
is(llm_key('create', 'a', '--rate', 'a=b=1/m', @file),
    'llm-key: invalid --rate "a=b"');
my $long = "\xd0\xb6" x 65;
is(llm_key('create', $long, @file), qq(llm-key: invalid name "$long"));
is(llm_key('create', 'a', '--models', 'x,,y', @file),
    'llm-key: invalid --models "x,,y"');
is(llm_key('create', 'a', '--models', 'x, ,y', @file),
    'llm-key: invalid --models "x, ,y"');
is(llm_key('create', 'a', '--meta', 'x', @file),
    'llm-key: no NAME=VALUE in --meta "x"');
is(llm_key('create', 'a', '--meta', "x=a\nb", @file),
    "llm-key: invalid --meta \"a\nb\"");
is(llm_key('list', '--redis', 'http://x'),
    'llm-key: no URL of Redis: redis://HOST[:PORT]');
is(-s $file[1], 0);



=== TEST 4: whatever it takes, nginx takes
--- http_config eval: $::Http
--- config eval: $::Config
--- redis
--- user_files
>>> keys
--- script
my @rates = qw(1/s 200k/m 1.5k/10m 2M/24h 0.25usd/d 1.0/366d 500USD/month);
my @words = map { ('--rate', "r$_=$rates[$_]") } 0 .. $#rates;
my $key = llm_key('create', "\xd0\xb6" x 64, '--expires',
    '2096-02-29T23:59:59Z', '--models', 'm, gpt-*', '--meta', "team=a\xe2\x80\xa8b", @words, ::file());
soon sub { ask($key, '') =~ /^200/ };
# A line ends where nginx sees an end.
my $other = llm_key('create', 'bob', ::file());
soon sub { ask($other, '') =~ /^200/ };
like(ask($key, ''), qr/^200/);
