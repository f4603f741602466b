// llm_embedding NAME { ... }
#include "embedding_conf.hpp"

#include <new>

#include "block.hpp"
#include "credentials/credentials.hpp"
#include "digest.hpp"
#include "llm/vector.hpp"
#include "provider_ssl.hpp"
#include "recent.hpp"
#include "setter.hpp"

namespace {

using Conf = ngx_http_llm_embedding_conf_t;
using llm::vector::max_dimensions;

constexpr const char *block_name = "llm_embedding";
constexpr size_t default_recent = 1024 * 1024;
constexpr ngx_uint_t max_connections = 1024;

Conf *conf_of(void *conf) noexcept {
    return static_cast<Conf *>(conf);
}

// What is only known once the block is complete.
struct Model {
    Conf conf;                  // first
    ngx_str_t table_file;
    ngx_flag_t has_file;
};

char *set_model(ngx_conf_t *cf, ngx_command_t *, void *data) {
    auto *model = static_cast<Model *>(data);
    auto *args = arguments(cf);
    if (args[1].len == 0) {
        return conf_error("has an empty value");
    }
    if (ngx_http_llm_has_control(to_view(args[1]))) {
        return conf_error("has control characters in its value");
    }
    model->conf.model = args[1];
    model->has_file = cf->args->nelts == 3;
    if (model->has_file) {
        if (to_view(args[1]) != "static") {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\"", &args[2]);
            return conf_error();
        }
        model->table_file = args[2];
    }
    return NGX_CONF_OK;
}

char *set_format(ngx_conf_t *cf, ngx_command_t *, void *data) {
    auto *name = arguments(cf) + 1;
    conf_of(data)->api = llm::embedding::find_api(to_view(*name));
    if (conf_of(data)->api == nullptr) {
        std::string names;
        for (const auto *api : llm::embedding::apis()) {
            names.append(names.empty() ? "" : ", ").append(api->name());
        }
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "unknown format \"%V\", it must be one of %*s",
                           name, names.size(), names.data());
        return conf_error();
    }
    return NGX_CONF_OK;
}

// recent SIZE | off;
char *set_recent(ngx_conf_t *cf, ngx_command_t *, void *data) {
    auto *value = arguments(cf) + 1;
    if (to_view(*value) == "off") {
        conf_of(data)->recent_size = 0;
        return NGX_CONF_OK;
    }
    auto size = ngx_parse_size(value);
    if (size == NGX_ERROR) {
        return conf_error("has an invalid value");
    }
    if (static_cast<size_t>(size) < 8 * ngx_pagesize) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "size \"%V\" is too small",
                           value);
        return conf_error();
    }
    conf_of(data)->recent_size = static_cast<size_t>(size);
    return NGX_CONF_OK;
}

char *check_dimensions(ngx_conf_t *cf, void *, void *data) {
    auto *dimensions = static_cast<ngx_uint_t *>(data);
    if (*dimensions < 1 || *dimensions > max_dimensions) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"dimensions\" must be between 1 and %uz",
                           max_dimensions);
        return conf_error();
    }
    return NGX_CONF_OK;
}

char *check_connections(ngx_conf_t *cf, void *, void *data) {
    auto *connections = static_cast<ngx_uint_t *>(data);
    if (*connections < 1 || *connections > max_connections) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"connections\" must be between 1 and %ui",
                           max_connections);
        return conf_error();
    }
    return NGX_CONF_OK;
}

char *check_timeout(ngx_conf_t *, void *, void *data) {
    return *static_cast<ngx_msec_t *>(data) == 0 ? conf_error("must not be 0")
                                                 : NGX_CONF_OK;
}

ngx_conf_post_t dimensions_post = {check_dimensions};
ngx_conf_post_t connections_post = {check_connections};
ngx_conf_post_t timeout_post = {check_timeout};

#define MEMBER(member) offsetof(Conf, member)

ngx_command_t commands[] = {
    {ngx_string("model"), NGX_CONF_TAKE12, set_model, 0, 0, nullptr},
    {ngx_string("provider"), NGX_CONF_TAKE1, ngx_conf_set_str_slot, 0,
     MEMBER(provider_name), nullptr},
    {ngx_string("format"), NGX_CONF_TAKE1, set_format, 0, 0, nullptr},
    {ngx_string("dimensions"), NGX_CONF_TAKE1, ngx_conf_set_num_slot, 0,
     MEMBER(wanted_dimensions), &dimensions_post},
    {ngx_string("send_dimensions"), NGX_CONF_FLAG, ngx_conf_set_flag_slot, 0,
     MEMBER(send_dimensions), nullptr},
    {ngx_string("timeout"), NGX_CONF_TAKE1, ngx_conf_set_msec_slot, 0,
     MEMBER(timeout), &timeout_post},
    {ngx_string("fail_timeout"), NGX_CONF_TAKE1, ngx_conf_set_msec_slot, 0,
     MEMBER(fail_timeout), nullptr},
    {ngx_string("connections"), NGX_CONF_TAKE1, ngx_conf_set_num_slot, 0,
     MEMBER(connections), &connections_post},
    {ngx_string("recent"), NGX_CONF_TAKE1, set_recent, 0, 0, nullptr},
    ngx_null_command,
};

#undef MEMBER

void destroy_remote(void *data) noexcept {
    ngx_http_llm_remote_destroy(conf_of(data));
}

Model *create(ngx_conf_t *cf, const ngx_str_t &name) noexcept {
    auto *memory = ngx_palloc(cf->pool, sizeof(Model));
    auto *cleanup = ngx_pool_cleanup_add(cf->pool, 0);
    if (memory == nullptr || cleanup == nullptr) {
        return nullptr;
    }
    auto *model = new (memory) Model{};
    auto &conf = model->conf;
    conf.embedding.name = name;
    conf.embedding.impl = &conf;
    conf.wanted_dimensions = NGX_CONF_UNSET_UINT;
    conf.send_dimensions = NGX_CONF_UNSET;
    conf.timeout = NGX_CONF_UNSET_MSEC;
    conf.fail_timeout = NGX_CONF_UNSET_MSEC;
    conf.connections = NGX_CONF_UNSET_UINT;
    conf.recent_size = NGX_CONF_UNSET_SIZE;
    conf.file = cf->conf_file->file.name.data;
    conf.line = cf->conf_file->line;

    // A process without workers reads its configuration anew by itself.
    cleanup->handler = destroy_remote;
    cleanup->data = &conf;
    return model;
}

ngx_int_t add(ngx_http_llm_main_conf_t *mcf, Conf *conf) noexcept {
    auto **slot = static_cast<ngx_http_llm_embedding_t **>(
        ngx_array_push(&mcf->embeddings));
    if (slot == nullptr) {
        return NGX_ERROR;
    }
    *slot = &conf->embedding;
    return NGX_OK;
}

// A table is all there is to a local embedding.
char *use_table(ngx_conf_t *cf, Conf *conf, const ngx_str_t *file) noexcept {
    conf->table = ngx_http_llm_static_table_open(cf, file);
    if (conf->table == nullptr) {
        return conf_error();
    }
    auto &embedding = conf->embedding;
    embedding.local = true;
    embedding.dimensions = conf->table->dimensions();
    auto checksum = conf->table->checksum();
    std::string_view bytes(reinterpret_cast<const char *>(&checksum),
                           sizeof(checksum));
    return ngx_http_llm_digest({"static", bytes}, embedding.identity)
               ? NGX_CONF_OK : conf_error();
}

// Whether a directive that a table has no use for stands in its block.
const char *remote_only(const Conf &conf) noexcept {
    if (conf.api) {
        return "format";
    }
    if (conf.wanted_dimensions != NGX_CONF_UNSET_UINT) {
        return "dimensions";
    }
    if (conf.send_dimensions != NGX_CONF_UNSET) {
        return "send_dimensions";
    }
    if (conf.timeout != NGX_CONF_UNSET_MSEC) {
        return "timeout";
    }
    if (conf.fail_timeout != NGX_CONF_UNSET_MSEC) {
        return "fail_timeout";
    }
    if (conf.connections != NGX_CONF_UNSET_UINT) {
        return "connections";
    }
    return conf.recent_size != NGX_CONF_UNSET_SIZE ? "recent" : nullptr;
}

// The number of dimensions, given or known.
char *find_dimensions(ngx_conf_t *cf, Conf *conf) noexcept {
    auto &embedding = conf->embedding;
    const auto *known = llm::embedding::find_model(to_view(conf->model));
    bool given = conf->wanted_dimensions != NGX_CONF_UNSET_UINT;

    if (!given && known == nullptr) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no \"dimensions\" in llm_embedding \"%V\", and "
                           "those of model \"%V\" are not known",
                           &embedding.name, &conf->model);
        return conf_error();
    }
    embedding.dimensions = given ? conf->wanted_dimensions : known->dimensions;

    bool selectable = known && !known->member.empty();
    conf->dimensions_member = selectable ? known->member
                                         : std::string_view();
    if (conf->send_dimensions != NGX_CONF_UNSET) {
        return NGX_CONF_OK;
    }
    conf->send_dimensions = given && selectable;
    if (given && known && !selectable
        && conf->wanted_dimensions != known->dimensions) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "model \"%V\" is known to have %uD dimensions and "
                           "no others", &conf->model, known->dimensions);
    }
    return NGX_CONF_OK;
}

char *complete(ngx_conf_t *cf, Model *model) noexcept {
    auto &conf = model->conf;
    auto &name = conf.embedding.name;

    if (conf.model.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no \"model\" in llm_embedding \"%V\"", &name);
        return conf_error();
    }

    if (conf.provider_name.len == 0) {
        if (to_view(conf.model) != "static") {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "no \"provider\" in llm_embedding \"%V\" for "
                               "model \"%V\"", &name, &conf.model);
            return conf_error();
        }
        if (const char *directive = remote_only(conf)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%s\" in llm_embedding \"%V\" needs a "
                               "\"provider\"", directive, &name);
            return conf_error();
        }
        return use_table(cf, &conf,
                         model->has_file ? &model->table_file : nullptr);
    }

    if (model->has_file) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "a table and \"provider\" in llm_embedding \"%V\" "
                           "exclude each other", &name);
        return conf_error();
    }
    if (find_dimensions(cf, &conf) != NGX_CONF_OK) {
        return conf_error();
    }
    ngx_conf_init_msec_value(conf.timeout, 1000);
    ngx_conf_init_msec_value(conf.fail_timeout, 5000);
    ngx_conf_init_uint_value(conf.connections, 16);
    ngx_conf_init_size_value(conf.recent_size, default_recent);
    if (conf.recent_size) {
        conf.recent = ngx_http_llm_recent_create(cf, name, conf.recent_size);
        if (conf.recent == nullptr) {
            return conf_error();
        }
        conf.recent->dimensions = conf.embedding.dimensions;
    }
    return NGX_CONF_OK;
}

// Errors of what is only known at the end name the block.
template <typename... Args>
char *refuse(ngx_conf_t *cf, const Conf &conf, const char *format,
             Args... args) noexcept {
    u_char text[NGX_MAX_ERROR_STR];
    auto *end = ngx_slprintf(text, text + sizeof(text), format, args...);
    ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "%*s in %s:%ui",
                  static_cast<size_t>(end - text), text, conf.file, conf.line);
    return conf_error();
}

// The host as it is verified, and the provider's path with the API's.
ngx_int_t make_url(ngx_conf_t *cf, Conf *conf) {
    const auto &provider = *conf->provider;
    auto name = to_view(provider.ssl_name.value);
    std::string host(provider.ssl && !name.empty() ? name
                                                   : to_view(provider.host));
    if (host.find(':') != host.npos) {
        host.insert(0, "[").append("]");
    }
    std::string url(provider.ssl ? "https://" : "http://");
    url.append(host).append(":").append(std::to_string(provider.port));
    url.append(llm::embedding::question_path(*conf->api,
                                             to_view(provider.path),
                                             to_view(conf->model)));

    auto *text = static_cast<char *>(ngx_pnalloc(cf->pool, url.size() + 1));
    if (text == nullptr) {
        return NGX_ERROR;
    }
    url.copy(text, url.size());
    text[url.size()] = '\0';
    conf->url = text;
    return NGX_OK;
}

// A file as it is, in the pool. The master may read what workers may not.
ngx_int_t read_file(ngx_conf_t *cf, ngx_str_t path, std::string_view *bytes)
    noexcept {
    if (ngx_conf_full_name(cf->cycle, &path, 1) != NGX_OK) {
        return NGX_ERROR;
    }
    ngx_file_t file = {};
    file.name = path;
    file.log = cf->log;
    file.fd = ngx_open_file(path.data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);
    if (file.fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " \"%V\" failed", &path);
        return NGX_ERROR;
    }

    ngx_int_t rc = NGX_ERROR;
    if (ngx_fd_info(file.fd, &file.info) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_fd_info_n " \"%V\" failed", &path);
    } else {
        auto size = static_cast<size_t>(ngx_file_size(&file.info));
        auto *memory = static_cast<u_char *>(
            ngx_pnalloc(cf->pool, size + 1));
        auto count = memory ? ngx_read_file(&file, memory, size, 0)
                            : NGX_ERROR;
        if (count != NGX_ERROR) {
            *bytes = {reinterpret_cast<char *>(memory),
                      static_cast<size_t>(count)};
            rc = NGX_OK;
        }
    }
    if (ngx_close_file(file.fd) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_ALERT, cf, ngx_errno,
                           ngx_close_file_n " \"%V\" failed", &path);
    }
    return rc;
}

char *use_tls(ngx_conf_t *cf, Conf *conf) noexcept {
    const auto &provider = *conf->provider;
    const auto &ssl = *ngx_http_llm_provider_ssl_conf(&provider);
    auto &tls = conf->tls;

    tls.verify = provider.upstream.ssl_verify != 0;
    tls.protocols = ssl.protocols;
    if (to_view(ssl.ciphers) != "DEFAULT") {
        tls.ciphers = reinterpret_cast<const char *>(ssl.ciphers.data);
    }

    tls.trusted = ngx_http_llm_system_bundle();
    if (ssl.trusted_certificate.len) {
        ngx_str_t file = ssl.trusted_certificate;
        if (ngx_conf_full_name(cf->cycle, &file, 1) != NGX_OK) {
            return conf_error();
        }
        tls.trusted = reinterpret_cast<const char *>(file.data);
    }

    if (ssl.certificate.len == 0) {
        return NGX_CONF_OK;
    }
    if (to_view(ssl.certificate_key).starts_with("engine:")) {
        return refuse(cf, *conf,
                      "the \"ssl_certificate_key\" of llm_provider \"%V\" "
                      "is not in a file, which llm_embedding needs",
                      &provider.name);
    }
    return read_file(cf, ssl.certificate, &tls.certificate) == NGX_OK
                   && read_file(cf, ssl.certificate_key,
                                &tls.certificate_key) == NGX_OK
               ? NGX_CONF_OK : conf_error();
}

bool may_differ(const ngx_http_llm_provider_t &provider) noexcept {
    auto *headers = static_cast<ngx_http_llm_header_t *>(
        provider.headers.elts);
    bool differs = provider.api_key && provider.api_key->lengths;
    for (ngx_uint_t i = 0; i < provider.headers.nelts; i++) {
        differs = differs || headers[i].value.lengths;
    }
    return differs;
}

char *bind(ngx_conf_t *cf, ngx_http_llm_main_conf_t *mcf, Conf *conf) {
    auto &embedding = conf->embedding;

    conf->provider =
        ngx_http_llm_find_provider(mcf, to_view(conf->provider_name));
    if (conf->provider == nullptr) {
        return refuse(cf, *conf, "no llm_provider is named \"%V\"",
                      &conf->provider_name);
    }
    const auto &provider = *conf->provider;

    if (conf->api == nullptr) {
        conf->api = provider.embeddings;
        if (conf->api == nullptr) {
            auto format = to_ngx(provider.format->name());
            return refuse(cf, *conf,
                          "llm_provider \"%V\" has no embeddings, its format "
                          "is \"%V\": llm_embedding \"%V\" needs a \"format\" "
                          "or another provider",
                          &provider.name, &format, &embedding.name);
        }
    }
    if (provider.group) {
        return refuse(cf, *conf,
                      "the host of llm_provider \"%V\" is an upstream {}, "
                      "which llm_embedding cannot use", &provider.name);
    }

    if (make_url(cf, conf) != NGX_OK
        || (provider.ssl && use_tls(cf, conf) != NGX_CONF_OK)) {
        return conf_error();
    }
    conf->per_client = may_differ(provider)
                       || ngx_http_llm_credentials_vary(provider.auth);

    auto dimensions = std::to_string(embedding.dimensions);
    return ngx_http_llm_digest(
               {conf->api->name(), to_view(provider.host_header), conf->url,
                to_view(conf->model), dimensions},
               embedding.identity)
               ? NGX_CONF_OK : conf_error();
}

ngx_http_llm_embedding_t *find(ngx_http_llm_main_conf_t *mcf,
                               std::string_view name) noexcept {
    auto **embeddings = static_cast<ngx_http_llm_embedding_t **>(
        mcf->embeddings.elts);
    for (ngx_uint_t i = 0; i < mcf->embeddings.nelts; i++) {
        if (to_view(embeddings[i]->name) == name) {
            return embeddings[i];
        }
    }
    return nullptr;
}

}  // namespace

char *ngx_http_llm_embedding_block(ngx_conf_t *cf, ngx_command_t *,
                                   void *data) noexcept {
    auto *mcf = static_cast<ngx_http_llm_main_conf_t *>(data);
    auto *name = arguments(cf) + 1;

    if (ngx_http_llm_check_name(cf, block_name, name) != NGX_OK) {
        return conf_error();
    }
    if (find(mcf, to_view(*name))) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate llm_embedding \"%V\"", name);
        return conf_error();
    }
    auto *model = create(cf, *name);
    if (model == nullptr || add(mcf, &model->conf) != NGX_OK) {
        return conf_error();
    }
    auto *reason = ngx_http_llm_parse_block(cf, block_name, commands, model);
    return reason == NGX_CONF_OK ? complete(cf, model) : reason;
}

char *ngx_http_llm_embeddings_init(ngx_conf_t *cf,
                                   ngx_http_llm_main_conf_t *mcf) noexcept
try {
    auto **embeddings = static_cast<ngx_http_llm_embedding_t **>(
        mcf->embeddings.elts);
    for (ngx_uint_t i = 0; i < mcf->embeddings.nelts; i++) {
        auto *conf = ngx_http_llm_embedding_conf(embeddings[i]);
        if (!embeddings[i]->local && bind(cf, mcf, conf) != NGX_CONF_OK) {
            return conf_error();
        }
    }
    return NGX_CONF_OK;

} catch (const std::bad_alloc &) {
    return conf_error();
}

ngx_http_llm_embedding_t *ngx_http_llm_find_embedding(
    ngx_conf_t *cf, ngx_http_llm_main_conf_t *mcf,
    std::string_view name) noexcept {
    if (auto *known = find(mcf, name)) {
        return known;
    }
    if (name != "static") {
        return nullptr;
    }
    // The built-in table costs nothing until somebody wants it.
    auto *model = create(cf, ngx_str_t(ngx_string("static")));
    if (model == nullptr || use_table(cf, &model->conf, nullptr) != NGX_CONF_OK
        || add(mcf, &model->conf) != NGX_OK) {
        return nullptr;
    }
    return &model->conf.embedding;
}

ngx_int_t ngx_http_llm_embeddings_start(ngx_cycle_t *,
                                        ngx_http_llm_main_conf_t *mcf)
    noexcept {
    auto **embeddings = static_cast<ngx_http_llm_embedding_t **>(
        mcf->embeddings.elts);
    for (ngx_uint_t i = 0; i < mcf->embeddings.nelts; i++) {
        if (!embeddings[i]->local) {
            return ngx_http_llm_side_start();
        }
    }
    return NGX_OK;
}

void ngx_http_llm_embeddings_stop(ngx_http_llm_main_conf_t *mcf) noexcept {
    auto **embeddings = static_cast<ngx_http_llm_embedding_t **>(
        mcf->embeddings.elts);
    for (ngx_uint_t i = 0; i < mcf->embeddings.nelts; i++) {
        ngx_http_llm_remote_destroy(
            ngx_http_llm_embedding_conf(embeddings[i]));
    }
    ngx_http_llm_side_stop();
}
