-- Posts COUNT AppsFlyer events with wrk on one thread, each of a profile of its own, from the profile FIRST on. Prints
-- one line when all are answered: requests, requests that went wrong, microseconds, p50 and p99 in microseconds.

local first, count = tonumber(os.getenv("FIRST")), tonumber(os.getenv("COUNT"))
local ffi = require("ffi")
ffi.cdef "typedef struct { long seconds, nanoseconds; } instant; int clock_gettime(int clock, instant *now);"
ffi.cdef "int kill(int process, int signal); int getpid(void);"

local function microseconds()
  local now = ffi.new("instant")
  ffi.C.clock_gettime(1, now) -- CLOCK_MONOTONIC
  return tonumber(now.seconds) * 1000000 + math.floor(tonumber(now.nanoseconds) / 1000)
end

local thread
setup = function(only) thread = only end

-- wrk asks once for a request that it does not send.
local head, issued = "", -1
answered, began, ended = 0, 0, 0
init = function()
  head = string.format(
    "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: 109\r\n\r\n",
    wrk.path, wrk.headers["Host"])
end

request = function()
  if issued == 0 then began = microseconds() end
  -- Until wrk has stopped the last one is sent again: it changes nothing.
  issued = math.min(issued + 1, count)
  local number = first + issued
  return string.format(
    '%s{"appsflyer_id":"v%08d-000001","customer_user_id":"user-%08d","event_time":"2026-01-02 03:04:05.678"}',
    head, number, number)
end

response = function()
  answered = answered + 1
  if answered == count then
    ended = microseconds()
    ffi.C.kill(ffi.C.getpid(), 2) -- SIGINT: wrk ends early for nothing else
  end
end

done = function(summary, latency)
  local errors = summary.errors
  local bad = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format(
    "result %d %d %d %d %d\n", thread:get("answered"), bad, thread:get("ended") - thread:get("began"),
    latency:percentile(50), latency:percentile(99)))
end
