# The module with the directives that only tests have (tests/redis_module): it
# is built beside the product's. To be used before LLMTest.
package LLMTestModule;

use v5.10.1;
use strict;
use warnings;

use Cwd ();
use File::Basename qw(dirname);
use File::Spec;

BEGIN {
    my ($volume, $folder) = File::Spec->splitpath(
        File::Spec->rel2abs(__FILE__));
    my $module = $ENV{LLM_MODULE} // Cwd::realpath("$folder/../..")
        . '/build/release/ngx_http_llm_module.so';
    $ENV{LLM_MODULE} = dirname($module) . '/ngx_http_llm_test_module.so';
    delete $ENV{TEST_NGINX_LOAD_MODULES};
}

1;
