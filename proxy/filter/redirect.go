package filter

import (
	"fmt"
	"strings"

	"multiserver/proxy"
)

// redirect answers that the resource is elsewhere (RFC 9110 §15.4).
type redirect struct {
	proxy.Pass
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
	return &redirect{to: to, status: said.Status}, nil
}

func (f *redirect) Request(x *proxy.Exchange) bool {
	t := x.Tell()
	t.Begin("Location")
	t.End(f.to.append(t.Value(), x))
	return x.Say(f.status, "", nil)
}
