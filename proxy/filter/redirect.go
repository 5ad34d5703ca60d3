package filter

import (
	"fmt"
	"strings"

	"multiserver/proxy"
)

// redirect answers that the resource is elsewhere (RFC 9110 §15.4).
type redirect struct {
	proxy.Prompt
	to     template
	status int
}

func newRedirect(o Options) (proxy.Filter, error) {
	said := struct {
		To     string `yaml:"to"`
		Status int    `yaml:"status"`
	}{Status: 308}
	if err := o.Decode(&said); err != nil {
		return nil, err
	}
	switch said.Status {
	case 301, 302, 303, 307, 308:
	default:
		return nil, fmt.Errorf("status %d: want 301, 302, 303, 307 or 308", said.Status)
	}
	to, err := parseTemplate(said.To)
	if err != nil {
		return nil, fmt.Errorf("to: %w", err)
	}
	if !strings.HasPrefix(said.To, "/") && !strings.Contains(said.To, "://") && !strings.HasPrefix(said.To, "{") {
		return nil, fmt.Errorf("to %q: want a URL or a path, such as https://example.org{uri}", said.To)
	}
	// A path behind a host's end could else be made one of another host:
	// //evil.example is a URL (RFC 3986 §4.2).
	if words, _ := to.fixed(); words == "" && strings.HasPrefix(said.To, "{") && !strings.HasPrefix(said.To, "{scheme}://") {
		return nil, fmt.Errorf("to %q: what a client sends cannot say where it goes, begin with a URL, a path, or {scheme}://", said.To)
	}
	if !to.keepsHost() {
		return nil, fmt.Errorf("to %q: what a client sends would be a part of the host, want a / before it, or {uri} or {path}", said.To)
	}
	return &redirect{to: to, status: said.Status}, nil
}

// keepsHost tells whether the parts behind a fixed beginning cannot add to the
// host: https://a.test{query} could be https://a.test.evil.test, and /{path}
// is //evil.test.
func (t template) keepsHost() bool {
	words := t[0].words
	if words == "/" {
		return len(t) == 1 || t[0].part == nil
	}
	_, host, absolute := strings.Cut(words, "://")
	return !absolute || strings.Contains(host, "/") || len(t) == 1 || t[0].name == "uri" || t[0].name == "path"
}

func (f *redirect) Request(x *proxy.Exchange) bool {
	t := x.Tell()
	t.Begin("Location")
	t.End(f.to.append(t.Value(), x))
	return x.Say(f.status, "", nil)
}
