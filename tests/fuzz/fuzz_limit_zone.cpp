// Any sequence of calls, at any times, leaves a zone whole and no budget
// exceeded by what is reserved.
#include <array>
#include <vector>

#include "fuzz.hpp"
#include "llm/limit_zone.hpp"

using namespace llm;
using namespace llm::limit;

namespace {

class Input {
public:
    Input(const std::uint8_t *data, std::size_t size)
        : data_(data), size_(size) {}
    bool empty() const { return size_ == 0; }
    std::uint8_t byte() {
        if (size_ == 0) {
            return 0;
        }
        --size_;
        return *data_++;
    }
    std::int64_t number() {
        std::uint64_t value = 0;
        // Short ones mostly.
        for (int i = byte() % 9; i > 0; --i) {
            value = value << 8 | byte();
        }
        return static_cast<std::int64_t>(value);
    }

private:
    const std::uint8_t *data_;
    std::size_t size_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size) {
    alignas(64) static std::array<std::byte, 8192> block;
    Input input(data, size);
    Limit limit;
    limit.window = static_cast<Window>(input.byte() % 4);
    limit.unit = static_cast<CalendarUnit>(input.byte() % 4);
    limit.period = input.number();
    limit.budget = input.number();
    limit.burst = input.number();
    limit.lease = input.number();

    LimitZone zone;
    if (LimitZone::format(block, 1) != ZoneStatus::ok
        || LimitZone::attach(block, 1, &zone) != ZoneStatus::ok)
    {
        return 0;
    }
    std::vector<std::pair<Key, Reservation>> open;
    std::int64_t now = 1'700'000'000'000;
    while (!input.empty()) {
        auto operation = input.byte();
        if (operation % 4 == 0) {
            now = input.number();
        } else {
            now += input.byte() & (now < INT64_MAX - 256 ? 0xFF : 0);
        }
        Key key{};
        key[0] = input.byte();
        if (operation % 3 != 0 || open.empty()) {
            auto amount = input.number();
            auto before = zone.usage(key, limit, now);
            Reservation reservation;
            auto decision = zone.reserve(key, limit, now, amount,
                                         &reservation);
            fuzz::promise(decision.remaining >= 0
                              && decision.retry_after >= 0
                              && decision.reset >= 0,
                          "nothing is below 0");
            if (decision.granted()) {
                fuzz::promise(before.used + reservation.amount
                                  <= limit.capacity(),
                              "no budget is exceeded");
                open.emplace_back(key, reservation);
            }
        } else {
            auto index = input.byte() % open.size();
            zone.settle(open[index].first, limit, now, open[index].second,
                        input.number());
            open.erase(open.begin() + static_cast<std::ptrdiff_t>(index));
        }
    }
    const char *wrong = zone.check();
    fuzz::promise(wrong == nullptr, "the zone is whole", wrong ? wrong : "");
    return 0;
}
