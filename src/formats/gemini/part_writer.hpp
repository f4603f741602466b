// Writes the contents of a request.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "formats/gemini/request_plan.hpp"
#include "llm/chat.hpp"
#include "llm/format.hpp"
#include "llm/json.hpp"
#include "llm/result.hpp"

namespace llm::gemini {

class ContentWriter {
public:
    // All must outlive this.
    ContentWriter(const chat::Request &request, const WriteOptions &options,
                  const Plan &plan, json::Writer &writer)
        : request_(request), options_(options), plan_(plan), w_(writer) {}

    // As values.
    void write_system();
    Result<void> write_contents();

private:
    using Parts = std::vector<const chat::Part *>;

    void write_filler();
    void begin_content(json::Value source, std::string_view role);
    void end_content(json::Value source);
    Result<void> write_turn(const Turn &turn);
    Result<void> write_results(const Turn &turn);
    Result<void> write_parts(const chat::Message &message, std::size_t i);
    void write_source(const chat::Part &part);
    void write_own_result(const chat::Message &message);
    Result<void> write_part(const chat::Part &part, const std::string &param);
    Result<void> write_media(const chat::Part &part,
                             const std::string &param);
    void write_function_call(const chat::Part &part);
    void write_input(const chat::Part &part);
    void write_response(const Call &call, const chat::Message *message,
                        Parts &attachments);
    void write_output(const chat::Message &message, Parts &attachments);

    const chat::Request &request_;
    const WriteOptions &options_;
    const Plan &plan_;
    json::Writer &w_;
    json::Document document_;       // of arguments and results
    bool signed_ = false;           // a call of this content is
    bool empty_ = false;            // the content that is open has no parts
};

}  // namespace llm::gemini
