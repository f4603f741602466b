// RediSearch and what speaks its language.
//
// Where the products differ:
// - The words for an index that is not there: "Unknown index name" (FT.INFO of
//   RediSearch 2), "llm: no such index" (FT.SEARCH), "SEARCH_INDEX_NOT_FOUND
//   ..." (Redis 8's later versions), "Index with name 'llm' not found" (Valkey
//   search). For one that is there already: "Index already exists",
//   "SEARCH_INDEX_EXISTS ...", "Index llm already exists."
// - FT.SEARCH's SORTBY: Valkey search 1.0 has none. So nothing is asked to be
//   sorted, and the few results are sorted here.
// - FT.INFO: RediSearch names a vector's size "dim", among the attribute's
//   own members; Valkey search "dimensions", in a list inside of it. Versions
//   of RediSearch before 2.8 do not tell it.
#include <algorithm>

#include "cache/redis_reply.hpp"

namespace llm::cache::remote {

using redis::Reply;

namespace {

constexpr std::string_view partition_field = "partition";
constexpr std::string_view vector_field = "vector";
constexpr std::string_view question_field = "question";
constexpr std::string_view distance_field = "distance";

// KEYS: the hash. ARGV: ms, then names and values.
constexpr std::string_view add_hash_script = R"(
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
return redis.call('PEXPIRE', KEYS[1], ARGV[1])
)";

constexpr std::string_view absent_words[] = {
    "unknown index", "no such index", "index_not_found", "index not found",
    "not found"};
constexpr std::string_view existing_words[] = {"already exists",
                                               "index_exists"};
constexpr std::string_view unsupported_words[] = {"unknown command"};

template <std::size_t N>
bool mentions_any(std::string_view text,
                  const std::string_view (&words)[N]) noexcept {
    return std::any_of(std::begin(words), std::end(words),
                       [&](std::string_view word) {
                           return mentions(text, word);
                       });
}

// A word that no product takes for a number.
std::string tag(const ZoneKey &partition) { return 'p' + hex(partition); }

IndexReport report_of(const Reply &reply) {
    IndexReport report{IndexState::failed, error_of(reply).message};
    if (mentions_any(reply.text, unsupported_words)) {
        report.state = IndexState::unsupported;
    } else if (mentions_any(reply.text, absent_words)) {
        report.state = IndexState::absent;
    }
    return report;
}

// Depth of what products nest in an attribute; replies are not trusted.
constexpr int deepest = 6;

const Reply *find_deep(const Reply &reply, std::string_view name,
                       int depth = 0) noexcept {
    if (const Reply *found = field(reply, name)) {
        return found;
    }
    if (depth == deepest) {
        return nullptr;
    }
    for (const Reply &element : reply.elements) {
        if (const Reply *found = find_deep(element, name, depth + 1)) {
            return found;
        }
    }
    return nullptr;
}

// The one of FT.INFO's attributes that has this name. RESP3 has a set or an
// array of maps, some versions an array of arrays.
const Reply *find_attribute(const Reply &info, std::string_view name)
    noexcept {
    const Reply *attributes = field(info, "attributes");
    if (attributes == nullptr) {
        attributes = field(info, "fields");
    }
    if (attributes == nullptr) {
        return nullptr;
    }
    for (const Reply &attribute : attributes->elements) {
        const Reply *identifier = field(attribute, "identifier");
        if (identifier != nullptr && identifier->text == name) {
            return &attribute;
        }
    }
    return nullptr;
}

bool has_type(const Reply &attribute, std::string_view type) noexcept {
    const Reply *found = field(attribute, "type");
    return found == nullptr || equal_words(found->text, type);
}

// The error of a look-up.
Error search_error(const Reply &reply) {
    Error error = error_of(reply);
    if (report_of(reply).state == IndexState::absent) {
        error.code = code_no_index;
    }
    return error;
}

// Takes one result; what is not ours is left out.
void take_result(const Reply &id, const Reply *content, const Names &names,
                 std::vector<Neighbour> &found) {
    auto key = names.key_of_hash(id.text);
    if (!id.is_text() || !key || content == nullptr) {
        return;
    }
    const Reply *distance = field(*content, distance_field);
    auto value = distance ? number(*distance) : std::nullopt;
    if (!value) {
        return;
    }
    Neighbour neighbour{*key, static_cast<float>(1 - *value), {}};
    if (const Reply *question = field(*content, question_field);
        question && question->is_text())
    {
        neighbour.question = question->text;
    }
    found.push_back(std::move(neighbour));
}

// Calls take(id, content) for each result: RESP2's array of a count and then
// name and content by turns, or RESP3's map with its "results". `contents`:
// there are such. False: it is neither.
template <typename Take>
bool visit_results(const Reply &reply, bool contents, Take take) {
    if (reply.type == Reply::Type::map) {
        const Reply *results = field(reply, "results");
        if (results == nullptr || results->type != Reply::Type::array) {
            return false;
        }
        for (const Reply &result : results->elements) {
            if (const Reply *id = field(result, "id")) {
                take(*id, field(result, "extra_attributes"));
            }
        }
        return true;
    }
    if (reply.type != Reply::Type::array || reply.elements.empty()
        || reply.elements[0].type != Reply::Type::integer)
    {
        return false;
    }
    std::size_t step = contents ? 2 : 1;
    for (std::size_t i = 1; i + step <= reply.elements.size(); i += step) {
        take(reply.elements[i],
             contents ? &reply.elements[i + 1] : nullptr);
    }
    return true;
}

}  // namespace

Command index_info(const Names &names) {
    return {{"FT.INFO", names.index()}, names.index()};
}

IndexReport read_index_info(const Reply &reply, const Names &names,
                            std::size_t dimensions) {
    if (reply.is_error()) {
        return report_of(reply);
    }
    if (reply.type != Reply::Type::array && reply.type != Reply::Type::map) {
        return {IndexState::failed, unexpected("description").message};
    }

    const Reply *prefixes = find_deep(reply, "prefixes");
    if (prefixes == nullptr) {
        prefixes = find_deep(reply, "key_prefixes");
    }
    if (prefixes != nullptr) {
        bool ours = std::any_of(
            prefixes->elements.begin(), prefixes->elements.end(),
            [&](const Reply &text) { return text.text == names.hashes(); });
        if (!ours) {
            return {IndexState::other, "it is of other keys"};
        }
    }

    const Reply *vector = find_attribute(reply, vector_field);
    if (vector == nullptr || !has_type(*vector, "VECTOR")) {
        return {IndexState::other, "it has no vectors"};
    }
    const Reply *partition = find_attribute(reply, partition_field);
    if (partition == nullptr || !has_type(*partition, "TAG")) {
        return {IndexState::other, "it has no partitions"};
    }

    const Reply *size = find_deep(*vector, "dim");
    if (size == nullptr) {
        size = find_deep(*vector, "dimensions");
    }
    auto value = size ? number(*size) : std::nullopt;
    if (value && *value != static_cast<double>(dimensions)) {
        return {IndexState::other,
                "its vectors have " + std::to_string(std::int64_t(*value))
                    + " dimensions, not " + std::to_string(dimensions)};
    }
    const Reply *metric = find_deep(*vector, "distance_metric");
    if (metric != nullptr && !equal_words(metric->text, "COSINE")) {
        return {IndexState::other, "its distances are not COSINE"};
    }
    return {IndexState::ready, {}};
}

Command create_index(const Names &names, std::size_t dimensions,
                     Algorithm algorithm) {
    return {{"FT.CREATE", names.index(), "ON", "HASH", "PREFIX", "1",
             names.hashes(), "SCHEMA", std::string(partition_field), "TAG",
             std::string(vector_field), "VECTOR",
             algorithm == Algorithm::flat ? "FLAT" : "HNSW", "6", "TYPE",
             "FLOAT32", "DIM", std::to_string(dimensions), "DISTANCE_METRIC",
             "COSINE"},
            names.index()};
}

IndexReport read_create_index(const Reply &reply) {
    if (!reply.is_error()) {
        return {IndexState::ready, {}};
    }
    if (mentions_any(reply.text, existing_words)) {
        return {IndexState::ready, {}};
    }
    auto report = report_of(reply);
    if (report.state == IndexState::absent) {
        report.state = IndexState::failed;
    }
    return report;
}

Command add_hash(const Names &names, const Put &put) {
    return script(add_hash_script, {names.hash(put.key)},
                  {std::to_string(put.kept_for()),
                   std::string(partition_field), tag(put.partition),
                   std::string(vector_field), blob(put.vector),
                   std::string(question_field), std::string(put.question)});
}

Command remove_hash(const Names &names, const ZoneKey &key) {
    return remove_key(names.hash(key));
}

Command search_index(const Names &names, const ZoneKey &partition,
                     std::span<const float> vector, std::size_t count) {
    std::string most = std::to_string(count);
    std::string query = "(@" + std::string(partition_field) + ":{"
                        + tag(partition) + "})=>[KNN " + most + " @"
                        + std::string(vector_field) + " $v AS "
                        + std::string(distance_field) + ']';
    return {{"FT.SEARCH", names.index(), std::move(query), "PARAMS", "2", "v",
             blob(vector), "RETURN", "2", std::string(distance_field),
             std::string(question_field), "LIMIT", "0", most, "DIALECT", "2"},
            names.index()};
}

Result<std::vector<Neighbour>> read_search(const Reply &reply,
                                           const Names &names) {
    if (reply.is_error()) {
        return search_error(reply);
    }
    std::vector<Neighbour> found;
    auto take = [&](const Reply &id, const Reply *content) {
        take_result(id, content, names, found);
    };
    if (!visit_results(reply, true, take)) {
        return unexpected("list of what was found");
    }
    sort_neighbours(found);
    return found;
}

Command list_hashes(const Names &names, const ZoneKey &partition,
                    std::size_t count) {
    return {{"FT.SEARCH", names.index(),
             "@" + std::string(partition_field) + ":{" + tag(partition) + '}',
             "NOCONTENT", "LIMIT", "0", std::to_string(count), "DIALECT",
             "2"},
            names.index()};
}

Result<std::vector<std::string>> read_list_hashes(const Reply &reply,
                                                  const Names &names) {
    if (reply.is_error()) {
        return search_error(reply);
    }
    std::vector<std::string> found;
    auto take = [&](const Reply &id, const Reply *) {
        if (id.is_text() && names.key_of_hash(id.text)) {
            found.push_back(id.text);
        }
    };
    if (!visit_results(reply, false, take)) {
        return unexpected("list of what was found");
    }
    return found;
}

}  // namespace llm::cache::remote
