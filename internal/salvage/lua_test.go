package salvage

import (
	"bytes"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/internal/servertest"
)

// programs are of all that the grammar has.
var programs = []string{
	"local a, b = 1, 'x'; if a == 1 then b = \"y\\n\\065\" elseif not b then return elseif a ~= b then a = 2 else a = -a end",
	"for i = 1, 10, 2 do if i > 3 then break end end\nfor k, v in pairs({1, [2]=3, x='y'; z=f}) do t[k].y, z = v, #v end",
	"while true do repeat local x = 1 until x end\nrepeat x = x .. 'a' .. [[b]] until x >= 0x1F or x < .5e-3",
	"local function f(a, b, ...) local t = {...} return f(a)(b){1}'x':y(...) end\nfunction m.n.o:p() return self end",
	"f{g\n(x)}; -- a comment\n--[==[ a long\none ]] ]==] (f or g)(a.b['c']).d = function() return end --[= no long one",
	"goto = 1 + 2 * 3 ^ 4 % 5 / 6 - 7\v\f local x = [=[\n]]]=] return x, (x), {}, nil, true, false, '\\\r\n', \"\\z\"",
}

var luaPieces = []string{" ", "\n", "\r\n", "(", ")", "{", "}", "[", "]", "[[", "]]", "=", "==", "~=", "~", ",", ";", ".", "..", "...", ":", "::", "'", "\"", "\\", "\\300", "--", "--[", "--[=[", "1", "0x", "1e", "1..2", "0x1p4", "3.", "x",
	"end ", "do ", "then ", "if ", "break ", "return ", "function ", "local ", "goto x ", "not ", "and ", "#", "-", "^", "\x00", "\xff", "\v", "!", "&", "//"}

// spoilt is a program that was changed in a few places.
func spoilt(rnd *rand.Rand) string {
	p := programs[rnd.IntN(len(programs))]
	for range rnd.IntN(4) {
		i := rnd.IntN(len(p) + 1)
		j := min(len(p), i+rnd.IntN(4))
		p = p[:i] + luaPieces[rnd.IntN(len(luaPieces))] + p[j:]
	}
	return p
}

// TestLua: what is deep costs no memory, and is refused as servers do.
func TestLua(t *testing.T) {
	for code, want := range map[string]bool{
		"":                               true,
		"return":                         true,
		strings.Join(programs[4:], "\n"): true,
		"x = 1 goto x ::x::":             false,
		"f\n(x)":                         false,
		"break":                          false,
		"function f() return ... end":    false,
		"if x then return if y then end": false,
		"if x then else else end":        false,
		"(x) = 1":                        false,
		"x = [[ [[ ]]":                   true,
		"x = '\\256'":                    false,
		"x = 1 -- [[\n]]":                false,
		strings.Repeat("do ", 150) + strings.Repeat(" end", 150): true,
	} {
		if got := isLua([]byte(code)); got != want {
			t.Errorf("%.40q: %v, want %v", code, got, want)
		}
	}
	for _, piece := range []string{"(", "{", "x=-", "do ", "f(", "a.", "a..", "a,", "[[", "--[[", "x=function() ", "'"} {
		code := []byte("x=" + strings.Repeat(piece, 1<<20))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if isLua(code) {
			t.Errorf("%q again and again is Lua", piece)
		}
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
			t.Errorf("%q again and again took %d bytes", piece, n)
		}
	}
}

// TestLuaServers: servers compile what is said to be Lua, and nothing else.
func TestLuaServers(t *testing.T) {
	servertest.Each(t, func(t *testing.T, s servertest.Server) {
		i := s.Start(t, "")
		rnd := rand.New(rand.NewPCG(1, 2))
		all := append([]string{}, programs...)
		for range 3000 {
			all = append(all, spoilt(rnd))
		}
		compiled := 0
		for _, code := range all {
			said, _ := i.Must(t, "EVAL", "local f, e = loadstring(ARGV[1]) return f and '' or e", "0", code).(string)
			if said == "" {
				compiled++
			}
			if strings.Contains(said, "nesting of [[") { // some builds take it
				continue
			}
			if got := isLua([]byte(code)); got != (said == "") {
				t.Errorf("%q: %v, and the server says %q", code, got, said)
			}
		}
		if compiled < len(all)/5 || compiled > len(all)*4/5 {
			t.Errorf("%d of %d are Lua: that tells little", compiled, len(all))
		}
		if s.Major() < 7 {
			return // it has no functions
		}
		var deep []string
		for n := 190; n <= 205; n++ {
			deep = append(deep, strings.Repeat("do ", n)+strings.Repeat(" end", n), "x = "+strings.Repeat("(", n)+"1"+strings.Repeat(")", n), "x = 1"+strings.Repeat(" .. 1", n), "a"+strings.Repeat(", a", n)+" = 1")
		}
		for _, code := range deep {
			_, err := i.Do("FUNCTION", "LOAD", "REPLACE", "#!lua name=lib\ndo return end "+code)
			taken := err == nil || !strings.Contains(err.Error(), "compiling function")
			if got := isLua([]byte("do return end " + code)); got != taken {
				t.Errorf("%.20q of %d bytes: %v, and the server says %v", code, len(code), got, err)
			}
		}
		for line, want := range map[string]bool{
			"#!lua name=lib": true, "#!LUA  NAME='lib' \r": true, "#!lua \"name=lib\"": true, "#!lua name=\"lib": false, "#!lua name=l-b": false,
			"#!lua name=": false, "#!lua": false, "#!lua name=a name=b": false, "#!lua engine=x": false, "#!lua name=lib x": false, "#!luax name=lib": false,
		} {
			code := line + "\nredis.register_function('f', function() end)"
			_, err := i.Do("FUNCTION", "LOAD", "REPLACE", code)
			if (err == nil) != want || refusedLibrary([]byte(code)) == want {
				t.Errorf("%q: refused %v, and the server says %v; want it taken %v", line, refusedLibrary([]byte(code)), err, want)
			}
		}
	})
}

// FuzzLua: no text breaks it.
func FuzzLua(f *testing.F) {
	for _, p := range programs {
		f.Add([]byte(p))
	}
	f.Fuzz(func(t *testing.T, code []byte) {
		if isLua(code) && !isLua(bytes.Join([][]byte{[]byte("do end"), code, []byte("")}, []byte("\n"))) {
			t.Errorf("%q is Lua, and not behind a statement", code)
		}
	})
}
