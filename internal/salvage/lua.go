package salvage

import "regexp"

// isLua reports whether code is a chunk of Lua 5.1, as far as its grammar goes, in the
// words of llex.c and lparser.c. It takes time by the length of code and no memory by it.
func isLua(code []byte) (ok bool) {
	p := &lua{code: code, line: 1, vararg: true}
	defer func() {
		if r := recover(); r != nil {
			if _, is := r.(notLua); !is {
				panic(r)
			}
			ok = false
		}
	}()
	p.next()
	p.chunk()
	return p.tok == luaEOS
}

// notLua is what is panicked with where code is no Lua.
type notLua struct{}

// maxLevels is LUAI_MAXCCALLS of luaconf.h.
const maxLevels = 200

// lua reads a chunk.
type lua struct {
	code   []byte
	i      int // of the next byte
	line   int
	tok    luaToken
	peek   luaToken // the one behind it
	peeked bool     // that is known
	ended  int      // the line that the token before ended on
	levels int
	loops  int  // around, in the function at hand
	vararg bool // it takes any number of arguments
}

// luaToken is a byte that stands for itself or one of these.
type luaToken int

const (
	luaEOS luaToken = -1 - iota
	luaName
	luaNumber
	luaString
	luaDots
	luaConcat
	luaEQ
	luaNE
	luaLE
	luaGE
	luaAnd
	luaBreak
	luaDo
	luaElse
	luaElseif
	luaEnd
	luaFalse
	luaFor
	luaFunction
	luaIf
	luaIn
	luaLocal
	luaNil
	luaNot
	luaOr
	luaRepeat
	luaReturn
	luaThen
	luaTrue
	luaUntil
	luaWhile
)

var luaWords = map[string]luaToken{"and": luaAnd, "break": luaBreak, "do": luaDo, "else": luaElse, "elseif": luaElseif, "end": luaEnd,
	"false": luaFalse, "for": luaFor, "function": luaFunction, "if": luaIf, "in": luaIn, "local": luaLocal, "nil": luaNil, "not": luaNot,
	"or": luaOr, "repeat": luaRepeat, "return": luaReturn, "then": luaThen, "true": luaTrue, "until": luaUntil, "while": luaWhile}

// luaEqual are tokens of a byte and "=".
var luaEqual = map[int]luaToken{'=': luaEQ, '<': luaLE, '>': luaGE, '~': luaNE}

// luaNumeral is what luaO_str2d of lobject.c takes of what read_numeral reads.
var luaNumeral = regexp.MustCompile(`^(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|0[xX][0-9a-fA-F]+(?:[pP][0-9]+)?)$`)

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isAlnum(c byte) bool { return isDigit(c) || c|32 >= 'a' && c|32 <= 'z' }

// at is the n-th byte from here on, -1 behind the end.
func (p *lua) at(n int) int {
	if p.i+n < len(p.code) {
		return int(p.code[p.i+n])
	}
	return -1
}

// newline passes over the end of a line, of one byte or two.
func (p *lua) newline() {
	c := p.at(0)
	p.i++
	if d := p.at(0); (d == '\n' || d == '\r') && d != c {
		p.i++
	}
	p.line++
}

// next takes the next token.
func (p *lua) next() {
	p.ended = p.line
	if p.peeked {
		p.tok, p.peeked = p.peek, false
		return
	}
	p.tok = p.scan()
}

func (p *lua) scan() luaToken {
	for {
		c := p.at(0)
		switch {
		case c < 0:
			return luaEOS
		case c == '\n' || c == '\r':
			p.newline()
		case c == ' ' || c >= '\t' && c <= '\r':
			p.i++
		case c == '-' && p.at(1) == '-':
			p.i += 2
			if level := p.bracket('['); level >= 0 {
				p.long(level)
				continue
			}
			for c := p.at(0); c >= 0 && c != '\n' && c != '\r'; c = p.at(0) {
				p.i++
			}
		case c == '[':
			switch level := p.bracket('['); {
			case level >= 0:
				p.long(level)
				return luaString
			case p.at(1) == '=':
				panic(notLua{})
			}
			p.i++
			return '['
		case c == '"' || c == '\'':
			p.quoted(c)
			return luaString
		case c == '.' && p.at(1) == '.' && p.at(2) == '.':
			p.i += 3
			return luaDots
		case c == '.' && p.at(1) == '.':
			p.i += 2
			return luaConcat
		case isDigit(byte(c)) || c == '.' && p.at(1) >= 0 && isDigit(byte(p.at(1))):
			p.number()
			return luaNumber
		case isAlnum(byte(c)) || c == '_':
			return p.name()
		default:
			p.i++
			if equal, two := luaEqual[c]; two && p.at(0) == '=' {
				p.i++
				return equal
			}
			return luaToken(c)
		}
	}
}

// bracket returns the level of the long bracket that begins here, or -1.
func (p *lua) bracket(c int) int {
	if p.at(0) != c {
		return -1
	}
	n := 1
	for p.at(n) == '=' {
		n++
	}
	if p.at(n) != c {
		return -1
	}
	return n - 1
}

// long passes over a long string of a level. That one of level 0 holds no other, as some
// servers want (LUA_COMPAT_LSTR of luaconf.h), is not asked for.
func (p *lua) long(level int) {
	p.i += level + 2
	for {
		switch c := p.at(0); {
		case c < 0:
			panic(notLua{})
		case c == ']' && p.bracket(']') == level:
			p.i += level + 2
			return
		case c == '\n' || c == '\r':
			p.newline()
		default:
			p.i++
		}
	}
}

// quoted passes over a string in quotes.
func (p *lua) quoted(quote int) {
	p.i++
	for {
		c := p.at(0)
		switch {
		case c < 0 || c == '\n' || c == '\r':
			panic(notLua{})
		case c == quote:
			p.i++
			return
		case c != '\\':
			p.i++
			continue
		}
		p.i++
		switch c := p.at(0); {
		case c == '\n' || c == '\r':
			p.newline()
		case c >= 0 && isDigit(byte(c)):
			n := 0
			for k := 0; k < 3 && p.at(0) >= 0 && isDigit(byte(p.at(0))); k++ {
				n = n*10 + p.at(0) - '0'
				p.i++
			}
			p.expect(n <= 255)
		default:
			p.i++
		}
	}
}

func (p *lua) number() {
	from := p.i
	for c := p.at(0); c >= 0 && (isDigit(byte(c)) || c == '.'); c = p.at(0) {
		p.i++
	}
	if c := p.at(0); c == 'e' || c == 'E' {
		p.i++
		if c := p.at(0); c == '+' || c == '-' {
			p.i++
		}
	}
	p.rest()
	p.expect(luaNumeral.Match(p.code[from:p.i]))
}

func (p *lua) name() luaToken {
	from := p.i
	p.rest()
	if t, reserved := luaWords[string(p.code[from:p.i])]; reserved {
		return t
	}
	return luaName
}

// rest passes over letters, digits and underscores.
func (p *lua) rest() {
	for c := p.at(0); c >= 0 && (isAlnum(byte(c)) || c == '_'); c = p.at(0) {
		p.i++
	}
}

// expect ends the reading unless what is expected holds.
func (p *lua) expect(holds bool) {
	if !holds {
		panic(notLua{})
	}
}

// take passes over a token if it is t.
func (p *lua) take(t luaToken) bool {
	if p.tok != t {
		return false
	}
	p.next()
	return true
}

// must passes over a token, which must be t.
func (p *lua) must(t luaToken) { p.expect(p.take(t)) }

func (p *lua) enter() {
	p.levels++
	p.expect(p.levels <= maxLevels)
}

// follows reports whether a block ends here.
func (p *lua) follows() bool {
	return p.tok == luaElse || p.tok == luaElseif || p.tok == luaEnd || p.tok == luaUntil || p.tok == luaEOS
}

func (p *lua) chunk() {
	p.enter()
	for last := false; !last && !p.follows(); p.take(';') {
		last = p.statement()
	}
	p.levels--
}

// statement passes over one, and reports whether it is the last of its block.
func (p *lua) statement() (last bool) {
	switch t := p.tok; t {
	case luaIf:
		for more := true; more; more = p.tok == luaElseif {
			p.next()
			p.expression(0)
			p.must(luaThen)
			p.chunk()
		}
		if p.take(luaElse) {
			p.chunk()
		}
		p.must(luaEnd)
	case luaWhile:
		p.next()
		p.expression(0)
		p.loop()
	case luaDo:
		p.next()
		p.chunk()
		p.must(luaEnd)
	case luaFor:
		p.next()
		p.must(luaName)
		if p.take('=') {
			p.expression(0)
			p.must(',')
			p.expression(0)
			if p.take(',') {
				p.expression(0)
			}
		} else {
			p.names()
			p.must(luaIn)
			p.expressions()
		}
		p.loop()
	case luaRepeat:
		p.next()
		p.loops++
		p.chunk()
		p.loops--
		p.must(luaUntil)
		p.expression(0)
	case luaFunction:
		p.next()
		p.must(luaName)
		for p.take('.') {
			p.must(luaName)
		}
		if p.take(':') {
			p.must(luaName)
		}
		p.body()
	case luaLocal:
		p.next()
		if p.take(luaFunction) {
			p.must(luaName)
			p.body()
			break
		}
		p.must(luaName)
		p.names()
		if p.take('=') {
			p.expressions()
		}
	case luaReturn:
		p.next()
		if !p.follows() && p.tok != ';' {
			p.expressions()
		}
		return true
	case luaBreak:
		p.next()
		p.expect(p.loops > 0)
		return true
	default:
		p.assignment()
	}
	return false
}

// assignment passes over one, or a call.
func (p *lua) assignment() {
	what := p.primary()
	if what == luaCall {
		return
	}
	p.expect(what == luaVariable)
	for n := 1; p.take(','); n++ {
		p.expect(p.primary() == luaVariable && n <= maxLevels-p.levels)
	}
	p.must('=')
	p.expressions()
}

// names passes over the names behind the first of a list.
func (p *lua) names() {
	for p.take(',') {
		p.must(luaName)
	}
}

// loop passes over the body of a loop.
func (p *lua) loop() {
	p.must(luaDo)
	p.loops++
	p.chunk()
	p.loops--
	p.must(luaEnd)
}

// body passes over the parameters and the body of a function.
func (p *lua) body() {
	loops, vararg := p.loops, p.vararg
	p.loops, p.vararg = 0, false
	p.must('(')
	for p.tok != ')' {
		if p.take(luaDots) {
			p.vararg = true
			break
		}
		if p.must(luaName); !p.take(',') {
			break
		}
		p.expect(p.tok != ')')
	}
	p.must(')')
	p.chunk()
	p.must(luaEnd)
	p.loops, p.vararg = loops, vararg
}

func (p *lua) expressions() {
	p.expression(0)
	for p.take(',') {
		p.expression(0)
	}
}

// luaBinary are the priorities of operators, to the left and to the right (lparser.c).
var luaBinary = map[luaToken][2]int{'+': {6, 6}, '-': {6, 6}, '*': {7, 7}, '/': {7, 7}, '%': {7, 7}, '^': {10, 9}, luaConcat: {5, 4},
	luaNE: {3, 3}, luaEQ: {3, 3}, '<': {3, 3}, luaLE: {3, 3}, '>': {3, 3}, luaGE: {3, 3}, luaAnd: {2, 2}, luaOr: {1, 1}}

const luaUnary = 8

// expression passes over one whose operators bind more than limit.
func (p *lua) expression(limit int) {
	p.enter()
	if p.take(luaNot) || p.take('-') || p.take('#') {
		p.expression(luaUnary)
	} else {
		p.simple()
	}
	for {
		op, is := luaBinary[p.tok]
		if !is || op[0] <= limit {
			break
		}
		p.next()
		p.expression(op[1])
	}
	p.levels--
}

func (p *lua) simple() {
	switch p.tok {
	case luaNumber, luaString, luaNil, luaTrue, luaFalse:
		p.next()
	case luaDots:
		p.expect(p.vararg)
		p.next()
	case '{':
		p.table()
	case luaFunction:
		p.next()
		p.body()
	default:
		p.primary()
	}
}

// luaKind is what an expression can be used for.
type luaKind int

const (
	luaValue luaKind = iota
	luaVariable
	luaCall
)

func (p *lua) primary() luaKind {
	kind := luaVariable
	if p.take('(') {
		p.expression(0)
		p.must(')')
		kind = luaValue
	} else {
		p.must(luaName)
	}
	for {
		switch p.tok {
		case '.':
			p.next()
			p.must(luaName)
			kind = luaVariable
		case '[':
			p.next()
			p.expression(0)
			p.must(']')
			kind = luaVariable
		case ':':
			p.next()
			p.must(luaName)
			p.arguments()
			kind = luaCall
		case '(', luaString, '{':
			p.arguments()
			kind = luaCall
		default:
			return kind
		}
	}
}

func (p *lua) arguments() {
	switch p.tok {
	case luaString:
		p.next()
	case '{':
		p.table()
	default:
		p.expect(p.line == p.ended) // else it could be a new statement
		p.must('(')
		if p.tok != ')' {
			p.expressions()
		}
		p.must(')')
	}
}

func (p *lua) table() {
	p.must('{')
	for p.tok != '}' {
		switch {
		case p.take('['):
			p.expression(0)
			p.must(']')
			p.must('=')
			p.expression(0)
		case p.tok == luaName && p.assigns():
			p.next()
			p.must('=')
			p.expression(0)
		default:
			p.expression(0)
		}
		if !p.take(',') && !p.take(';') {
			break
		}
	}
	p.must('}')
}

// assigns reports whether "=" is the next token.
func (p *lua) assigns() bool {
	p.peek, p.peeked = p.scan(), true
	return p.peek == '='
}
