#include "llm/format.hpp"

namespace llm {

// One row for each format; the first whose route fits a path is taken.
std::span<const Format *const> formats() noexcept {
    static const Format *const rows[] = {
        &openai_format(),
        &anthropic_format(),
    };
    return rows;
}

const Format *find_format(std::string_view name) noexcept {
    for (const Format *format : formats()) {
        if (format->name() == name) {
            return format;
        }
    }
    return nullptr;
}

RouteMatch match_route(std::string_view path, bool anthropic_version) noexcept {
    if (path.ends_with('/')) {
        path.remove_suffix(1);
    }

    RouteMatch match;
    for (const Format *format : formats()) {
        for (const Route &route : format->routes()) {
            // Suffixes start with a slash: they end at whole segments.
            if (!path.ends_with(route.suffix)) {
                continue;
            }
            if (!match.format
                || (anthropic_version && format == &anthropic_format())) {
                match = {format, route.operation};
            }
            break;
        }
    }
    return match;
}

}  // namespace llm
