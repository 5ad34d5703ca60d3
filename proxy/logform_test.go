package proxy

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"multiserver/pool"
	"multiserver/proxy/logline"
	"multiserver/proxy/wire"
)

// logged is an exchange as it ends, by its request's lines.
func logged(t testing.TB, lines string) (*Exchange, moment) {
	t.Helper()
	x := &Exchange{
		Client: &Client{addr: netip.MustParseAddr("192.0.2.7")},
		route:  &Route{Name: "api"}, pool: &Pool{Name: "blue"},
		status: 200, sent: 1024, start: time.Second,
	}
	raw := []byte(strings.ReplaceAll(lines, "\n", "\r\n") + "\r\n\r\n")
	if _, err := x.Req.Parse(raw); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 22, 18, 2, 0, 125e6, time.UTC)
	return x, moment{Second: logline.NewSecond(at, 2*time.Second), at: 2 * time.Second, took: 4112 * time.Microsecond}
}

func TestLinesInBothForms(t *testing.T) {
	const get = "GET /a?b=1&token=x HTTP/1.1\nHost: a.test"
	f := func(lines string, change func(x *Exchange), o LogForm, want string) {
		t.Helper()
		x, m := logged(t, lines)
		if change != nil {
			change(x)
		}
		form := compile(o)
		line := form.appendCombined
		if o.JSON {
			line = form.appendJSON
		}
		got := string(line(nil, x, m))
		if got != want+"\n" {
			t.Errorf("got  %swant %s", got, want)
		}
		if o.JSON && !json.Valid([]byte(got)) {
			t.Errorf("no JSON: %s", got)
		}
	}
	fields := func(names ...string) LogForm { return LogForm{Fields: names} }
	object := func(names ...string) LogForm { return LogForm{JSON: true, Fields: names} }

	f(get, nil, LogForm{},
		`192.0.2.7 - - [22/Nov/2026:18:02:00 +0000] "GET /a?b=1&token=*** HTTP/1.1" 200 1024 "-" "-" upstream=- duration=0.004112 tries=0 cache=- id=-`)
	f(get+"\nReferer: http://b.test/?key=x\nUser-Agent: a \"b\"\nX-Request-Id: 7", nil, LogForm{},
		`192.0.2.7 - - [22/Nov/2026:18:02:00 +0000] "GET /a?b=1&token=*** HTTP/1.1" 200 1024 "http://b.test/?key=***" "a \x22b\x22" upstream=- duration=0.004112 tries=0 cache=- id=7`)
	f(get, func(x *Exchange) { x.what = "body too large" }, fields("reason", "route"),
		`192.0.2.7 - - [22/Nov/2026:18:02:00 +0000] "GET /a?b=1&token=*** HTTP/1.1" 200 1024 "-" "-" reason="body too large" route=api`)
	f(get, func(x *Exchange) { x.Client.addr = netip.Addr{} }, LogForm{Secrets: true, Fields: []string{"tries"}},
		`- - - [22/Nov/2026:18:02:00 +0000] "GET /a?b=1&token=x HTTP/1.1" 200 1024 "-" "-" tries=0`)

	f(get, nil, LogForm{JSON: true},
		`{"time":"2026-11-22T18:02:00.125Z","client":"192.0.2.7","method":"GET","host":"a.test","uri":"/a?b=1&token=***","protocol":"HTTP/1.1","status":200,"bytes":1024,"route":"api","pool":"blue","tries":0,"duration":0.004112}`)
	f(get, nil, object("status", "uri"), `{"status":200,"uri":"/a?b=1&token=***"}`)
	f(get, nil, object("agent", "uri"), `{"uri":"/a?b=1&token=***"}`)
	f(get, nil, object("agent"), `{}`)
	f(get, nil, LogForm{JSON: true, Fields: []string{"status"}, Sample: 10}, `{"status":200,"sample":10}`)
	f(get, func(x *Exchange) { x.status = 404 }, LogForm{JSON: true, Fields: []string{"status"}, Sample: 10}, `{"status":404}`)
	f(get, func(x *Exchange) { x.Client.protocol = HTTP3 }, object("protocol", "scheme"), `{"protocol":"HTTP/3.0","scheme":"http"}`)
	f(get, func(x *Exchange) { x.fault = &pool.Fault{Reason: pool.Broken} }, object("reason"), `{"reason":"broken"}`)
	f(get+"\nCookie: a=b\nAuthorization: Basic xx\nX-Thing: 1 2", nil, object("header:cookie", "header:authorization", "header:x-thing"),
		`{"header:cookie":"a=***","header:authorization":"Basic ***","header:x-thing":"1 2"}`)
	f(get+"\nCookie: a=b", nil, LogForm{JSON: true, Secrets: true, Fields: []string{"header:cookie", "uri"}},
		`{"header:cookie":"a=b","uri":"/a?b=1&token=x"}`)
	f(get+"\ntraceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", nil, object("trace"),
		`{"trace":"0af7651916cd43dd8448eb211c80319c"}`)
	f("POST /"+strings.Repeat("x", 3000)+" HTTP/1.0\nUser-Agent: \xff", nil, object("uri", "agent", "protocol"),
		`{"uri":"/`+strings.Repeat("x", logline.Longest-1)+`","agent":"\u00ff","protocol":"HTTP/1.0"}`)
}

// A request that was none has no method, no target and no version.
func TestLineOfNoRequest(t *testing.T) {
	x, m := logged(t, "GET / HTTP/1.1\nHost: a")
	x.Req, x.status, x.what = wire.Request{Head: wire.Head{Minor: 1}}, 400, "bad field name"
	form := compile(LogForm{JSON: true, Fields: []string{"method", "uri", "status", "reason"}})
	if got := string(form.appendJSON(nil, x, m)); got != `{"status":400,"reason":"bad field name"}`+"\n" {
		t.Error(got)
	}
}

func TestSampleKeepsWhatWentWrong(t *testing.T) {
	x, _ := logged(t, "GET / HTTP/1.1\nHost: a")
	form := compile(LogForm{Sample: 10})
	f := func(status int, broken bool, least, most int) {
		t.Helper()
		x.status, x.broken = status, broken
		n := 0
		for range 1000 {
			if form.wants(x) {
				n++
			}
		}
		if n < least || n > most {
			t.Errorf("%d, broken %v: %d lines of 1000, want %d to %d", status, broken, n, least, most)
		}
	}
	f(200, false, 30, 250)
	f(304, false, 30, 250)
	f(101, false, 30, 250)
	f(200, true, 1000, 1000)
	f(404, false, 1000, 1000)
	f(502, false, 1000, 1000)
	f(0, false, 1000, 1000)
	if all := compile(LogForm{}); !all.wants(x) {
		t.Error("without a sample not all are logged")
	}
}

func TestCheckLogField(t *testing.T) {
	f := func(name string, ok bool) {
		t.Helper()
		if err := CheckLogField(name); (err == nil) != ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	f("time", true)
	f("header:x-thing", true)
	f("header:", false)
	f("time:x", false)
	f("", false)
	f("Time", false)
}

func TestTraceID(t *testing.T) {
	f := func(traceparent, want string) {
		t.Helper()
		if got := string(traceID([]byte(traceparent))); got != want {
			t.Errorf("%q: %q, want %q", traceparent, got, want)
		}
	}
	const id = "0af7651916cd43dd8448eb211c80319c"
	f("00-"+id+"-b7ad6b7169203331-01", id)
	f("01-"+id+"-b7ad6b7169203331-01-more", id)
	f("ff-"+id+"-b7ad6b7169203331-01", "")
	f("00-00000000000000000000000000000000-b7ad6b7169203331-01", "")
	f("00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "")
	f("00-"+id, "")
	f("", "")
}
