package cli

import (
	"context"
	"errors"
	"flag"
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

// remote is what was typed behind the name of a command that asks a running
// server. Such a command reads its arguments itself: the parser would end flags
// at the first word.
type remote struct {
	command string
	raw     config.Raw // admin and admin-token
	words   []string   // what is no flag
	help    bool
}

// patient is longer than a server may wait for its Redis.
const patient = 15 * time.Second

var adminSettings = []string{"admin", "admin-token"}

// remoteCommand is one of them.
func (l *line) remoteCommand(name, usage, page string, act func(*cli.Context) error) *cli.Command {
	c := l.bare(name, usage, "", act)
	c.SkipFlagParsing = true
	c.Description = page
	return c
}

// remote takes what stands before the command's name.
func (l *line) remote(command string) remote {
	r := remote{command: command, raw: config.Raw{}}
	for _, name := range adminSettings {
		if given, ok := l.raw[name]; ok {
			r.raw[name] = given
		}
	}
	return r
}

// read takes flags and words in any order; own adds flags of the command's own.
func (r *remote) read(args []string, own func(*flag.FlagSet)) config.Mistakes {
	set := flag.NewFlagSet(r.command, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.Usage = func() {}
	for _, name := range adminSettings {
		_ = (&settingFlag{config.Lookup(name), r.raw}).Apply(set)
	}
	own(set)
	for len(args) > 0 {
		err := set.Parse(args)
		args = set.Args()
		switch {
		case errors.Is(err, flag.ErrHelp):
			r.help = true
			return nil
		case err != nil:
			return r.misread(err)
		case len(args) > 0:
			r.words, args = append(r.words, args[0]), args[1:]
		}
	}
	return nil
}

// misread puts the flag parser's words in ours.
func (r *remote) misread(err error) config.Mistakes {
	see := " (see multiserver help " + r.command + ")"
	if name, ok := strings.CutPrefix(err.Error(), "flag provided but not defined: -"); ok {
		return wrong(plain("--"+name), "", "unknown flag"+see)
	}
	if name, ok := strings.CutPrefix(err.Error(), "flag needs an argument: -"); ok {
		return wrong("--"+name, "", "missing value"+see)
	}
	return wrong(r.command, "", plain(err.Error()))
}

func wrong(from, value, why string) config.Mistakes {
	return config.Mistakes{{From: from, Value: value, Why: why}}
}

// server is where it is, from the flags or the environment.
func (r *remote) server() (*config.Config, error) {
	for _, name := range adminSettings {
		env := config.Lookup(name).Env()
		if word, ok := os.LookupEnv(env); ok && len(r.raw[name].Words) == 0 {
			r.raw.Add(name, env, word)
		}
	}
	c, err := elsewhere(r.raw)
	if err == nil && c.Admin == nil {
		err = wrong("--admin", "", "none given, want where the running server's admin listens, such as --admin 127.0.0.1:9090")
	}
	return c, err
}

// elsewhere reads settings of another process, whose upstreams are not ours to
// know, though there must be one.
func elsewhere(raw config.Raw) (*config.Config, error) {
	raw.Add("upstream", "", "http://upstream.invalid")
	raw.Add("listen", "", "127.0.0.1:0")
	return config.Parse(raw)
}

// adminClient asks to's admin listener, whatever host a URL names. Whoever has
// one closes its idle connections.
func adminClient(to *config.Config, within time.Duration) *http.Client {
	var dialer net.Dialer
	return &http.Client{Timeout: within, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, to.Admin.Network, to.Admin.Addr)
		},
	}}
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

// nextOf is which of a command's flags may come after last on its line. A flag is
// true with a value; those in many may stand there again.
func (l *line) nextOf(flags map[string]bool, last string, many ...string) (next []string) {
	if flags[last] || !strings.HasPrefix(last, "-") {
		return nil // its value, or a word
	}
	for name := range flags {
		if slices.Contains(many, name) || !slices.Contains(l.args, name) {
			next = append(next, name)
		}
	}
	slices.Sort(next)
	return append(next, "--help")
}
