// The directive llm_simulate.
#include "simulate.hpp"

#include <new>

#include "ngx_http_llm.hpp"
#include "setter.hpp"

namespace {

using Conf = ngx_http_llm_simulate_conf_t;

constexpr ngx_int_t max_tokens = 131072;
constexpr ngx_int_t max_retry_after = 86400;
constexpr ngx_int_t max_rate = 1000000;

bool set_ttft(Conf &conf, ngx_str_t &value) {
    ngx_int_t time = ngx_parse_time(&value, 0);
    conf.ttft = static_cast<ngx_msec_t>(time);
    return time != NGX_ERROR;
}

bool set_rate(Conf &conf, ngx_str_t &value) {
    ngx_int_t rate = ngx_atofp(value.data, value.len, 3);
    conf.rate = static_cast<ngx_uint_t>(rate);
    return rate != NGX_ERROR
           && rate <= max_rate * static_cast<ngx_int_t>(Conf::rate_unit);
}

bool set_tokens(Conf &conf, ngx_str_t &value) {
    ngx_int_t tokens = ngx_atoi(value.data, value.len);
    conf.options.tokens = tokens;
    return tokens >= 1 && tokens <= max_tokens;
}

bool set_reply(Conf &conf, ngx_str_t &value) {
    using llm::simulate::Reply;

    std::string_view text = to_view(value);
    conf.options.reply = text == "echo"    ? Reply::echo
                         : text == "lorem" ? Reply::lorem
                                           : Reply::text;
    conf.options.text = text;
    return !text.empty();
}

bool set_model(Conf &conf, ngx_str_t &value) {
    conf.model = to_view(value);
    return !conf.model.empty();
}

bool set_seed(Conf &conf, ngx_str_t &value) {
    ngx_int_t seed = ngx_atoi(value.data, value.len);
    conf.options.seed = static_cast<std::uint64_t>(seed);
    return seed != NGX_ERROR;
}

bool set_status(Conf &conf, ngx_str_t &value) {
    ngx_int_t status = ngx_atoi(value.data, value.len);
    conf.status = static_cast<ngx_uint_t>(status);
    return status >= 400 && status <= 599;
}

bool set_retry_after(Conf &conf, ngx_str_t &value) {
    ngx_int_t seconds = ngx_atoi(value.data, value.len);
    conf.retry_after = to_view(value);
    return seconds >= 0 && seconds <= max_retry_after;
}

bool set_share(ngx_http_llm_share_t &share, ngx_str_t value) {
    if (to_view(value).ends_with('%')) {
        --value.len;
    }
    ngx_int_t part = ngx_atofp(value.data, value.len, 2);
    share.part = static_cast<ngx_uint_t>(part);
    return part >= 0 && share.part <= ngx_http_llm_share_t::all;
}

bool set_fail(Conf &conf, ngx_str_t &value) {
    return set_share(conf.fail, value);
}

bool set_cut(Conf &conf, ngx_str_t &value) {
    return set_share(conf.cut, value);
}

// One row for each parameter "NAME=VALUE".
struct Parameter {
    std::string_view name;      // with the equals sign
    bool (*set)(Conf &conf, ngx_str_t &value);  // false: invalid
    const char *expected;
};

constexpr Parameter parameters[] = {
    {"ttft=", set_ttft, "a time"},
    {"rate=", set_rate, "a number of tokens per second up to 1000000"},
    {"tokens=", set_tokens, "a number between 1 and 131072"},
    {"reply=", set_reply, "\"echo\", \"lorem\" or a text"},
    {"model=", set_model, "a name"},
    {"seed=", set_seed, "a number"},
    {"status=", set_status, "between 400 and 599"},
    {"retry_after=", set_retry_after, "seconds between 0 and 86400"},
    {"fail=", set_fail, "a percentage between 0 and 100"},
    {"cut=", set_cut, "a percentage between 0 and 100"},
};

const Parameter *find_parameter(std::string_view argument) {
    for (const auto &parameter : parameters) {
        if (argument.starts_with(parameter.name)) {
            return &parameter;
        }
    }
    return nullptr;
}

bool asks_to_wait(ngx_uint_t status) {
    return status == 429 || status == 503 || status == 529;
}

}  // namespace

char *ngx_http_llm_simulate_directive(ngx_conf_t *cf, ngx_command_t *,
                                      void *conf) noexcept {
    auto llcf = static_cast<ngx_http_llm_loc_conf_t *>(conf);
    auto value = arguments(cf);

    if (llcf->simulate) {
        return conf_error("is duplicate");
    }
    if (llcf->pass) {
        return conf_error("is incompatible with \"llm_pass\"");
    }
    if (llcf->account.count_tokens == 1) {
        return conf_error("is incompatible with \"llm_count_tokens\"");
    }

    void *memory = ngx_palloc(cf->pool, sizeof(Conf));
    if (memory == nullptr) {
        return conf_error();
    }
    auto simulate = new (memory) Conf{};

    simulate->format = llm::find_format(to_view(value[1]));
    if (simulate->format == nullptr) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "unknown format \"%V\"",
                           &value[1]);
        return conf_error();
    }

    for (ngx_uint_t i = 2; i < cf->args->nelts; ++i) {
        const Parameter *parameter = find_parameter(to_view(value[i]));
        if (parameter == nullptr) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\"", &value[i]);
            return conf_error();
        }

        ngx_str_t text =
            to_ngx(to_view(value[i]).substr(parameter->name.size()));
        if (!parameter->set(*simulate, text)) {
            ngx_str_t name = to_ngx(
                parameter->name.substr(0, parameter->name.size() - 1));
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid value \"%V\" in \"%V\" parameter, "
                               "it must be %s",
                               &text, &name, parameter->expected);
            return conf_error();
        }
    }

    if (!simulate->retry_after.empty() && !asks_to_wait(simulate->status)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"retry_after\" parameter requires \"status\" "
                           "429, 503 or 529");
        return conf_error();
    }

    llcf->simulate = simulate;

    auto clcf = static_cast<ngx_http_core_loc_conf_t *>(
        ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
    clcf->handler = ngx_http_llm_simulate_handler;
    return NGX_CONF_OK;
}
