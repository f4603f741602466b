-- What wrk sends: POSTs, again and again. From the environment:
--   BENCH_BODY     the file with the bodies, one a line, taken by turns
--   BENCH_DELAY    milliseconds that a connection pauses between an answer and
--                  its next request, on average; 0: none
-- and what it prints at the end: one line of numbers for scripts/bench.

wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"

local pause = tonumber(os.getenv("BENCH_DELAY") or 0)
local requests = {}
local last = 0

function init(args)
    for body in io.lines(os.getenv("BENCH_BODY")) do
        requests[#requests + 1] = wrk.format(nil, nil, nil, body)
    end
end

function request()
    last = last % #requests + 1
    return requests[last]
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
