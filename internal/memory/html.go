package memory

import (
	"cmp"
	_ "embed"
	"html/template"
	"io"
	"slices"
	"strings"

	"github.com/valkeyfs/valkeyfs/internal/report"
)

//go:embed memory.html
var page string

var pageTemplate = template.Must(template.New("memory").Funcs(template.FuncMap{"bytes": report.Bytes, "number": number, "share": share, "escape": report.Escape}).Parse(page))

// HTML writes the report as a page with a map of the prefixes, each as large as what
// its keys take. It needs nothing from elsewhere, and no script.
func (r *Report) HTML(w io.Writer) error {
	return pageTemplate.Execute(w, struct {
		*Report
		Sections []struct {
			Title  string
			Groups []Group
		}
		Map []tile
	}{r, titled(r.sections()), r.treemap()})
}

func titled(sections []section) (out []struct {
	Title  string
	Groups []Group
}) {
	for _, s := range sections {
		if len(s.groups) > 0 {
			out = append(out, struct {
				Title  string
				Groups []Group
			}{s.title, s.groups})
		}
	}
	return out
}

// tile is a rectangle of the map, in hundredths of its width and height.
type tile struct {
	X, Y, W, H float64
	Label      string
	Bytes      int64
	Keys       int64
	Inner      bool
	Hue        int
}

// treemap lays out the prefixes: those of the first depth, in each those that begin
// with it, and what is left.
func (r *Report) treemap() []tile {
	var roots []Prefix
	rest := r.Bytes
	for _, p := range r.Prefixes {
		if !slices.ContainsFunc(r.Prefixes, func(q Prefix) bool { return q.Name != "" && q.Name != p.Name && strings.HasPrefix(p.Name, q.Name) }) {
			roots = append(roots, p)
			rest -= p.Bytes
		}
	}
	if rest > 0 {
		roots = append(roots, Prefix{Name: "", Bytes: rest})
	}
	out := squarify(roots, tile{W: 100, H: 100})
	for i, t := range slices.Clone(out) {
		out[i].Hue = i * 47 % 360
		var inner []Prefix
		left := t.Bytes
		for _, p := range r.Prefixes {
			if name := roots[i].Name; name != "" && p.Name != name && strings.HasPrefix(p.Name, name) && left >= p.Bytes &&
				!slices.ContainsFunc(inner, func(q Prefix) bool { return strings.HasPrefix(p.Name, q.Name) }) {
				inner = append(inner, p)
				left -= p.Bytes
			}
		}
		if len(inner) == 0 {
			continue
		}
		if left > 0 {
			inner = append(inner, Prefix{Bytes: left})
		}
		for k, in := range squarify(inner, t) {
			if inner[k].Name != "" {
				in.Inner, in.Hue = true, out[i].Hue
				out = append(out, in)
			}
		}
	}
	return out
}

// squarify divides a rectangle among prefixes by their bytes, in rows whose tiles are
// as near to squares as may be (Bruls, Huizing, van Wijk, 2000). Its tiles are in the
// order of the prefixes, which it sorts.
func squarify(ps []Prefix, in tile) []tile {
	slices.SortStableFunc(ps, func(a, b Prefix) int { return cmp.Compare(b.Bytes, a.Bytes) })
	total := 0.0
	for _, p := range ps {
		total += float64(p.Bytes)
	}
	out := make([]tile, 0, len(ps))
	for len(ps) > 0 && total > 0 {
		side := min(in.W, in.H)
		scale := in.W * in.H / total
		row, sum, worst := 1, float64(ps[0].Bytes), ratio(ps[:1], float64(ps[0].Bytes), scale, side)
		for row < len(ps) {
			next := sum + float64(ps[row].Bytes)
			w := ratio(ps[:row+1], next, scale, side)
			if w > worst {
				break
			}
			row, sum, worst = row+1, next, w
		}
		thick := 0.0
		if side > 0 {
			thick = sum * scale / side
		}
		at := 0.0
		for _, p := range ps[:row] {
			long := 0.0
			if sum > 0 {
				long = side * float64(p.Bytes) / sum
			}
			t := tile{X: in.X, Y: in.Y + at, W: thick, H: long, Label: p.label(), Bytes: p.Bytes, Keys: p.Keys}
			if in.W < in.H {
				t = tile{X: in.X + at, Y: in.Y, W: long, H: thick, Label: p.label(), Bytes: p.Bytes, Keys: p.Keys}
			}
			out = append(out, t)
			at += long
		}
		if in.W < in.H {
			in.Y, in.H = in.Y+thick, in.H-thick
		} else {
			in.X, in.W = in.X+thick, in.W-thick
		}
		total -= sum
		ps = ps[row:]
	}
	return out
}

// ratio is the worst proportion of sides in a row.
func ratio(row []Prefix, sum, scale, side float64) float64 {
	if sum == 0 || side == 0 {
		return 0
	}
	thick, worst := sum*scale/side, 0.0
	for _, p := range row {
		long := side * float64(p.Bytes) / sum
		if long > 0 {
			worst = max(worst, thick/long, long/thick)
		}
	}
	return worst
}
