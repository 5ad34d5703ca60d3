//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// peer is a server that is not ours, by its name, or NAME=FILE for one set up otherwise.
func peer(ctx context.Context, name, floor, dir string) (*Server, error) {
	name, file, own := strings.Cut(name, "=")
	switch {
	case strings.HasSuffix(file, ".conf"):
		return nginx(name, file), nil
	case strings.HasSuffix(file, ".cfg"):
		return haproxy(name, file), nil
	case own:
		return relay(name, file), nil
	}
	switch name {
	case "nginx", "nginx-plain":
		return nginx(name, "nginx.conf"), nil
	case "haproxy", "haproxy-plain":
		return haproxy(name, "haproxy.cfg"), nil
	case "varnish":
		return varnish(), nil
	case "caddy":
		return caddy("caddy.conf"), nil
	case "traefik":
		return traefik(ctx)
	case "fasthttp":
		return plain(ctx, dir)
	case "floor":
		return relay(name, floor), nil
	case "floor-go":
		return self(), nil
	}
	return nil, fmt.Errorf("%q is none of multiserver, nginx, nginx-plain, haproxy, haproxy-plain, varnish, caddy, traefik, fasthttp, floor, floor-go, nor NAME=FILE.conf for nginx or NAME=FILE.cfg for HAProxy", name)
}

// nginx and haproxy take a configuration of bench/peers/, or a file to compare with it. Called
// nginx-plain and haproxy-plain they run with keep-alive well set, and else as they come.
func nginx(name, conf string) *Server {
	return &Server{Name: name, Path: "nginx", Peer: name == "nginx", args: func(at place) ([]string, error) {
		at.Plain = strings.HasSuffix(name, "-plain")
		conf, err := fill(conf, at)
		return []string{"-p", at.Dir, "-e", filepath.Join(at.Dir, "nginx-start.log"), "-c", conf}, err
	}}
}

func haproxy(name, conf string) *Server {
	return &Server{Name: name, Path: "haproxy", Peer: name == "haproxy", args: func(at place) ([]string, error) {
		at.Plain = strings.HasSuffix(name, "-plain")
		conf, err := fill(conf, at)
		return []string{"-db", "-f", conf}, err
	}}
}

// varnish is set up here as far as its VCL cannot: it has a thread for each connection that is not
// idle for long.
func varnish() *Server {
	return &Server{Name: "varnish", Path: "varnishd", Peer: true, args: func(at place) ([]string, error) {
		vcl, err := fill("varnish.vcl", at)
		return []string{
			"-F", "-n", filepath.Join(at.Dir, "varnish"), "-f", vcl,
			"-a", fmt.Sprintf("127.0.0.1:%d", at.Port),
			"-j", "none", // no rights question in the temporary folder
			"-s", fmt.Sprintf("malloc,%dm", max(at.Cache, 1)),
			"-p", "thread_pools=1", // one core, as for every server under test
			"-p", "thread_pool_min=600", // made before they are needed, for twice as many clients as there are
			"-p", "thread_pool_max=5000",
			"-p", "listen_depth=4096", // all clients may come at once
			"-p", "timeout_idle=75", // longer than the others' turns between two of its rounds
			"-p", "vsl_mask=" + unlogged, // access log off, as for the others: an eighth of the price of a hit
			"-p", "auto_restart=off", // one that fails is not to be measured
		}, err
	}}
}

// unlogged is what Varnish writes into its log in memory for each request, switched off.
const unlogged = "-Begin,-End,-Link,-ReqStart,-ReqMethod,-ReqURL,-ReqProtocol,-ReqHeader,-ReqUnset,-ReqAcct," +
	"-RespProtocol,-RespStatus,-RespReason,-RespHeader,-RespUnset,-VCL_call,-VCL_return,-Hit,-Timestamp,-Filters," +
	"-SessOpen,-SessClose"

// self is the floor of programs in Go: this one once more (answer.go).
func self() *Server {
	path, err := os.Executable()
	if err != nil {
		path = os.Args[0]
	}
	return &Server{Name: "floor-go", Path: path, env: []string{"GOMAXPROCS=1"}, args: func(at place) ([]string, error) {
		if at.Cache == 0 {
			return nil, fmt.Errorf("it answers by itself: only for hit scenarios")
		}
		return []string{"answer", strconv.Itoa(at.Port), strconv.Itoa(at.Origin)}, nil
	}}
}

// relay is the floor: a program that passes bytes on, or answers where others have caches.
func relay(name, program string) *Server {
	return &Server{Name: name, Path: program, Peer: name == "floor", args: func(at place) ([]string, error) {
		if at.Cache > 0 {
			return []string{"origin", strconv.Itoa(at.Port)}, nil
		}
		return []string{"relay", strconv.Itoa(at.Port), strconv.Itoa(at.Origin)}, nil
	}}
}

// caddy takes a Caddyfile of bench/peers/.
func caddy(conf string) *Server {
	return &Server{Name: "caddy", Path: "caddy", args: func(at place) ([]string, error) {
		conf, err := fill(conf, at)
		return []string{"run", "--config", conf, "--adapter", "caddyfile"}, err
	}, env: []string{"GOMAXPROCS=1"}}
}

// plain is a proxy of twenty lines on fasthttp (bench/plain): what is had for nothing.
func plain(ctx context.Context, dir string) (*Server, error) {
	root, err := output(ctx, "", "go", "list", "-m", "-f", "{{.Dir}}")
	if err != nil {
		return nil, err
	}
	bin, err := goBuild(ctx, "fasthttp", root, dir, "./bench/plain")
	return &Server{Name: "fasthttp", Path: bin, env: []string{"GOMAXPROCS=1"}, args: func(at place) ([]string, error) {
		return []string{fmt.Sprintf("%s:%d", loopback, at.Port), fmt.Sprintf("%s:%d", loopback, at.Origin)}, nil
	}}, err
}
