# llm_embedding: what nginx -t says of mistakes, with file and line.

use lib 't/lib';
use LLMTest;

our $provider = q{
llm_provider p { format openai; url http://127.0.0.1:1/v1; }
llm_provider claude { format anthropic; url http://127.0.0.1:1; }
upstream servers { server 127.0.0.1:1; }
llm_provider group { format openai; url http://servers/v1; }
};

run_tests();

__DATA__

=== TEST 1: all there is
--- http_config eval
$::provider . 'llm_embedding a { model static; }
llm_embedding b {
    provider p;
    model m;
    format gemini;
    dimensions 4096;
    send_dimensions off;
    timeout 200ms;
    fail_timeout 0s;
    connections 4;
    recent 256k;
}
llm_embedding c { provider claude; format openai; model mistral-embed; recent off; }'
--- config
location = /t { return 204; }
--- request
GET /t
--- error_code: 204



=== TEST 2: no model
--- http_config
llm_embedding e { }
--- must_die
--- error_log eval
qr/\[emerg\] .*no "model" in llm_embedding "e" in .*nginx\.conf:\d+/



=== TEST 3: a model of nobody
--- http_config
llm_embedding e { model m; }
--- must_die
--- error_log eval
qr/\[emerg\] .*no "provider" in llm_embedding "e" for model "m" in .*nginx\.conf:\d+/



=== TEST 4: a provider that is not there
--- http_config
llm_embedding e { provider q; model m; dimensions 3; }
--- must_die
--- error_log eval
qr/\[emerg\] .*no llm_provider is named "q" in .*nginx\.conf:\d+/



=== TEST 5: a provider without embeddings
--- http_config eval
$::provider . 'llm_embedding e { provider claude; model m; dimensions 3; }'
--- must_die
--- error_log eval
qr/\[emerg\] .*llm_provider "claude" has no embeddings, its format is "anthropic": llm_embedding "e" needs a "format" or another provider in .*nginx\.conf:\d+/



=== TEST 6: a provider behind an upstream {}
--- http_config eval
$::provider . 'llm_embedding e { provider group; model m; dimensions 3; }'
--- must_die
--- error_log eval
qr/\[emerg\] .*the host of llm_provider "group" is an upstream \{\}, which llm_embedding cannot use in .*nginx\.conf:\d+/



=== TEST 7: dimensions that nobody knows
--- http_config eval
$::provider . 'llm_embedding e { provider p; model m; }'
--- must_die
--- error_log eval
qr/\[emerg\] .*no "dimensions" in llm_embedding "e", and those of model "m" are not known in .*nginx\.conf:\d+/



=== TEST 8: too many dimensions
--- http_config eval
$::provider . 'llm_embedding e { provider p; model m; dimensions 4097; }'
--- must_die
--- error_log eval
qr/\[emerg\] .*"dimensions" must be between 1 and 4096 in .*nginx\.conf:\d+/



=== TEST 9: dimensions that a model has not
--- http_config eval
$::provider . 'llm_embedding e { provider p; model mistral-embed; dimensions 512; }'
--- config
location = /t { return 204; }
--- request
GET /t
--- error_code: 204
--- error_log eval
qr/\[warn\] .*model "mistral-embed" is known to have 1024 dimensions and no others/



=== TEST 10: a table has no provider's directives
--- http_config
llm_embedding e { model static; timeout 1s; }
--- must_die
--- error_log eval
qr/\[emerg\] .*"timeout" in llm_embedding "e" needs a "provider" in .*nginx\.conf:\d+/



=== TEST 11: a provider has no table
--- http_config eval
$::provider . 'llm_embedding e { provider p; model static table; }'
--- must_die
--- error_log eval
qr/\[emerg\] .*a table and "provider" in llm_embedding "e" exclude each other/



=== TEST 12: two of a name
--- http_config
llm_embedding e { model static; }
llm_embedding e { model static; }
--- must_die
--- error_log eval
qr/\[emerg\] .*duplicate llm_embedding "e" in .*nginx\.conf:\d+/



=== TEST 13: an unknown format
--- http_config
llm_embedding e { format anthropic; }
--- must_die
--- error_log eval
qr/\[emerg\] .*unknown format "anthropic", it must be one of openai, .*, tei in .*nginx\.conf:\d+/



=== TEST 14: no connections
--- http_config
llm_embedding e { connections 0; }
--- must_die
--- error_log eval
qr/\[emerg\] .*"connections" must be between 1 and 1024 in .*nginx\.conf:\d+/



=== TEST 15: no time
--- http_config
llm_embedding e { timeout 0; }
--- must_die
--- error_log eval
qr/\[emerg\] .*"timeout" directive must not be 0 in .*nginx\.conf:\d+/



=== TEST 16: no memory to speak of
--- http_config
llm_embedding e { recent 4k; }
--- must_die
--- error_log eval
qr/\[emerg\] .*size "4k" is too small in .*nginx\.conf:\d+/



=== TEST 17: memory that holds no vector
--- http_config eval
$::provider . 'llm_embedding e { provider p; model m; dimensions 4096; recent 32k; }'
--- must_die
--- error_log eval
qr/\[emerg\] .*zone "llm_embedding_e" is too small for vectors of 4096 dimensions/



=== TEST 18: a parameter too many
--- http_config
llm_embedding e { model m x; }
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid parameter "x" in .*nginx\.conf:\d+/



=== TEST 19: a name that is none
--- http_config
llm_embedding a/b { model static; }
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid llm_embedding name "a\/b" in .*nginx\.conf:\d+/
