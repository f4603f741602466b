// Google's API takes a client's key in the query of its URL, too, where every
// log shows it.
#pragma once

#include "ngx.hpp"

// In the rewrite phase, before anything can refuse the request: the key of a
// call in Google's API becomes the header that its SDKs send, so that it is
// treated like any other key, and what nginx logs of the request line has
// asterisks in its place. Paths of other APIs keep their query, unless they are
// passed through to Google.
ngx_int_t ngx_http_llm_query_key_handler(ngx_http_request_t *r) noexcept;
