// A client's call that its provider takes as several.
#include "llm/exchange.hpp"

#include <algorithm>
#include <utility>

namespace llm {

namespace {

void add(chat::Usage &sum, const chat::Usage &usage) noexcept {
    sum.prompt_tokens += usage.prompt_tokens;
    sum.completion_tokens += usage.completion_tokens;
    sum.total_tokens += usage.total_tokens;
    sum.cached_tokens += usage.cached_tokens;
    sum.cache_write_tokens += usage.cache_write_tokens;
    sum.reasoning_tokens += usage.reasoning_tokens;
    sum.audio_prompt_tokens += usage.audio_prompt_tokens;
    sum.audio_completion_tokens += usage.audio_completion_tokens;
    sum.known = sum.known || usage.known;
    sum.estimated = sum.estimated || usage.estimated;
}

}  // namespace

// What a part holds is given back with it, long before a request's memory is.
Exchange::Exchange(Exchange &whole, const Division &division,
                   std::size_t index)
    : whole_(&whole),
      client_(whole.client_),
      body_(whole.body_),
      limits_(whole.limits_),
      memory_(std::pmr::new_delete_resource()),
      operation_(whole.operation_),
      document_(memory_),
      query_(whole.query_),
      head_(whole.head_),
      embeddings_(whole.embeddings_),
      single_(whole.single_),
      unique_(whole.unique_),
      now_(whole.now_),
      count_prompt_(whole.count_prompt_) {
    if (division.calls() == 1) {
        return;
    }
    kept_ = std::make_unique<Kept>(memory_);
    first_ = index * division.per_call;
    if (operation_ == Operation::embeddings) {
        embedding_request_ =
            std::make_unique<embedding::Request>(embedding::part_of(
                *whole.embedding_request_, first_,
                std::min(division.per_call, division.items - first_),
                memory_));
    }
}

Exchange::~Exchange() {
    drop_collected();
}

bool Exchange::is_list() const noexcept {
    switch (operation_) {
    case Operation::embeddings:
        return true;
    case Operation::chat:
        return client_.prompts(document_) > 1;
    default:
        return false;
    }
}

Division Exchange::divide(const Target &target) {
    Division division = divide_list(target);
    return division.calls() <= Division::max_calls ? division : Division();
}

Division Exchange::divide_list(const Target &target) {
    if (operation_ == Operation::chat) {
        // A stream whose choices take turns is for those who can ask for it.
        return target.format == &client_ || head_.stream
                   ? Division()
                   : Division{client_.prompts(document_), 1};
    }
    if (operation_ != Operation::embeddings || target.embeddings == nullptr
        || target.embeddings->family() == embeddings_->family()) {
        return {};
    }
    std::size_t most = target.embeddings->max_inputs(target.model);
    if (most == 0) {
        return {};
    }
    auto request = embedding_request();
    if (!request || (*request)->inputs.size() <= most) {
        return {};
    }
    return {(*request)->inputs.size(), most};
}

void Exchange::sum_up(std::span<Exchange *const> parts) {
    account_ = {};
    account_.complete = !parts.empty();
    for (const Exchange *part : parts) {
        const Account &account = part->account_;
        add(account_.usage, account.usage);
        account_.complete = account_.complete && account.complete;
        if (account_.response_model.empty()) {
            account_.response_model = account.response_model;
        }
        if (account.finish_reason != chat::FinishReason::none) {
            account_.finish_reason = account.finish_reason;
        }
    }
}

// OpenAI counts the choices of the first prompt first.
void Exchange::join_chats(std::span<Exchange *const> parts) {
    auto each = head_.choices / static_cast<std::int64_t>(parts.size());
    chat::Response joined(memory_);
    for (Exchange *part : parts) {
        chat::Response &response = *part->kept_->chat;
        if (part == parts.front()) {
            joined.id = response.id;
            joined.model = response.model;
            joined.created = response.created;
            joined.system_fingerprint = response.system_fingerprint;
        }
        for (chat::Choice &choice : response.choices) {
            choice.index += each * static_cast<std::int64_t>(part->first_);
            joined.choices.push_back(std::move(choice));
        }
    }
    joined.usage = account_.usage;
    client_.write_response(
        joined, answer_context(joined.usage.prompt_tokens), output_);
}

Exchange::Step Exchange::join(std::span<Exchange *const> parts) {
    sum_up(parts);
    target_ = parts.front()->target_;
    error_ = {};
    output_.clear();

    Step step = Step::complete;
    if (!parts.front()->kept_) {
        output_ = std::move(parts.front()->output_);
    } else if (operation_ == Operation::embeddings) {
        step = join_embeddings(parts);
    } else {
        join_chats(parts);
    }
    if (step == Step::complete) {
        mode_ = Mode::over;
        status_ = 200;
        content_type_ = "application/json";
    }
    return step;
}

}  // namespace llm
