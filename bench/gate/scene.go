//go:build linux

package main

import (
	"fmt"
	"strings"
)

// A scene is one hot thing that is done again and again.
type scene struct {
	name  string
	about string
	times int // it is done in one run, to make little of what else happens meanwhile
	begin func(s *stage) (once func() error, err error)
}

var scenes = []scene{
	{"forward-1k", "GET, an answer of 1 KiB", 1000, func(s *stage) (func() error, error) {
		return s.exchange(get(""), 0, answer("", 1<<10))
	}},
	{"post-16k", "POST of 16 KiB, a short answer", 1000, func(s *stage) (func() error, error) {
		return s.exchange(post(16<<10), 16<<10, answer("", 2))
	}},
	{"hit-1k", "GET, a stored answer of 1 KiB", 1000, func(s *stage) (func() error, error) {
		return s.exchange(get(""), 0, answer("Cache-Control: max-age=86400\r\n", 1<<10), "--cache=64MiB")
	}},
	{"cookie-1k", "forward-1k with a cookie that is not ours", 1000, func(s *stage) (func() error, error) {
		return s.exchange(get("Cookie: theme=dark\r\n"), 0, answer("", 1<<10))
	}},
	{"sessionless-1k", "cookie-1k where other clients have sessions", 1000, func(s *stage) (func() error, error) {
		return s.exchange(get("Cookie: theme=dark\r\n"), 0, answer("", 1<<10), sessions...)
	}},
	{"session-1k", "cookie-1k with a session that lies in this process", 1000, (*stage).session},
	{"websocket-128", "a message through a tunnel and back", 1000, (*stage).tunnel},
	{"parse", "the head of a browser's request", 10000, func(*stage) (func() error, error) { return parsing(), nil }},
	{"pick", "one of 10 upstreams in turn, and its slot given back", 10000, func(*stage) (func() error, error) { return picking(), nil }},
}

func findScene(name string) (*scene, error) {
	var names []string
	for i := range scenes {
		if scenes[i].name == name {
			return &scenes[i], nil
		}
		names = append(names, scenes[i].name)
	}
	return nil, fmt.Errorf("-scene %s: want one of %s", name, strings.Join(names, ", "))
}
