package proxy_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"multiserver/pool"
	"multiserver/proxy"
)

// hanging is an origin that can be told to hang: it takes connections and
// requests, and says nothing, as one that was stopped.
type hanging struct {
	addr string
	on   atomic.Bool  // with requests
	mute atomic.Bool  // with checks
	seen atomic.Int64 // requests, but for checks
}

func newHanging(t testing.TB) *hanging {
	h := new(hanging)
	h.addr = listen(t, func(nc net.Conn) {
		defer nc.Close()
		in := bufio.NewReader(nc)
		for {
			req, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			io.Copy(io.Discard, req.Body)
			hangs := &h.mute
			if req.URL.Path != "/health" {
				h.seen.Add(1)
				hangs = &h.on
			}
			if hangs.Load() {
				in.Peek(1) // until the other side closes
				return
			}
			io.WriteString(nc, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
	})
	return h
}

// outBy are the ways in which one that hangs is found out.
var outBy = map[string]func(*pool.Options){
	"checks": func(o *pool.Options) {
		o.Check = pool.Check{Path: "/health", Interval: 20 * time.Millisecond, Timeout: time.Second, Rise: 1, Fall: 2}
		o.Response = patience / 2
	},
	"time-outs": func(o *pool.Options) { o.MaxFails, o.EjectFor, o.Response = 2, time.Minute, 5*time.Second },
}

// Who waits at one that hangs is answered by another as soon as that is known,
// but for who may not be sent twice.
func TestWhoWaitsAtOneThatHangsIsAnsweredByAnother(t *testing.T) {
	t.Parallel()
	const clients = 50
	ill, well := newHanging(t), newHanging(t)
	addr, p, ups := startPool(t, outBy["checks"], nil, ill.addr, well.addr)
	for ups.MayRetry() { // now 50 are more than the budget gives
	}
	ill.on.Store(true)
	var got []chan *http.Response
	for range 2 * clients {
		_, c := send(t, addr, request("/"))
		got = append(got, c)
	}
	await(t, "half of them to hang", func() bool { return ill.seen.Load() == clients })
	_, odd := send(t, addr, shortPost)
	_, even := send(t, addr, shortPost)
	await(t, "one POST to hang", func() bool { return ill.seen.Load()+well.seen.Load() == 2*clients+2 })
	ill.mute.Store(true)
	await(t, "it to be out", ups.Upstreams()[0].Down)
	for i, c := range got {
		select {
		case res := <-c:
			if res == nil || res.StatusCode != 200 {
				t.Fatalf("GET %d: %+v", i, res)
			}
		case <-time.After(patience / 2):
			t.Fatalf("GET %d waits on", i)
		}
	}
	if n, m := p.Stats.Retries[pool.Hung].Load(), ups.Upstreams()[0].Stats.Faults[pool.Hung].Load(); n != clients || m != clients {
		t.Errorf("%d retries, %d faults, want %d", n, m, clients)
	}
	time.Sleep(300 * time.Millisecond) // nothing must happen meanwhile
	if answered := len(odd) + len(even); answered != 1 || ill.seen.Load() != clients+1 || well.seen.Load() != 2*clients+1 {
		t.Errorf("of two POSTs %d are answered; the one saw %d requests, the other %d", answered, ill.seen.Load(), well.seen.Load())
	}
}

func TestTimeOutsOfSomeLetOthersGo(t *testing.T) {
	t.Parallel()
	ill, well := newHanging(t), newHanging(t)
	addr, p, ups := startPool(t, outBy["time-outs"], func(o *proxy.Options) { o.Response = 5 * time.Second }, ill.addr, well.addr)
	ill.on.Store(true)
	begin := func(n int) (got []chan *http.Response) {
		for range 2 * n {
			_, c := send(t, addr, request("/"))
			got = append(got, c)
		}
		return got
	}
	early := begin(2)
	await(t, "two of them to hang", func() bool { return ill.seen.Load() == 2 })
	time.Sleep(2 * time.Second) // these have as much longer
	late := begin(5)
	await(t, "it to be out", ups.Upstreams()[0].Ejected)
	met := map[int]int{}
	for _, c := range early {
		met[(<-c).StatusCode]++
	}
	for _, c := range late {
		if res := <-c; res.StatusCode != 200 {
			t.Errorf("a later one: %s", res.Status)
		}
	}
	if n := p.Stats.Retries[pool.Hung].Load(); met[504] != 2 || met[200] != 2 || n != 5 {
		t.Errorf("%v, %d retries", met, n)
	}
}

// Only one that hangs brings retries of its own. Beyond the budget one waits
// on, and gets the answer if it comes at last.
func TestWhoMayNotGoWaitsOn(t *testing.T) {
	one, two := newHolder(t, 0), newHolder(t, 0)
	addr, p, ups := startPool(t, outBy["checks"], nil, one.addr, two.addr)
	_, first := send(t, addr, request("/"))
	_, second := send(t, addr, request("/"))
	hang := ups.Upstreams()
	await(t, "both to hang", func() bool { return hang[0].Failing() && hang[1].Failing() })
	for ups.MayRetry() {
	}
	ups.Set(targetsOf(one.addr, two.addr, startNamed(t, "well", "")))
	await(t, "one to go and one to stay", func() bool { return p.Stats.Retries[pool.Hung].Load() == 1 && p.Stats.Spent.Load() == 1 })
	close(one.release)
	close(two.release)
	for _, c := range []chan *http.Response{first, second} {
		if res := <-c; res == nil || res.StatusCode != 200 {
			t.Errorf("%+v", res)
		}
	}
	if n := p.Stats.Retried(); n != 1 {
		t.Errorf("%d retries", n)
	}
}
