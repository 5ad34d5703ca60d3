package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/urfave/cli/v2"

	"multiserver/proxy/config"
)

// purgeHelp is the page of `multiserver help purge`.
const purgeHelp = `usage: multiserver purge --admin ADDR URL… | --prefix URL | --tag TAG | --all [--soft]

drop answers from a running server's cache, and those of all that share its Redis

  --admin ADDR         where that server's --admin listens
  --admin-token TOKEN  its --admin-token, if it has one; best given as MULTISERVER_ADMIN_TOKEN
  --prefix URL         all URLs that begin so, without a query (repeatable)
  --tag TAG            all answers with it in Surrogate-Key or Cache-Tag (repeatable)
  --all                all answers
  --soft               stale in place of gone: used while they are fetched anew

The scheme of a URL does not count; one with * at its end is a prefix.
Exit codes: 0 purged, 2 a mistake in what was asked for, 1 the server cannot be asked.

  multiserver purge --admin 127.0.0.1:9090 http://example.org/ http://example.org/news
  multiserver purge --admin 127.0.0.1:9090 --prefix http://example.org/static/ --soft
`

// purgeFlags are those of the command that are no settings; true: with a value.
var purgeFlags = map[string]bool{"--admin": true, "--admin-token": true, "--prefix": true, "--tag": true, "--all": false, "--soft": false}

// purges is what was typed behind the command's name.
type purges struct {
	raw                  config.Raw // admin and admin-token
	urls, prefixes, tags words
	all, soft, help      bool
}

// words is a flag that may be given several times.
type words []string

func (w *words) String() string { return "" }
func (w *words) Set(s string) error {
	*w = append(*w, s)
	return nil
}

// purgeCommand reads its arguments itself: flags end at the first
// URL.
func (l *line) purgeCommand() *cli.Command {
	c := l.bare("purge", "drop answers from a running server's cache", "", l.purge)
	c.SkipFlagParsing = true
	c.Description = purgeHelp
	return c
}

func (l *line) purge(ctx *cli.Context) error {
	p := purges{raw: config.Raw{}}
	for _, name := range adminSettings {
		if given, ok := l.raw[name]; ok { // before the command's name
			p.raw[name] = given
		}
	}
	if mistakes := p.read(ctx.Args().Slice()); len(mistakes) > 0 {
		return mistakes
	}
	if p.help {
		_, err := io.WriteString(l.out, purgeHelp)
		return err
	}
	to, err := p.server()
	if err != nil {
		return err
	}
	return p.send(to, l.out)
}

var adminSettings = []string{"admin", "admin-token"}

// read takes flags and URLs in any order.
func (p *purges) read(args []string) (all config.Mistakes) {
	set := flag.NewFlagSet("purge", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.Usage = func() {}
	for _, name := range adminSettings {
		_ = (&settingFlag{config.Lookup(name), p.raw}).Apply(set)
	}
	set.Var(&p.prefixes, "prefix", "")
	set.Var(&p.tags, "tag", "")
	set.BoolVar(&p.all, "all", false, "")
	set.BoolVar(&p.soft, "soft", false, "")
	for len(args) > 0 {
		err := set.Parse(args)
		switch rest := set.Args(); {
		case errors.Is(err, flag.ErrHelp):
			p.help = true
			return nil
		case err != nil:
			return append(all, purgeMistake(err))
		case len(rest) == 0:
			args = nil
		default:
			p.urls = append(p.urls, rest[0])
			args = rest[1:]
		}
	}
	return p.check()
}

func (p *purges) check() (all config.Mistakes) {
	some := len(p.urls)+len(p.prefixes)+len(p.tags) > 0
	switch {
	case !some && !p.all:
		return config.Mistakes{{From: "purge", Why: "nothing to purge, want a URL, --prefix, --tag or --all (see multiserver help purge)"}}
	case some && p.all:
		return config.Mistakes{{From: "--all", Why: "purges everything, want it without URLs, --prefix and --tag"}}
	}
	return nil
}

// purgeMistake puts the flag parser's words in ours.
func purgeMistake(err error) config.Mistake {
	if name, ok := strings.CutPrefix(err.Error(), "flag provided but not defined: -"); ok {
		return config.Mistake{From: plain("--" + name), Why: "unknown flag (see multiserver help purge)"}
	}
	if name, ok := strings.CutPrefix(err.Error(), "flag needs an argument: -"); ok {
		return config.Mistake{From: "--" + name, Why: "missing value (see multiserver help purge)"}
	}
	return config.Mistake{From: "purge", Why: plain(err.Error())}
}

// server is where to send purges, from the flags or the environment.
func (p *purges) server() (*config.Config, error) {
	for _, name := range adminSettings {
		env := config.Lookup(name).Env()
		if word, ok := os.LookupEnv(env); ok && len(p.raw[name].Words) == 0 {
			p.raw.Add(name, env, word)
		}
	}
	p.raw.Add("upstream", "", "http://upstream.invalid") // there must be one, and it is not ours to know
	p.raw.Add("listen", "", "127.0.0.1:0")
	c, err := config.Parse(p.raw)
	if err == nil && c.Admin == nil {
		err = config.Mistakes{{From: "--admin", Why: "none given, want where the running server's admin listens, such as --admin 127.0.0.1:9090"}}
	}
	return c, err
}

// order is the body of POST /cache/purge.
type order struct {
	URL    string   `json:"url,omitempty"`
	Prefix string   `json:"prefix,omitempty"`
	Tags   []string `json:"tags,omitempty"`
	All    bool     `json:"all,omitempty"`
	Soft   bool     `json:"soft,omitempty"`
}

func (p *purges) orders() (all []order) {
	for _, u := range p.urls {
		all = append(all, order{URL: u, Soft: p.soft})
	}
	for _, u := range p.prefixes {
		all = append(all, order{Prefix: u, Soft: p.soft})
	}
	if len(p.tags) > 0 {
		all = append(all, order{Tags: p.tags, Soft: p.soft})
	}
	if p.all {
		all = append(all, order{All: true, Soft: p.soft})
	}
	return all
}

// purgeTimeout is longer than a server may wait for its Redis.
const purgeTimeout = 15 * time.Second

// send sends the orders one after the other, up to the first that fails, and
// tells of each.
func (p *purges) send(to *config.Config, out io.Writer) error {
	var dialer net.Dialer
	client := &http.Client{Timeout: purgeTimeout, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, to.Admin.Network, to.Admin.Addr)
		},
	}}
	defer client.CloseIdleConnections()
	for _, o := range p.orders() {
		told, err := o.send(client, to)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintln(out, told); err != nil {
			return err
		}
	}
	return nil
}

func (o *order) send(client *http.Client, to *config.Config) (told string, err error) {
	body, err := json.Marshal(o)
	if err != nil {
		return "", err
	}
	req, err := http.NewRequest("POST", "http://localhost/cache/purge", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	if to.AdminToken != "" {
		req.Header.Set("Authorization", "Bearer "+to.AdminToken)
	}
	res, err := client.Do(req)
	if err != nil {
		return "", fmt.Errorf("purge: no answer from %s: %w; want --admin of a server that runs", to.Admin, errors.Unwrap(err))
	}
	defer res.Body.Close()
	return purgeAnswer(res, to)
}

// purgeAnswer is a line for people, or what went wrong.
func purgeAnswer(res *http.Response, to *config.Config) (told string, err error) {
	var a struct {
		Purged string
		Names  []string
		Soft   bool
		Nodes  string
		Error  string
	}
	err = json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(&a)
	switch {
	case res.StatusCode == http.StatusUnauthorized && to.AdminToken == "":
		return "", fmt.Errorf("purge: %s asks for a token, want --admin-token or MULTISERVER_ADMIN_TOKEN", to.Admin)
	case res.StatusCode == http.StatusUnauthorized:
		return "", fmt.Errorf("purge: %s has another admin token", to.Admin)
	case err != nil || a.Error == "" && a.Purged == "":
		return "", fmt.Errorf("purge: %s answers %s, which is no multiserver's admin: want --admin of one", to.Admin, res.Status)
	case res.StatusCode == http.StatusBadRequest:
		return "", config.Mistakes{{From: "purge", Why: printable(a.Error)}}
	case a.Error != "":
		return "", errors.New("purge: " + printable(a.Error))
	}
	told = "purged "
	if a.Soft {
		told += "softly "
	}
	told += printable(strings.Join(append([]string{a.Purged}, a.Names...), " ")) + "; nodes: " + a.Nodes
	if a.Nodes == "pending" {
		told += " (Redis is away: the others are told when it is back)"
	}
	return told, nil
}

// printable is what the server said without what would upset a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}

// nextOfPurge is what may come after last on its line.
func (l *line) nextOfPurge(last string) (flags []string) {
	if purgeFlags[last] || !strings.HasPrefix(last, "-") {
		return nil // its value, or a URL
	}
	for name := range purgeFlags {
		if name == "--prefix" || name == "--tag" || !slices.Contains(l.args, name) {
			flags = append(flags, name)
		}
	}
	slices.Sort(flags)
	return append(flags, "--help")
}
