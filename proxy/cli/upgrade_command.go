package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"multiserver/proxy/config"
)

const upgradeUsage = "have a new process take the place of a running server, which drains"

// upgradeHelp is the page of `multiserver help upgrade`.
const upgradeHelp = `usage: multiserver upgrade --pid-file FILE | --admin ADDR

` + upgradeUsage + `

  --pid-file FILE      that server's --pid-file
  --admin ADDR         or where its --admin listens
  --admin-token TOKEN  its --admin-token, if it has one; best given as MULTISERVER_ADMIN_TOKEN
  --upgrade-timeout D  its --upgrade-timeout (default 60s)

The new process is begun by the path and the arguments of the old one. If it does
not get ready, the old one goes on; by --admin it says why, else its log does.
Exit codes: 0 the new one serves, 2 a mistake in what was asked for, 1 it does not.
`

var upgradeSettings = []string{"pid-file", "admin", "admin-token", "upgrade-timeout"}

func (l *line) upgradeCommand() *cli.Command {
	c := l.bare("upgrade", upgradeUsage, "", l.upgrade)
	for _, name := range upgradeSettings {
		c.Flags = append(c.Flags, &settingFlag{config.Lookup(name), l.raw})
	}
	c.Description = upgradeHelp
	return c
}

func (l *line) upgrade(ctx *cli.Context) error {
	if ctx.Args().Present() {
		return l.mistakes()
	}
	c, err := l.runningServer()
	if err != nil {
		return err
	}
	var pid int
	if c.Admin != nil {
		pid, err = upgradeByAdmin(c)
	} else {
		pid, err = upgradeBySignal(pidFile(c.PidFile), c.Upgrading)
	}
	if err == nil {
		_, err = fmt.Fprintf(l.out, "process %d serves\n", pid)
	}
	return err
}

// runningServer is where a server is to be found, from flags and environment.
func (l *line) runningServer() (*config.Config, error) {
	raw := config.Raw{}
	for _, name := range upgradeSettings {
		s := config.Lookup(name)
		if given, ok := l.raw[name]; ok {
			raw[name] = given
		} else if word, ok := os.LookupEnv(s.Env()); ok {
			raw.Add(name, s.Env(), word)
		}
	}
	if _, ok := raw["admin"]; ok {
		if _, ok := raw["admin-token"]; !ok {
			raw.Add("admin-token", "", "none") // whether it wants one is its business
		}
	}
	c, err := elsewhere(raw)
	if err == nil && c.Admin == nil && c.PidFile == "" {
		err = wrong("upgrade", "", "no server named, want --pid-file FILE or --admin ADDR of one that runs (see multiserver help upgrade)")
	}
	return c, err
}

// lastWords is how long after the old process's end the new one may take to write
// its number: on a busy machine the one may have gone before the other gets there.
const lastWords = 5 * time.Second

// upgradeBySignal waits until the file names another process.
func upgradeBySignal(file pidFile, within time.Duration) (pid int, err error) {
	old, err := file.read()
	if err != nil {
		return 0, fmt.Errorf("--pid-file: %w; want that of a server that runs", err)
	}
	if err := syscall.Kill(old, syscall.SIGUSR2); err != nil {
		return 0, fmt.Errorf("--pid-file %s: process %d: %w", file, old, err)
	}
	gone := false
	for end := time.Now().Add(within + 2*time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if pid, err := file.read(); err == nil && pid != old {
			return pid, nil
		}
		if !gone && syscall.Kill(old, 0) != nil {
			gone, end = true, time.Now().Add(lastWords)
		}
	}
	if gone {
		return 0, fmt.Errorf("process %d has ended, and no other serves: see its log", old)
	}
	return 0, fmt.Errorf("process %d goes on: its log says why no other is ready", old)
}

// upgradeByAdmin asks the server, which answers when the other serves.
func upgradeByAdmin(c *config.Config) (pid int, err error) {
	client := adminClient(c, c.Upgrading+10*time.Second)
	defer client.CloseIdleConnections()
	req, err := http.NewRequest("POST", "http://localhost/api/upgrade", bytes.NewReader([]byte("{}")))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+c.AdminToken)
	res, err := client.Do(req)
	if err != nil {
		return 0, fmt.Errorf("upgrade: no answer from %s: %w; want --admin of a server that runs", c.Admin, errors.Unwrap(err))
	}
	defer res.Body.Close()
	var a struct {
		Pid   int
		Error string
	}
	err = json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(&a)
	switch {
	case res.StatusCode == http.StatusUnauthorized:
		return 0, fmt.Errorf("upgrade: %s asks for its token, want --admin-token or MULTISERVER_ADMIN_TOKEN", c.Admin)
	case a.Error != "":
		return 0, errors.New("upgrade: " + printable(a.Error))
	case err != nil || a.Pid == 0:
		return 0, fmt.Errorf("upgrade: %s answers %s, which is no multiserver's admin: want --admin of one", c.Admin, res.Status)
	}
	return a.Pid, nil
}
