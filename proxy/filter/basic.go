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
	"time"

	"golang.org/x/crypto/bcrypt"

	"multiserver/proxy"
)

// basic lets in who knows a name and its password (RFC 7617). A bcrypt takes
// tens of milliseconds of a core, so verdicts are kept for a while, and few are
// worked out at once: guessing must not cost others their answers.
type basic struct {
	proxy.Pass
	users map[string][]byte // bcrypt hashes
	ask   string
	key   [32]byte // of the verdicts' MAC: passwords are not kept

	working chan struct{}

	mu   sync.Mutex
	good map[[32]byte]time.Time // guarded by mu; until when, by MAC of name and password
}

const (
	remembered  = 5 * time.Minute
	mostGood    = 10_000
	mostAtWork  = 2
	mostWaiting = 100 * time.Millisecond // for one of these
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
	for name, hash := range users {
		if _, err := bcrypt.Cost([]byte(hash)); err != nil {
			return nil, fmt.Errorf("user %q: not a bcrypt hash, make one by: htpasswd -nB %s", name, name)
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
	// Upstreams do not see it: it is between the client and us.
	x.Ask().Drop("authorization")
	if f.knows(x.Req.Peek("authorization")) {
		return true
	}
	x.Tell().Add("WWW-Authenticate", []byte(f.ask))
	return x.Answer(401, "name and password are asked for")
}

func (f *basic) knows(credentials []byte) bool {
	const scheme = "basic "
	if len(credentials) <= len(scheme) || !strings.EqualFold(string(credentials[:len(scheme)]), scheme) {
		return false
	}
	plain, err := base64.StdEncoding.AppendDecode(nil, bytes.TrimSpace(credentials[len(scheme):]))
	name, password, ok := bytes.Cut(plain, []byte(":"))
	if err != nil || !ok {
		return false
	}
	mac := hmac.New(sha256.New, f.key[:])
	mac.Write(plain)
	id := [32]byte(mac.Sum(nil))
	return f.remembers(id) || f.verify(id, string(name), password)
}

func (f *basic) remembers(id [32]byte) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	until, ok := f.good[id]
	return ok && time.Now().Before(until)
}

// verify works the hash out. Unknown names take as long as known ones, so that
// time does not tell them apart.
func (f *basic) verify(id [32]byte, name string, password []byte) bool {
	t := time.NewTimer(mostWaiting)
	defer t.Stop()
	select {
	case f.working <- struct{}{}:
		defer func() { <-f.working }()
	case <-t.C:
		return false
	}
	hash, known := f.users[name]
	if !known {
		for _, hash = range f.users {
			break
		}
	}
	if bcrypt.CompareHashAndPassword(hash, password) != nil || !known {
		return false
	}
	f.remember(id)
	return true
}

func (f *basic) remember(id [32]byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.good) >= mostGood { // more than there are users: passwords that differ in nothing
		clear(f.good)
	}
	f.good[id] = time.Now().Add(remembered)
}
