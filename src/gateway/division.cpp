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
    std::size_t first = index * division.per_call;
    std::size_t count = std::min(division.per_call, division.items - first);
    embedding_request_.emplace(embedding::part_of(
        *whole.embedding_request_, first, count, memory_));
}

Exchange::~Exchange() {
    drop_collected();
}

Division Exchange::divide(const Target &target) {
    Division division;
    if (operation_ != Operation::embeddings || target.embeddings == nullptr
        || target.embeddings->family() == embeddings_->family()) {
        return division;
    }
    std::size_t most = target.embeddings->max_inputs(target.model);
    if (most == 0) {
        return division;
    }
    auto request = embedding_request();
    if (!request || (*request)->inputs.size() <= most) {
        return division;
    }
    Division several{(*request)->inputs.size(), most};
    return several.calls() <= Division::max_calls ? several : division;
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

Exchange::Step Exchange::join(std::span<Exchange *const> parts) {
    sum_up(parts);
    target_ = parts.front()->target_;
    error_ = {};
    output_.clear();

    Step step = Step::complete;
    if (!parts.front()->kept_) {
        output_ = std::move(parts.front()->output_);
    } else {
        step = join_embeddings(parts);
    }
    if (step == Step::complete) {
        mode_ = Mode::over;
        status_ = 200;
        content_type_ = "application/json";
    }
    return step;
}

}  // namespace llm
