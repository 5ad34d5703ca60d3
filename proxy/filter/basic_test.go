package filter

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/crypto/bcrypt"
)

func hashed(t *testing.T, password string, cost int) string {
	t.Helper()
	h, err := bcrypt.GenerateFromPassword([]byte(password), cost)
	if err != nil {
		t.Fatal(err)
	}
	return string(h)
}

// The credential is between client and us: what is stored is as without it, and
// who has none does not get as far as that.
func TestWhatIsBehindPasswordsIsStored(t *testing.T) {
	var asked atomic.Int64
	addr := startBefore(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		w.Header().Set("Cache-Control", "max-age=60")
		fmt.Fprintf(w, "%q", r.Header["Authorization"])
	}, newCache(t), made(t, "basic-auth", fmt.Sprintf("users: {ann: %q, eve: %q}", hashed(t, "x", 4), hashed(t, "x", 4))))
	f := func(line string, want string) {
		t.Helper()
		res, body := ask(t, addr, "GET /", line)
		if got := fmt.Sprint(res.StatusCode, " ", body); !strings.HasPrefix(got, want) || asked.Load() > 1 {
			t.Errorf("%s: %s after %d, want %s after 1: %s", line, got, asked.Load(), want, res.Header["Cache-Status"])
		}
	}
	f("A: b", "401 ")
	f("Authorization: Basic YW5uOng=", "200 []")
	f("Authorization: Basic YW5uOng=", "200 []")
	f("Authorization: Basic ZXZlOng=", "200 []")
	f("Authorization: Basic ZXZlOnk=", "401 ")
	f("A: b", "401 ")
}

// A page's requests come all at once, each with a password that nobody has
// checked yet. None of them may be refused for that.
func TestPasswordsThatComeAtOnceAreCheckedOnce(t *testing.T) {
	f := made(t, "basic-auth", fmt.Sprintf("users: {ann: %q}", hashed(t, "x", 8))).(*basic)
	var refused atomic.Int64
	var wg sync.WaitGroup
	for range 60 {
		wg.Go(func() {
			if known, busy := f.knows([]byte("Basic YW5uOng=")); !known || busy {
				refused.Add(1)
			}
		})
	}
	if wg.Wait(); refused.Load() > 0 {
		t.Errorf("%d of 60 were refused", refused.Load())
	}
}

// Beyond a bound nobody waits: it is no answer about the password, which
// browsers would ask for again.
func TestTooManyPasswordsAreBusy(t *testing.T) {
	f := made(t, "basic-auth", fmt.Sprintf("users: {ann: %q}", hashed(t, "x", 4))).(*basic)
	f.waiting.Store(mostWaiting)
	if res, _ := ask(t, start(t, f), "GET /", "Authorization: Basic YW5uOng="); res.StatusCode != 503 {
		t.Error(res.Status)
	}
}

// Names that nobody knows are held against the hash that takes longest.
func TestUnknownNamesTakeAsLongAsAny(t *testing.T) {
	f := made(t, "basic-auth", fmt.Sprintf("users: {a: %q, b: %q, c: %q}", hashed(t, "x", 4), hashed(t, "x", 6), hashed(t, "x", 5))).(*basic)
	if cost, _ := bcrypt.Cost(f.decoy); cost != 6 {
		t.Errorf("cost %d, want 6", cost)
	}
}
