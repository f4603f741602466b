// Errors by which a server says that it can do nothing for anybody just now.
#pragma once

#include "llm/redis.hpp"

namespace redis {

struct TroubleRow {
    llm::redis::Trouble trouble;
    const char *failure;
};

constexpr TroubleRow troubles[] = {
    {llm::redis::Trouble::loading, "the server loads its data set"},
    {llm::redis::Trouble::master_down, "the replica has lost its master"},
    {llm::redis::Trouble::too_many_clients, "the server has too many clients"},
    {llm::redis::Trouble::not_authenticated, "the server wants a password"},
};

// NULL: it is none of these.
inline const char *failure_of(llm::redis::Trouble trouble) noexcept {
    for (const auto &row : troubles) {
        if (row.trouble == trouble) {
            return row.failure;
        }
    }
    return nullptr;
}

}  // namespace redis
