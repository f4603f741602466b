#include "limit/scripts.hpp"

namespace llm::limit::scripts {

// limit.cpp and arithmetic.hpp once more, line by line where that can be: a
// change there is one here. Numbers are doubles, and all of them integers
// below 2^53.
const std::string_view common = R"lua(
local SLACK, LONGEST, MOST = 10000, 316224000000, 4503599627370496
local floor, max, min = math.floor, math.max, math.min

local fake = ARGV[1] ~= ''
local now
if fake then
    now = max(tonumber(ARGV[1]), 0)
else
    local time = redis.call('TIME')
    now = tonumber(time[1]) * 1000 + floor(tonumber(time[2]) / 1000)
end

local function add(a, b) return min(a + b, MOST) end

-- How: NX or nothing. False: the key is there already.
local function put(key, bytes, left, how)
    local words = {key, bytes}
    if not fake then
        words[3], words[4] = 'PX', string.format('%.0f', left)
    end
    words[#words + 1] = how
    return redis.call('SET', unpack(words))
end

-- What is kept of a call until it is settled.
local function record_life(limit) return 3 * limit.slot + SLACK end

local function scale(a, b, c)
    local rest = a % c * b
    return floor(a / c) * b + floor(rest / c), rest % c
end

local function first_moment(low, high, done)
    while high - low > 1 do
        local middle = low + floor((high - low) / 2)
        if done(middle) then high = middle else low = middle end
    end
    return high
end

-- The limit that ARGV describes from index `from` on.
local function read_limit(from)
    local limit = {kind = ARGV[from]}
    limit.capacity = tonumber(ARGV[from + 1])
    limit.rate = tonumber(ARGV[from + 2])
    limit.period = tonumber(ARGV[from + 3])
    limit.tick = tonumber(ARGV[from + 4])
    limit.slot = tonumber(ARGV[from + 5])
    return limit
end

-- Which of the calendar's windows it is: the limit has four of their borders,
-- the present window most likely in the middle.
local function find_span(limit, s, from)
    local moment = now
    if s.at > now and s.at - now <= SLACK then moment = s.at end
    local start, stop = tonumber(ARGV[from + 6]), tonumber(ARGV[from + 7])
    if moment < start or moment >= tonumber(ARGV[from + 9]) then
        -- The gateway's clock is far from this one: another window as long
        -- as its present one, which nearly all of them are.
        local length = tonumber(ARGV[from + 8]) - stop
        limit.start = stop + floor((moment - stop) / length) * length
        limit.stop = limit.start + length
        return
    end
    for i = 8, 9 do
        if moment >= stop then
            start, stop = stop, tonumber(ARGV[from + i])
        end
    end
    limit.start, limit.stop = start, stop
end

local function load_state(key, limit, from)
    local bytes = redis.call('GET', key)
    if limit.kind == 'b' then
        local s = {birth = 0, at = 0, level = 0, fraction = 0, charged = 0}
        if bytes then
            s.birth, s.at, s.level, s.fraction, s.charged =
                struct.unpack('<ddddd', bytes)
        end
        return s
    end
    local s = {birth = 0, at = 0, spent = 0, before = 0, h = {0, 0, 0},
               b = {0, 0, 0}, leased_at = 0, lease = 0, turn = 0}
    if bytes then
        s.birth, s.at, s.spent, s.before, s.h[1], s.h[2], s.h[3], s.b[1],
            s.b[2], s.b[3], s.leased_at, s.lease, s.turn =
                struct.unpack('<ddddddddddddd', bytes)
    end
    if limit.kind == 'c' then find_span(limit, s, from) end
    return s
end

local function copy(s)
    return {birth = s.birth, at = s.at, spent = s.spent, before = s.before,
            h = {s.h[1], s.h[2], s.h[3]}, b = {s.b[1], s.b[2], s.b[3]},
            leased_at = s.leased_at, lease = s.lease, turn = s.turn}
end

local function sum(slots) return slots[1] + slots[2] + slots[3] end

-- Windows

local function begin_of(limit, moment)
    if limit.kind == 's' then return moment - moment % limit.period end
    if limit.kind == 'f' then return moment end
    return limit.start
end

local function rotate(s)
    s.before, s.spent = s.spent, 0
    s.b, s.h = s.h, {0, 0, 0}
    s.turn = s.turn + 1
end

local function advance_leases(limit, s, moment)
    if moment < s.leased_at then
        local put_back = s.leased_at - moment > SLACK
        if put_back then s.leased_at = moment end
        return put_back
    end
    local over = floor((moment - s.leased_at) / limit.slot)
    for i = 0, min(over, 3) - 1 do
        local slot = (s.lease + i) % 3 + 1
        s.h[slot], s.b[slot] = 0, 0
    end
    s.lease = s.lease + over
    s.leased_at = s.leased_at + over * limit.slot
    return false
end

local function advance_window(limit, s, moment)
    if s.turn == 0 then
        s.at, s.leased_at, s.turn = begin_of(limit, moment), moment, 1
        return false
    end
    local put_back = advance_leases(limit, s, moment)
    if moment < s.at then
        if s.at - moment > SLACK then
            s.at = begin_of(limit, moment)
            put_back = true
        end
        return put_back
    end
    if limit.kind == 's' then
        local start = begin_of(limit, moment)
        if start > s.at then
            local adjacent = start - s.at <= limit.period
            rotate(s)
            if not adjacent then rotate(s) end
            s.at = start
        end
    elseif limit.kind == 'f' then
        if moment - s.at >= limit.period then
            rotate(s)
            rotate(s)
            s.at = moment
        end
    elseif moment >= limit.stop or limit.start > s.at then
        rotate(s)
        rotate(s)
        s.at = moment >= limit.stop and limit.stop or limit.start
    end
    return put_back
end

local function window_used(limit, s, moment)
    local used = add(s.spent, sum(s.h))
    local before = add(s.before, sum(s.b))
    if limit.kind == 's' and before > 0 then
        local left = s.at + limit.period - max(moment, s.at)
        local whole, rest = scale(before,
            floor((left + limit.tick - 1) / limit.tick),
            limit.period / limit.tick)
        used = add(used, whole + (rest > 0 and 1 or 0))
    end
    return used
end

local function window_end(limit, s)
    if limit.kind == 'c' then return max(limit.stop, s.at + 1) end
    return s.at + limit.period
end

local function more_of(limit)
    return limit.kind == 's' and limit.period or 0
end

local function window_reset(limit, s)
    if s.spent + sum(s.h) > 0 then
        return window_end(limit, s) - now + more_of(limit)
    end
    return s.before + sum(s.b) > 0 and window_end(limit, s) - now or 0
end

local function window_retry(limit, s, amount)
    local last = window_end(limit, s) + more_of(limit)
    return first_moment(now, last, function(moment)
        local later = copy(s)
        advance_window(limit, later, moment)
        return window_used(limit, later, moment) + amount <= limit.capacity
    end) - now
end

-- Buckets

local function drain(limit, level, fraction, ticks)
    local of_period = limit.period / limit.tick
    local periods = floor(ticks / of_period)
    if limit.rate > 0 and periods > floor(level / limit.rate) then
        return 0, 0
    end
    local whole, rest = scale(limit.rate, ticks % of_period, of_period)
    level = level - periods * limit.rate - whole
    fraction = fraction - rest
    if fraction < 0 then level, fraction = level - 1, fraction + of_period end
    if level < 0 then return 0, 0 end
    return level, fraction
end

local function bucket_used(level, fraction)
    return level + (fraction > 0 and 1 or 0)
end

local function advance_bucket(limit, s)
    if bucket_used(s.level, s.fraction) == 0 then
        s.at = now
        return false
    end
    if now < s.at then
        local put_back = s.at - now > SLACK
        if put_back then s.at = now end
        return put_back
    end
    local ticks = floor((now - s.at) / limit.tick)
    s.at = s.at + ticks * limit.tick
    s.level, s.fraction = drain(limit, s.level, s.fraction, ticks)
    return false
end

local function charge(s, amount)
    if s.charged == 0 then s.birth = now end
    s.level = add(s.level, amount)
    s.charged = s.charged + amount
    if s.charged > MOST then s.charged = s.charged - MOST end
end

local function time_to(limit, s, rest)
    local used = bucket_used(s.level, s.fraction)
    if used <= rest then return 0 end
    if limit.rate == 0 then return LONGEST end
    local of_period = limit.period / limit.tick
    local periods = floor((used - rest) / limit.rate) + 1
    if periods > floor(floor(LONGEST / limit.tick) / of_period) then
        return LONGEST
    end
    local ticks = first_moment(0, periods * of_period, function(some)
        return bucket_used(drain(limit, s.level, s.fraction, some)) <= rest
    end)
    return max(s.at - now + ticks * limit.tick, 1)
end

-- Either

local function save_state(key, limit, s)
    local bytes, left
    if limit.kind == 'b' then
        bytes = struct.pack('<ddddd', s.birth, s.at, s.level, s.fraction,
                            s.charged)
        left = time_to(limit, s, 0)
    else
        bytes = struct.pack('<ddddddddddddd', s.birth, s.at, s.spent, s.before,
                            s.h[1], s.h[2], s.h[3], s.b[1], s.b[2], s.b[3],
                            s.leased_at, s.lease, s.turn)
        left = window_end(limit, s) - now + more_of(limit)
    end
    put(key, bytes, max(left, 1) + SLACK)
end
)lua";

const std::string_view reserve = R"lua(
local limits, states, answer = {}, {}, {now, 1}
-- One more key is that of the call's record.
local count = (#ARGV - 1) / 11

for i = 1, count do
    local key, from = KEYS[i], 2 + (i - 1) * 11
    local amount = tonumber(ARGV[from])
    local limit = read_limit(from + 1)
    local s = load_state(key, limit, from + 1)
    local used, put_back
    if limit.kind == 'b' then
        put_back = advance_bucket(limit, s)
        used = bucket_used(s.level, s.fraction)
    else
        put_back = advance_window(limit, s, now)
        used = window_used(limit, s, now)
    end
    if put_back then save_state(key, limit, s) end
    local outcome, retry = 0, 0
    if amount > limit.capacity then
        outcome = 2
    elseif used + amount > limit.capacity then
        outcome = 1
        if limit.kind == 'b' then
            retry = time_to(limit, s, limit.capacity - amount)
        else
            retry = window_retry(limit, s, amount)
        end
    end
    if outcome ~= 0 then answer[2] = 0 end
    limits[i], states[i] = limit, s
    local n = (i - 1) * 8 + 2
    answer[n + 1], answer[n + 2], answer[n + 3] = outcome, used, retry
    answer[n + 4], answer[n + 5], answer[n + 6] = 0, 0, 0
    answer[n + 7], answer[n + 8] = 0, 0
end

if answer[2] == 1 then
    local record = ''
    for i, limit in ipairs(limits) do
        local s, n = states[i], (i - 1) * 8 + 2
        local amount = tonumber(ARGV[2 + (i - 1) * 11])
        if limit.kind == 'b' then
            charge(s, amount)
            answer[n + 6], answer[n + 8] = s.charged, now
        else
            if s.birth == 0 then s.birth = now end
            local lease = s.lease + 2
            local slot = lease % 3 + 1
            s.h[slot] = add(s.h[slot], amount)
            answer[n + 6], answer[n + 7], answer[n + 8] = s.turn, lease, s.at
        end
        answer[n + 5] = s.birth
        answer[n + 2] = answer[n + 2] + amount
        record = record .. struct.pack('<dddd', answer[n + 5], answer[n + 6],
                                       answer[n + 7], answer[n + 8])
    end
    -- Nothing was written yet, but for clocks that were put back.
    local id = KEYS[count + 1]
    if id and not put(id, record, record_life(limits[1]), 'NX') then
        return redis.error_reply('CANCELLED the call was given up')
    end
    for i, limit in ipairs(limits) do
        save_state(KEYS[i], limit, states[i])
    end
end

for i, limit in ipairs(limits) do
    local n = (i - 1) * 8 + 2
    if limit.kind == 'b' then
        answer[n + 4] = time_to(limit, states[i], 0)
    else
        answer[n + 4] = window_reset(limit, states[i])
    end
end

return answer
)lua";

const std::string_view settling = R"lua(
local function is_known(limit, s, r)
    local begun = limit.kind == 'b' and s.charged or s.turn
    return begun ~= 0 and s.birth == r.birth
end

-- Whether the present window admitted it, or the one before.
local function find_window(limit, s, r, known)
    if s.turn == 0 and limit.kind == 'f' and now - r.at < limit.period then
        advance_window(limit, s, min(now, r.at))
    end
    advance_window(limit, s, now)
    if s.birth == 0 then s.birth = now end
    local present, before
    if known then
        present = r.mark == s.turn
    elseif limit.kind == 'f' then
        present = now - r.at < limit.period
    else
        present = r.at >= s.at
    end
    if limit.kind == 's' and not present then
        if known then
            before = r.mark == s.turn - 1
        else
            before = r.at >= s.at - limit.period
        end
    end
    return present, before
end

local function take_back(limit, s, r, known, present, before)
    if not known or r.lease < s.lease then return end
    local slot = r.lease % 3 + 1
    if present then
        s.h[slot] = s.h[slot] - min(s.h[slot], r.amount)
    elseif before then
        s.b[slot] = s.b[slot] - min(s.b[slot], r.amount)
    end
end

local function settle_window(limit, s, r, actual, known)
    local present, before = find_window(limit, s, r, known)
    take_back(limit, s, r, known, present, before)
    if present then
        s.spent = add(s.spent, actual)
    elseif before then
        s.before = add(s.before, actual)
    end
end

local function settle_bucket(limit, s, r, actual, known)
    advance_bucket(limit, s)
    local more = actual - r.amount
    if not known then
        local ticks = floor(max(now - r.at, 0) / limit.tick)
        local level, fraction = drain(limit, actual, 0, ticks)
        more = bucket_used(level, fraction)
    end
    if more >= 0 then
        charge(s, more)
        return
    end
    local later = s.charged - r.mark
    if later < 0 then later = later + MOST end
    s.level = s.level - max(min(s.level - later, -more), 0)
end

local function settle(key, limit, r, actual, from)
    local s = load_state(key, limit, from)
    local known = is_known(limit, s, r)
    if limit.kind == 'b' then
        settle_bucket(limit, s, r, actual, known)
        if s.charged ~= 0 then save_state(key, limit, s) end
    else
        settle_window(limit, s, r, actual, known)
        save_state(key, limit, s)
    end
end

-- The i-th of a call. The record knows it better than the caller once it was
-- renewed.
local function read_reservation(from, record, i)
    local r = {amount = tonumber(ARGV[from])}
    if record and record ~= '' then
        r.birth, r.mark, r.lease, r.at =
            struct.unpack('<dddd', record, (i - 1) * 32 + 1)
    else
        r.birth, r.mark, r.lease, r.at =
            tonumber(ARGV[from + 1]), tonumber(ARGV[from + 2]),
            tonumber(ARGV[from + 3]), tonumber(ARGV[from + 4])
    end
    return r
end
)lua";

const std::string_view settle = R"lua(
local count = floor((#ARGV - 1) / 16)
local id, how = KEYS[count + 1], ARGV[#ARGV]
local record

if id and how == 'once' then
    if not put(id, '', record_life(read_limit(3)), 'NX') then return now end
elseif id then
    record = redis.call('GET', id)
    if how == 'again' then
        put(id, '', record_life(read_limit(3)))
    else
        redis.call('DEL', id)
    end
    -- Empty: it was given up, or settled by one that was sent again.
    if record == '' or not record and how == 'again' then return now end
end
for i = 1, count do
    local from = 2 + (i - 1) * 16
    settle(KEYS[i], read_limit(from + 1),
           read_reservation(from + 11, record, i), tonumber(ARGV[from]),
           from + 1)
end

return now
)lua";

const std::string_view cancel = R"lua(
local id = KEYS[#KEYS]
local record = redis.call('GET', id)

-- Empty: it was given up before, and is not to be executed after that.
put(id, '', record_life(read_limit(3)))
if record and record ~= '' then
    for i = 1, #KEYS - 1 do
        local from = 2 + (i - 1) * 11
        settle(KEYS[i], read_limit(from + 1),
               read_reservation(from, record, i), 0, from + 1)
    end
end

return now
)lua";

const std::string_view renew = R"lua(
local count = (#ARGV - 1) / 16
local id, renewed = KEYS[count + 1], ''
local record = redis.call('GET', id)

for i = 1, count do
    local key, from = KEYS[i], 2 + (i - 1) * 16
    local limit = read_limit(from + 1)
    local r = read_reservation(from + 11, record, i)
    if limit.kind ~= 'b' then
        local s = load_state(key, limit, from + 1)
        local known = is_known(limit, s, r)
        local present, before = find_window(limit, s, r, known)
        if present or before then
            take_back(limit, s, r, known, present, before)
            r.birth, r.lease = s.birth, s.lease + 2
            r.mark = present and s.turn or s.turn - 1
            local slots, slot = present and s.h or s.b, r.lease % 3 + 1
            slots[slot] = add(slots[slot], r.amount)
            save_state(key, limit, s)
        end
    end
    renewed = renewed .. struct.pack('<dddd', r.birth, r.mark, r.lease, r.at)
end
put(id, renewed, record_life(read_limit(3)))

return now
)lua";

const std::string_view presence = R"lua(
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local lifetime = tonumber(ARGV[2])
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - lifetime)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('ZCARD', KEYS[1])
)lua";

}  // namespace llm::limit::scripts
