-- What the scenarios for wrk share: settings from the environment, random choice, and an answer
-- that a program can read. Each wrk thread has a Lua of its own; `thread_number` tells them apart.

local threads = 0

function setup(thread)
   threads = threads + 1
   thread:set("thread_number", threads)
end

-- The lines of a file in the folder that `bench/run` prepared, in the order of the file.
function lines_of(name)
   local found = {}
   for line in io.lines(os.getenv("BENCH_INPUT") .. "/" .. name) do
      found[#found + 1] = line
   end
   return found
end

function seed_random()
   math.randomseed(tonumber(os.getenv("BENCH_RUN")) * 1000 + thread_number)
end

-- A whole HTTP request, but for what stands after the head's common part.
function head(method, path)
   return table.concat({
      method .. " " .. path .. " HTTP/1.1",
      "Host: " .. os.getenv("BENCH_HOST"),
      "Accept: application/json",
      "Authorization: Bearer " .. os.getenv("BENCH_TOKEN"),
      "",
   }, "\r\n")
end

-- Looking at every answer costs the load generator time, so only when asked to.
if os.getenv("BENCH_SHOW_ERRORS") then
   local shown = false
   function response(status, _, body)
      if status >= 300 and not shown then
         shown = true
         io.stderr:write(string.format("%d: %s\n", status, body))
      end
   end
end

function done(summary, latency)
   local errors = summary.errors
   io.write(string.format(
      'RESULT {"requests": %d, "duration_us": %d, "p50_us": %d, "p99_us": %d, '
         .. '"refused": %d, "broken": %d}\n',
      summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
      errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
