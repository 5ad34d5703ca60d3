package proxy

import (
	"strconv"
	"time"

	"multiserver/proxy/logline"
	"multiserver/proxy/wire"
)

// moment is the end of an exchange.
type moment struct {
	*logline.Second
	at   time.Duration // on clock
	took time.Duration // 0: it is not known
}

// value appends a field's value as it is; what it appends is escaped
// afterwards. Nothing appended is nothing to say.
type value func(dst []byte, x *Exchange, m moment) []byte

// logField is a row of the table: one thing a line can say.
type logField struct {
	name   string
	text   bool  // and no number
	append value // nil with make
	make   func(of string, secrets bool) value
}

// logFields is the table, in the order of the help.
var logFields = []logField{
	{name: "time", text: true, append: func(dst []byte, _ *Exchange, m moment) []byte { return m.AppendISO(dst, m.at) }},
	{name: "client", text: true, append: appendClient},
	{name: "method", text: true, append: func(dst []byte, x *Exchange, _ moment) []byte { return append(dst, x.Req.Method...) }},
	{name: "scheme", text: true, append: func(dst []byte, x *Exchange, _ moment) []byte { return append(dst, x.Client.scheme()...) }},
	{name: "host", text: true, append: func(dst []byte, x *Exchange, _ moment) []byte { return append(dst, logline.Clip(x.Req.Host)...) }},
	{name: "uri", make: target},
	{name: "protocol", text: true, append: appendProtocol},
	{name: "status", append: func(dst []byte, x *Exchange, _ moment) []byte { return strconv.AppendInt(dst, int64(x.status), 10) }},
	{name: "bytes", append: func(dst []byte, x *Exchange, _ moment) []byte { return strconv.AppendInt(dst, x.sent, 10) }},
	{name: "received", append: func(dst []byte, x *Exchange, _ moment) []byte { return strconv.AppendInt(dst, x.inBody.Taken, 10) }},
	{name: "referer", make: func(_ string, secrets bool) value { return headerValue("referer", secrets) }},
	{name: "agent", make: func(_ string, secrets bool) value { return headerValue("user-agent", secrets) }},
	{name: "route", text: true, append: func(dst []byte, x *Exchange, _ moment) []byte { return append(dst, x.route.Name...) }},
	{name: "pool", text: true, append: func(dst []byte, x *Exchange, _ moment) []byte {
		if x.pool == nil {
			return dst
		}
		return append(dst, x.pool.Name...)
	}},
	{name: "upstream", text: true, append: func(dst []byte, x *Exchange, _ moment) []byte {
		if x.up == nil {
			return dst
		}
		return append(dst, x.up.Name()...)
	}},
	{name: "tries", append: func(dst []byte, x *Exchange, _ moment) []byte {
		return strconv.AppendInt(dst, int64(x.tried.Count()), 10)
	}},
	{name: "cache", text: true, append: func(dst []byte, x *Exchange, _ moment) []byte {
		if !x.visit.Visited() {
			return dst
		}
		return append(dst, x.visit.Result()...)
	}},
	{name: "duration", append: func(dst []byte, _ *Exchange, m moment) []byte { return logline.AppendSeconds(dst, m.took) }},
	{name: "wait", append: func(dst []byte, x *Exchange, _ moment) []byte {
		if x.up == nil {
			return dst
		}
		return logline.AppendSeconds(dst, x.waited)
	}},
	{name: "reason", text: true, append: func(dst []byte, x *Exchange, _ moment) []byte { return append(dst, x.reason()...) }},
	{name: "id", text: true, append: func(dst []byte, x *Exchange, _ moment) []byte {
		if x.hasID {
			return append(dst, x.id[:]...)
		}
		return append(dst, logline.Clip(x.Req.Find(wire.RequestID))...)
	}},
	{name: "trace", text: true, append: func(dst []byte, x *Exchange, _ moment) []byte {
		return append(dst, traceID(x.Req.Peek("traceparent"))...)
	}},
	{name: "header:", make: headerValue},
}

func appendClient(dst []byte, x *Exchange, _ moment) []byte {
	if !x.Client.addr.IsValid() {
		return dst
	}
	return x.Client.addr.AppendTo(dst)
}

func appendProtocol(dst []byte, x *Exchange, _ moment) []byte {
	if p := x.Client.protocol; p != HTTP1 {
		return append(dst, p.String()...)
	}
	return append(append(dst, "HTTP/1."...), '0'+x.Req.Minor)
}

func target(_ string, secrets bool) value {
	if secrets {
		return func(dst []byte, x *Exchange, _ moment) []byte { return append(dst, logline.Clip(x.Req.Target)...) }
	}
	return func(dst []byte, x *Exchange, _ moment) []byte {
		return logline.AppendURL(dst, logline.Clip(x.Req.Target))
	}
}

func headerValue(name string, secrets bool) value {
	return func(dst []byte, x *Exchange, _ moment) []byte {
		return appendField(dst, name, x.Req.Peek(name), secrets)
	}
}

func appendField(dst []byte, name string, v []byte, secrets bool) []byte {
	if secrets || len(v) == 0 {
		return append(dst, logline.Clip(v)...)
	}
	return logline.AppendHeader(dst, name, logline.Clip(v))
}

// reason is why the exchange did not go well; "" if it did.
func (x *Exchange) reason() string {
	if x.what == "" && x.fault != nil {
		return x.fault.Reason.String()
	}
	return x.what
}

// traceID is the id of a W3C traceparent: version-id-parent-flags, of which
// the id has 32 digits and is not all zeros (Trace Context §3.2.2). Any other
// is nothing to log.
func traceID(v []byte) []byte {
	if len(v) < 55 || v[2] != '-' || v[35] != '-' || v[0] == 'f' && v[1] == 'f' {
		return nil
	}
	id, zeros := v[3:35], 0
	for _, c := range id {
		if c-'0' > 9 && c-'a' > 5 {
			return nil
		}
		if c == '0' {
			zeros++
		}
	}
	if zeros == len(id) {
		return nil
	}
	return id
}
