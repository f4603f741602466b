# Mistakes in the configuration of limits are found when it is read.

use lib 't/lib';
use LLMTest;

use File::Temp qw(tempdir);

# What is wrong, and what nginx says of it.
our @Mistakes = (
    ['llm_limit_zone $arg_a rate=1k/m;',
     '"llm_limit_zone" must have "zone" parameter'],
    ['llm_limit_zone $arg_a zone=a:1m;',
     '"llm_limit_zone" must have "rate" parameter'],
    ['llm_limit_zone $arg_a zone=a rate=1k/m;',
     'invalid zone size "a", it must be zone=NAME:SIZE'],
    ['llm_limit_zone $arg_a zone=a:x rate=1k/m;', 'invalid zone size "x"'],
    ['llm_limit_zone $arg_a zone=a:4k rate=1k/m;', 'zone "a" is too small'],
    ['llm_limit_zone $arg_a zone=a/b:1m rate=1k/m;', '"a/b"'],
    ['llm_limit_zone $arg_a zone=a:1m zone=b:1m rate=1k/m;',
     'duplicate parameter "zone=b:1m"'],
    ['llm_limit_zone $arg_a zone=a:1m rate=1k/m speed=2;',
     'invalid parameter "speed=2"'],
    ['llm_limit_zone $arg_a zone=a:1m rate=1k/m burst=;',
     'invalid parameter "burst="'],
    ['llm_limit_zone $arg_a zone=a:1m rate=0/m;',
     'invalid rate "0/m": must be above 0'],
    ['llm_limit_zone $arg_a zone=a:1m rate=100;',
     'invalid rate "100": has no period'],
    ['llm_limit_zone $arg_a zone=a:1m rate=100x/m;',
     'invalid rate "100x/m": unknown unit "x"'],
    ['llm_limit_zone $arg_a zone=a:1m rate=100eur/month;',
     'invalid currency "eur": prices are in US dollars, "usd"'],
    ['llm_limit_zone $arg_a zone=a:1m rate=100/y;',
     'invalid rate "100/y": unknown period "y"'],
    ['llm_limit_zone $arg_a zone=a:1m rate=100/m window=round;',
     'invalid window "round"'],
    ['llm_limit_zone $arg_a zone=a:1m rate=100/s window=calendar;', 'invalid'],
    ['llm_limit_zone $arg_a zone=a:1m rate=100/m count=words;',
     'invalid count "words"'],
    ['llm_limit_zone $arg_a zone=a:1m rate=100/m time_zone=Europe/Berlin;',
     '"time_zone" is for calendar windows'],
    ['llm_limit_zone $arg_a zone=a:1m rate=100/month time_zone=Mars/Base;',
     'invalid time zone "Mars/Base": cannot be read'],
    ['llm_limit_zone $arg_a zone=a:1m rate=100/month time_zone=../zoneinfo/UTC;',
     'invalid time zone "../zoneinfo/UTC": must be a name below'],
    ['llm_limit_zone $arg_a zone=a:1m rate=100/month time_zone=zone.tab;',
     'invalid time zone "zone.tab": '],
    ['llm_limit_zone $arg_a zone=a:1m rate=$arg_r;',
     'the rate "$arg_r" has variables, so "default" must say'],
    ['llm_limit_zone $arg_a zone=a:1m rate=1k/m default=1k/m;',
     '"default" is for rates with variables'],
    ['llm_limit_zone $arg_a zone=a:1m rate=1k/m;
      llm_limit_zone $arg_b zone=a:1m rate=1k/m;',
     'llm_limit_zone "a" is already bound to key "$arg_a"'],
    ['llm_limit_zone $arg_a zone=a:1m rate=1k/m redis=none;',
     'no llm_redis is named "none"'],
    ['llm_limit_zone $arg_a zone=a:1m rate=1k/m prefix=p:;',
     '"prefix" is about Redis, but there is no "redis"'],
    ['llm_redis r { server 127.0.0.1; }
      llm_limit_zone $arg_a zone=a:1m rate=1k/m redis=r "prefix={p}";',
     '"prefix" must have no braces'],
    ['llm_limit_zone $arg_a zone=a:1m rate=1k/m sync=1s;',
     '"sync" is about Redis, but there is no "redis"'],
    (map {
        ["llm_redis r { server 127.0.0.1; }
          llm_limit_zone \$arg_a zone=a:1m rate=1k/m redis=r sync=$_;",
         "invalid sync \"$_\", it must be from 10ms to 10000ms"]
    } '0', '1ms', '11s', 'soon'),
    ['llm_redis r { server 127.0.0.1; }
      llm_limit_zone $arg_a zone=a:1m rate=1k/s redis=r sync=501ms;',
     'invalid sync "501ms", it must be no longer than half of the period'],
    (map {
        ["llm_limit_zone \$arg_a zone=a:1m rate=1k/m lease=$_;",
         "invalid lease \"$_\", it must be from 1000ms to 86400000ms"]
    } '0', '999ms', '2d', 'long'),
    ['llm_limit_redis_error panic;', 'invalid value "panic"'],
    ['llm_limit zone=none;', 'no llm_limit_zone is named "none"'],
    ['llm_limit model=x;', '"llm_limit" directive must have a "zone"'],
    ['llm_limit zone=a delay=0;', 'invalid parameter "delay=0"'],
    ['llm_limit zone=a delay=1s nodelay;', 'invalid parameter "nodelay"'],
    ['llm_limit zone=a model=a*b;', 'invalid model "a*b"'],
    ['llm_limit off; llm_limit zone=a;', 'is off and on at the same time'],
    ['llm_limit_status 200;', 'must be between 400 and 599|must be equal'],
    ['llm_limit_log_level loud;', 'invalid value "loud"'],
    ['llm_limit_headers maybe;', 'invalid value "maybe"'],
    ['llm_limit_cached never;', 'invalid value "never"'],
    ['llm_limit_reserve quantile=1.5;', 'invalid parameter "quantile=1.5"'],
    ['llm_limit_reserve margin=0.5;', 'invalid parameter "margin=0.5"'],
    ['llm_limit_reserve default=-1;', 'invalid parameter "default=-1"'],
);

# One nginx -t each: as many blocks would take long.
add_response_body_check(sub {
    my ($block) = @_;
    return if !defined $block->mistakes;

    # nginx frees little when it stops because of a mistake.
    local $ENV{ASAN_OPTIONS}
        = join ':', 'detect_leaks=0', grep { defined } $ENV{ASAN_OPTIONS};
    my $folder = tempdir(CLEANUP => 1);
    for my $mistake (@Mistakes) {
        my ($words, $message) = @$mistake;
        open my $out, '>', "$folder/nginx.conf" or die "open() failed: $!";
        print $out "load_module $ENV{LLM_MODULE};\nerror_log stderr notice;\n"
            . "pid $folder/nginx.pid;\n"
            . "events {}\nhttp {\n$words\n"
            . join('', map { "${_}_temp_path $folder/$_;\n" }
                qw(client_body proxy fastcgi uwsgi scgi)) . "}\n";
        close $out;
        my $said = `$Test::Nginx::Util::NginxBinary -t -p $folder -c $folder/nginx.conf 2>&1`;
        my @known = split /\|/, $message;
        Test::More::ok((grep { index($said, $_) >= 0 } @known)
            && $said =~ /\[emerg\].* in \S*nginx\.conf:\d+/, $words)
            or Test::More::diag($said);
    }
});

run_tests();

__DATA__

=== TEST 1: mistakes
--- config
location / { return 200 ok; }
--- request
GET /
--- response_body: ok
--- mistakes: all



=== TEST 2: money without prices is said, not refused
--- suppress_stderr
--- http_config
llm_limit_zone $arg_a zone=money:1m rate=5usd/month;
--- config
llm_limit zone=money;
location / { return 200 ok; }
location /known/ { llm_prices builtin; }
--- request
GET /
--- response_body: ok
--- error_log
llm_limit_zone "money" counts cost, but location "/" has no llm_prices: nothing is counted
--- no_error_log
location "/known/" has no llm_prices



=== TEST 3: what is right
--- http_config
llm_limit_zone $arg_a zone=a:32k rate=100k/m burst=20k;
llm_limit_zone $arg_a zone=b:1m rate=1m/d window=calendar time_zone=Europe/Berlin;
llm_limit_zone $arg_a zone=c:1m rate=1m/month time_zone=CET-1CEST,M3.5.0,M10.5.0/3;
llm_limit_zone $arg_a zone=d:1m rate=60/m count=requests window=fixed;
llm_limit_zone $arg_a zone=e:1m rate=$arg_rate/m default=5k/m;
llm_limit_zone $arg_a zone=f:1m rate=5/h window=calendar time_zone=UTC;
--- config
llm_limit zone=a delay=2s;
llm_limit zone=b nodelay model=gpt-* model=o3;
llm_limit zone=c;
llm_limit_reserve quantile=0.9 margin=1.5 default=2k;
location / { llm_limit off; return 200 ok; }
--- request
GET /
--- response_body: ok
