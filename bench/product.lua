-- One product by its id, another one each time.

dofile(os.getenv("BENCH_SCRIPTS") .. "/common.lua")

local requests = {}

function init()
   seed_random()
   for _, line in ipairs(lines_of("products.txt")) do
      local id = line:match("^%S+")
      requests[#requests + 1] = head("GET", "/api/inventory/products/" .. id) .. "\r\n"
   end
end

function request()
   return requests[math.random(#requests)]
end
