-- Posts AppsFlyer events with wrk. From the environment:
--   BODY    a payload in which `user-8f3c9a`, `6513894` and the event time stand for what differs between events
--   RUN     part of every profile's name: no two runs, and no two threads of one, speak of the same profile
--   SEEN    how often each profile is seen; 1 makes every event a new one
--   GAP_MS  a pause before each request of a connection, of this many milliseconds on average; none by default
-- Prints one line when it is done: requests, requests that went wrong, microseconds, p50 and p99 in microseconds.

local profiles_at_once = 200
local seen = tonumber(os.getenv("SEEN") or "20")
local run = os.getenv("RUN") or "0"
local gap = tonumber(os.getenv("GAP_MS") or "0")

-- Each thread has a Lua of its own, and would count from the same number.
local threads = 0
setup = function(thread)
  thread:set("thread", threads)
  threads = threads + 1
end

local head, pieces, count
init = function()
  local file = assert(io.open(os.getenv("BODY")))
  local body = file:read("*a")
  file:close()
  -- Split once where events differ: what the load generator spends is taken from those it measures.
  pieces = {}
  local rest = 1
  for _, text in ipairs { "6513894", "user-8f3c9a", "2026-11-20 10:11:12.345" } do
    local first, last = assert(body:find(text, rest, true))
    pieces[#pieces + 1] = body:sub(rest, first - 1)
    rest = last + 1
  end
  pieces[#pieces + 1] = body:sub(rest)
  -- All parts that differ have the same length in each event, so one head does for all.
  local length = #table.concat(pieces) + #string.format("%08d", 0) + #("user-" .. run) + 12 + 23
  head = string.format(
    "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n",
    wrk.path, wrk.headers["Host"], length)
  count = 0
end

-- Vendors send each event with its own time: later than the last one of its profile, whatever else is the same.
local second, stamp, tick = 0, "", 0
local function event_time()
  local now = os.time()
  if now ~= second then
    second, stamp, tick = now, os.date("!%Y-%m-%d %H:%M:%S", now), 0
  end
  tick = tick + 1
  return string.format("%s.%03d", stamp, math.min(math.floor(tick / 64), 999))
end

request = function()
  -- So many profiles at a time take turns, until each was seen as often as it shall be; then others do.
  local profile = count % profiles_at_once
  if seen > 1 then
    profile = profile + math.floor(count / (profiles_at_once * seen)) * profiles_at_once
  else
    profile = count
  end
  count = count + 1
  local number = string.format("%08d", profile)
  return table.concat {
    head, pieces[1], number, pieces[2], "user-", run, string.format("-%02d-", thread), number, pieces[3], event_time(),
    pieces[4],
  }
end

-- wrk asks for a pause where this function exists.
if gap > 0 then
  delay = function() return math.random(0, 2 * gap) end
end

done = function(summary, latency)
  local errors = summary.errors
  local bad = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format(
    "result %d %d %d %d %d\n",
    summary.requests, bad, summary.duration, latency:percentile(50), latency:percentile(99)))
end
