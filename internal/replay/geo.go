package replay

import (
	"math"
	"slices"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// geoSearch is GEOSEARCHSTORE destination source …, or GEORADIUS and GEORADIUSBYMEMBER
// source … with STORE or STOREDIST destination. Lengths are in metres.
type geoSearch struct {
	from, to      []byte
	member        []byte // whose place is the centre; nil: lon and lat are
	lon, lat      float64
	box           bool
	radius        float64 // of a box, half its diagonal
	width, height float64 // of a box
	unit          float64
	count         int64 // 0: all
	first         bool  // any so many: those that the server found first
	desc          bool
	distances     bool // are the scores
}

// geoUnits are the lengths of units (geo.c, extractUnitOrReply).
var geoUnits = map[string]float64{"m": 1, "km": 1000, "ft": 0.3048, "mi": 1609.34}

// geoReader reads the numbers of a search.
type geoReader struct {
	rest [][]byte
	bad  bool
}

func (r *geoReader) word() []byte {
	if len(r.rest) == 0 {
		r.bad = true
		return nil
	}
	w := r.rest[0]
	r.rest = r.rest[1:]
	return w
}

func (r *geoReader) number() float64 {
	f, ok := number(r.word())
	r.bad = r.bad || !ok || math.IsInf(f, 0)
	return f
}

// length is a number that servers take for one.
func (r *geoReader) length() float64 {
	f := r.number()
	r.bad = r.bad || f < 0
	return f
}

func (r *geoReader) unit() float64 {
	for name, m := range geoUnits {
		if len(r.rest) > 0 && is(r.rest[0], name) {
			r.rest = r.rest[1:]
			return m
		}
	}
	r.bad = true
	return 1
}

// parseGeoSearch reads a command; told is false where its result is not computed.
func parseGeoSearch(e *keyspace.Event) (s geoSearch, told bool) {
	name, r := commandName(e), &geoReader{rest: e.Args[1:]}
	if name == "geosearchstore" {
		s.to = r.word()
	}
	s.from = r.word()
	centres, shapes := 0, 0
	circle := func() {
		shapes++
		s.radius = r.length()
		s.unit = r.unit()
		s.radius *= s.unit
	}
	place := func() {
		centres++
		s.lon, s.lat = r.number(), r.number()
		r.bad = r.bad || math.Abs(s.lon) > 180 || math.Abs(s.lat) > maxLatitude
	}
	member := func() {
		centres++
		s.member = r.word()
	}
	switch name {
	case "georadius":
		place()
		circle()
	case "georadiusbymember":
		member()
		circle()
	}
	for len(r.rest) > 0 {
		switch w := r.word(); {
		case is(w, "FROMMEMBER"):
			member()
		case is(w, "FROMLONLAT"):
			place()
		case is(w, "BYRADIUS"):
			circle()
		case is(w, "BYBOX"):
			shapes++
			s.box, s.width, s.height = true, r.length(), r.length()
			s.unit = r.unit()
			s.width, s.height = s.width*s.unit, s.height*s.unit
			s.radius = math.Hypot(s.width/2, s.height/2)
		case is(w, "COUNT"):
			var ok bool
			s.count, ok = integer(r.word())
			r.bad = r.bad || !ok || s.count < 1
		case is(w, "ANY"):
			s.first = true
		case is(w, "ASC"), is(w, "DESC"):
			s.desc = is(w, "DESC")
		case name == "geosearchstore" && is(w, "STOREDIST"):
			s.distances = true
		case name != "geosearchstore" && (is(w, "STORE") || is(w, "STOREDIST")):
			s.to, s.distances = r.word(), is(w, "STOREDIST")
		default:
			r.bad = true
		}
	}
	return s, !r.bad && centres == 1 && shapes == 1 && (!s.first || s.count > 0)
}

// geoStore is a search whose result is stored. What a server would refuse changes
// nothing. The distances of the C library may differ in their last digits from those
// here: a result that depends on these, and all stored distances, are inexact.
func geoStore(m *machine, e *keyspace.Event, _ [][]byte) error {
	s, told := parseGeoSearch(e)
	if s.to == nil {
		return nil
	}
	o, in := newObject(keyspace.SortedSet), m.get(e.DB, string(s.from))
	switch {
	case in == nil:
	case in.typ != keyspace.SortedSet:
		return nil
	case !told, in.inexact, !m.afford(in.steps()):
		o.inexact = true
	default:
		if s.member != nil {
			score, ok := in.zset[string(s.member)]
			if !ok {
				return nil
			}
			s.lon, s.lat = geoPlace(score)
			o.inexact = !isGeohash(score)
		}
		found, exact := s.find(in)
		o.inexact = o.inexact || !exact || s.distances
		for _, f := range found {
			score := in.zset[f.member]
			if s.distances {
				score = f.score / s.unit
			}
			o.score(f.member, score)
		}
	}
	return m.replace(e, s.to, o)
}

// find returns the members that a search finds, with their distances as scores; exact is
// false if servers may find others.
func (s *geoSearch) find(in *object) (found []scored, exact bool) {
	exact = true
	for v, score := range in.zset {
		if !isGeohash(score) {
			continue // it lies in no area that is searched
		}
		lon, lat := geoPlace(score)
		within, sure := s.within(lon, lat)
		exact = exact && sure
		if within {
			exact = exact && s.reaches(lon, lat)
			found = append(found, scored{geoDistance(s.lon, s.lat, lon, lat), v})
		}
	}
	if s.count == 0 || s.count >= int64(len(found)) {
		return found, exact
	}
	slices.SortFunc(found, func(a, b scored) int {
		if s.desc {
			a, b = b, a
		}
		return a.compare(b) // of those as near as each other any, but always the same
	})
	d := found[s.count-1].score
	sure := math.Abs(found[s.count].score-d) > geoDoubt(d)
	return found[:s.count], exact && sure && !s.first
}

// geoDoubt is by how much less two distances may differ without its being known which is
// larger: where they are half the Earth, rounding makes most of it.
func geoDoubt(d float64) float64 {
	if d > 0.99*math.Pi*earthRadius {
		return 1
	}
	return 1e-3 + d*1e-9
}

// within reports whether a place is inside the shape (geohash_helper.c,
// geohashGetDistanceIfInRadius and geohashGetDistanceIfInRectangle), and whether that is
// sure.
func (s *geoSearch) within(lon, lat float64) (within, sure bool) {
	within, sure = true, true
	outside := false // that is sure
	hold := func(d, limit float64) {
		doubt := geoDoubt(max(d, limit))
		within, sure, outside = within && d <= limit, sure && math.Abs(d-limit) > doubt, outside || d > limit+doubt
	}
	if !s.box {
		hold(geoDistance(s.lon, s.lat, lon, lat), s.radius)
		return within, sure
	}
	hold(geoDistance(lon, lat, s.lon, lat), s.width/2)
	hold(geoDistance(lon, lat, lon, s.lat), s.height/2)
	return within, sure || outside
}

// reaches reports whether the areas that servers search are sure to have a place that is
// inside the shape: each searches nine, but for those that are outside of the bounds of
// the shape, as it takes these to be (geohash_helper.c,
// geohashCalculateAreasByShapeWGS84). Near the poles, and at the sides of a large shape,
// they differ in that.
func (s *geoSearch) reaches(lon, lat float64) bool {
	if s.radius >= mercatorMax/4 {
		return true // all areas
	}
	up, side := s.radius, s.radius
	if s.box {
		up, side = s.height/2, s.width/2
	}
	dLat := up / earthRadius * 180 / math.Pi
	dLon := side / earthRadius / math.Cos(radians(s.lat)) * 180 / math.Pi
	far := math.Abs(lon - s.lon)
	far = min(far, 360-far)
	return math.Abs(s.lat) <= 75 && math.Abs(s.lat)+dLat <= 85 && math.Abs(lat-s.lat) < dLat*(1-1e-9) && far < dLon*(1-1e-9)
}

// What servers take for the radius of the Earth and half its girth, in metres
// (geohash_helper.c).
const (
	earthRadius = 6372797.560856
	mercatorMax = 20037726.37
)

func radians(degrees float64) float64 { return degrees * math.Pi / 180 }

// geoDistance is the distance of two places (geohash_helper.c, geohashGetDistance).
func geoDistance(lon1, lat1, lon2, lat2 float64) float64 {
	u := math.Sin((radians(lat2) - radians(lat1)) / 2)
	v := math.Sin((radians(lon2) - radians(lon1)) / 2)
	return 2 * earthRadius * math.Asin(min(1, math.Sqrt(u*u+math.Cos(radians(lat1))*math.Cos(radians(lat2))*v*v)))
}

// isGeohash reports whether a score stands for a place.
func isGeohash(score float64) bool { return score >= 0 && score < 1<<(2*geoBits) }

// geoPlace is the place that a score stands for: the middle of what [geohash] makes it of
// (geohash.c, geohashDecode).
func geoPlace(score float64) (lon, lat float64) {
	if !isGeohash(score) {
		return 0, 0
	}
	h := uint64(score)
	var x, y uint64
	for i := geoBits - 1; i >= 0; i-- {
		x = x<<1 | h>>(2*i+1)&1
		y = y<<1 | h>>(2*i)&1
	}
	middle := func(n uint64, most float64) float64 { return (float64(n)+0.5)/(1<<geoBits)*2*most - most }
	return middle(x, 180), middle(y, maxLatitude)
}
