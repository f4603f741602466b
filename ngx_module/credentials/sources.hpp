// Which source of credentials the words of "auth" name; where they leave it
// open, the one that the environment speaks for, as in the clouds' own SDKs.
#pragma once

#include "credentials/words.hpp"

#include <stdexcept>

// What is wrong, for the log. Thrown while the configuration is read, caught
// by who reads it.
class ngx_http_llm_auth_error_t : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// What the sources of all clouds are made with.
class ngx_http_llm_auth_reader_t {
public:
    ngx_http_llm_auth_reader_t(ngx_conf_t *conf,
                               const ngx_http_llm_auth_words_t &given)
        : cf(conf), words(given) {}

    ngx_conf_t *cf;
    const ngx_http_llm_auth_words_t &words;

    // A variable of the environment; empty: there is none.
    std::string env(const char *name) const;
    // The word; else the variable; else an error that names both.
    std::string require(std::string_view word, const char *variable) const;
    // The word's or another URL, once it is known to be one.
    std::string url(std::string_view word, std::string_view otherwise) const;
    static void check_url(std::string_view what, std::string_view text);
    // The full name of a file, and its text.
    std::string path(std::string_view name) const;
    static std::string text_of(const std::string &path);
    static void check_file(const std::string &path);
    // The same of keys; warns where all users may read them.
    std::string secret_of(const std::string &path) const;
    // "source", which is one of these; empty where it is not given.
    std::string_view source(
        std::initializer_list<std::string_view> known) const;
    bool has(std::string_view word) const {
        return words.find(word) != nullptr;
    }
};

using ngx_http_llm_source_ptr_t =
    llm::Result<std::unique_ptr<llm::credentials::Source>>;

ngx_http_llm_source_ptr_t ngx_http_llm_google_source(
    const ngx_http_llm_auth_reader_t &reader);
ngx_http_llm_source_ptr_t ngx_http_llm_azure_source(
    const ngx_http_llm_auth_reader_t &reader);
ngx_http_llm_source_ptr_t ngx_http_llm_aws_source(
    const ngx_http_llm_auth_reader_t &reader, std::string_view region);
