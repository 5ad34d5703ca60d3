package admin

import (
	"context"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
)

// post posts body to /cache/purge.
func (a *running) post(t *testing.T, kind, body string) (status int, answer string) {
	t.Helper()
	req, err := http.NewRequest("POST", "http://"+a.Addr().String()+"/cache/purge", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", kind)
	if a.authorization != "" {
		req.Header.Set("Authorization", a.authorization)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

func TestPurgesAreOrders(t *testing.T) {
	var got Order
	pending := false
	a := start(t, Options{Purge: func(_ context.Context, o Order) (any, bool, error) {
		if got = o; o.URL == "bad" {
			return nil, false, errors.New(`url "bad": missing scheme`)
		}
		return map[string]string{"purged": "<it>"}, pending, nil
	}})
	f := func(body string, want Order) {
		t.Helper()
		if status, answer := a.post(t, "application/json; charset=utf-8", body); status != 200 || answer != "{\"purged\":\"<it>\"}\n" || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %d %s, order %+v, want %+v", body, status, answer, got, want)
		}
	}
	f(`{"url":"http://a/"}`, Order{URL: "http://a/"})
	f(`{"prefix":"http://a/","soft":true}`, Order{Prefix: "http://a/", Soft: true})
	f(`{"tag":"a"}`, Order{Tags: []string{"a"}})
	f(`{"tags":["a","b"]}`, Order{Tags: []string{"a", "b"}})
	f(` { "all" : true } `, Order{All: true})
	pending = true
	if status, _ := a.post(t, "application/json", `{"all":true}`); status != 202 {
		t.Errorf("pending: %d", status)
	}

	wrong := func(body, want string) {
		t.Helper()
		if status, answer := a.post(t, "application/json", body); status != 400 || answer != want+"\n" {
			t.Errorf("%s: %d %s, want %s", body, status, answer, want)
		}
	}
	wrong(`{"url":"bad"}`, `{"error":"url \"bad\": missing scheme"}`)
	wrong(`{"urls":["a"]}`, `{"error":"urls: unknown field, want one of url, prefix, tag, tags, all, soft"}`)
	wrong(`{"url":7}`, `{"error":"url: a JSON number, want a string"}`)
	wrong(`{"tags":"a"}`, `{"error":"tags: a JSON string, want a list of strings"}`)
	wrong(`{"all":"yes"}`, `{"error":"all: a JSON string, want a boolean"}`)
	wrong(`{"tag":"a","tags":["b"]}`, `{"error":"tag \"a\": tags are given as well, want one of both"}`)
	wrong(``, `{"error":"body: not a JSON object (EOF), want one such as {\"url\":\"http://example.org/\"}"}`)
	wrong(`{"all":true} {}`, `{"error":"body: not a JSON object (something follows it), want one such as {\"url\":\"http://example.org/\"}"}`)

	if status, answer := a.post(t, "text/plain", `{"all":true}`); status != 415 {
		t.Errorf("what a browser may post to anybody: %d %s", status, answer)
	}
	a.want("GET", "/cache/purge", 405, "POST")
	a.want("OPTIONS", "/cache/purge", 405, "POST")
}

func TestFiguresOfTheCache(t *testing.T) {
	a := start(t, Options{Cache: func() any { return map[string]int{"entries": 7} }})
	a.want("GET", "/cache", 200, `{"entries":7}`)
	a.want("POST", "/cache", 405, "read with GET")
}

func TestWithoutACacheThePagesSaySo(t *testing.T) {
	a := start(t, Options{})
	a.want("GET", "/cache", 404, "--cache SIZE")
	if status, answer := a.post(t, "application/json", `{"all":true}`); status != 404 || !strings.Contains(answer, "--cache SIZE") {
		t.Errorf("%d %s", status, answer)
	}
}

func TestThePurgesAskForTheToken(t *testing.T) {
	a := start(t, Options{Token: "s3cret", Purge: func(context.Context, Order) (any, bool, error) {
		t.Error("it was done")
		return nil, false, nil
	}})
	if status, _ := a.post(t, "application/json", `{"all":true}`); status != 401 {
		t.Errorf("%d", status)
	}
	a.want("GET", "/cache", 401, "token")
}

func FuzzParseOrder(f *testing.F) {
	for _, s := range []string{`{"url":"http://a/"}`, `{"tags":[null]}`, `[]`, `null`, `{"all":{}}`, `{"soft":1e999}`, `"x"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := parseOrder(b); err != nil && err.Error() == "" {
			t.Fatal("an error without words")
		}
	})
}
