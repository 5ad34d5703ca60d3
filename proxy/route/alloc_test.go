//go:build !race

package route

import "testing"

func TestAllocFind(t *testing.T) {
	tab := table(t, rulesOf(`a.org /api/* GET X-V:~^[0-9]$ q=~^[0-9]$
*.org ~^/x/.*\.css$
/b
/*`))
	f := func(req string, want int) {
		t.Helper()
		q := request(t, req)
		if got := tab.Find(q); got != want {
			t.Errorf("%s takes %d, want %d", req, got, want)
		}
		if n := testing.AllocsPerRun(1000, func() { tab.Find(q) }); n != 0 {
			t.Errorf("%s: %v allocations, want 0", req, n)
		}
	}
	f("GET A.org:80/api/x?q=1 x-v:2", 0)
	f("GET A.org:80/api/x?q=%31 x-v:2", 0)
	f("GET b.org/x/y/z.css", 1)
	f("GET c.com/b", 2)
	f("GET c.com/z/../b%20c", 3)
	f("GET c.com/z/../b", Unclear)
}
