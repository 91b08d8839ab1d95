-- A page of 50 products, from anywhere in the list.

dofile(os.getenv("BENCH_SCRIPTS") .. "/common.lua")

local requests = {}

function init()
   seed_random()
   for _, path in ipairs(lines_of("pages.txt")) do
      requests[#requests + 1] = head("GET", path) .. "\r\n"
   end
end

function request()
   return requests[math.random(#requests)]
end
