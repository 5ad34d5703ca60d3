package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// release is set by the release build: -ldflags "-X multiserver/proxy/cli.release=v1.2.3".
var release string

// version is one line: which release, built from what, by which Go, for what.
func version() string {
	return fmt.Sprintf("multiserver %s (%s, %s/%s)", source(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// source is the release's name, or what the Go tool noted of the sources.
func source() string {
	if release != "" {
		return release
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return "devel"
}
