// Files that credentials are in: read as a whole.
#pragma once

#include "ngx.hpp"

#include <string>

// The text of a file of some kilobytes. NULL, or what failed, and then
// ngx_errno says why (0: it is not a regular file, or too long).
const char *ngx_http_llm_credentials_read(const std::string &path,
                                          std::string &text);
