package server

import (
	"crypto/tls"
	"testing"

	"multiserver/cache/redis/redistest"
	"multiserver/proxy/certs"
	"multiserver/proxy/certs/certstest"
	"multiserver/proxy/config"
)

func TestSessionsAreResumedByAnotherNodeThroughRedis(t *testing.T) {
	r := redistest.Single(t)
	a, ca := newApp(t), certstest.NewCA(t)
	cert, key := ca.Files(t.TempDir(), "app", "app.test")
	settings := []string{"--upstream " + a.URL, "--listen none", "--tls-listen 127.0.0.1:0", "--tls-cert " + cert, "--tls-key " + key,
		"--redis " + r.URL()}
	conf := &tls.Config{RootCAs: ca.Pool(), ServerName: "app.test", ClientSessionCache: tls.NewLRUClientSessionCache(1)}
	shake := func(s *running) bool {
		c := tls.Client(connect(t, s.Addrs()[0]).nc, conf)
		if err := c.Handshake(); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write([]byte("GET / HTTP/1.0\r\nHost: a\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		_, _ = c.Read(make([]byte, 1)) // the ticket comes before it
		return c.ConnectionState().DidResume
	}
	one, two := start(t, settings...), start(t, settings...)
	await(t, "a session of one node resumed by the other", func() bool {
		conf.ClientSessionCache = tls.NewLRUClientSessionCache(1)
		shake(one)
		return shake(two)
	})
	if !shake(one) || !shake(two) {
		t.Error("not resumed")
	}
}

func TestTicketKeysInRedis(t *testing.T) {
	f := func(what string, c *config.Redis) {
		t.Run(what, func(t *testing.T) {
			c.Prefix = "app"
			first, err := ticketBoard{c}.Keys(t.Context(), 100, 4)
			if err != nil {
				t.Fatal(err)
			}
			again, err := ticketBoard{c}.Keys(t.Context(), 101, 4)
			if err != nil || first[1] != again[0] || first[3] != again[2] || first[0] == first[1] || again[3] == [32]byte{} {
				t.Errorf("%x, then %x, %v", first, again, err)
			}
		})
	}
	r := redistest.Single(t)
	if _, err := r.Do("config", "set", "requirepass", "secret"); err != nil {
		t.Fatal(err)
	}
	f("single", &config.Redis{Addrs: []string{r.Addr}, Password: "secret", DB: 2})
	if _, err := (ticketBoard{&config.Redis{Addrs: []string{"127.0.0.1:1"}}}).Keys(t.Context(), 1, 1); err == nil {
		t.Error("keys from nowhere")
	}
	set := redistest.Cluster(t)
	f("cluster", &config.Redis{Mode: "cluster", Addrs: addrs(set.Masters)})
	set = redistest.Sentinel(t)
	f("sentinel", &config.Redis{Mode: "sentinel", Addrs: addrs(set.Sentinels), Master: "main"})
}

func addrs(servers []*redistest.Server) (out []string) {
	for _, s := range servers {
		out = append(out, s.Addr)
	}
	return out
}

var _ certs.Shared = ticketBoard{}
