package filter

import (
	"bytes"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"multiserver/proxy"
)

// cors says what scripts of other sites may ask (the Fetch standard, "CORS
// protocol"), in the app's place: what the app says itself is taken out. It
// stands before filters that refuse: preflights come without credentials.
type cors struct {
	proxy.Prompt
	origins     []string
	any         bool
	preflight   []byte // fields of the answer to one
	expose      []byte
	credentials bool
}

func newCORS(o Options) (proxy.Filter, error) {
	said := struct {
		Origins     []string      `yaml:"origins"`
		Methods     []string      `yaml:"methods"`
		Headers     []string      `yaml:"headers"`
		Expose      []string      `yaml:"expose"`
		Credentials bool          `yaml:"credentials"`
		MaxAge      time.Duration `yaml:"max-age"`
	}{Methods: []string{"GET", "HEAD", "POST"}, MaxAge: 10 * time.Minute}
	if err := o.Decode(&said); err != nil {
		return nil, err
	}
	f := &cors{credentials: said.Credentials}
	for _, origin := range said.Origins {
		if err := f.admit(origin); err != nil {
			return nil, err
		}
	}
	switch {
	case len(said.Origins) == 0:
		return nil, fmt.Errorf("origins: want those whose scripts may ask, such as https://app.example.org, or *")
	case f.any && f.credentials:
		return nil, fmt.Errorf("credentials: every site could act as its visitors, want origins by name in place of *")
	}
	for _, n := range slices.Concat(said.Methods, said.Headers, said.Expose) {
		if n == "*" && f.credentials {
			return nil, fmt.Errorf("credentials: with them * is a name like any other, want methods and fields by name")
		}
		if n != "*" && checkToken(n) != nil {
			return nil, checkToken(n)
		}
	}
	f.preflight = appendList(f.preflight, "Access-Control-Allow-Methods", said.Methods)
	f.preflight = appendList(f.preflight, "Access-Control-Allow-Headers", said.Headers)
	f.preflight = strconv.AppendInt(append(f.preflight, "Access-Control-Max-Age: "...), int64(said.MaxAge.Seconds()), 10)
	f.preflight = append(f.preflight, "\r\n"...)
	f.expose = appendList(nil, "Access-Control-Expose-Headers", said.Expose)
	return f, nil
}

func (f *cors) admit(origin string) error {
	if origin == "*" {
		f.any = true
		return nil
	}
	u, err := url.Parse(origin)
	if err != nil || u.Scheme == "" || u.Host == "" || u.Scheme+"://"+u.Host != origin {
		return fmt.Errorf("origin %q: want scheme, host and port alone, such as https://app.example.org", origin)
	}
	f.origins = append(f.origins, strings.ToLower(origin))
	return nil
}

func checkToken(s string) error {
	if err := checkName(s); s == "" || err != nil && !strings.Contains(err.Error(), "alone") {
		return fmt.Errorf("%q: want the name of a method or a field", s)
	}
	return nil
}

func appendList(dst []byte, name string, list []string) []byte {
	if len(list) == 0 {
		return dst
	}
	return append(append(append(append(dst, name...), ": "...), strings.Join(list, ", ")...), "\r\n"...)
}

// Request answers preflights: no upstream is asked for them.
func (f *cors) Request(x *proxy.Exchange) bool {
	if string(x.Req.Method) != "OPTIONS" || x.Req.Peek("access-control-request-method") == nil || x.Req.Peek("origin") == nil {
		return true
	}
	if f.allows(x.Req.Peek("origin")) {
		x.Tell().AddLines(f.preflight)
	}
	return x.Say(204, "", nil)
}

// Response says who may read the answer. Caches have to keep answers apart by
// it, whoever is told.
func (f *cors) Response(x *proxy.Exchange) {
	t := x.Tell()
	t.Drop("access-control-allow-origin")
	t.Drop("access-control-allow-credentials")
	t.Drop("access-control-expose-headers")
	if f.any {
		t.Add("Access-Control-Allow-Origin", []byte("*"))
		t.AddLines(f.expose)
		return
	}
	t.Add("Vary", []byte("Origin"))
	origin := x.Req.Peek("origin")
	if !f.allows(origin) {
		return
	}
	t.Add("Access-Control-Allow-Origin", origin)
	if f.credentials {
		t.Add("Access-Control-Allow-Credentials", []byte("true"))
	}
	t.AddLines(f.expose)
}

func (f *cors) allows(origin []byte) bool {
	if f.any {
		return origin != nil
	}
	for _, o := range f.origins {
		if bytes.EqualFold(origin, []byte(o)) {
			return true
		}
	}
	return false
}
