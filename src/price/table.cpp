#include <algorithm>
#include <optional>
#include <tuple>

#include "llm/json.hpp"
#include "llm/price.hpp"

namespace llm::price {

namespace {

constexpr std::string_view item_names[item_count] = {
    "input",  "cached_input", "cache_write",  "audio_input",
    "output", "reasoning",    "audio_output", "image",
};

// What an item costs where it has no price of its own.
constexpr Item falls_back[item_count] = {
    Item::input,  Item::input,  Item::input,  Item::input,
    Item::output, Item::output, Item::output, Item::image,
};

constexpr std::size_t index(Item item) noexcept {
    return static_cast<std::size_t>(item);
}

using Given = std::array<std::optional<std::int64_t>, item_count>;

Error bad(std::string where, std::string what) {
    std::string message = where.empty() ? "the price file" : where;
    message.append(" ").append(what);
    return invalid_request(std::move(message), std::move(where));
}

std::string member_of(const std::string &where, std::string_view name) {
    std::string path = where;
    if (!path.empty()) {
        path.push_back('.');
    }
    return path.append(name);
}

std::string element_of(const std::string &where, std::size_t i) {
    return where + "[" + std::to_string(i) + "]";
}

// A number with up to six decimals, in millionths: from its digits, since a
// double is not exact.
std::optional<std::int64_t> millionths(json::Value value) {
    if (!value.is_number()) {
        return std::nullopt;
    }
    constexpr std::int64_t most = 1'000'000;
    std::int64_t whole = 0;
    std::int64_t unit = 0;      // 0: before the point
    for (char c : value.raw()) {
        if (c == '.' && unit == 0) {
            unit = 1'000'000;
            whole *= unit;
            continue;
        }
        if (c < '0' || c > '9') {
            return std::nullopt;
        }
        if (unit == 0) {
            whole = whole * 10 + (c - '0');
            if (whole > most) {
                return std::nullopt;
            }
        } else if (unit > 1) {
            unit /= 10;
            whole += unit * (c - '0');
        } else if (c != '0') {
            return std::nullopt;
        }
    }
    whole *= unit == 0 ? 1'000'000 : 1;
    return whole <= most * 1'000'000 ? std::optional(whole) : std::nullopt;
}

// True: `name` is an item, and its number is in `given`.
Result<bool> read_item(const json::Member &member, const std::string &where,
                       Given &given) {
    auto found = std::find(std::begin(item_names), std::end(item_names),
                           member.name);
    if (found == std::end(item_names)) {
        return false;
    }
    auto number = millionths(member.value);
    if (!number) {
        return bad(member_of(where, member.name),
                   "must be a number from 0 to 1000000 with at most six "
                   "decimals");
    }
    given[static_cast<std::size_t>(found - std::begin(item_names))] = *number;
    return true;
}

Rates fill(const Given &given) {
    Rates rates{};
    for (std::size_t i = 0; i < item_count; i++) {
        const std::size_t other = index(falls_back[i]);
        rates[i] = given[i].value_or(given[other].value_or(0));
    }
    return rates;
}

// `given`: what was in the tiers before; what is in this one comes in its
// place. What never had a price of its own costs what it is part of in each.
Result<void> read_tier(json::Value value, const std::string &where,
                       Given &given, Price &price) {
    if (!value.is_object()) {
        return bad(where, "must be an object");
    }
    std::optional<std::int64_t> above;
    for (const auto &member : value.members()) {
        auto item = read_item(member, where, given);
        if (!item) {
            return std::move(item.error());
        }
        if (*item) {
            continue;
        }
        auto path = member_of(where, member.name);
        if (member.name != "above") {
            return bad(std::move(path), "is unknown");
        }
        above = member.value.integer();
        if (!above || *above <= price.tiers.back().above) {
            return bad(std::move(path),
                       "must be an integer, more than in the tier before it");
        }
    }
    if (!above) {
        return bad(where, "needs the member \"above\"");
    }
    price.tiers.push_back({*above, fill(given)});
    return {};
}

bool is_date(std::string_view text) {
    if (text.size() != 10) {
        return false;
    }
    for (std::size_t i = 0; i < text.size(); i++) {
        bool dash = i == 4 || i == 7;
        if (dash ? text[i] != '-' : text[i] < '0' || text[i] > '9') {
            return false;
        }
    }
    return true;
}

Result<void> read_text(const json::Member &member, const std::string &where,
                       std::string &out) {
    if (!member.value.is_string() || member.value.string().empty()) {
        return bad(member_of(where, member.name),
                   "must be a string that is not empty");
    }
    out = member.value.string();
    return {};
}

struct Read {
    Price price;
    json::Value models;
};

Result<Read> read_price(json::Value value, const std::string &where) {
    if (!value.is_object()) {
        return bad(where, "must be an object");
    }
    Read read;
    Price &price = read.price;
    Given given{};
    json::Value tiers;
    for (const auto &member : value.members()) {
        auto item = read_item(member, where, given);
        if (!item) {
            return std::move(item.error());
        }
        if (*item) {
            continue;
        }
        if (member.name == "models") {
            read.models = member.value;
        } else if (member.name == "tiers") {
            tiers = member.value;
        } else if (member.name == "provider" || member.name == "source" ||
                   member.name == "date") {
            auto &out = member.name == "provider" ? price.provider
                        : member.name == "source" ? price.source
                                                  : price.date;
            if (auto done = read_text(member, where, out); !done) {
                return std::move(done.error());
            }
        } else {
            return bad(member_of(where, member.name), "is unknown");
        }
    }

    if (price.provider.empty()) {
        return bad(where, "needs the member \"provider\"");
    }
    if (!read.models.is_array() || read.models.size() == 0) {
        return bad(member_of(where, "models"),
                   "must be an array of one name or more");
    }
    for (Item item : {Item::input, Item::output}) {
        if (!given[index(item)]) {
            return bad(where, "needs the member \"" +
                                  std::string(item_names[index(item)]) + "\"");
        }
    }
    if (!price.date.empty() && !is_date(price.date)) {
        return bad(member_of(where, "date"), "must look like 2026-12-31");
    }

    price.tiers.push_back({0, fill(given)});
    if (tiers && !tiers.is_array()) {
        return bad(member_of(where, "tiers"), "must be an array");
    }
    std::size_t i = 0;
    for (auto tier : tiers.elements()) {
        auto path = element_of(member_of(where, "tiers"), i++);
        if (auto done = read_tier(tier, path, given, price); !done) {
            return std::move(done.error());
        }
    }
    return read;
}

}  // namespace

Result<Table> Table::parse(std::string_view text) {
    json::Document document;
    if (auto done = document.parse(text); !done) {
        return bad({}, "is not JSON: " + done.error().message);
    }
    if (!document.root().is_object()) {
        return bad({}, "must hold an object");
    }
    json::Value prices;
    for (const auto &member : document.root().members()) {
        if (member.name == "prices") {
            prices = member.value;
        } else if (member.name == "currency") {
            if (member.value.string() != "USD") {
                return bad("currency", "must be \"USD\"");
            }
        } else if (member.name != "note" || !member.value.is_string()) {
            return bad(std::string(member.name), "is unknown");
        }
    }
    if (!prices.is_array()) {
        return bad("prices", "must be an array");
    }

    Table table;
    std::size_t i = 0;
    for (auto value : prices.elements()) {
        const auto where = element_of("prices", i++);
        auto read = read_price(value, where);
        if (!read) {
            return std::move(read.error());
        }
        std::size_t k = 0;
        for (auto model : read->models.elements()) {
            auto path = element_of(member_of(where, "models"), k++);
            std::string_view name = model.string();
            const std::size_t star = name.find('*');
            if (name.empty() ||
                (star != name.npos && star + 1 != name.size())) {
                return bad(std::move(path),
                           "must be a name, with a * only at its end");
            }
            const bool pattern = star != name.npos;
            table.longest_ = std::max(table.longest_, name.size());
            Entry entry{read->price.provider,
                        std::string(name.substr(0, star)), pattern,
                        table.prices_.size()};
            table.entries_.push_back(std::move(entry));
        }
        table.prices_.push_back(std::move(read->price));
    }

    auto key = [](const Entry &entry) {
        return std::tie(entry.provider, entry.model, entry.pattern);
    };
    std::sort(table.entries_.begin(), table.entries_.end(),
              [&](const Entry &a, const Entry &b) { return key(a) < key(b); });
    auto twice = std::adjacent_find(
        table.entries_.begin(), table.entries_.end(),
        [&](const Entry &a, const Entry &b) { return key(a) == key(b); });
    if (twice != table.entries_.end()) {
        return bad(element_of("prices",
                              std::max(twice->price, (twice + 1)->price)),
                   "has a second price for the model \"" + twice->model +
                       (twice->pattern ? "*\"" : "\"") + " of provider \"" +
                       twice->provider + "\"");
    }
    return table;
}

const Table::Entry *Table::best(std::string_view provider,
                                std::string_view model) const noexcept {
    // The name, then ever shorter beginnings of it as patterns.
    for (std::size_t size = std::min(model.size(), longest_) + 1;
         size-- > 0;) {
        auto wanted = [&](bool pattern) {
            return std::tuple(provider, model.substr(0, size), pattern);
        };
        auto key = [](const Entry &entry) {
            return std::tuple(std::string_view(entry.provider),
                              std::string_view(entry.model), entry.pattern);
        };
        for (bool pattern : {false, true}) {
            if (!pattern && size < model.size()) {
                continue;
            }
            auto found = std::lower_bound(
                entries_.begin(), entries_.end(), wanted(pattern),
                [&](const Entry &entry, const auto &k) {
                    return key(entry) < k;
                });
            if (found != entries_.end() && key(*found) == wanted(pattern)) {
                return &*found;
            }
        }
    }
    return nullptr;
}

const Price *Table::find(std::string_view provider,
                         std::string_view model) const noexcept {
    const Entry *entry = best(provider, model);
    if (entry == nullptr) {
        entry = best("*", model);
    }
    return entry != nullptr ? &prices_[entry->price] : nullptr;
}

}  // namespace llm::price
