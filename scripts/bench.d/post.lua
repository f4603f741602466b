-- What wrk sends: one POST again and again. From the environment:
--   BENCH_BODY     the file with the body
--   BENCH_DELAY    milliseconds that a connection pauses between an answer and
--                  its next request, on average; 0: none
-- and what it prints at the end: one line of numbers for scripts/bench.

local file = assert(io.open(os.getenv("BENCH_BODY"), "rb"))
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = file:read("*a")
file:close()

local pause = tonumber(os.getenv("BENCH_DELAY") or 0)
local request_bytes

function init(args)
    request_bytes = wrk.format()
end

function request()
    return request_bytes
end

if pause > 0 then
    -- Spread, so that connections do not march in step.
    function delay()
        return math.random(0, 2 * pause)
    end
end

function done(summary, latency, requests)
    local e = summary.errors
    print(string.format("bench %d %d %d %d %d", summary.requests,
        summary.duration, latency:percentile(50), latency:percentile(99),
        e.connect + e.read + e.write + e.status + e.timeout))
end
