package admin

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

func TestTheLastMomentsAreKept(t *testing.T) {
	taken := uint64(0)
	h := newHistory(&Moments{Bounds: []float64{1, 2}, Take: func(m *Moment) {
		taken++
		m.Requests.C2, m.Durations[2] = taken, m.Durations[2]+taken // else what was there before would show
	}})
	begin := time.Unix(1_000_000, 0)
	f := func(n int, first, last uint64) {
		t.Helper()
		for int(taken) < n {
			h.note(begin.Add(time.Duration(taken) * time.Second))
		}
		past := h.past()
		if got := past[0].Requests.C2; got != first || past[0].Durations[2] != first {
			t.Errorf("after %d the first is %+v, want %d", n, past[0], first)
		}
		if got := past[len(past)-1]; got.Requests.C2 != last || !got.Time.Equal(begin.Add(time.Duration(last-1)*time.Second)) {
			t.Errorf("after %d the last is %+v, want %d", n, got, last)
		}
	}
	f(1, 1, 1)
	f(remembered, 1, remembered)
	f(remembered+1, 2, remembered+1)
	f(3*remembered+7, 2*remembered+8, 3*remembered+7)
}

func TestAMomentEachSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &Admin{history: newHistory(&Moments{Take: func(m *Moment) { m.InFlight = 7 }})}
		a.streams.begin()
		a.streams.work.Go(a.remember)
		time.Sleep(10*stateEvery + stateEvery/2)
		synctest.Wait()
		if n := len(a.history.past()); n != 11 { // one at once
			t.Errorf("%d moments in ten seconds and a half", n)
		}
		a.streams.close()
	})
}

func TestThePageAsksForThePast(t *testing.T) {
	a := start(t, Options{Moments: &Moments{Bounds: []float64{1}, Take: func(m *Moment) { m.Waiting = 3 }}})
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		res, err := http.Get(a.url + "/api/history")
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(res.Body)
		res.Body.Close()
		var got struct {
			Version int
			Started time.Time
			Bounds  []float64
			Moments []Moment
		}
		if err := json.Unmarshal(text, &got); err != nil || got.Version != 1 || len(got.Bounds) != 1 || got.Started.IsZero() {
			t.Fatalf("%v: %s", err, text)
		}
		if len(got.Moments) > 0 {
			if m := got.Moments[0]; m.Waiting != 3 || len(m.Durations) != 2 {
				t.Errorf("%+v", m)
			}
			break
		}
		if time.Now().After(end) {
			t.Fatal("there is no past")
		}
	}
	a.want("POST", "/api/history", 405, "")
	start(t, Options{}).want("GET", "/api/history", 404, "")
}
