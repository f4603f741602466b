// What a call that stays in this format needs all the same.
#include <algorithm>
#include <optional>

#include "formats/model_edits.hpp"
#include "formats/responses/responses.hpp"
#include "formats/responses/sealed.hpp"

namespace llm::responses {

namespace {

using json::Value;

Marked mark_of(Value item) {
    return item["type"].string() == "reasoning"
               ? read_mark(item["encrypted_content"].string())
               : Marked{};
}

// The reasoning that another provider's answer left in the conversation is not
// this one's, which would refuse it; what this one had sealed becomes what it
// was. Nothing where all can stay.
std::optional<std::string> own_input(Value input) {
    auto elements = input.elements();
    bool foreign = std::any_of(elements.begin(), elements.end(),
                               [](Value item) {
                                   return mark_of(item).proof != Proof::none;
                               });
    if (!foreign) {
        return std::nullopt;
    }

    std::string out;
    json::Writer w(out);
    w.begin_array();
    for (Value item : elements) {
        Marked marked = mark_of(item);
        if (marked.proof == Proof::none) {
            w.raw(item.raw());
        } else if (auto sealed = unseal(marked.data)) {
            w.begin_object().member("type", "reasoning")
                .member("id", sealed->id)
                .key("summary").raw(item["summary"].is_array()
                                        ? item["summary"].raw()
                                        : "[]")
                .member("encrypted_content", sealed->encrypted_content)
                .end_object();
        }
    }
    w.end_array();
    return out;
}

}  // namespace

std::vector<json::Edit> request_edits(std::string_view body,
                                      const json::Document &document,
                                      const WriteOptions &options) {
    std::vector<json::Edit> edits;
    Value root = document.root();

    edit_model(body, root, options.model, edits);
    if (auto input = own_input(root["input"])) {
        edits.push_back(json::set_member(body, root, "input", *input));
    }
    std::sort(edits.begin(), edits.end(),
              [](const json::Edit &a, const json::Edit &b) {
                  return a.offset < b.offset;
              });
    return edits;
}

}  // namespace llm::responses
