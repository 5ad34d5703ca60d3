package cluster

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// An origin answers as the query of each URL says:
//
//	cc=…       Cache-Control; max-age=60 if there is none
//	vary=…     Vary; the body says what the request had there
//	delay=…    before the answer
//	slow=…     between its head and its body
//	size=…     bytes of the body
//	chunked=1  of no known length
//	fail=N     the first N are answered 500
//	cut=N      the first N break off in the middle of the body
//	tag=…      Surrogate-Key
//
// The body says which URL and which version of it this is. A POST makes the
// next version, and answers when that is in force.
type origin struct {
	*httptest.Server
	mu      sync.Mutex
	asked   map[string]int // guarded by mu; GETs, by URI
	changed map[string]int // guarded by mu; POSTs, by URI
	begun   chan string    // the URI of each GET, as it begins; dropped if nobody looks
}

func newOrigin(t testing.TB) *origin {
	t.Helper()
	o := &origin{asked: map[string]int{}, changed: map[string]int{}, begun: make(chan string, 10_000)}
	o.Server = httptest.NewServer(o)
	t.Cleanup(func() {
		o.CloseClientConnections()
		o.Close()
	})
	return o
}

func (o *origin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	uri, q := r.URL.RequestURI(), r.URL.Query()
	if r.Method == "POST" {
		o.mu.Lock()
		o.changed[uri]++
		w.Header().Set("X-Version", strconv.Itoa(1+o.changed[uri]))
		o.mu.Unlock()
		return
	}
	o.mu.Lock()
	o.asked[uri]++
	nth, version := o.asked[uri], 1+o.changed[uri] // as it was when the request came
	o.mu.Unlock()
	select {
	case o.begun <- uri:
	default:
	}
	pause(r, q.Get("delay"))
	o.answer(w, r, q, uri, nth, version)
}

func (o *origin) answer(w http.ResponseWriter, r *http.Request, q url.Values, uri string, nth, version int) {
	h := w.Header()
	h.Set("Cache-Control", "max-age=60")
	if cc := q.Get("cc"); cc != "" {
		h.Set("Cache-Control", cc)
	}
	if tag := q.Get("tag"); tag != "" {
		h.Set("Surrogate-Key", tag)
	}
	h.Set("X-Made", strconv.FormatInt(time.Now().UnixMilli(), 10))
	size, _ := strconv.Atoi(q.Get("size"))
	variant := ""
	if vary := q.Get("vary"); vary != "" {
		h.Set("Vary", vary)
		variant = r.Header.Get(vary)
	}
	body := bodyOf(uri, variant, version, size)
	if n, _ := strconv.Atoi(q.Get("fail")); nth <= n {
		h.Del("Cache-Control")
		http.Error(w, "told to fail", http.StatusInternalServerError)
		return
	}
	if q.Get("chunked") == "" {
		h.Set("Content-Length", strconv.Itoa(len(body)))
	}
	if n, _ := strconv.Atoi(q.Get("cut")); nth <= n {
		io.WriteString(w, body[:len(body)/2])
		panic(http.ErrAbortHandler)
	}
	if slow := q.Get("slow"); slow != "" {
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		pause(r, slow)
	}
	io.WriteString(w, body[:len(body)/2])
	if q.Get("chunked") != "" {
		w.(http.Flusher).Flush()
	}
	io.WriteString(w, body[len(body)/2:])
}

func pause(r *http.Request, d string) {
	if wait, err := time.ParseDuration(d); err == nil {
		select {
		case <-time.After(wait):
		case <-r.Context().Done():
		}
	}
}

// fetched is how often a URI was asked for.
func (o *origin) fetched(uri string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.asked[uri]
}

// busy waits until a GET of uri has begun.
func (o *origin) busy(t testing.TB, uri string) {
	t.Helper()
	late := time.After(patience)
	for {
		select {
		case began := <-o.begun:
			if began == uri {
				return
			}
		case <-late:
			t.Fatalf("the origin was not asked for %s", uri)
		}
	}
}

// bodyOf is a body whose every part says what it belongs to.
func bodyOf(uri, variant string, version, size int) string {
	line := fmt.Sprintf("%s v%d [%s]\n", uri, version, variant)
	if size <= len(line) {
		return line
	}
	return strings.Repeat(line, size/len(line)+1)[:size]
}

// read says what a body is, and whether it is one of uri's, whole.
func read(uri string, body []byte) (version int, variant string, ok bool) {
	first, _, _ := bytes.Cut(body, []byte("\n"))
	rest, ok := strings.CutPrefix(string(first), uri+" v")
	number, variant, _ := strings.Cut(rest, " [")
	version, err := strconv.Atoi(number)
	if !ok || err != nil {
		return 0, "", false
	}
	u, _ := url.Parse(uri)
	size, _ := strconv.Atoi(u.Query().Get("size"))
	line := body[:min(len(first)+1, len(body))]
	if len(body) != max(size, len(line)) {
		return 0, "", false
	}
	for rest := body; len(rest) > 0; rest = rest[min(len(line), len(rest)):] {
		if !bytes.HasPrefix(line, rest[:min(len(line), len(rest))]) {
			return 0, "", false
		}
	}
	return version, strings.TrimSuffix(variant, "]"), true
}
