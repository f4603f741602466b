// Files that credentials are in: read as a whole.
#pragma once

#include "ngx.hpp"

#include <string>

// The text of a file of some kilobytes. NULL, or what failed, and then
// ngx_errno says why (0: it is not a regular file, or too long).
const char *ngx_http_llm_credentials_read(const std::string &path,
                                          std::string &text);

// Whether a file can be opened, likewise.
const char *ngx_http_llm_credentials_probe(const std::string &path) noexcept;

// Whether all users may read it.
bool ngx_http_llm_credentials_public(const std::string &path) noexcept;
