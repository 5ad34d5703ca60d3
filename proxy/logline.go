package proxy

import (
	"strconv"
	"time"
)

// logLine writes an exchange to the access log: the combined format that log
// tools know, then where the request went, how long it took in seconds, and
// how often it was tried, and what the cache had to do with it: the tier that
// answered, the reason why it was forwarded, - without a cache.
//
//	127.0.0.1 - - [22/Nov/2026:18:02:00 +0000] "GET / HTTP/1.1" 200 1024 "-" "curl/8.5" up=http://10.0.0.7:3001 rt=0.004 tries=1 cache=uri-miss id=…
func (p *Proxy) logLine(x *Exchange) {
	q := &x.Req
	b := x.buffer(len(q.Raw))
	if x.Client.addr.IsValid() {
		b = x.Client.addr.AppendTo(b)
	} else {
		b = append(b, '-')
	}
	now := time.Now()
	b = now.AppendFormat(append(b, " - - ["...), "02/Jan/2006:15:04:05 -0700")
	b = append(append(b, `] "`...), q.Method...)
	b = append(appendQuoted(append(b, ' '), q.Target), " HTTP/1."...)
	b = append(strconv.AppendInt(b, int64(q.Minor), 10), `" `...)
	b = append(strconv.AppendInt(b, int64(x.status), 10), ' ')
	b = append(strconv.AppendInt(b, x.sent, 10), ` "`...)
	b = append(appendQuoted(b, q.Peek("referer")), `" "`...)
	b = append(appendQuoted(b, q.Peek("user-agent")), `" up=`...)
	if x.up != nil {
		b = append(b, x.up.Name()...)
	} else {
		b = append(b, '-')
	}
	rt := time.Duration(0)
	if !x.start.IsZero() {
		rt = now.Sub(x.start)
	}
	b = strconv.AppendFloat(append(b, " rt="...), rt.Seconds(), 'f', 6, 64)
	b = strconv.AppendInt(append(b, " tries="...), int64(x.tried.Count()), 10)
	b = append(append(b, " cache="...), x.visit.Result()...)
	b = append(b, " id="...)
	if x.hasID {
		b = append(b, x.id[:]...)
	} else {
		b = appendQuoted(b, q.Peek("x-request-id"))
	}
	b = append(b, '\n')
	x.out = b
	p.opt.Lines.Append(b)
}

// appendQuoted appends v so that it cannot end the quotes or the line; "-"
// stands for nothing.
func appendQuoted(dst, v []byte) []byte {
	if len(v) == 0 {
		return append(dst, '-')
	}
	const digits = "0123456789abcdef"
	for _, c := range v {
		if c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			dst = append(dst, '\\', 'x', digits[c>>4], digits[c&15])
			continue
		}
		dst = append(dst, c)
	}
	return dst
}
