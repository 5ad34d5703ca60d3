package cli

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/urfave/cli/v2"

	"multiserver/proxy/config"
	"multiserver/sync/hub"
	"multiserver/sync/hub/api"
)

// publishHelp is the page of `multiserver help publish`.
const publishHelp = `usage: multiserver publish --admin ADDR CHANNEL [MESSAGE]

send a message to all members of a channel of a running server's hub, and of those that share its broker

  --admin ADDR         where that server's --admin listens
  --admin-token TOKEN  its --admin-token, if it has one; best given as MULTISERVER_ADMIN_TOKEN
  --binary             the message is bytes and not text
  --exclude ID         not to this connection (X-WS-Connection-Id)

Without MESSAGE, or with -, it is read from standard input, up to 1 MiB.
Printed is the message's id where the channel has a history.
Exit codes: 0 published, 2 a mistake in what was asked for, 1 the server cannot be asked.

  multiserver publish --admin 127.0.0.1:9090 room:7 "dinner is ready"
  multiserver publish --admin 127.0.0.1:9090 --binary map < tile.png
`

// publishFlags are those of the command; true: with a value.
var publishFlags = map[string]bool{"--admin": true, "--admin-token": true, "--exclude": true, "--binary": false}

// publishing is what was typed behind the command's name.
type publishing struct {
	remote
	exclude string
	binary  bool
}

func (l *line) publishCommand() *cli.Command {
	return l.remoteCommand("publish", "send a message to a channel of a running server's hub", publishHelp, l.publish)
}

func (l *line) publish(ctx *cli.Context) error {
	p := publishing{remote: l.remote("publish")}
	if mistakes := p.read(ctx.Args().Slice()); len(mistakes) > 0 {
		return mistakes
	}
	if p.help {
		_, err := io.WriteString(l.out, publishHelp)
		return err
	}
	to, err := p.server()
	if err != nil {
		return err
	}
	post, err := p.post(os.Stdin)
	if err != nil {
		return err
	}
	return send(post, to, l.out)
}

func (p *publishing) read(args []string) config.Mistakes {
	mistakes := p.remote.read(args, func(set *flag.FlagSet) {
		set.StringVar(&p.exclude, "exclude", "", "")
		set.BoolVar(&p.binary, "binary", false, "")
	})
	if len(mistakes) > 0 || p.help {
		return mistakes
	}
	return p.check()
}

func (p *publishing) check() config.Mistakes {
	switch {
	case len(p.words) == 0:
		return wrong("publish", "", "no channel, want one and a message, such as room:7 hello (see multiserver help publish)")
	case len(p.words) > 2:
		return wrong("publish", plain(p.words[2]), "follows the message, want that in quotes")
	case !hub.ValidName(p.words[0]):
		return wrong("publish", plain(p.words[0]), "not a channel, want 1 to 255 bytes that can be printed")
	}
	return nil
}

// post is the message, from in where it was not typed.
func (p *publishing) post(in io.Reader) (hub.Post, error) {
	post := hub.Post{Channel: p.words[0], Kind: hub.Text, Exclude: p.exclude}
	if p.binary {
		post.Kind = hub.Binary
	}
	if len(p.words) == 2 && p.words[1] != "-" {
		post.Data = []byte(p.words[1])
		return post, nil
	}
	data, err := io.ReadAll(io.LimitReader(in, hub.MaxMessage+1))
	switch {
	case err != nil:
		return post, fmt.Errorf("publish: standard input: %w", err)
	case len(data) > hub.MaxMessage:
		return post, wrong("publish", "", "the message on standard input is longer than 1 MiB")
	}
	post.Data = data
	return post, nil
}

// send publishes, and tells the id if there is one.
func send(post hub.Post, to *config.Config, out io.Writer) error {
	client := adminClient(to, patient)
	defer client.CloseIdleConnections()
	c := api.Client{URL: "http://localhost", Token: to.AdminToken, HTTP: client}
	id, warning, err := c.Publish(context.Background(), post)
	switch {
	case err != nil:
		return fmt.Errorf("publish: %s: %w; want --admin of a server that runs, with --hub", to.Admin, err)
	case warning != "":
		fmt.Fprintln(os.Stderr, "multiserver: "+printable(warning))
	}
	if id != "" {
		_, err = fmt.Fprintln(out, printable(id))
	}
	return err
}
