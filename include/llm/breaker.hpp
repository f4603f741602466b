// Stops asking a server that is dead: after some failures in a row nothing is
// sent for a while; then one call at a time finds out whether it lives again.
#pragma once

#include <cstdint>

namespace llm {

class Breaker {
public:
    // After how many failures in a row it opens (0: never), and for how many
    // milliseconds.
    Breaker(std::uint32_t failures, std::int64_t pause) noexcept
        : limit_(failures), pause_(pause) {}

    // Whether a call may be made at this time (milliseconds of one clock that
    // never goes back). Each call that may is to be followed by one of the
    // three below.
    bool admit(std::int64_t now) noexcept {
        if (!has_tripped()) {
            return true;
        }
        if (now < refused_until_ || probing_) {
            return false;
        }
        probing_ = true;
        return true;
    }

    // True: calls had been refused, and are no longer.
    bool succeeded() noexcept {
        bool refused = has_tripped();
        failures_ = 0;
        probing_ = false;
        return refused;
    }

    // True: from now on calls are refused.
    bool failed(std::int64_t now) noexcept {
        probing_ = false;
        if (failures_ < limit_) {
            failures_++;
        }
        if (!has_tripped()) {
            return false;
        }
        bool refused = now < refused_until_;
        refused_until_ = now + pause_;
        return !refused;
    }

    // The call ended, and says nothing of the server.
    void released() noexcept { probing_ = false; }

private:
    bool has_tripped() const noexcept {
        return limit_ && failures_ == limit_;
    }

    std::uint32_t limit_;
    std::int64_t pause_;
    std::uint32_t failures_ = 0;
    std::int64_t refused_until_ = 0;
    bool probing_ = false;
};

}  // namespace llm
