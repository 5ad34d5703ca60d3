-- What wrk sends (arguments: method, bytes of body, number of URLs, one in how many is new), and its result as one line
-- of JSON, in whole microseconds and bytes, where its own report rounds to three digits.
-- No response() here, and request() for several URLs only: they cost wrk a call into Lua per request.

-- Far from the last one, so that no server gains by having stored them in this order.
local stride = 7919

local function in_turn(urls)
	local i, before, size = 0, wrk.path:match("^(.*/)(.*)")
	local form = wrk.format(nil, before .. "%d/" .. size)
	function request()
		i = (i + stride) % urls
		return string.format(form, i)
	end
end

-- One in so many is for a URL that nobody has asked for: of this program's start and a number.
local function some_new(urls, one_in)
	local size = wrk.path:match("^/keep/(.*)")
	local known = {}
	for i = 0, urls - 1 do
		known[i] = wrk.format(nil, urls > 1 and string.format("/keep/%d/%s", i, size) or wrk.path)
	end
	local new = wrk.format(nil, string.format("/keep/new-%d-%%d/%s", os.time(), size))
	local n, i = 0, 0
	function request()
		n = n + 1
		if n % one_in == 0 then
			return string.format(new, n)
		end
		i = (i + stride) % urls
		return known[i]
	end
end

function init(args)
	wrk.method = args[1]
	local size = tonumber(args[2])
	if size > 0 then
		wrk.body = string.rep("x", size)
		wrk.headers["Content-Type"] = "application/octet-stream"
	end
	local urls, one_in = tonumber(args[3]), tonumber(args[4])
	if one_in > 0 then
		some_new(urls, one_in)
	elseif urls > 1 then
		in_turn(urls)
	end
end

function done(summary, latency, requests)
	local e = summary.errors
	io.write(string.format(
		'\n{"requests":%d,"bytes":%d,"us":%d,"p50":%d,"p90":%d,"p99":%d,"max":%d,' ..
		'"connect":%d,"read":%d,"write":%d,"timeout":%d,"status":%d}\n',
		summary.requests, summary.bytes, summary.duration,
		latency:percentile(50), latency:percentile(90), latency:percentile(99), latency.max,
		e.connect, e.read, e.write, e.timeout, e.status))
end
