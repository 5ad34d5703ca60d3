package cache

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"multiserver/cache/purge"
)

// Order is a purge as an operator words it, by one of URL, Prefix, Tags and
// All.
type Order struct {
	URL    string   // the scheme does not count; with a * at its end it is a Prefix
	Prefix string   // of URLs; what comes from a "?" on does not count
	Tags   []string // as in Surrogate-Key and Cache-Tag; letters in either case are the same
	All    bool
	Soft   bool // stale in place of gone: used while it is refreshed, or where no upstream answers
}

// Purged is what became of an Order. The words are stable.
type Purged struct {
	What  string   `json:"purged"`          // url, prefix, tag or all
	Names []string `json:"names,omitempty"` // without scheme; as they are compared
	Soft  bool     `json:"soft"`
	Nodes Nodes    `json:"nodes"`
}

// Nodes is who knows of a purge. This node always does.
type Nodes string

// The nodes that know.
const (
	AllNodes Nodes = "all"     // who shares our Redis
	ThisNode Nodes = "this"    // there is no Redis
	Pending  Nodes = "pending" // Redis is away: the others will when it is back
)

// orderWithin bounds how long Redis is waited for, whatever is ordered.
const orderWithin = 3 * time.Second

// Order purges. When it returns, nothing that it speaks of is found here any
// more, even if it is being fetched just now. The error is a mistake in o,
// named by its field.
func (c *Cache) Order(ctx context.Context, o *Order) (Purged, error) {
	marks, err := c.marksOf(o)
	if err != nil {
		return Purged{}, err
	}
	return c.purgeAll(ctx, marks), nil
}

// PurgeTarget is Order for a request's target, by either scheme.
func (c *Cache) PurgeTarget(ctx context.Context, host, path []byte, soft bool) Purged {
	marks := c.targetMarks(false, host, path)
	for i := range marks {
		marks[i].Soft = soft
	}
	return c.purgeAll(ctx, marks)
}

func (c *Cache) purgeAll(ctx context.Context, marks []purge.Mark) Purged {
	ctx, cancel := context.WithTimeout(ctx, orderWithin)
	defer cancel()
	p := Purged{What: marks[0].Kind.String(), Soft: marks[0].Soft, Nodes: AllNodes}
	if c.far == nil {
		p.Nodes = ThisNode
	}
	for _, m := range marks {
		if c.Purge(ctx, m) != nil {
			p.Nodes = Pending
		}
		if m.Kind != purge.All {
			p.Names = append(p.Names, string(m.Name))
		}
	}
	return p
}

// Purge drops answers on all nodes: those m speaks of, in one step however
// many they are. The error tells that Redis is away; it is told later, then.
func (c *Cache) Purge(ctx context.Context, m purge.Mark) error {
	c.Stats.Purges[m.Kind].Add(1)
	name := m.Append(nil)
	defer c.note(trailMark, name) // once it is in force
	if c.far == nil {
		c.marks.Set(m, c.marks.Next())
		return nil
	}
	seq, err := c.far.Mark(ctx, name)
	if err != nil {
		seq = c.marks.Meanwhile()
	}
	c.marks.Set(m, seq)
	if err != nil {
		c.owe(name)
	}
	return err
}

// Marks is how many purges are told apart.
func (c *Cache) Marks() purge.Stats { return c.marks.Stats() }

const (
	mostTags = 256 // of an Order: each is a round trip
	mostTag  = 1024
)

func (c *Cache) marksOf(o *Order) (marks []purge.Mark, err error) {
	given := 0
	for _, is := range [...]bool{o.URL != "", o.Prefix != "", len(o.Tags) > 0, o.All} {
		if is {
			given++
		}
	}
	switch {
	case given != 1:
		return nil, fmt.Errorf("purge: %d of url, prefix, tags and all are given, want one", given)
	case o.All:
		marks = []purge.Mark{{Kind: purge.All}}
	case o.URL != "":
		marks, err = c.urlMarks("url", o.URL)
	case o.Prefix != "":
		marks, err = c.urlMarks("prefix", strings.TrimSuffix(o.Prefix, "*")+"*")
	default:
		marks, err = tagMarks(o.Tags)
	}
	for i := range marks {
		marks[i].Soft = o.Soft
	}
	return marks, err
}

func (c *Cache) urlMarks(field, url string) ([]purge.Mark, error) {
	secure, host, path, why := splitURL(url)
	if why != "" {
		return nil, fmt.Errorf("%s %q: %s", field, strings.TrimSuffix(url, "*"), why)
	}
	return c.targetMarks(secure, []byte(host), []byte(path)), nil
}

// splitURL takes what a client's request may have been for. why is empty if it
// may.
func splitURL(url string) (secure bool, host, path, why string) {
	at := strings.Index(url, "://")
	if at < 0 || !strings.EqualFold(url[:at], "http") && !strings.EqualFold(url[:at], "https") {
		return false, "", "", "missing scheme, want http://" + strings.TrimLeft(strings.TrimSuffix(url, "*"), "/")
	}
	rest := url[at+len("://"):]
	end := strings.IndexAny(rest, "/?#*")
	if end < 0 {
		end = len(rest)
	}
	host, path = rest[:end], rest[end:]
	for _, r := range url {
		if r <= ' ' || r >= 0x7f || r == '\\' || r == '#' {
			return false, "", "", fmt.Sprintf("%q cannot be in a request, want it percent-encoded", r)
		}
	}
	switch {
	case host == "":
		return false, "", "", "missing host, want one such as http://example.org/"
	case strings.ContainsRune(host, '@'):
		return false, "", "", "has user information, want the host alone"
	case path != "" && path[0] == '*': // http://example.org*: example.org.evil.test was not meant
		path = "/" + path
	}
	return url[at-1]|0x20 == 's', host, path, ""
}

// targetMarks are the marks for a target, one for each way in which the views
// spell it. It is a prefix with a * at its end. What comes from a "?" on is no
// part of a prefix: parameters may be sorted or left out of keys, so that
// beginnings of queries find nothing.
func (c *Cache) targetMarks(secure bool, host, path []byte) (marks []purge.Mark) {
	kind := purge.URL
	if prefix, ok := bytes.CutSuffix(path, []byte("*")); ok {
		kind = purge.Prefix
		path, _, _ = bytes.Cut(prefix, []byte("?"))
	}
	for _, s := range *c.spellings.Load() {
		key := s.keys.Append(nil, secure, host, path)
		_, name, _ := bytes.Cut(key, []byte("://"))
		if !slices.ContainsFunc(marks, func(m purge.Mark) bool { return bytes.Equal(m.Name, name) }) {
			marks = append(marks, purge.Mark{Kind: kind, Name: name})
		}
	}
	return marks
}

func tagMarks(tags []string) (marks []purge.Mark, err error) {
	if len(tags) > mostTags {
		return nil, fmt.Errorf("tags: %d of them, want %d at most", len(tags), mostTags)
	}
	for _, tag := range tags {
		name := strings.Trim(tag, " \t")
		switch {
		case name == "":
			return nil, fmt.Errorf("tags %q: an empty tag, want those that answers bear", tag)
		case len(name) > mostTag:
			return nil, fmt.Errorf("tags %q…: a tag of %d bytes, want %d at most", name[:16], len(name), mostTag)
		}
		marks = append(marks, purge.Mark{Kind: purge.Tag, Name: []byte(name)})
	}
	return marks, nil
}

// Key is what the answers for a target are kept under.
func (c *Cache) Key(secure bool, host, path []byte) []byte {
	return c.by.Keys.Append(nil, secure, host, path)
}
