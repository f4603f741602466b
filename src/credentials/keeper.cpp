#include <algorithm>

#include "credentials/common.hpp"

namespace llm::credentials {

namespace {

// How long before its end a credential is renewed. Google's metadata server
// and AWS's give out the next one five minutes before.
constexpr Time ahead = 300;
constexpr Time longest_pause = 30;
// How long a credential is trusted more than the provider that refuses it.
constexpr Time shortest_use = 30;

}  // namespace

Time Keeper::renew_at() const noexcept {
    if (!credential_ || credential_->expires == never) {
        return never;
    }
    Time life = credential_->expires - margin - fetched_;
    return fetched_ + std::max(life - life / 4, life - ahead);
}

const Credential *Keeper::usable(Time now) const noexcept {
    if (!credential_ || credential_->expires - margin <= now) {
        return nullptr;
    }
    return &*credential_;
}

Keeper::Advice Keeper::advice(Time now) const noexcept {
    bool paused = wait(now) > 0;
    if (usable(now)) {
        return now >= renew_at() && !paused ? Advice::renew : Advice::use;
    }
    return paused ? Advice::refuse : Advice::fetch;
}

void Keeper::store(Credential credential, Time now) noexcept {
    credential_ = std::move(credential);
    fetched_ = now;
    failures_ = 0;
    failed_until_ = 0;
}

void Keeper::failed(Time now) noexcept {
    constexpr int most = 6;
    failed_until_ = now + std::min(pause_ << failures_, longest_pause);
    failures_ = std::min(failures_ + 1, most);
}

bool Keeper::reject(Time now) noexcept {
    // A clock that was set back since says nothing of how long it has served.
    Time used = now - fetched_;
    if (!credential_ || credential_->expires == never
        || (used >= 0 && used < shortest_use)) {
        return false;
    }
    credential_.reset();
    return true;
}

Time Keeper::wait(Time now) const noexcept {
    // More than the longest pause: the clock was set back since.
    Time left = failed_until_ - now;
    return left > longest_pause ? 0 : std::max(left, Time{0});
}

}  // namespace llm::credentials
