# Mistakes in the configuration of a cache: each is found when it is read.

use lib 't/lib';
use LLMTest;

our $Zone = 'llm_cache_zone answers { memory 1m; }';

run_tests();

__DATA__

=== TEST 1: a zone of no size
--- http_config
llm_cache_zone answers { memory x; }
--- config

--- must_die
--- error_log
invalid value



=== TEST 2: a zone of little size
--- http_config
llm_cache_zone answers { memory 511k; }
--- config

--- must_die
--- error_log
"memory" is less than 512k in llm_cache_zone "answers"



=== TEST 3: a zone of no time
--- http_config
llm_cache_zone answers { ttl 0; }
--- config

--- must_die
--- error_log
a ttl of 0 would keep nothing



=== TEST 4: a zone of too much time
--- http_config
llm_cache_zone answers { ttl 100y; }
--- config

--- must_die
--- error_log
a ttl must be below 68 years



=== TEST 5: a time that is none
--- http_config
llm_cache_zone answers { ttl soon; }
--- config

--- must_die
--- error_log
invalid value



=== TEST 6: a similarity that is none
--- http_config
llm_cache_zone answers { similarity high; }
--- config

--- must_die
--- error_log
invalid similarity "high", it must be a cosine similarity between 0 and 1, or "off"



=== TEST 7: a similarity over 1
--- http_config
llm_cache_zone answers { similarity 1.01; }
--- config

--- must_die
--- error_log
invalid similarity "1.01"



=== TEST 8: a similarity below 0
--- http_config
llm_cache_zone answers { similarity -0.1; }
--- config

--- must_die
--- error_log
invalid similarity "-0.1"



=== TEST 9: a grey zone above the similarity
--- http_config
llm_cache_zone answers { similarity 0.8 grey=0.9; }
--- config

--- must_die
--- error_log
has a grey zone that begins above the similarity



=== TEST 10: a grey zone that is none
--- http_config
llm_cache_zone answers { similarity 0.8 grey=x; }
--- config

--- must_die
--- error_log
invalid similarity "grey=x"



=== TEST 11: a grey zone under another name
--- http_config
llm_cache_zone answers { similarity 0.8 gray=0.7; }
--- config

--- must_die
--- error_log
invalid parameter "gray=0.7"



=== TEST 12: a grey zone of nothing
--- http_config
llm_cache_zone answers { similarity off grey=0.7; }
--- config

--- must_die
--- error_log
has a grey zone but is off



=== TEST 13: an index without Redis
--- http_config
llm_cache_zone answers { index redisearch; }
--- config

--- must_die
--- error_log
"index" and "prefix" are about Redis, but there is no "redis"



=== TEST 14: a prefix without Redis
--- http_config
llm_cache_zone answers { prefix x:; }
--- config

--- must_die
--- error_log
"index" and "prefix" are about Redis, but there is no "redis"



=== TEST 15: an index that is none
--- http_config
llm_cache_zone answers { index tree; }
--- config

--- must_die
--- error_log
invalid value "tree"



=== TEST 15a: an algorithm that is none
--- http_config
llm_redis shared { server 127.0.0.1; }
llm_cache_zone answers { redis shared; index redisearch tree; }
--- config

--- must_die
--- error_log
invalid parameter "tree"



=== TEST 15b: an algorithm for what has none
--- http_config
llm_redis shared { server 127.0.0.1; }
llm_cache_zone answers { redis shared; index memory flat; }
--- config

--- must_die
--- error_log
invalid parameter "flat"



=== TEST 16: a Redis that is not there
--- http_config
llm_cache_zone answers { redis nowhere; }
--- config

--- must_die
--- error_log
no llm_redis is named "nowhere"



=== TEST 17: a word that a zone does not know
--- http_config
llm_cache_zone answers { size 1m; }
--- config

--- must_die
--- error_log
unknown directive "size" in



=== TEST 18: a word twice
--- http_config
llm_cache_zone answers { memory 1m; memory 2m; }
--- config

--- must_die
--- error_log
is duplicate



=== TEST 19: a zone twice
--- http_config
llm_cache_zone answers { memory 1m; } llm_cache_zone answers { memory 1m; }
--- config

--- must_die
--- error_log
duplicate llm_cache_zone "answers"



=== TEST 20: a zone without a name
--- http_config
llm_cache_zone { memory 1m; }
--- config

--- must_die
--- error_log
invalid number of arguments in "llm_cache_zone"



=== TEST 21: a zone named off
--- http_config
llm_cache_zone off { memory 1m; }
--- config

--- must_die
--- error_log
a llm_cache_zone cannot be named "off"



=== TEST 22: a zone in a server
--- http_config eval: $::Zone
--- config
llm_cache_zone answers { memory 1m; }
--- must_die
--- error_log
"llm_cache_zone" directive is not allowed here



=== TEST 23: a cache that is not there
--- http_config eval: $::Zone
--- config
location / { llm_cache other; }
--- must_die
--- error_log
no llm_cache_zone is named "other" in



=== TEST 24: a cache twice
--- http_config eval: $::Zone
--- config
location / { llm_cache answers; llm_cache answers; }
--- must_die
--- error_log
"llm_cache" directive is duplicate



=== TEST 25: a purge of what is not there
--- http_config eval: $::Zone
--- config
location / { llm_cache_purge other; }
--- must_die
--- error_log
no llm_cache_zone is named "other" in



=== TEST 26: a purge of nothing
--- http_config eval: $::Zone
--- config
location / { llm_cache_purge off; }
--- must_die
--- error_log
no llm_cache_zone is named "off" in



=== TEST 27: a purge twice
--- http_config eval: $::Zone
--- config
location / { llm_cache_purge answers; llm_cache_purge answers; }
--- must_die
--- error_log
"llm_cache_purge" directive is duplicate



=== TEST 28: a purge of a whole server
--- http_config eval: $::Zone
--- config
llm_cache_purge answers;
--- must_die
--- error_log
"llm_cache_purge" directive is not allowed here



=== TEST 29: no time in a location
--- http_config eval: $::Zone
--- config
location / { llm_cache_ttl 0; }
--- must_die
--- error_log
a ttl of 0 would keep nothing



=== TEST 30: too much time in a location
--- http_config eval: $::Zone
--- config
location / { llm_cache_ttl 69y; }
--- must_die
--- error_log
a ttl must be below 68 years



=== TEST 31: a similarity in a location
--- http_config eval: $::Zone
--- config
location / { llm_cache_similarity 2; }
--- must_die
--- error_log
invalid similarity "2"



=== TEST 32: a similarity twice
--- http_config eval: $::Zone
--- config
location / { llm_cache_similarity 0.8; llm_cache_similarity 0.9; }
--- must_die
--- error_log
"llm_cache_similarity" directive is duplicate



=== TEST 33: no messages
--- http_config eval: $::Zone
--- config
location / { llm_cache_messages 0; }
--- must_die
--- error_log
value must be between 1 and



=== TEST 34: messages that are no number
--- http_config eval: $::Zone
--- config
location / { llm_cache_messages all; }
--- must_die
--- error_log
invalid number



=== TEST 35: an unknown role
--- http_config eval: $::Zone
--- config
location / { llm_cache_ignore system user; }
--- must_die
--- error_log
invalid parameter "user"



=== TEST 36: roles twice
--- http_config eval: $::Zone
--- config
location / { llm_cache_ignore none; llm_cache_ignore tool; }
--- must_die
--- error_log
"llm_cache_ignore" directive is duplicate



=== TEST 37: roles and none of them
--- http_config eval: $::Zone
--- config
location / { llm_cache_ignore system none; }
--- must_die
--- error_log
"llm_cache_ignore" directive has "none" beside roles



=== TEST 38: a flag that is none
--- http_config eval: $::Zone
--- config
location / { llm_cache_lock yes; }
--- must_die
--- error_log
invalid value "yes" in "llm_cache_lock" directive, it must be "on" or "off"



=== TEST 39: no uses
--- http_config eval: $::Zone
--- config
location / { llm_cache_min_uses 0; }
--- must_die
--- error_log
value must be between 1 and



=== TEST 40: old for no time
--- http_config eval: $::Zone
--- config
location / { llm_cache_stale 0; }
--- must_die
--- error_log
invalid parameter "0"



=== TEST 41: old for too much time
--- http_config eval: $::Zone
--- config
location / { llm_cache_stale 100y; }
--- must_die
--- error_log
invalid parameter "100y"



=== TEST 42: old for something else
--- http_config eval: $::Zone
--- config
location / { llm_cache_stale 1h always; }
--- must_die
--- error_log
invalid parameter "always"



=== TEST 43: not old for something
--- http_config eval: $::Zone
--- config
location / { llm_cache_stale off error; }
--- must_die
--- error_log
"llm_cache_stale" directive is off and takes nothing more



=== TEST 44: learning from everything
--- http_config eval: $::Zone
--- config
location / { llm_cache_learn 1; }
--- must_die
--- error_log
invalid value "1", it must be the part of answers by meaning that may be wrong, between 0 and 1, or "off"



=== TEST 45: learning from nothing
--- http_config eval: $::Zone
--- config
location / { llm_cache_learn 0; }
--- must_die
--- error_log
invalid value "0", it must be



=== TEST 46: learning twice
--- http_config eval: $::Zone
--- config
location / { llm_cache_learn off; llm_cache_learn 0.1; }
--- must_die
--- error_log
"llm_cache_learn" directive is duplicate



=== TEST 47: a temperature that is none
--- http_config eval: $::Zone
--- config
location / { llm_cache_max_temperature hot; }
--- must_die
--- error_log
invalid parameter "hot"



=== TEST 48: a variable that is none
--- http_config eval: $::Zone
--- config
location / { llm_cache_key $nothing_of_the_kind; }
--- must_die
--- error_log
unknown "nothing_of_the_kind" variable



=== TEST 49: a consumer twice
--- http_config eval: $::Zone
--- config
location / { llm_consumer a; llm_consumer b; }
--- must_die
--- error_log
"llm_consumer" directive is duplicate



=== TEST 50: all that can be said
--- http_config
llm_cache_zone answers { memory 512k; ttl 1d; similarity 0.9 grey=0.8; embedding static; }
llm_cache_zone exact { memory 1m; similarity off; embedding off; }
llm_consumer $remote_user;
llm_cache answers;
--- config
llm_cache_ttl 1h;
llm_cache_similarity 1;
llm_cache_key $host;
llm_cache_messages 3;
llm_cache_ignore system assistant tool;
llm_cache_bypass $arg_a $arg_b;
llm_cache_no_store $arg_a $arg_b;
llm_cache_control on;
llm_cache_lock on;
llm_cache_lock_timeout 5s;
llm_cache_min_uses 2;
llm_cache_max_entry 64k;
llm_cache_stale 1h updating error;
llm_cache_shared on;
llm_cache_verify off;
llm_cache_learn 0.01;
llm_cache_max_temperature 0.7;
llm_cache_truncated on;
llm_cache_headers off;
location / {
    llm_cache exact;
    llm_cache_ignore none;
    llm_cache_stale off;
    llm_cache_learn off;
    return 204;
}
location = /purge { llm_cache_purge exact; }
--- request
GET /
--- error_code: 204
