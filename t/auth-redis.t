# llm_auth redis=...: a hash in Redis for each key, so that keys are issued and
# revoked without a file; what Redis said is remembered for a while.

use lib 't/lib';
use LLMTest;
use LLMRedis;
use Digest::SHA ();

workers(2);
master_on();

# What is known of a key may live through the reload between two tests: each
# has keys of its own.
our $redis = LLMRedis->server();

our $Http = q{
    llm_redis keys {
        server 127.0.0.1:$TEST_NGINX_REDIS_PORT;
        timeout 5s;
        connect_timeout 5s;
        fail_timeout 100ms;
    }
};

sub location_of {
    my ($more) = @_;
    return "location /v1/ { llm_auth redis=keys $more; "
        . "add_header X-Who \"\$llm_consumer|\$llm_consumer_group|"
        . "\$llm_key_rate|\$llm_key_team|\" always;"
        . "llm_simulate openai reply=hello; }";
}

sub digest { return Digest::SHA::sha256_hex($_[0]) }

sub issue {
    my ($key, @fields) = @_;
    $redis->cli('HSET', 'llm:key:' . digest($key), @fields);
}

sub revoke { $redis->cli('DEL', 'llm:key:' . digest($_[0])) }

# Status and X-Who of a call with the key.
sub ask {
    my ($key, $model) = @_;
    my $url = "http://127.0.0.1:$ENV{TEST_NGINX_SERVER_PORT}"
        . '/v1/chat/completions';
    $model //= 'm';
    my $body = qq({"model":"$model","messages":[{"role":"user",)
        . '"content":"Hi"}]}';
    my $head = `curl -s -m 10 -o /dev/null -D - -H 'x-api-key: $key' -d '$body' $url`;
    my ($status) = $head =~ m{^HTTP/1.1 (\d+)};
    my ($who) = $head =~ /^X-Who: (.*?)\r/m;
    return $status . (defined $who && $status == 200 ? " $who" : '');
}

# How often a key was asked for.
sub asked {
    my ($count) = $redis->cli('INFO', 'commandstats')
        =~ /cmdstat_hgetall:calls=(\d+)/;
    return $count // 0;
}

run_tests();

__DATA__

=== TEST 1: a key in Redis
--- http_config eval: $::Http
--- config eval: ::location_of('')
--- redis
--- script
::issue('sk-a', name => 'alice', group => 'g', rate => '10k/m',
    'meta.team' => 'R 17', models => 'm,gpt-*');
is(ask('sk-a'), '200 alice|g|10k/m|R 17|');
is(ask('sk-a', 'o3'), 403);
is(ask('sk-b'), 401);



=== TEST 2: it is not asked for again
--- http_config eval: $::Http
--- config eval: ::location_of('ttl=1h')
--- redis
--- script
::issue('sk-2', name => 'alice');
is(ask('sk-2'), '200 alice||||');
my $asked = ::asked();
is(ask('sk-2'), '200 alice||||') for 1 .. 10;
is(::asked(), $asked);



=== TEST 3: nor is a wrong one
--- http_config eval: $::Http
--- config eval: ::location_of('negative_ttl=1h')
--- redis
--- script
is(ask('sk-3'), 401);
my $asked = ::asked();
is(ask('sk-3'), 401) for 1 .. 10;
is(::asked(), $asked);



=== TEST 4: a new key, and a revoked one, after their time
--- http_config eval: $::Http
--- config eval: ::location_of('ttl=200ms negative_ttl=200ms')
--- redis
--- script
is(ask('sk-4'), 401);
::issue('sk-4', name => 'alice');
soon sub { ask('sk-4') eq '200 alice||||' };
::revoke('sk-4');
soon sub { ask('sk-4') eq '401' };



=== TEST 5: an expired key, remembered or not
--- http_config eval: $::Http
--- config eval: ::location_of('ttl=1h')
--- redis
--- script
my @soon = gmtime(time + 4);
::issue('sk-5', name => 'alice', expires => sprintf
    '%04d-%02d-%02dT%02d:%02d:%02dZ', $soon[5] + 1900, $soon[4] + 1,
    reverse @soon[0 .. 3]);
is(ask('sk-5'), '200 alice||||');
soon sub { ask('sk-5') eq '401' };



=== TEST 6: Redis is away: who was known goes on, who was not is not let in
--- http_config eval: $::Http
--- config eval: ::location_of('ttl=100ms')
--- redis
--- script
::issue('sk-6', name => 'alice');
is(ask('sk-6'), '200 alice||||');
$::redis->kill;
select undef, undef, undef, 0.2;
is(ask('sk-6'), '200 alice||||') for 1 .. 3;
is(ask('sk-unknown-6'), 503);
$::redis->start;
soon sub { ask('sk-unknown-6') eq '401' };
--- error_log
llm_auth: llm_redis "keys" was asked for a key:



=== TEST 7: ... and no longer than it may
--- http_config eval: $::Http
--- config eval: ::location_of('ttl=100ms stale=0')
--- redis
--- script
::issue('sk-7', name => 'alice');
is(ask('sk-7'), '200 alice||||');
$::redis->kill;
soon sub { ask('sk-7') eq '503' };
$::redis->start;
soon sub { ask('sk-7') =~ /^(200|401)/ };
--- error_log
llm_auth: llm_redis "keys" was asked for a key:



=== TEST 8: a hash that makes no sense lets nobody in
--- http_config eval: $::Http
--- config eval: ::location_of('')
--- redis
--- script
::issue('sk-8', name => 'alice', expires => 'soon');
is(ask('sk-8'), 401);
--- error_log
its hash invalid expires "soon"



=== TEST 9: nor does a key of another kind
--- http_config eval: $::Http
--- config eval: ::location_of('')
--- redis
--- script
$::redis->cli('SET', 'llm:key:' . ::digest('sk-9'), 'x');
is(ask('sk-9'), 503);
--- error_log
WRONGTYPE



=== TEST 10: a prefix of one's own
--- http_config eval: $::Http
--- config eval: ::location_of('prefix=gw/')
--- redis
--- script
$::redis->cli('HSET', 'gw/' . ::digest('sk-10'), 'name', 'alice');
is(ask('sk-10'), '200 alice||||');



=== TEST 11: a client that leaves while Redis is asked
--- http_config eval: $::Http
--- config eval: ::location_of('')
--- redis
--- script
$::redis->pause;
my $url = "http://127.0.0.1:$ENV{TEST_NGINX_SERVER_PORT}/v1/models";
`curl -s -m 0.1 -H 'x-api-key: sk-11' $url`;
$::redis->resume;
::issue('sk-11', name => 'alice');
soon sub { ask('sk-11') eq '200 alice||||' };



=== TEST 12: what is remembered survives a reload
--- http_config eval: $::Http
--- config eval: ::location_of('ttl=1h')
--- redis
--- script
::issue('sk-12', name => 'alice');
is(ask('sk-12'), '200 alice||||');
my $asked = ::asked();
my $master = Test::Nginx::Util::get_pid_from_pidfile('reload');
my %before = map { $_ => 1 } split ' ', `pgrep -P $master`;
kill 'HUP', $master;
soon sub {
    my @now = split ' ', `pgrep -P $master`;
    @now && !grep { $before{$_} } @now
};
is(ask('sk-12'), '200 alice||||');
is(::asked(), $asked);



=== TEST 13: Redis is away: "satisfy any" asks the others
--- http_config eval: $::Http
--- config
llm_auth redis=keys;
satisfy any;
allow 127.0.0.1;
deny all;
location /v1/ {
    llm_deny_models no;
    error_page 403 = @again;
    llm_simulate openai;
}
location @again {
    add_header X-Who again;
    llm_simulate openai;
}
--- redis
--- script
$::redis->kill;
is(ask('sk-unknown-13'), 200);
is(ask('sk-unknown-13', 'no'), '200 again');
$::redis->start;
--- error_log
llm_auth: llm_redis "keys" was asked for a key:



=== TEST 14: ... and if they do not let it in, either, it is still a 503
--- http_config eval: $::Http
--- config eval: ::location_of('ttl=100ms; satisfy any; deny all')
--- redis
--- script
is(ask('sk-unknown-14'), 401) for 1 .. 2;
$::redis->kill;
soon sub { ask('sk-unknown-14') eq '503' };
$::redis->start;
soon sub { ask('sk-unknown-14') eq '401' };
--- error_log
llm_auth: llm_redis "keys" was asked for a key:
