package proxy_test

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// shorthand plays the commonest stretches of a case; the README lists them.
func (st *stage) shorthand(text string) error {
	client, err := st.player("client")
	if err != nil {
		return err
	}
	word, rest, _ := strings.Cut(text, " ")
	switch word {
	case "asks":
		return st.asks(client, rest)
	case "served":
		return st.served(client, rest)
	case "hit":
		return st.hit(client)
	case "refused":
		return st.refused(client, rest)
	default:
		if err := st.ended(client, rest); err != nil {
			return err
		}
		return st.nothingWhole()
	}
}

// asks sends a GET with those fields.
func (st *stage) asks(client *player, fields string) error {
	more, err := fieldLines(fields)
	if err != nil {
		return err
	}
	client.conn.send(append([]byte("GET / HTTP/1.1\r\nHost: a.test\r\n"), more...), 0)
	return nil
}

// served lets the origin answer with 200 "ok" and those fields, and the client
// get that.
func (st *stage) served(client *player, fields string) error {
	origin, _ := st.player("origin")
	if !origin.owes {
		if err := st.asked(client, origin); err != nil {
			return err
		}
	}
	more, err := fieldLines(fields)
	if err != nil {
		return err
	}
	origin.msg, origin.owes = nil, false
	answer := append([]byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"), more...)
	origin.conn.send(append(answer, "ok"...), 0)
	_, err = st.gets(client, "client", []step{{text: "200"}, {text: "body: ok"}})
	return err
}

// asked reads the request that comes to the origin, unless the client is
// answered without.
func (st *stage) asked(client, origin *player) error {
	var data []byte
	st.until(patience, func() bool { data, _ = client.conn.unread(); return len(data) > 0 || st.waiting("origin") != nil })
	if len(data) > 0 && st.waiting("origin") == nil {
		return fmt.Errorf("the client is answered without the origin: %s", quoted(data))
	}
	if err := st.begin(origin, "origin", ""); err != nil {
		return err
	}
	return st.finish(origin)
}

// hit wants 200 "ok" that does not wait for the origin.
func (st *stage) hit(client *player) error {
	st.until(patience, func() bool {
		data, end := client.conn.unread()
		return len(data) > 0 || end != nil || st.waiting("") != nil
	})
	// The origin may be asked behind the answer, or the client left alone.
	if !st.until(10*silence, func() bool { data, end := client.conn.unread(); return len(data) > 0 || end != nil }) {
		return errors.New("the origin is asked")
	}
	_, err := st.gets(client, "client", []step{
		{text: "200"}, {text: "Cache-Status ~ multiserver; hit; ttl=-?[0-9]+; detail=(memory|stale)"}, {text: "body: ok"}})
	return err
}

// refused waits for whichever comes first: the answer, or what must not come.
func (st *stage) refused(client *player, status string) error {
	st.until(patience, func() bool {
		data, end := client.conn.unread()
		return len(data) > 0 || end != nil || st.waiting("") != nil
	})
	if err := st.nothing(); err != nil {
		return err
	}
	return st.ended(client, status) // nothingLeft looks at the origin again
}

func (st *stage) ended(client *player, status string) error {
	if _, err := st.gets(client, "client", []step{{text: status}}); err != nil {
		return err
	}
	return st.acts(client, "client", "gone")
}

// fieldLines makes lines of "Name: value | Name: value", and the empty one.
func fieldLines(list string) (lines []byte, err error) {
	if list != "" {
		for line := range strings.SplitSeq(list, " | ") {
			b, _, err := unescape(line)
			if err != nil {
				return nil, err
			}
			lines = append(append(lines, b...), "\r\n"...)
		}
	}
	return append(lines, "\r\n"...), nil
}

var dates = regexp.MustCompile(`\\\{date([+-][0-9]+)\}`)

// dated is s with the dates that it names by their distance from now.
func (s *script) dated(now time.Time) *script {
	c := *s
	c.steps = make([]step, len(s.steps))
	for i, one := range s.steps {
		one.text = dates.ReplaceAllStringFunc(one.text, func(m string) string {
			n, _ := strconv.Atoi(dates.FindStringSubmatch(m)[1])
			return now.Add(time.Duration(n) * time.Second).UTC().Format(http.TimeFormat)
		})
		c.steps[i] = one
	}
	return &c
}
