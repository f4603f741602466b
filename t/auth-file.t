# A key file that changes while nginx runs is read again, in all workers, and
# a file that makes no sense takes nothing from anybody.
# HUP: no, because it changes files of its own.

use lib 't/lib';
use LLMTest;
use LLMRedis;
use Digest::SHA ();
use Test::Nginx::Util ();

workers(2);
master_on();

sub line {
    my ($name, @more) = @_;
    return join(' ', $name, Digest::SHA::sha256_hex("sk-$name"), @more) . "\n";
}

our $Keys = ">>> keys\n" . line('alice') . line('bob');

our $Config = q{
    location /v1/ {
        llm_auth file=$TEST_NGINX_SERVER_ROOT/html/keys;
        llm on;
        llm_simulate openai reply=hello;
        access_log logs/who.log who;
    }
};

our $Http = q{
    log_format who '$llm_consumer|$http_authorization|$http_x_api_key|$status';
};

sub file { return "$ENV{TEST_NGINX_SERVROOT}/html/$_[0]" }

sub write_file {
    my ($name, $text) = @_;
    open my $out, '>', file($name) or die "open() failed: $!";
    print $out $text;
    close $out or die "close() failed: $!";
}

# As an editor does it.
sub replace_keys {
    write_file('new', $_[0]);
    rename file('new'), file('keys') or die "rename() failed: $!";
}

# The status that the key gets.
sub status {
    my ($name) = @_;
    my $url = "http://127.0.0.1:$ENV{TEST_NGINX_SERVER_PORT}/v1/models";
    return `curl -s -m 10 -o /dev/null -w '%{http_code}' -H 'x-api-key: sk-$name' $url`;
}

# ... in each of some calls, which both workers get.
sub always {
    my ($name, $status) = @_;
    return !grep { status($name) != $status } 1 .. 20;
}

sub times_logged {
    my ($text) = @_;
    return scalar(() = error_log() =~ /\Q$text\E/g);
}

run_tests();

__DATA__

=== TEST 1: a new key
--- http_config eval: $::Http
--- config eval: $::Config
--- user_files eval: $::Keys
--- script
is(status('alice'), 200);
is(status('carol'), 401);
open my $out, '>>', file('keys') or die;
print {$out} ::line('carol');
close $out;
soon sub { ::always('carol', 200) };
is(status('alice'), 200);



=== TEST 2: a revoked key
--- http_config eval: $::Http
--- config eval: $::Config
--- user_files eval: $::Keys
--- script
is(status('bob'), 200);
replace_keys(::line('alice'));
soon sub { ::always('bob', 401) };
is(status('alice'), 200);



=== TEST 3: an expired key, by a file of the same size and time
--- http_config eval: $::Http
--- config eval: $::Config
--- user_files
>>> keys
--- script
replace_keys(::line('alice', 'expires=2099-01-01'));
soon sub { ::always('alice', 200) };
my @stat = stat file('keys');
::write_file('new', ::line('alice', 'expires=2001-01-01'));
utime $stat[8], $stat[9], file('new');
rename file('new'), file('keys');
soon sub { ::always('alice', 401) };



=== TEST 4: a broken file is said once, and nobody loses a key
--- http_config eval: $::Http
--- config eval: $::Config
--- user_files eval: $::Keys
--- script
replace_keys(::line('alice') . "bob sk-bob\n");
# Both workers.
soon sub { ::times_logged('line 2: no SHA-256') == 2 };
is(status('alice'), 200);
is(status('bob'), 200);
unlike(error_log(), qr/sk-bob/);

replace_keys(::line('carol'));
soon sub { ::always('carol', 200) };
ok(::always('bob', 401));
is(::times_logged('line 2: no SHA-256'), 2);
--- error_log
the keys that were read before stay valid



=== TEST 5: no file, for a while
--- http_config eval: $::Http
--- config eval: $::Config
--- user_files eval: $::Keys
--- script
unlink file('keys');
soon sub { ::times_logged('stat() failed: No such file or directory') == 2 };
is(status('alice'), 200);
replace_keys(::line('carol'));
soon sub { ::always('carol', 200) };
ok(::always('alice', 401));
--- error_log
the keys that were read before stay valid



=== TEST 6: no file, but a folder
--- http_config eval: $::Http
--- config eval: $::Config
--- user_files eval: $::Keys
--- script
unlink file('keys');
mkdir file('keys');
soon sub { ::times_logged('not a file') == 2 };
is(status('alice'), 200);
rmdir file('keys');
--- error_log
the keys that were read before stay valid



=== TEST 7: many keys
--- http_config eval: $::Http
--- config eval: $::Config
--- user_files eval: $::Keys
--- script
replace_keys(CORE::join '', map { ::line("user$_", 'group=g', 'models=a,b*') }
    1 .. 30000);
soon sub { ::always('user30000', 200) };
is(status('user1'), 200);
is(status('user29999'), 200);
is(status('user30001'), 401);
is(status('alice'), 401);
--- error_log
has changed: 30000 keys



=== TEST 8: a broken line at the end of many
--- http_config eval: $::Http
--- config eval: $::Config
--- user_files eval: $::Keys
--- script
replace_keys(CORE::join '', (map { ::line("user$_") } 1 .. 5000),
    ::line('user1'));
soon sub { ::times_logged('line 5001: the key of line 1 again') == 2 };
is(status('alice'), 200);
is(status('user1'), 401);
--- error_log
line 5001



=== TEST 9: no log has the key
--- http_config eval: $::Http
--- config eval: $::Config
--- user_files eval: $::Keys
--- script
is(status('alice'), 200);
soon sub { -s "$ENV{TEST_NGINX_SERVROOT}/logs/who.log" };
open my $in, '<', "$ENV{TEST_NGINX_SERVROOT}/logs/who.log";
is(CORE::join('', grep { /alice/ } <$in>), "alice|-|-|200\n");
unlike(error_log(), qr/sk-alice/);



=== TEST 10: a reload reads it anew, and refuses a broken one
--- http_config eval: $::Http
--- config eval: $::Config
--- user_files eval: $::Keys
--- script
my $master = Test::Nginx::Util::get_pid_from_pidfile('reload');
::write_file('keys', "nonsense\n");
kill 'HUP', $master;
soon sub { error_log() =~ /\[emerg\].*line 1/ };
is(status('alice'), 200);
replace_keys(::line('carol'));
kill 'HUP', $master;
soon sub { ::always('carol', 200) };
ok(::always('alice', 401));
--- no_error_log
[alert]
[crit]
