#include <algorithm>

#include "llm/embedding_format.hpp"
#include "llm/format.hpp"

namespace llm {

// One row for each format; of equals in match_route() the first is taken.
std::span<const Format *const> formats() noexcept {
    static const Format *const rows[] = {
        &openai_format(),
        &anthropic_format(),
        &gemini_format(),
        &bedrock_format(),
        &responses_format(),
        &completions_format(),
        &cohere_format(),
        &ollama_format(),
        &ollama_generate_format(),
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

const Format *recognise(const ClientHints &hints) noexcept {
    for (const Format *format : formats()) {
        if (format->recognises(hints)) {
            return format;
        }
    }
    return nullptr;
}

namespace {

constexpr std::string_view placeholder = "{model}";

// Where what stands before a model's name begins. The name may hold the same
// ("accounts/fireworks/models/llama"), and so may the location: what comes
// after the API's version counts, "/v1" or "/v1beta", else the last one.
std::size_t find_start(std::string_view path,
                       std::string_view before) noexcept {
    for (std::size_t at = path.find(before); at != path.npos;
         at = path.find(before, at + 1)) {
        std::size_t slash = path.substr(0, at).rfind('/');
        std::string_view segment =
            slash == path.npos ? std::string_view()
                               : path.substr(slash + 1, at - slash - 1);
        if (segment.size() > 1 && segment[0] == 'v' && segment[1] >= '0'
            && segment[1] <= '9') {
            return at;
        }
    }
    return path.rfind(before);
}

// Whether the path ends as the pattern says, at whole segments: patterns start
// with a slash.
bool fits(std::string_view path, std::string_view pattern,
          std::string_view &model) noexcept {
    std::size_t at = pattern.find(placeholder);
    if (at == pattern.npos) {
        model = {};
        return path.ends_with(pattern);
    }

    std::string_view before = pattern.substr(0, at);
    std::string_view after = pattern.substr(at + placeholder.size());
    if (!path.ends_with(after)) {
        return false;
    }
    path.remove_suffix(after.size());
    std::size_t start = find_start(path, before);
    if (start == path.npos || start + before.size() >= path.size()) {
        return false;
    }
    model = path.substr(start + before.size());
    return true;
}

// Of two patterns that fit, the heavier one is meant: the longer one. One that
// ends in a name would fit any path of a location like "/models/", so that all
// others go before it.
std::size_t weight(std::string_view pattern) noexcept {
    constexpr std::size_t longest = 256;
    return pattern.ends_with(placeholder) ? pattern.size()
                                          : longest + pattern.size();
}

// The heaviest of the format's patterns that fits, if it is heavier than that
// of `best`.
bool improve(RouteMatch &best, std::size_t &heaviest, const Format &format,
             std::string_view path) noexcept {
    bool better = false;
    for (const Route &route : format.routes()) {
        std::string_view model;
        if (weight(route.pattern) > heaviest
            && fits(path, route.pattern, model)) {
            best = {&format, route.operation, model, route.stream, {},
                    nullptr, false};
            heaviest = weight(route.pattern);
            better = true;
        }
    }
    return better;
}

// Errors of an embedding API are those of the chats beside it.
const Format &format_of(const embedding::Api &api) noexcept {
    const Format *format = find_format(api.name());
    return format ? *format : openai_format();
}

// Likewise for embeddings; `only`: of this format, NULL: of any.
void improve_embeddings(RouteMatch &best, std::size_t &heaviest,
                        const Format *only, std::string_view path) noexcept {
    for (const embedding::Api *api : embedding::apis()) {
        if (only && only->name() != api->name()) {
            continue;
        }
        for (const embedding::Route &route : api->routes()) {
            std::string_view model;
            if (weight(route.pattern) > heaviest
                && fits(path, route.pattern, model)) {
                best = {&format_of(*api), Operation::embeddings, model,
                        false, {}, api, route.single};
                heaviest = weight(route.pattern);
            }
        }
    }
}

std::string_view without_last_slash(std::string_view path) noexcept {
    return path.ends_with('/') ? path.substr(0, path.size() - 1) : path;
}

}  // namespace

RouteMatch match_route(std::string_view path, const Format &format) noexcept {
    RouteMatch match;
    std::size_t heaviest = 0;
    improve(match, heaviest, format, without_last_slash(path));
    improve_embeddings(match, heaviest, &format, without_last_slash(path));
    return match;
}

RouteMatch match_route(std::string_view path,
                       const ClientHints &hints) noexcept {
    RouteMatch match;
    std::size_t heaviest = 0;
    for (const Format *format : formats()) {
        improve(match, heaviest, *format, without_last_slash(path));
    }
    improve_embeddings(match, heaviest, nullptr, without_last_slash(path));
    for (const Format *format : formats()) {
        if (format->recognises(hints)) {
            if (auto own = match_route(path, *format); own.format) {
                return own;
            }
        }
    }
    return match;
}

std::string list_routes() {
    std::vector<std::string_view> patterns;
    auto add = [&patterns](std::string_view pattern) {
        if (std::find(patterns.begin(), patterns.end(), pattern)
            == patterns.end()) {
            patterns.push_back(pattern);
        }
    };
    for (const Format *format : formats()) {
        for (const Route &route : format->routes()) {
            add(route.pattern);
        }
    }
    for (const embedding::Api *api : embedding::apis()) {
        for (const embedding::Route &route : api->routes()) {
            add(route.pattern);
        }
    }

    std::string list;
    for (std::string_view pattern : patterns) {
        list.append(list.empty() ? "..." : ", ...").append(pattern);
    }
    return list;
}

std::optional<std::vector<std::string_view>> Format::parse_models(
    json::Value root) const {
    json::Value list = listed_models(root);
    if (!list.is_array()) {
        return std::nullopt;
    }
    std::vector<std::string_view> names;
    for (json::Value model : list.elements()) {
        if (auto name = listed_name(model); !name.empty()) {
            names.push_back(name);
        }
    }
    return names;
}

}  // namespace llm
