package filter

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/bcrypt"

	"multiserver/proxy"
	"multiserver/proxy/wire"
)

// basic lets in who knows a name and its password (RFC 7617). A bcrypt takes
// tens of milliseconds of a core, so verdicts are kept for a while, and few are
// worked out at once: guessing must not cost others their answers.
type basic struct {
	proxy.Pass
	users map[string][]byte // bcrypt hashes
	ask   string
	key   [32]byte // of the verdicts' MAC: passwords are not kept

	decoy []byte // that names nobody knows are held against; it takes as long as any

	working chan struct{}
	waiting atomic.Int64 // for a place there

	mu   sync.Mutex
	good map[[32]byte]time.Time // guarded by mu; until when, by MAC of name and password
}

const (
	remembered  = 5 * time.Minute
	mostGood    = 10_000
	mostAtWork  = 2
	mostWaiting = 256
	longest     = 5 * time.Second // for one of these
	mostCost    = 16              // 4 seconds of a core
)

func newBasic(o Options) (proxy.Filter, error) {
	said := struct {
		Users map[string]string `yaml:"users"`
		File  string            `yaml:"file"`
		Realm string            `yaml:"realm"`
	}{Realm: "restricted"}
	if err := o.Decode(&said); err != nil {
		return nil, err
	}
	if len(said.Users) > 0 && o.Secret != nil {
		if err := o.Secret("users"); err != nil {
			return nil, err
		}
	}
	users := maps.Clone(said.Users)
	if users == nil {
		users = map[string]string{}
	}
	if said.File != "" {
		if err := readUsers(said.File, users); err != nil {
			return nil, err
		}
	}
	if len(users) == 0 {
		return nil, fmt.Errorf("nobody is named, want users: {name: hash} or file: PATH, made by: htpasswd -nB name")
	}
	if strings.ContainsAny(said.Realm, "\"\\") || checkValue(said.Realm) != nil {
		return nil, fmt.Errorf("realm %q: want words without quotes", said.Realm)
	}
	f := &basic{
		users: map[string][]byte{}, good: map[[32]byte]time.Time{}, working: make(chan struct{}, mostAtWork),
		ask: `Basic realm="` + said.Realm + `", charset="UTF-8"`,
	}
	_, _ = rand.Read(f.key[:]) // never fails
	most := 0
	for name, hash := range users {
		cost, err := bcrypt.Cost([]byte(hash))
		switch {
		case err != nil:
			return nil, fmt.Errorf("user %q: not a bcrypt hash, make one by: htpasswd -nB %s", name, name)
		case cost > mostCost:
			return nil, fmt.Errorf("user %q: cost %d takes too long, want at most %d", name, cost, mostCost)
		case cost > most:
			most, f.decoy = cost, []byte(hash)
		}
		f.users[name] = []byte(hash)
	}
	return f, nil
}

// readUsers reads lines of name:hash, as Apache's htpasswd -B writes them.
func readUsers(path string, into map[string]string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("file: %w", err)
	}
	lines := bufio.NewScanner(bytes.NewReader(b))
	for n := 1; lines.Scan(); n++ {
		l := strings.TrimSpace(lines.Text())
		if l == "" || l[0] == '#' {
			continue
		}
		name, hash, ok := strings.Cut(l, ":")
		if !ok || name == "" {
			return fmt.Errorf("file %s:%d: want name:hash", path, n)
		}
		into[name] = hash
	}
	return lines.Err()
}

func (f *basic) Request(x *proxy.Exchange) bool {
	known, busy := f.knows(x.Req.Peek("authorization"))
	// Upstreams do not see it, and the cache goes by what they see: it is between
	// the client and us. Who is not let in does not come as far as the cache.
	x.Ask().Drop("authorization")
	x.Req.Conceal(wire.Authorization)
	switch {
	case known:
		return true
	case busy:
		return x.Answer(503, "too many passwords are being checked")
	}
	x.Tell().Add("WWW-Authenticate", []byte(f.ask))
	return x.Answer(401, "name and password are asked for")
}

// knows tells whether they are right; busy: nobody has looked.
func (f *basic) knows(credentials []byte) (known, busy bool) {
	const scheme = "basic "
	if len(credentials) <= len(scheme) || !strings.EqualFold(string(credentials[:len(scheme)]), scheme) {
		return false, false
	}
	plain, err := base64.StdEncoding.AppendDecode(nil, bytes.TrimSpace(credentials[len(scheme):]))
	name, password, ok := bytes.Cut(plain, []byte(":"))
	if err != nil || !ok {
		return false, false
	}
	mac := hmac.New(sha256.New, f.key[:])
	mac.Write(plain)
	id := [32]byte(mac.Sum(nil))
	if f.remembers(id) {
		return true, false // fast path
	}
	return f.verify(id, string(name), password)
}

func (f *basic) remembers(id [32]byte) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	until, ok := f.good[id]
	return ok && time.Now().Before(until)
}

// verify works the hash out, when it is its turn; who waited for the same as
// another has the verdict by then, as a page's many requests do. Unknown names
// take as long as known ones, so that time does not tell them apart.
func (f *basic) verify(id [32]byte, name string, password []byte) (known, busy bool) {
	defer f.waiting.Add(-1)
	if f.waiting.Add(1) > mostWaiting {
		return false, true
	}
	t := time.NewTimer(longest)
	defer t.Stop()
	select {
	case f.working <- struct{}{}:
		defer func() { <-f.working }()
	case <-t.C:
		return false, true
	}
	if f.remembers(id) {
		return true, false
	}
	hash, known := f.users[name]
	if !known {
		hash = f.decoy
	}
	if bcrypt.CompareHashAndPassword(hash, password) != nil || !known {
		return false, false
	}
	f.remember(id)
	return true, false
}

func (f *basic) remember(id [32]byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.good) >= mostGood { // more than there are users: passwords that differ in nothing
		clear(f.good)
	}
	f.good[id] = time.Now().Add(remembered)
}
