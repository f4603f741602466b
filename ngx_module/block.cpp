#include "block.hpp"

#include <algorithm>
#include <cstdint>
#include <exception>

#include "setter.hpp"

namespace {

struct Block {
    const char *name;
    ngx_command_t *commands;
    void *conf;
    std::uint64_t seen;         // a bit per row of commands
};

bool has_right_arguments(const ngx_command_t &command,
                         ngx_uint_t nelts) noexcept {
    if (command.type & NGX_CONF_ANY) {
        return true;
    }
    if (command.type & NGX_CONF_FLAG) {
        return nelts == 2;
    }
    if (command.type & NGX_CONF_1MORE) {
        return nelts >= 2;
    }
    if (command.type & NGX_CONF_2MORE) {
        return nelts >= 3;
    }
    // NGX_CONF_NOARGS, _TAKE1, ... are consecutive bits.
    return nelts <= NGX_CONF_MAX_ARGS
           && (command.type & (NGX_CONF_NOARGS << (nelts - 1))) != 0;
}

char *set(ngx_conf_t *cf, ngx_command_t *command, Block *block) noexcept {
    try {
        return command->set(cf, command, block->conf);
    } catch (const std::exception &e) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%s in \"%V\"", e.what(),
                           &command->name);
        return conf_error();
    }
}

char *on_directive(ngx_conf_t *cf, ngx_command_t *, void *data) noexcept {
    auto *block = static_cast<Block *>(data);
    auto *args = arguments(cf);

    auto *command = block->commands;
    while (command->name.len && to_view(command->name) != to_view(args[0])) {
        ++command;
    }

    if (command->name.len == 0) {
        if (to_view(args[0]) == "include" && cf->args->nelts == 2) {
            return ngx_conf_include(cf, nullptr, nullptr);
        }
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "unknown directive \"%V\" in \"%s\"", &args[0],
                           block->name);
        return conf_error();
    }

    if (!has_right_arguments(*command, cf->args->nelts)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid number of arguments in \"%V\" directive",
                           &args[0]);
        return conf_error();
    }

    const char *reason = "is duplicate";
    auto bit = std::uint64_t{1} << (command - block->commands);
    if ((command->type & NGX_HTTP_LLM_REPEATABLE) || !(block->seen & bit)) {
        block->seen |= bit;
        reason = set(cf, command, block);
    }

    if (reason != NGX_CONF_OK && reason != NGX_CONF_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\" directive %s",
                           &command->name, reason);
        reason = conf_error();
    }
    return const_cast<char *>(reason);
}

}  // namespace

char *ngx_http_llm_parse_block(ngx_conf_t *cf, const char *block,
                               ngx_command_t *commands, void *conf) noexcept {
    Block state{block, commands, conf, 0};

    auto saved = *cf;
    cf->handler = on_directive;
    cf->handler_conf = &state;

    auto *reason = ngx_conf_parse(cf, nullptr);

    *cf = saved;
    return reason;
}

ngx_int_t ngx_http_llm_check_name(ngx_conf_t *cf, const char *block,
                                  ngx_str_t *name) noexcept {
    auto text = to_view(*name);
    auto is_allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
               || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
    };
    if (text.empty() || !std::all_of(text.begin(), text.end(), is_allowed)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid %s name \"%V\"",
                           block, name);
        return NGX_ERROR;
    }
    return NGX_OK;
}

bool ngx_http_llm_has_control(std::string_view text) noexcept {
    return std::any_of(text.begin(), text.end(), [](unsigned char c) {
        return (c < 0x20 && c != '\t') || c == 0x7f;
    });
}
