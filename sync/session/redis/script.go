package redis

import "github.com/redis/rueidis"

// A session is one hash: v version, c created, i idle end, e end, n bytes of
// keys and values together, and a field for each value, its key behind a colon.
// A pointer is one with m, where it points to, and e. The hash's own expiry is
// its idle end, so that Redis shows nothing that has ended.
//
// Times are those of Redis' clock: nodes need not agree on theirs. Values are
// never decoded: cjson would make [] an object and round what is above 2^53.

// Answers of the scripts below 0.
const (
	saysNone = -1 - iota
	saysMoved
	saysConflict
	saysLimit
)

// meta is how many fields of the hash are not values.
const meta = "5"

const clock = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local function text(n) return string.format('%.0f', n) end
`

// patch: KEYS session; ARGV if-version, create, life, idle, max age, keys at
// most, bytes at most, how many deleted, the deleted, then keys and values.
var patch = rueidis.NewLuaScript(clock + `
local k = KEYS[1]
local has = redis.call('HMGET', k, 'v', 'i', 'e', 'm', 'n')
local v, i, e, size = has[1], has[2], has[3], tonumber(has[5] or 0)
if has[4] then return -2 end
if ARGV[1] ~= '0' and v ~= ARGV[1] then return -3 end
if not v and ARGV[2] == '0' then return -1 end

local keys = 0
if v then keys = redis.call('HLEN', k) - ` + meta + ` end
local function without(f)
  if redis.call('HEXISTS', k, f) == 1 then
    keys = keys - 1
    size = size - #f + 1 - redis.call('HSTRLEN', k, f)
  end
end
local sets = 9 + tonumber(ARGV[8])
for a = 9, sets - 1 do without(ARGV[a]) end
for a = sets, #ARGV, 2 do
  without(ARGV[a])
  keys = keys + 1
  size = size + #ARGV[a] - 1 + #ARGV[a + 1]
end
if keys > tonumber(ARGV[6]) or size > tonumber(ARGV[7]) then return -4 end

local idle, age = tonumber(ARGV[4]), tonumber(ARGV[5])
if v then
  i, e = tonumber(i), tonumber(e)
else
  e = now + tonumber(ARGV[3])
  i = idle == 0 and e or 0
  redis.call('HSET', k, 'c', text(now))
end
i = math.max(i, math.min(now + idle, e))
if age > 0 then
  e = now + age
  i = e
end
if sets > 9 then redis.call('HDEL', k, unpack(ARGV, 9, sets - 1)) end
if sets <= #ARGV then redis.call('HSET', k, unpack(ARGV, sets)) end
redis.call('HSET', k, 'i', text(i), 'e', text(e), 'n', text(size))
v = redis.call('HINCRBY', k, 'v', 1)
redis.call('PEXPIREAT', k, text(i))
return v
`)

// touch: KEYS session; ARGV idle.
var touch = rueidis.NewLuaScript(clock + `
local has = redis.call('HMGET', KEYS[1], 'v', 'i', 'e', 'm')
if has[4] then return -2 end
if not has[1] then return -1 end
local i = math.max(tonumber(has[2]), math.min(now + tonumber(ARGV[1]), tonumber(has[3])))
if text(i) ~= has[2] then
  redis.call('HSET', KEYS[1], 'i', text(i))
  redis.call('PEXPIREAT', KEYS[1], text(i))
end
return 0
`)

// place: KEYS the new id; ARGV idle end, then the whole hash.
var place = rueidis.NewLuaScript(`
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
redis.call('PEXPIREAT', KEYS[1], ARGV[1])
return 0
`)

// point: KEYS the old id; ARGV the version and both ends that were placed, the
// new id, grace.
var point = rueidis.NewLuaScript(clock + `
local has = redis.call('HMGET', KEYS[1], 'v', 'i', 'e', 'm')
if has[4] then return -2 end
if not has[1] then return -1 end
if has[1] ~= ARGV[1] or has[2] ~= ARGV[2] or has[3] ~= ARGV[3] then return -3 end
local e = text(now + tonumber(ARGV[5]))
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'm', ARGV[4], 'e', e)
redis.call('PEXPIREAT', KEYS[1], e)
return 0
`)
