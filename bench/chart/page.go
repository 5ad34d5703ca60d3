package chart

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"html"
	"slices"
	"strings"
)

// Sizes that all have, in pixels. Width is what a README has room for.
const (
	wide     = 760
	nameHigh = 16
)

// style has a ground of its own: a reader's screen may be dark where the page around is light.
const style = `<style>
text{font:12px system-ui,sans-serif;fill:#1f2328}
.ground{fill:#fff}.grid{stroke:#d8dee4}.one{stroke:#57606a}.ring{stroke:#fff}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.ground{fill:#0d1117}.grid{stroke:#30363d}.one{stroke:#8b949e}.ring{stroke:#0d1117}}
</style>
`

// begin opens a picture.
func begin(b *bytes.Buffer, title string, high int) {
	title = html.EscapeString(title)
	fmt.Fprintf(b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="%s">`+"\n", wide, high, title)
	b.WriteString(style)
	fmt.Fprintf(b, `<rect class="ground" width="100%%" height="100%%"/><text x="12" y="24" style="font-size:15px;font-weight:600">%s</text>`+"\n", title)
}

func end(b *bytes.Buffer) []byte {
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// Colours that the colour-blind can tell apart (Okabe and Ito 2008), of those the ones that stand
// out from white and from black; then two more for who is no rival.
var colours = []string{"#0072b2", "#e69f00", "#009e73", "#d55e00", "#56b4e9", "#cc79a7", "#8c8c8c", "#a89200", "#b8b8b8", "#7a6ff0"}

// known have the colours in this order, so that none of them share one.
var known = []string{"multiserver", "nginx", "haproxy", "varnish", "caddy", "traefik", "floor", "fasthttp", "floor, go", "multiserver, hits"}

func colour(name string) string {
	name = strings.ToLower(name)
	i := slices.Index(known, name)
	if i < 0 {
		h := fnv.New32a()
		_, _ = h.Write([]byte(name))
		i = int(h.Sum32() % uint32(len(colours)))
	}
	return colours[i]
}
