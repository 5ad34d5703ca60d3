-- What wrk sends (arguments: method, bytes of body, number of URLs), and its result as one line
-- of JSON, in whole microseconds and bytes, where its own report rounds to three digits.
-- No response() here, and request() for several URLs only: they cost wrk a call into Lua per request.

-- Far from the last one, so that no server gains by having stored them in this order.
local stride = 7919

local function in_turn(urls)
	local i, size = 0, wrk.path:match("^/keep/(.*)")
	local form = wrk.format(nil, "/keep/%d/" .. size)
	function request()
		i = (i + stride) % urls
		return string.format(form, i)
	end
end

function init(args)
	wrk.method = args[1]
	local size = tonumber(args[2])
	if size > 0 then
		wrk.body = string.rep("x", size)
		wrk.headers["Content-Type"] = "application/octet-stream"
	end
	local urls = tonumber(args[3])
	if urls > 1 then
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
