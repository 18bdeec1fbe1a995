-- wrk script: POSTs the file BENCH_BODY, or GETs without one, and ends with one line of JSON. Also from the environment, where they
-- are not empty: the key BENCH_KEY, the length of the body's JSON part BENCH_HEADER_BYTES, and how long each client pauses between
-- requests, BENCH_PAUSE_MS.
local function setting(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end

if setting("BENCH_BODY") then
  local file = assert(io.open(setting("BENCH_BODY"), "rb"))
  wrk.method = "POST"
  wrk.body = file:read("*a")
  file:close()
  wrk.headers["Content-Type"] = "application/json"
end
if setting("BENCH_HEADER_BYTES") then
  wrk.headers["Content-Type"] = "application/octet-stream"
  wrk.headers["Inference-Header-Content-Length"] = setting("BENCH_HEADER_BYTES")
end
if setting("BENCH_KEY") then
  wrk.headers["Authorization"] = "Bearer " .. setting("BENCH_KEY")
end
if setting("BENCH_PAUSE_MS") then
  local pause = tonumber(setting("BENCH_PAUSE_MS"))
  function delay()
    return math.random(0, 2 * pause)
  end
end

function done(summary, latency, requests)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format(
    '\n{"requests_per_s": %.1f, "p50_us": %.1f, "p99_us": %.1f, "p999_us": %.1f, "mean_us": %.1f, "errors": %d}\n',
    summary.requests / (summary.duration / 1e6),
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9), latency.mean, failed))
end
