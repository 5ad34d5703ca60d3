//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// traefikVersion is the one that is built if there is none on the PATH.
const traefikVersion = "v3.6.12"

// traefik is Traefik with its fast proxy.
func traefik(ctx context.Context) (*Server, error) {
	path, err := exec.LookPath("traefik")
	if err != nil && noTraefik == nil {
		path, noTraefik = builtTraefik(ctx)
	}
	if err != nil && noTraefik != nil {
		return nil, fmt.Errorf("traefik: %w", noTraefik)
	}
	return &Server{Name: "traefik", Path: path, env: []string{"GOMAXPROCS=1"}, args: func(at place) ([]string, error) {
		conf, err := fill("traefik.yaml", at)
		_, wrong := fill("traefik-routes.yaml", at)
		return []string{"--configFile=" + conf}, errors.Join(err, wrong)
	}}, nil
}

// noTraefik is why it cannot be built: a build that fails takes minutes, and is not tried twice.
var noTraefik error

// builtTraefik builds it from Go's module proxy, once: that takes ten minutes on two cores. The
// zip of the module has no files of its web page, which is a line here, and of the clients for DNS
// services by which it proves names to an ACME authority some cannot be had: it knows none of them
// here. No request passes either.
func builtTraefik(ctx context.Context) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	bin := filepath.Join(cache, "multiserver", "traefik-"+traefikVersion)
	if _, err := os.Stat(bin); err == nil {
		return bin, nil
	}
	fmt.Fprintln(os.Stderr, "bench: building Traefik, once; that takes minutes")
	dir, err := os.MkdirTemp("", "multiserver-traefik-")
	if err == nil {
		err = os.MkdirAll(filepath.Dir(bin), 0o755)
	}
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithTimeout(ctx, 40*time.Minute)
	defer cancel()
	script := exec.CommandContext(ctx, "sh", "-ec", traefikScript)
	script.Dir = dir
	script.Env = append(os.Environ(), "VERSION="+traefikVersion, "BIN="+bin, "CGO_ENABLED=0", "GOFLAGS=-mod=mod")
	if out, err := script.CombinedOutput(); err != nil {
		said := strings.TrimSpace(string(out))
		return "", fmt.Errorf("build %s: %w: %s", traefikVersion, err, said[strings.LastIndexByte(said, '\n')+1:])
	}
	return bin, nil
}

const traefikScript = `
go mod download github.com/traefik/traefik/v3@$VERSION
cp -r "$(go env GOMODCACHE)/github.com/traefik/traefik/v3@$VERSION" traefik
chmod -R u+w traefik
cd traefik
mkdir -p webui/static
echo traefik >webui/static/index.html
go mod download github.com/go-acme/lego/v4
cp -r "$(go list -m -f '{{.Dir}}' github.com/go-acme/lego/v4)" ../lego
chmod -R u+w ../lego
cat >../lego/providers/dns/zz_gen_dns_providers.go <<'end'
package dns

import (
	"fmt"

	"github.com/go-acme/lego/v4/challenge"
)

func NewDNSChallengeProviderByName(name string) (challenge.Provider, error) {
	return nil, fmt.Errorf("%s: no DNS provider in this build", name)
}
end
go mod edit -replace github.com/go-acme/lego/v4=../lego
go build -ldflags "-s -w -X github.com/traefik/traefik/v3/pkg/version.Version=$VERSION" -o "$BIN" ./cmd/traefik
`
