-- Arguments: FILE of requests, each ended by a zero byte; PACE in ms between two requests of a connection (0: none);
-- SEED that makes the keys of this run unlike those of any other. A byte 1 in a request is replaced by a key of its own.
local heads, tails = {}, {}
local position, key, seed = 0, 0, ''

function init(args)
  seed = args[3]
  local file = assert(io.open(args[1], 'rb'))
  for text in file:read('*a'):gmatch('(.-)%z') do
    local head, tail = text:match('^(.-)\1(.*)$')
    table.insert(heads, head or text)
    table.insert(tails, tail or false)
  end
  file:close()
  local pace = tonumber(args[2])
  if pace > 0 then
    math.randomseed(tonumber(seed:sub(1, 8), 16))
    delay = function() return math.random(math.floor(pace / 2), math.ceil(pace * 3 / 2)) end
  end
end

function request()
  position = position % #heads + 1
  if not tails[position] then return heads[position] end
  key = key + 1
  return heads[position] .. seed .. '-' .. key .. tails[position]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\nRESULT {"requests":%d,"durationUs":%d,"p50Us":%d,"p99Us":%d,"maxUs":%d,"refused":%d,"failed":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), latency.max,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
