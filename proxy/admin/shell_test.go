package admin

import (
	"bufio"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

func TestBrowsersGetTheDashboardAndOthersTheIndex(t *testing.T) {
	a := start(t, Options{Token: "s3cret"})
	if res := a.fields("GET", "/", "Accept: text/html,*/*"); res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("the page that asks for the token: %d %s", res.StatusCode, res.Header.Get("Content-Type"))
	}
	a.want("GET", "/", 401, "token")
	a.want("GET", "/page/none.js", 404, "no such file")
	a.want("GET", "/page/../serve.go", 401, "token")
	a.want("POST", "/page/index.html", 401, "token")
	start(t, Options{}).want("GET", "/", 200, "/metrics ")
}

func TestEveryAnswerIsProtected(t *testing.T) {
	a := start(t, Options{})
	for _, path := range []string{"/", "/metrics", "/api/state", "/none"} {
		h := a.fields("GET", path, "Accept: text/html").Header
		if !strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("X-Frame-Options") != "DENY" {
			t.Errorf("%s: %v", path, h)
		}
	}
}

// What the policy forbids would be an error in the browser's console alone.
func TestThePageObeysItsPolicy(t *testing.T) {
	entries, err := files.ReadDir("page")
	if err != nil {
		t.Fatal(err)
	}
	html, err := files.ReadFile("page/index.html")
	if err != nil {
		t.Fatal(err)
	}
	for what, re := range map[string]string{
		"an inline script":  `<script>|<script [^>]*>[^<]`,
		"an inline style":   `<style|\sstyle=`,
		"an inline handler": `\son[a-z]+=`,
		"another host":      `(src|href)="(https?:)?//`,
	} {
		if found := regexp.MustCompile(re).Find(html); found != nil {
			t.Errorf("%s: %s", what, found)
		}
	}
	for _, m := range regexp.MustCompile(`(?:src|href)="/(page/[^"]+)"`).FindAllSubmatch(html, -1) {
		if _, err := files.ReadFile(string(m[1])); err != nil {
			t.Error(err)
		}
	}
	for _, e := range entries {
		if e.Type().IsRegular() && types[e.Name()[max(0, strings.LastIndex(e.Name(), ".")):]] == "" {
			t.Errorf("%s has no type", e.Name())
		}
	}
}

func TestAStateEachSecond(t *testing.T) {
	n := int64(0)
	a := start(t, Options{State: func() State { n++; return State{Clients: n} }})
	res, err := http.Get(a.url + "/api/live")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.Header.Get("Content-Type") != "text/event-stream" {
		t.Error(res.Header)
	}
	lines := bufio.NewScanner(res.Body)
	for _, want := range []string{`"clients":1,`, `"clients":2,`} {
		for lines.Scan() && !strings.HasPrefix(lines.Text(), "data: ") {
		}
		if !strings.Contains(lines.Text(), want) {
			t.Errorf("want %s in %s", want, lines.Text())
		}
	}
}
