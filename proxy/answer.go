package proxy

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
)

// Pages are the operator's own answers to failures, by status; a class stands
// for all of its statuses (5 for 5xx).
type Pages map[int][]byte

// LoadPages reads 502.html, 5xx.html and their like from a directory; "" is
// none.
func LoadPages(dir string) (Pages, error) {
	if dir == "" {
		return nil, nil
	}
	pages := Pages{}
	for class := 4; class <= 5; class++ {
		if err := pages.load(dir, fmt.Sprintf("%dxx.html", class), class); err != nil {
			return nil, err
		}
		for s := class * 100; s < class*100+100; s++ {
			if err := pages.load(dir, fmt.Sprintf("%d.html", s), s); err != nil {
				return nil, err
			}
		}
	}
	if len(pages) == 0 {
		return nil, fmt.Errorf("error pages: none in %s, want files like 502.html or 5xx.html", dir)
	}
	return pages, nil
}

func (p Pages) load(dir, name string, key int) error {
	b, err := os.ReadFile(filepath.Join(dir, name))
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("error pages: %w", err)
	}
	p[key] = b
	return nil
}

// answer is an answer of our own. It returns false, so that a step can end
// with it. what is for people: a few words that never change.
func (p *Proxy) answer(x *Exchange, status int, what string) bool {
	x.what = what
	kind, body := p.page(x, status, what)
	return p.say(x, status, kind, body)
}

// say is answer with a body of its own; without a kind it is none.
func (p *Proxy) say(x *Exchange, status int, kind string, body []byte) bool {
	x.status, x.began = status, true
	if !x.inBody.Ended() { // nobody will read it: what follows it cannot be found
		x.close, x.unread = true, true
	}
	if status >= 400 && isGRPC(x.Req.Peek("content-type")) {
		return p.sayCall(x, status)
	}
	out := append(x.buffer(len(body)), "HTTP/1.1 "...)
	out = strconv.AppendInt(out, int64(status), 10)
	out = append(append(append(out, ' '), statusText(status)...), crlf...)
	out = append(out, p.opt.Guard.Date()...)
	if kind != "" {
		out = append(append(append(out, "Content-Type: "...), kind...), crlf...)
	}
	if status != 204 { // RFC 9110 §8.6
		out = strconv.AppendInt(append(out, "Content-Length: "...), int64(len(body)), 10)
		out = append(out, crlf...)
	}
	out = append(out, "Cache-Control: no-store\r\n"...)
	switch {
	case status == 405, status == 200 && string(x.Req.Method) == "OPTIONS":
		out = append(out, "Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n"...)
	case status == 503:
		out = append(out, "Retry-After: 1\r\n"...)
	case status == 426: // RFC 6455 §4.2.2, RFC 9110 §15.5.22
		out = append(append(out, "Sec-WebSocket-Version: 13\r\n"...), wsField...)
	}
	out = append(x.appendConnection(out), crlf...)
	if !x.isHead() {
		out = append(out, body...)
		x.sent = int64(len(body))
	}
	x.out = out
	p.deliver(x, x.dress(out))
	return false
}

// page chooses the body: the operator's for browsers and all who take HTML,
// JSON for who asks for it, else a line of text.
func (p *Proxy) page(x *Exchange, status int, what string) (kind string, body []byte) {
	if status < 400 {
		return "text/plain; charset=utf-8", nil
	}
	if x.wantsJSON() {
		return "application/json", fmt.Appendf(nil, "{\"status\":%d,\"error\":%q,\"reason\":%q}\n", status, statusText(status), what)
	}
	for _, key := range [...]int{status, status / 100} {
		if page, ok := x.route.Pages[key]; ok {
			return "text/html; charset=utf-8", page
		}
	}
	return "text/plain; charset=utf-8", fmt.Appendf(nil, "%d %s: %s\n", status, statusText(status), what)
}

func (x *Exchange) wantsJSON() bool {
	accept := x.Req.Peek("accept")
	return bytes.Contains(accept, []byte("json")) && !bytes.Contains(accept, []byte("text/html"))
}

func statusText(status int) string {
	if t := http.StatusText(status); t != "" {
		return t
	}
	return "Unknown"
}
