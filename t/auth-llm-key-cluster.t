# scripts/llm-key with a Redis cluster: keys are on the nodes that their
# digests belong to, whichever node is named.
# HUP: no, because what it creates lives through a reload.

use lib 't/lib';
use LLMTest;
use LLMRedis;
use Digest::SHA ();

our @nodes = LLMRedis->cluster();

our $Http = q{
    llm_redis keys {
        server 127.0.0.1:$TEST_NGINX_REDIS_PORT;
        cluster on;
        timeout 5s;
        connect_timeout 5s;
    }
};

our $Config = q{
    location /v1/ {
        llm_auth redis=keys ttl=0 negative_ttl=0;
        add_header X-Who "$llm_consumer|$llm_consumer_group|";
        llm_simulate openai;
    }
};

# By way of any node.
sub llm_key {
    my ($node, @words) = @_;
    my $said = `timeout 20 $LLMTest::Root/scripts/llm-key @words --redis redis://127.0.0.1:@{[$node->port]} 2>&1`;
    chomp $said;
    return $said;
}

sub ask {
    my ($key) = @_;
    my $url = "http://127.0.0.1:$ENV{TEST_NGINX_SERVER_PORT}/v1/models";
    my $head = `curl -s -m 10 -I -H 'x-api-key: $key' $url`;
    my ($status) = $head =~ m{^HTTP/1.1 (\d+)};
    my ($who) = $head =~ /^X-Who: (.*?)\r/m;
    return $status . ($status == 200 ? " $who" : '');
}

run_tests();

__DATA__

=== TEST 1: created, listed and revoked, on all nodes
--- http_config eval: $::Http
--- config eval: $::Config
--- script
my @keys = map { llm_key($::nodes[$_ % 6], 'create', "user$_", '--group', 'g') }
    1 .. 18;
is(scalar(grep { /^sk-[\w-]{43}$/ } @keys), 18);
for my $i (1 .. 18) {
    is(ask($keys[$i - 1]), "200 user$i|g|");
}
my $spread = grep { $_->cli('KEYS', 'llm:key:*') } @::nodes[0 .. 2];
is($spread, 3, 'each master has some');

# A replica knows where keys are, too.
for my $node (@::nodes[0, 5]) {
    my @listed = split /\n/, llm_key($node, 'list');
    is(scalar @listed, 18);
    is(scalar(grep { /^user\d+\t[0-9a-f]{64}\tgroup=g$/ } @listed), 18);
}

my $digest = Digest::SHA::sha256_hex($keys[6]);
is(llm_key($::nodes[1], 'revoke', $digest), '1 revoked');
is(ask($keys[6]), '401');
is(llm_key($::nodes[4], 'revoke', 'user8'), '1 revoked');
is(ask($keys[7]), '401');
is(scalar(my @left = split /\n/, llm_key($::nodes[2], 'list')), 16);



=== TEST 2: while a slot moves
--- http_config eval: $::Http
--- config eval: $::Config
--- script
my $key = llm_key($::nodes[0], 'create', 'mover');
my $name = 'llm:key:' . Digest::SHA::sha256_hex($key);
my ($from) = node_of($name);
my $to = other_master($from);
my $slot = $from->cli('CLUSTER', 'KEYSLOT', $name);
move_slot($slot, $from, $to);
$from->cli('MIGRATE', '127.0.0.1', $to->port, $name, 0, 1000);
is(scalar(grep { /^mover\t/ } split /\n/, llm_key($from, 'list')), 1);
is(llm_key($from, 'revoke', 'mover'), '1 revoked');
slot_moved($slot, $to);
is(ask($key), '401');
