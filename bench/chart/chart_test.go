package chart

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"testing"
)

func TestPicturesAreXML(t *testing.T) {
	f := func(svg []byte, element string, want int) {
		t.Helper()
		for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
		if n := bytes.Count(svg, []byte("<"+element)); n != want {
			t.Errorf("%d of <%s, want %d", n, element, want)
		}
	}
	l := Lines{Title: "a < b", X: "x", Y: "y"}
	d := Dots{Title: "a < b", X: "x"}
	for _, name := range []string{"one", "two", "three & four"} {
		for _, x := range []float64{1, 10, 1000} {
			l.Add(name, x, 5+x/1000)
			d.Add("row of "+name, name, x)
		}
	}
	f(l.SVG(), "polyline", 3)
	f(d.SVG(), "circle", 3+9)
}

func TestNamesDoNotCoverEachOther(t *testing.T) {
	var l Lines
	for _, name := range []string{"one", "two", "three"} {
		l.Add(name, 1, 5)
	}
	high := l.places(func(float64) float64 { return linesTop + innerHigh }) // all at the edge
	for i := range high {
		for j := range i {
			if d := high[i] - high[j]; d < nameHigh && d > -nameHigh {
				t.Errorf("names at %v", high)
			}
		}
	}
}

func TestWhatIsLevelLooksLevel(t *testing.T) {
	l := Lines{Whole: true}
	l.Add("a", 1, 10)
	l.Add("a", 100, 11)
	if y := l.heights(); y.to/y.from < 9.99 || y.part(11)-y.part(10) > .05 {
		t.Errorf("from %v to %v", y.from, y.to)
	}
}

func TestTicks(t *testing.T) {
	f := func(from, to float64, want string) {
		t.Helper()
		got := ""
		for _, v := range (logAxis{from, to}).ticks() {
			got += number(v) + " "
		}
		if got != want {
			t.Errorf("%v to %v: %s, want %s", from, to, got, want)
		}
	}
	f(1, 10, "1 2 5 10 ")
	f(0.3, 3, "0.5 1 2 ")
	f(1, 1e7, "1 10 100 1,000 10k 100k 1M 10M ")
}

func TestServersHaveColoursOfTheirOwn(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range known {
		if seen[colour(name)] {
			t.Errorf("%s has another's colour", name)
		}
		seen[colour(name)] = true
	}
}
