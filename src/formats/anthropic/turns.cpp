#include "formats/anthropic/turns.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "formats/responses/sealed.hpp"

namespace llm::anthropic {

namespace {

using chat::Message;
using chat::Part;
using chat::PartType;
using chat::Request;
using chat::Role;

// Those of other APIs may be anywhere and become the one system prompt; one in
// the middle of a call of this API stays there.
bool is_hoisted(const Message &message, const TurnRules &rules) {
    if (message.role != Role::system && message.role != Role::developer) {
        return false;
    }
    return !rules.ours || !message.source;
}

// Whose message it becomes: user's, assistant's or system's.
Role role_in_turns(const Message &message) {
    switch (message.role) {
    case Role::system:
    case Role::developer:
        return Role::system;
    case Role::assistant:
        return Role::assistant;
    case Role::user:
    case Role::tool:
        break;
    }
    return Role::user;
}

bool is_written(const Message &message, const TurnRules &rules) {
    return message.role == Role::tool
           || std::any_of(message.parts.begin(), message.parts.end(),
                          [&rules](const Part &part) {
                              return rules.is_written(part, rules.ours);
                          });
}

bool begins_turn(Role role, const std::vector<Turn> &turns,
                 const TurnRules &rules) {
    return turns.empty() || turns.back().role != role
           || (role == Role::system && !rules.join_systems);
}

Turns collect(const Request &request, const TurnRules &rules) {
    Turns plan;
    for (std::size_t i = 0; i < request.messages.size(); ++i) {
        const Message &message = request.messages[i];
        if (is_hoisted(message, rules)) {
            plan.system.push_back(i);
            continue;
        }
        if (!is_written(message, rules)) {
            continue;
        }
        Role role = role_in_turns(message);
        if (begins_turn(role, plan.turns, rules)) {
            plan.turns.push_back({role, {}, {}});
        }
        plan.turns.back().messages.push_back(i);
    }

    // Results come before anything else in the user's message.
    for (Turn &turn : plan.turns) {
        std::stable_partition(turn.messages.begin(), turn.messages.end(),
                              [&request](std::size_t i) {
                                  return request.messages[i].role
                                         == Role::tool;
                              });
    }
    return plan;
}

// The ids of the calls that a turn answers, sorted.
Names results_of(const Request &request, const Turn &turn) {
    Names ids;
    for (std::size_t i : turn.messages) {
        if (request.messages[i].role == Role::tool) {
            ids.push_back(request.messages[i].tool_call_id);
        }
    }
    std::sort(ids.begin(), ids.end());
    return ids;
}

// A result without its call is refused by the API in words that do not help
// the client, whose messages have other numbers. `calls` is sorted.
Result<void> check_results(const Request &request, const Turn &turn,
                           const Names &calls) {
    for (std::size_t i : turn.messages) {
        const Message &message = request.messages[i];
        if (message.role != Role::tool) {
            break;
        }
        if (!std::binary_search(calls.begin(), calls.end(),
                                message.tool_call_id)) {
            std::string param =
                "messages[" + std::to_string(i) + "].tool_call_id";
            return invalid_request(
                param + " answers no tool call of the assistant message "
                        "before it",
                param);
        }
    }
    return {};
}

}  // namespace

bool is_proved(const Part &part) {
    return !part.signature.empty() && !responses::unseal(part.signature);
}

bool begins_with_thought(const Request &request,
                         const std::vector<Turn> &turns,
                         const TurnRules &rules) {
    const Turn *first = nullptr;
    for (auto turn = turns.rbegin(); turn != turns.rend(); ++turn) {
        if (turn->role == Role::assistant) {
            first = &*turn;
        } else if (turn->role == Role::user && turn->missing_results.empty()
                   && request.messages[turn->messages.front()].role
                          != Role::tool) {
            break;
        }
    }
    if (!first) {
        return true;
    }
    for (std::size_t i : first->messages) {
        for (const Part &part : request.messages[i].parts) {
            if (rules.is_written(part, rules.ours)) {
                return part.type == PartType::reasoning
                       || part.type == PartType::redacted_reasoning;
            }
        }
    }
    return false;
}

Names calls_of(const Request &request, const Turn &turn) {
    Names ids;
    for (std::size_t i : turn.messages) {
        for (const Part &part : request.messages[i].parts) {
            if (part.type == PartType::tool_call) {
                ids.push_back(part.id);
            }
        }
    }
    return ids;
}

Result<Turns> plan_turns(const Request &request, const TurnRules &rules) {
    Turns plan = collect(request, rules);
    Names calls;    // of the turn before, if that is the assistant's
    for (Turn &turn : plan.turns) {
        if (turn.role == Role::assistant) {
            calls = calls_of(request, turn);
            continue;
        }
        if (turn.role == Role::user) {
            Names answered = results_of(request, turn);
            for (std::string_view id : calls) {
                if (!std::binary_search(answered.begin(), answered.end(),
                                        id)) {
                    turn.missing_results.push_back(id);
                }
            }
        }
        std::sort(calls.begin(), calls.end());
        if (!rules.ours) {
            if (auto outcome = check_results(request, turn, calls);
                !outcome) {
                return std::move(outcome.error());
            }
        }
        calls.clear();
    }
    return plan;
}

}  // namespace llm::anthropic
