package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"multiserver/proxy/config"
)

// examples is a line for each common task. A test checks that each is right.
var examples = []struct{ task, args string }{
	{"two instances of an app, in turn", "--upstream http://127.0.0.1:3001 --upstream http://127.0.0.1:3002"},
	{"a stronger machine takes three times as many", "--upstream 'http://10.0.0.1:3000;weight=3' --upstream http://10.0.0.2:3000"},
	{"a backup, and never more than 50 requests at once at the first", "--upstream 'http://10.0.0.1:3000;max=50' --upstream 'http://10.0.0.2:3000;backup'"},
	{"each client keeps to its instance, by a cookie", "--upstream http://10.0.0.1:3000 --upstream http://10.0.0.2:3000 --balance sticky"},
	{"each tenant keeps to its instance, by a header", "--upstream http://10.0.0.1:3000 --upstream http://10.0.0.2:3000 --balance hash --hash-on header:X-Tenant"},
	{"ask instances how they are; those that are back get work slowly", "--upstream http://10.0.0.1:3000 --upstream http://10.0.0.2:3000 --health-path /healthz --slow-start 30s"},
	{"200 requests at once, 1000 may wait for 5 seconds", "--upstream http://127.0.0.1:3000 --max-concurrent 200 --queue 1000 --queue-timeout 5s"},
	{"as many instances as DNS has, found again as they move", "--upstream srv+http://_app._tcp.example.org --resolve-interval 5s"},
	{"run the app as four processes, started again when they end", "--spawn 4 -- node app.js"},
	{"on port 80, app on a Unix socket", "--listen :80 --upstream unix:/run/app.sock"},
	{"an app that thinks for long", "--upstream http://127.0.0.1:3000 --timeout 5m"},
	{"no uploads beyond 10 MiB", "--upstream http://127.0.0.1:3000 --max-body 10MiB"},
	{"behind another proxy that tells the client's address", "--upstream http://127.0.0.1:3000 --trusted-proxies 10.0.0.0/8"},
	{"metrics, health and profiles; a line for each request", "--upstream http://127.0.0.1:3000 --admin 127.0.0.1:9090 --access-log -"},
	{"see whether all of that is right, without serving", "check --upstream http://127.0.0.1:3000 --max-body 10MiB"},
}

const usageLine = `usage: multiserver [run] --upstream URL|--config FILE [flags]
       multiserver [run] --spawn N [flags] -- COMMAND [ARGUMENTS]
       multiserver check|demo [flags]
       multiserver purge --admin ADDR URL… | --prefix URL | --tag TAG | --all
       multiserver publish --admin ADDR CHANNEL [MESSAGE]
       multiserver upgrade --pid-file FILE | --admin ADDR
       multiserver schema | version | completion bash|zsh|fish | help [command]
`

// appHelp is the page of `multiserver help`.
func appHelp() string {
	var b strings.Builder
	b.WriteString("multiserver: run one web app as many\n\n" + usageLine + "\n")
	b.WriteString("examples:\n")
	for _, e := range examples {
		fmt.Fprintf(&b, "  # %s\n  multiserver %s\n", e.task, e.args)
	}
	b.WriteString(`  # see it work, with nothing else at hand
  multiserver demo

commands:
  run         serve, until SIGTERM or SIGINT (the default)
  check       check the flags as run would, and print what they amount to
  demo        run three small instances of an app, with the proxy in front
  purge       drop answers from a running server's cache
  publish     send a message to a channel of a running server's hub
  upgrade     have a new process take the place of a running server, which drains
  schema      print the JSON Schema of the file that --config reads, for editors
  version     print the version
  completion  print the completion script for a shell: source <(multiserver completion bash)
  help        this page, or a command's
`)
	b.WriteString(flagsHelp())
	return b.String()
}

// commandHelp is the page of `multiserver help NAME`.
func commandHelp(name, usage string) string {
	return "usage: multiserver " + name + " [flags]\n\n" + usage + "\n" + flagsHelp()
}

// help prints a page: that of a command, if one is named.
func (l *line) help(ctx *cli.Context) error {
	page := l.app.Description
	if name := ctx.Args().First(); name != "" {
		c := l.app.Command(name)
		if c == nil {
			return config.Mistakes{l.stray(name, false)}
		}
		page = c.Description
	}
	_, err := io.WriteString(l.out, page)
	return err
}

// flagsHelp is config's table as a person reads it.
func flagsHelp() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	group := ""
	for i := range config.Settings {
		s := &config.Settings[i]
		if s.Group != group {
			group = s.Group
			fmt.Fprintf(w, "\n%s:\n", strings.ToLower(group))
		}
		fmt.Fprintf(w, "  %s\t%s\n", strings.TrimSpace("--"+s.Name+" "+s.Arg), settingHelp(s))
	}
	w.Flush()
	b.WriteString(`
D is a duration (150ms, 2s, 1m30s), SIZE a number of bytes (64KiB, 256MiB, 1MB).
Each flag can be an environment variable: --idle-timeout is ` + config.Lookup("idle-timeout").Env() + `,
with commas where a flag may be given several times. A flag beats its variable,
and both beat the file of --config. run --print-config prints what comes of all.
`)
	return b.String()
}

func settingHelp(s *config.Setting) string {
	text := strings.ReplaceAll(s.Usage, "`", "")
	switch {
	case s.Many && s.Default != "":
		return text + " (repeatable; default " + s.Default + ")"
	case s.Many:
		return text + " (repeatable)"
	case s.Default != "":
		return text + " (default " + s.Default + ")"
	}
	return text
}
