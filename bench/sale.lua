-- A sale of 2 lines: two different products of one store, paid in cash to the cent, each under an
-- Idempotency-Key of its own (a UUIDv7, as a till makes it).

dofile(os.getenv("BENCH_SCRIPTS") .. "/common.lua")

local ffi = require("ffi")
ffi.cdef [[
   typedef struct { long seconds, micros; } comptoir_timeval;
   int gettimeofday(comptoir_timeval *now, void *zone);
]]

local BODY = '{"store_id":"%s","lines":[{"product_id":"%s","quantity":1},'
   .. '{"product_id":"%s","quantity":1}],'
   .. '"payments":[{"tender":"cash","amount":{"amount":%d,"currency":"EUR"}}]}'
local now = ffi.new("comptoir_timeval")
local stores, products, prices = {}, {}, {}
local opening, run, sent = "", 0, 0

function init()
   seed_random()
   stores = lines_of("stores.txt")
   for i, line in ipairs(lines_of("products.txt")) do
      local id, price = line:match("^(%S+) (%d+)$")
      products[i], prices[i] = id, tonumber(price)
   end
   run = tonumber(os.getenv("BENCH_RUN"))
   opening = head("POST", "/api/sales") .. "Content-Type: application/json\r\n"
end

-- Unique by run, thread and counter; the rest is the time.
local function key()
   sent = sent + 1
   ffi.C.gettimeofday(now, nil)
   local millis = tonumber(now.seconds) * 1000 + math.floor(tonumber(now.micros) / 1000)
   local high = math.floor(millis / 65536)
   return string.format("%08x-%04x-7%03x-8%03x-%04x%08x",
      high, millis - high * 65536, math.random(0, 4095), run, thread_number, sent)
end

function request()
   local a, b = math.random(#products), math.random(#products - 1)
   if b >= a then
      b = b + 1
   end
   local body = string.format(BODY, stores[math.random(#stores)], products[a], products[b],
      prices[a] + prices[b])
   return string.format("%sIdempotency-Key: %s\r\nContent-Length: %d\r\n\r\n%s",
      opening, key(), #body, body)
end
