package redis

import "github.com/redis/rueidis"

// Entries of a stream are m, the message, and x, when it ends in milliseconds
// of the server's clock: the stream as a whole lives as long as the one that is
// kept longest. Their ids are <epoch>-<offset>; an epoch is the proposal of
// whoever published the stream's first.

// keep appends and publishes, and returns the id.
//
// KEYS: stream, channel. ARGV: proposed epoch, size, milliseconds, the command
// to publish by, message.
var keep = rueidis.NewLuaScript(`
if redis.replicate_commands then redis.replicate_commands() end
local time = redis.call('TIME')
local ends = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[3]
local top = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
local id = ARGV[1] .. '-1'
if top[1] then
	local epoch, offset = string.match(top[1][1], '^(%d+)-(%d+)$')
	id = epoch .. '-' .. string.format('%.0f', offset + 1)
end
redis.call('XADD', KEYS[1], 'MAXLEN', ARGV[2], id, 'x', string.format('%.0f', ends), 'm', ARGV[5])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[3]) then
	redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
redis.call(ARGV[4], KEYS[2], id .. ':' .. ARGV[5])
return id
`)

// behind returns the newest id, and where more is behind the last that it looked
// at: that one, or an empty string; then ids and messages in turns.
//
// KEYS: stream. ARGV: epoch, or an empty string for any; offset of the first;
// how many to look at.
var behind = rueidis.NewLuaScript(`
local top = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
if not top[1] then return {'', ''} end
local found = {top[1][1], ''}
local epoch = string.match(top[1][1], '^(%d+)-')
local count = tonumber(ARGV[3])
if count == 0 or ARGV[1] ~= '' and ARGV[1] ~= epoch then return found end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local rows = redis.call('XRANGE', KEYS[1], epoch .. '-' .. ARGV[2], '+', 'COUNT', count)
for _, row in ipairs(rows) do
	if tonumber(row[2][2]) >= now then
		found[#found + 1] = row[1]
		found[#found + 1] = row[2][4]
	end
end
if #rows == count then found[2] = rows[count][1] end
return found
`)

// page is how many messages one round trip looks at; each is MaxMessage at most.
const page = 64
