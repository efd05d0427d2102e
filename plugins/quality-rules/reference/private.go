package reference

import "strings"

// emails counts name@host.domain.
func emails(text string) int {
	n := 0
	for rest := text; ; {
		at := strings.IndexByte(rest, '@')
		if at < 0 {
			return n
		}
		n += count(at > 0 && isNameByte(rest[at-1]) && startsWithHost(rest[at+1:]))
		rest = rest[at+1:]
	}
}

func isNameByte(b byte) bool { return isAlnum(b) || strings.IndexByte("._%+-", b) >= 0 }

// startsWithHost tells whether text starts with labels and a last one of two letters or more.
func startsWithHost(text string) bool {
	end := 0
	for end < len(text) && (isAlnum(text[end]) || text[end] == '-' || text[end] == '.') {
		end++
	}
	host := strings.TrimRight(text[:end], ".-")
	dot := strings.LastIndexByte(host, '.')
	if dot < 1 || len(host)-dot < 3 {
		return false
	}
	for _, b := range []byte(host[dot+1:]) {
		if isDigit(b) {
			return false
		}
	}
	return true
}

// numbers counts telephone numbers and identity numbers: mobile and fixed lines and identity cards of China, telephone
// and social security numbers of the USA, international numbers with a +. Freephone numbers are nobody's.
func numbers(text string) int {
	n := 0
	for i := 0; i < len(text); {
		if !isDigit(text[i]) {
			i++
			continue
		}
		var g groups
		end := g.read(text, i)
		n += count(g.open && g.personal())
		i = end
	}
	return n
}

// groups are the groups of digits of a number, such as 010-12345678.
type groups struct {
	digits        [24]byte // of all groups; more are not kept
	n             int
	sizes         [6]int
	count         int
	plus, bracket bool // + before it; a bracket around the first group
	open          bool // it stands alone: no letter or further digit group touches it
	check         bool // an X follows, the check digit 10 of an identity card
}

// read reads the number that starts at text[i] and returns where it ends.
func (g *groups) read(text string, i int) int {
	before := byte(' ')
	if i > 0 {
		before = text[i-1]
	}
	g.plus, g.bracket = before == '+', before == '('
	g.open = !isAlnum(before) && before != '.' && before != '-' && before != '_' && before != '/'
	for {
		start := i
		for i < len(text) && isDigit(text[i]) {
			if g.n < len(g.digits) {
				g.digits[g.n] = text[i]
			}
			g.n++
			i++
		}
		g.sizes[min(g.count, len(g.sizes)-1)] = i - start
		g.count++
		next := g.separator(text[i:])
		if next == 0 {
			break
		}
		i += next
	}
	if i < len(text) && (text[i] == 'X' || text[i] == 'x') {
		g.check = true
		i++
	}
	g.open = g.open && (i == len(text) || !isAlnum(text[i]))
	return i
}

// separator returns the bytes between the last group and the next, 0 when the number ends.
func (g *groups) separator(text string) int {
	n := 0
	for n < len(text) && n < 2 && strings.IndexByte("-.() ", text[n]) >= 0 {
		n++
	}
	if n == 0 || n == len(text) || !isDigit(text[n]) {
		return 0
	}
	switch between := text[:n]; {
	case g.plus, between == "-", between == ".":
		return n
	case g.bracket && g.count == 1 && text[0] == ')':
		return n
	}
	return 0
}

// freephone are the prefixes of numbers that are free to call, in China and the USA.
const freephone = "400 800 833 844 855 866 877 888"

// personal tells whether the groups are those of a number that belongs to a person.
func (g *groups) personal() bool {
	if g.n > len(g.digits) || g.count > len(g.sizes) {
		return false
	}
	d := g.digits[:g.n]
	switch {
	case g.plus:
		return g.n >= 8 && g.n <= 15
	case g.check:
		return g.count == 1 && isIdentity(d, 10)
	}
	switch g.sizes {
	case [6]int{11}, [6]int{3, 4, 4}: // mobile lines of China
		return d[0] == '1' && d[1] >= '3'
	case [6]int{3, 8}, [6]int{4, 7}, [6]int{4, 8}: // fixed lines of China
		return d[0] == '0'
	case [6]int{3, 3, 4}: // telephones of the USA
		return d[0] >= '2' && !strings.Contains(freephone, string(d[:3]))
	case [6]int{3, 2, 4}: // social security
		return d[0] != '9'
	case [6]int{18}:
		return isIdentity(d[:17], int(d[17]-'0'))
	}
	return false
}

// isIdentity tells whether 17 digits and a check digit are the number of a Chinese identity card (GB 11643-1999).
func isIdentity(digits []byte, check int) bool {
	if len(digits) != 17 {
		return false
	}
	sum, weight := 0, 1
	for i := 16; i >= 0; i-- {
		weight = weight * 2 % 11
		sum += int(digits[i]-'0') * weight
	}
	return (sum+check)%11 == 1
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

func isAlnum(b byte) bool { return isDigit(b) || 'a' <= b|0x20 && b|0x20 <= 'z' }
