//go:build linux

package main

import "testing"

// The gate's processes end with what a scene has begun; here it stays until all
// tests are over.
func TestScenesPlay(t *testing.T) {
	for _, sc := range scenes {
		t.Run(sc.name, func(t *testing.T) {
			var s stage
			once, err := sc.begin(&s)
			if err == nil {
				err = repeat(once, 20)
			}
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}
