package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"strings"

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

// purges is what was typed behind the command's name; its words are URLs.
type purges struct {
	remote
	prefixes, tags words
	all, soft      bool
}

// words is a flag that may be given several times.
type words []string

func (w *words) String() string { return "" }
func (w *words) Set(s string) error {
	*w = append(*w, s)
	return nil
}

func (l *line) purgeCommand() *cli.Command {
	return l.remoteCommand("purge", "drop answers from a running server's cache", purgeHelp, l.purge)
}

func (l *line) purge(ctx *cli.Context) error {
	p := purges{remote: l.remote("purge")}
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

func (p *purges) read(args []string) config.Mistakes {
	mistakes := p.remote.read(args, func(set *flag.FlagSet) {
		set.Var(&p.prefixes, "prefix", "")
		set.Var(&p.tags, "tag", "")
		set.BoolVar(&p.all, "all", false, "")
		set.BoolVar(&p.soft, "soft", false, "")
	})
	if len(mistakes) > 0 || p.help {
		return mistakes
	}
	return p.check()
}

func (p *purges) check() config.Mistakes {
	some := len(p.words)+len(p.prefixes)+len(p.tags) > 0
	switch {
	case !some && !p.all:
		return wrong("purge", "", "nothing to purge, want a URL, --prefix, --tag or --all (see multiserver help purge)")
	case some && p.all:
		return wrong("--all", "", "purges everything, want it without URLs, --prefix and --tag")
	}
	return nil
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
	for _, u := range p.words {
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

// send sends the orders one after the other, up to the first that fails, and
// tells of each.
func (p *purges) send(to *config.Config, out io.Writer) error {
	client := adminClient(to, patient)
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
		return "", wrong("purge", "", printable(a.Error))
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
