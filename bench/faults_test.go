//go:build linux

package main

import (
	"reflect"
	"testing"
	"time"

	"multiserver/bench/app"
)

func TestAudit(t *testing.T) {
	all := []event{
		{tag: "told and counted", post: true, end: Good},
		{tag: "told only", post: true, end: Good},
		{tag: "counted only", post: true, end: Error}, // the client knows that it does not know
		{tag: "twice", post: true, end: Broke},
		{tag: "a GET", end: Good},
	}
	lost, doubled := audit(all, map[string]int{"told and counted": 1, "counted only": 1, "twice": 2})
	if !reflect.DeepEqual(lost, []string{"told only"}) || !reflect.DeepEqual(doubled, []string{"twice"}) {
		t.Errorf("lost %q, doubled %q", lost, doubled)
	}
}

func TestTollOfASpell(t *testing.T) {
	const s = time.Second
	sp := spell{who: []*Origin{{Options: app.Options{ID: "a"}}}, from: 10 * s, to: 16 * s, end: 20 * s}
	all := []event{
		{began: 9 * s, took: s / 2, end: Error},               // before it all
		{began: 9 * s, took: 2 * s, end: Error},               // under way when it began
		{began: 15 * s, end: Error},                           // later
		{began: 15 * s, end: Cut, post: true},                 //
		{began: 16*s + s/4, end: Error},                       // after the return
		{began: 16*s + s/8, origin: "a"},                      // one answer, and then none
		{began: 18*s + 400*time.Millisecond, origin: "b"},     // another's
		{began: 21 * s, end: Error},                           // the next one's
		{began: 19 * s, took: 2 * s, end: Error},              // and so is this
		{began: 15 * s, took: 4 * s, origin: "a", post: true}, // begun before the return: says nothing
	}
	for at := 17 * s; at < 20*s; at += s / 10 {
		all = append(all, event{began: at, origin: "a"})
	}
	l := sp.toll(all)
	if l.getError != [2]int{1, 2} || l.postCut != 1 || l.posts != 2 {
		t.Errorf("GET errors %v, POSTs %d, cut %d", l.getError, l.posts, l.postCut)
	}
	if l.served != s || l.last != s/4 {
		t.Errorf("served after %v, last error after %v", l.served, l.last)
	}
	sp.who[0].ID = "nobody"
	if l := sp.toll(all); l.served >= 0 {
		t.Errorf("one that never answered is back after %v", l.served)
	}
}
