-- What wrk sends: one POST again and again. From the environment:
--   BENCH_BODY     the file with the body
--   BENCH_VARIANTS so many calls by turns: "{n}" in the body is their number
--   BENCH_DELAY    milliseconds that a connection pauses between an answer and
--                  its next request, on average; 0: none
-- and what it prints at the end: one line of numbers for scripts/bench.

local file = assert(io.open(os.getenv("BENCH_BODY"), "rb"))
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = file:read("*a")
file:close()

local pause = tonumber(os.getenv("BENCH_DELAY") or 0)
local variants = tonumber(os.getenv("BENCH_VARIANTS") or 1)
local requests_bytes = {}
local turn = 0

function init(args)
    local body = wrk.body
    for n = 1, variants do
        requests_bytes[n] = wrk.format(nil, nil, nil,
            (body:gsub("{n}", tostring(n))))
    end
end

function request()
    turn = turn % variants + 1
    return requests_bytes[turn]
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
