package audit

import (
	"strings"
	"sync"

	"github.com/trustelem/zxcvbn/adjacency"
	"github.com/trustelem/zxcvbn/frequency"
	"github.com/trustelem/zxcvbn/match"
	"github.com/trustelem/zxcvbn/scoring"
)

// guessScore returns zxcvbn's score of a password, 0 to 4: how many guesses the
// cheapest way to put it together from words, walks over the keyboard, sequences
// and repetitions takes.
//
// The library's lists and its arithmetic are used, but not its search for
// matches: the tables of that are built whenever a program starts that has it,
// which costs every command tens of milliseconds. Dates are not looked for.
func guessScore(password string) int {
	score := 0
	n := guesses(password)
	for _, limit := range []float64{1e3, 1e6, 1e8, 1e10} { // zxcvbn, time_estimates
		if n >= limit+5 {
			score++
		}
	}
	return score
}

func guesses(password string) float64 {
	// Offsets are of bytes; what is not ASCII is in no list.
	plain := strings.Map(func(r rune) rune {
		if r > '~' {
			return '~'
		}
		return r
	}, password)
	return scoring.MostGuessableMatchSequence(plain, patterns(plain), false).Guesses
}

// patterns returns all that is recognised in a password.
func patterns(password string) []*match.Match {
	ms := wordsIn(password, password, false)
	for _, table := range substitutions {
		if subbed := strings.Map(table.undo, password); subbed != password {
			ms = append(ms, leet(password, subbed)...)
		}
	}
	back := reversed(password)
	for _, m := range wordsIn(back, back, true) {
		m.I, m.J, m.Token = len(password)-1-m.J, len(password)-1-m.I, reversed(m.Token)
		ms = append(ms, m)
	}
	for _, keyboard := range []string{"qwerty", "keypad"} {
		ms = append(ms, walks(password, keyboard)...)
	}
	ms = append(ms, sequences(password)...)
	ms = append(ms, repeats(password)...)
	match.Sort(ms)
	return ms
}

// ranks are the words of all lists, with the best of their places.
var ranks = sync.OnceValue(func() map[string]int {
	known := map[string]int{}
	for _, list := range frequency.FrequencyLists {
		for i, word := range list {
			if was, ok := known[word]; !ok || i+1 < was {
				known[word] = i + 1
			}
		}
	}
	return known
})

// longestWord bounds the words that are looked up; the lists have none longer.
const longestWord = 40

// wordsIn finds words in what a password reads as; the tokens are the password's.
func wordsIn(password, reads string, reverse bool) []*match.Match {
	var ms []*match.Match
	lower := strings.ToLower(reads)
	for i := range len(lower) {
		for j := i; j < min(len(lower), i+longestWord); j++ {
			if rank, ok := ranks()[lower[i:j+1]]; ok {
				ms = append(ms, &match.Match{Pattern: "dictionary", I: i, J: j, Token: password[i : j+1], MatchedWord: lower[i : j+1], Rank: rank, Reversed: reverse})
			}
		}
	}
	return ms
}

// substitution is one way to read the characters that stand for letters.
type substitution map[rune]rune

func (s substitution) undo(r rune) rune {
	if letter, ok := s[r]; ok {
		return letter
	}
	return r
}

// substitutions are the two usual readings: they differ in 1, ! and 7.
var substitutions = []substitution{
	{'4': 'a', '@': 'a', '8': 'b', '(': 'c', '3': 'e', '6': 'g', '9': 'g', '1': 'i', '!': 'i', '|': 'i', '0': 'o', '$': 's', '5': 's', '+': 't', '7': 't', '%': 'x', '2': 'z'},
	{'4': 'a', '@': 'a', '8': 'b', '(': 'c', '3': 'e', '6': 'g', '9': 'g', '1': 'l', '!': 'l', '|': 'l', '0': 'o', '$': 's', '5': 's', '+': 't', '7': 'l', '%': 'x', '2': 'z'},
}

// leet finds the words that only the substitution shows.
func leet(password, reads string) []*match.Match {
	var ms []*match.Match
	for _, m := range wordsIn(password, reads, false) {
		if len(m.Token) < 2 || strings.EqualFold(m.Token, m.MatchedWord) {
			continue
		}
		m.L33t, m.Sub = true, map[string]string{}
		for i := range m.Token {
			if c := m.Token[i : i+1]; !strings.EqualFold(c, m.MatchedWord[i:i+1]) {
				m.Sub[c] = m.MatchedWord[i : i+1]
			}
		}
		ms = append(ms, m)
	}
	return ms
}

func reversed(s string) string {
	b := []byte(s)
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return string(b)
}

// walks finds runs of neighbouring keys, of three at least.
func walks(password, keyboard string) []*match.Match {
	var ms []*match.Match
	keys := adjacency.Graphs[keyboard].Graph
	for i := 0; i < len(password); {
		m := &match.Match{Pattern: "spatial", Graph: keyboard, I: i, J: i}
		direction := -1
		for ; m.J+1 < len(password); m.J++ {
			to, shifted := step(keys[password[m.J:m.J+1]], password[m.J+1])
			if to < 0 {
				break
			}
			if to != direction {
				direction = to
				m.Turns++
			}
			m.ShiftedCount += shifted
		}
		if m.Token = password[m.I : m.J+1]; len(m.Token) > 2 {
			ms = append(ms, m)
		}
		i = m.J + 1
	}
	return ms
}

// step returns the direction from a key to the one of a character, -1 if they are
// no neighbours, and 1 if that character is a shifted one.
func step(neighbours []string, c byte) (direction, shifted int) {
	for i, key := range neighbours {
		if at := strings.IndexByte(key, c); at >= 0 {
			return i, at
		}
	}
	return -1, 0
}

// maxDelta is how far apart the characters of a sequence are at most.
const maxDelta = 5

// sequences finds runs such as abcd and 9753.
func sequences(password string) []*match.Match {
	var ms []*match.Match
	delta := func(i int) int { return int(password[i+1]) - int(password[i]) }
	for i := 0; i+1 < len(password); {
		d, j := delta(i), i+1
		for j+1 < len(password) && delta(j) == d {
			j++
		}
		if d != 0 && max(d, -d) <= maxDelta && (j-i > 1 || max(d, -d) == 1) {
			token := password[i : j+1]
			space := 26
			if strings.Trim(token, "0123456789") == "" {
				space = 10
			}
			ms = append(ms, &match.Match{Pattern: "sequence", I: i, J: j, Token: token, SequenceSpace: space, Ascending: d > 0})
		}
		i = j
	}
	return ms
}

// repeats finds what is said more than once in a row: of those that begin at a
// place the one that reaches furthest, and of these the shortest.
func repeats(password string) []*match.Match {
	var ms []*match.Match
	for i := 0; i < len(password); {
		unit, end := 0, i
		for n := 1; i+2*n <= len(password); n++ {
			j := i + n
			for j+n <= len(password) && password[j:j+n] == password[i:i+n] {
				j += n
			}
			if j > i+n && j > end {
				unit, end = n, j
			}
		}
		if unit == 0 {
			i++
			continue
		}
		base := password[i : i+unit]
		ms = append(ms, &match.Match{Pattern: "repeat", I: i, J: end - 1, Token: password[i:end], BaseToken: base, BaseGuesses: guesses(base), RepeatCount: (end - i) / unit})
		i = end
	}
	return ms
}
