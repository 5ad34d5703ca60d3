package cli

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"multiserver/proxy/config"
)

// demo runs three instances of a small app in this process, and the proxy in
// front of them, with a cache. All flags work but --upstream and --config.
func (l *line) demo(ctx *cli.Context) error {
	if ctx.Args().Present() {
		return l.mistakes()
	}
	for _, name := range []string{"upstream", "config"} {
		if g, given := l.raw[name]; given {
			return config.Mistakes{{From: g.From, Value: strings.Join(g.Words, ","), Why: "the demo brings its own upstreams, want multiserver run for yours"}}
		}
	}
	// Streams and slow answers end with this, so that Ctrl-C need not wait
	// for them.
	life, end := context.WithCancel(context.Background())
	defer end()
	app, err := startApp(life, 3)
	if err != nil {
		return err
	}
	defer app.close()

	l.raw["upstream"] = config.Given{From: "demo", Words: app.urls()}
	l.raw["config"] = config.Given{From: "demo", Words: []string{"none"}}
	l.unlessGiven("cache", "64MiB")
	l.unlessGiven("max-connections", "500") // and no word about descriptors that a demo can do without
	c, err := l.config(ctx)
	if err != nil {
		return err
	}
	return serve(c, stages{
		handed: &l.handed,
		ready:  func(addrs []net.Addr) { l.introduce(app, c, addrs) },
		drain:  end,
	})
}

func (l *line) unlessGiven(name, word string) {
	if _, given := l.raw[name]; !given {
		l.raw[name] = config.Given{From: "demo", Words: []string{word}}
	}
}

// introduce tells what is where and what to try.
func (l *line) introduce(app *demoApp, c *config.Config, addrs []net.Addr) {
	curl, url := reach(addrs)
	var b strings.Builder
	b.WriteString("\nThree instances of a small app are running, with the proxy in front of them:\n\n")
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "  proxy\t%s\n", url)
	for i, u := range app.urls() {
		fmt.Fprintf(w, "  instance %d\t%s\n", i+1, u)
	}
	if c.Admin != nil && c.Admin.Network == "tcp" && !strings.HasSuffix(c.Admin.Addr, ":0") {
		fmt.Fprintf(w, "  admin\thttp://%s\n", c.Admin.Addr)
	}
	w.Flush()

	b.WriteString("\nTry, from another terminal:\n\n")
	for _, try := range []struct{ args, path, note string }{
		{"", "/", "again and again: each instance in turn"},
		{"", "/slow", "takes 3 seconds, and holds nobody else up"},
		{"-i ", "/report", "takes 2 seconds, and then none for 10 more, whoever asks: look at Cache-Status"},
		{"", "/fail", "an instance breaks the connection, and you still get an answer"},
		{"-X POST ", "/stop/2", "instance 2 goes away: try the first line again"},
		{"-X POST ", "/start/2", "and comes back"},
		{"-N ", "/stream", "an event a second, each as it happens"},
		{"", "/headers", "what the app sees of a request"},
	} {
		fmt.Fprintf(w, "  %s %s%s%s\t%s\n", curl, try.args, url, try.path, try.note)
	}
	w.Flush()
	fmt.Fprintf(&b, "\n  100 MB pass through, in little memory:\n  head -c 100000000 /dev/zero | %s -T - %s/upload\n", curl, url)
	b.WriteString("\nCtrl-C ends it.\n\n")
	io.WriteString(l.out, b.String())
}

// reach is how curl gets to the first of the addresses.
func reach(addrs []net.Addr) (curl, url string) {
	switch a := addrs[0].(type) {
	case *net.UnixAddr:
		return "curl --unix-socket " + a.Name, "http://localhost"
	case *net.TCPAddr:
		if a.IP.IsUnspecified() {
			return "curl", fmt.Sprintf("http://localhost:%d", a.Port)
		}
	}
	return "curl", "http://" + addrs[0].String()
}
