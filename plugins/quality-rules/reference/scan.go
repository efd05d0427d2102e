package reference

import (
	"strings"
	"unicode/utf8"
)

// mostItems bounds the words, and the lines, in which repetition and phrases are looked for, from the beginning of a
// document. It is above what the rule of words lets pass and keeps a 16 MiB document within a module's memory.
const mostItems = 1 << 18

// Lines of at most that many characters are short, by language. FineWeb has 30 characters, which are 5 or 6 words.
var shortLine = [2]int{30, 10}

// leastDigits is what a line must have for a telephone or identity number to be in it.
const leastDigits = 8

// measures are what the rules read of a document.
type measures struct {
	lang                              language
	chars, letters, han, special      int // characters that are not spaces
	words, symbols, alphaWords        int // symbols are runs without letter or digit that are more than punctuation
	wordChars, longest                int
	sentences, newlines               int
	lines, bulletLines, ellipsisLines int // lines that are not blank
	terminalLines                     int
	shortLines                        [2]int
	hashes, ellipses, braces, urls    int
	private                           int
	found, foundLines                 [topics]int // by topic
	stop                              [2]uint64   // by language: a bit for each stop word seen
	repeatedLines, repeatedParagraphs repetition
	top                               [3]float64 // 2 to 4 words
	duplicate                         [6]float64 // 5 to 10 words
}

// A scanner measures documents one after the other. What it does for every character is in alnum and hanRun, without
// calls: in a WebAssembly module of Go, calls and the rounds of loops are what costs.
type scanner struct {
	m        measures
	hashes   []uint64 // of the words
	ends     []uint32 // characters of all words up to and including this one
	word     word     // being read
	line     line     // being read
	passage  passage  // being read
	pending  bool     // a mark may end a sentence here
	ended    bool     // the last character ended a sentence
	dots     int      // the last characters are so many points
	last     rune     // the last character that was neither letter nor digit of ASCII
	lines    seen
	passages seen
	grams    grams
}

// A word is what has been read since the last border.
type word struct {
	hash  uint64
	chars int
	class class
}

// A line is known again by its words and its characters' number.
type line struct {
	hash           uint64
	digits, spaces int
	chars          int // of the document before the line
}

// A passage is a paragraph: lines without a blank one between them.
type passage struct {
	hash  uint64
	chars int
}

// measure goes over the text once, line by line, and then over its words. The result is valid until the next call.
func (s *scanner) measure(text, tag string) *measures {
	s.reset()
	m := &s.m
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		s.readLine(strings.TrimSpace(line))
		m.newlines++
	}
	m.newlines--
	s.endPassage()
	m.lang = languageOf(tag, ratio(m.han, m.letters))
	m.private += emails(text)
	s.grams.measure(m, s.hashes, s.ends)
	return m
}

func (s *scanner) reset() {
	s.m = measures{}
	s.hashes, s.ends = s.hashes[:0], s.ends[:0]
	s.lines.reset()
	s.passages.reset()
}

// readLine reads one line without the spaces around it.
func (s *scanner) readLine(text string) {
	if text == "" {
		s.endPassage()
		return
	}
	m, first := &s.m, len(s.hashes)
	s.line = line{hash: seed, chars: m.chars}
	s.characters(text)
	s.phrases(s.hashes[first:])
	m.lines++
	m.bulletLines += count(startsWithBullet(text))
	m.ellipsisLines += count(endsWithEllipsis(text))
	m.terminalLines += count(endsSentence(text))
	if s.line.digits >= leastDigits {
		m.private += numbers(text)
	}
	s.endLine(m.chars - s.line.chars + s.line.spaces)
}

// endLine counts a line of so many characters.
func (s *scanner) endLine(width int) {
	for lang, limit := range shortLine {
		s.m.shortLines[lang] += count(width <= limit)
	}
	h := mix(s.line.hash, uint64(width))
	s.lines.add(h, width, &s.m.repeatedLines)
	s.passage.hash = mix(s.passage.hash, h)
	s.passage.chars += width
}

func (s *scanner) endPassage() {
	if s.passage.chars > 0 {
		s.passages.add(s.passage.hash, s.passage.chars, &s.m.repeatedParagraphs)
	}
	s.passage = passage{}
}

// characters reads the characters of a line and what they form.
func (s *scanner) characters(text string) {
	s.last = 0
	for i := 0; i < len(text); {
		start := i
		if i = s.hanRun(text, s.alnum(text, i)); i > start {
			continue
		}
		r, size := rune(text[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(text[i:])
		}
		i += size
		s.character(r, text[i:])
	}
	s.endWord()
	s.endSentence()
	s.dots, s.ended = 0, false
}

// alnum reads the letters and digits of ASCII that stand at text[i:] and returns where they end.
func (s *scanner) alnum(text string, i int) int {
	w, start, letters := s.word, i, 0
	if w.chars == 0 {
		w.hash = seed
	}
	for i < len(text) {
		c := text[i]
		k := ascii[c]
		if k&(letter|digit) == 0 {
			break
		}
		w.hash = (w.hash ^ uint64(lower[c])) * prime
		w.class |= k
		letters += int(k & letter)
		i++
	}
	if n := i - start; n > 0 {
		w.chars += n
		s.word = w
		s.m.chars += n
		s.m.letters += letters
		s.line.digits += n - letters
		s.pending, s.ended, s.dots, s.last = false, false, 0, 0
	}
	return i
}

// hanRun reads the most usual Chinese characters, each a word, that stand at text[i:] and returns where they end.
func (s *scanner) hanRun(text string, i int) int {
	start := i
	for i+2 < len(text) && text[i] >= 0xE4 && text[i] <= 0xE9 && text[i+1]&0xC0 == 0x80 && text[i+2]&0xC0 == 0x80 {
		r := uint64(text[i]&0x0F)<<12 | uint64(text[i+1]&0x3F)<<6 | uint64(text[i+2]&0x3F)
		if r < 0x4E00 {
			break
		}
		if i == start {
			s.endWord()
		}
		h := (seed ^ r) * prime
		s.line.hash = mix(s.line.hash, h)
		if len(s.hashes) < mostItems {
			s.hashes = append(s.hashes, h)
			s.ends = append(s.ends, uint32(s.m.wordChars+(i-start)/3+1))
		}
		i += 3
	}
	if n := (i - start) / 3; n > 0 {
		m := &s.m
		m.chars, m.letters, m.han = m.chars+n, m.letters+n, m.han+n
		m.words, m.alphaWords, m.wordChars = m.words+n, m.alphaWords+n, m.wordChars+n
		m.longest = max(m.longest, 1)
		s.pending, s.ended, s.dots, s.last = false, false, 0, 0
	}
	return i
}

// character reads any other character; rest is what follows it.
func (s *scanner) character(r rune, rest string) {
	c, m := classOf(r), &s.m
	s.sentence(r, c)
	if c&space != 0 {
		s.endWord()
		s.line.spaces++
		s.dots = 0
	} else {
		m.chars++
		m.special += count(c&special != 0)
		m.letters += count(c&letter != 0)
		s.sign(r, rest)
		s.read(r, c)
	}
	s.last = r
}

// sign counts the characters that rules ask for.
func (s *scanner) sign(r rune, rest string) {
	m := &s.m
	switch r {
	case '#':
		m.hashes++
	case '{', '}':
		m.braces++
	case ':':
		m.urls += count(strings.HasPrefix(rest, "//"))
	case '…':
		m.ellipses += count(s.last != '…')
	case '.':
		m.urls += count(s.word.chars == 3 && s.word.hash == www)
		s.dots++
		m.ellipses += count(s.dots == 3)
		return
	}
	s.dots = 0
}

// read adds a character to the words.
func (s *scanner) read(r rune, c class) {
	if c&han != 0 {
		s.m.han++
		s.endWord()
	}
	w := &s.word
	w.class |= c
	if c&(letter|digit) != 0 {
		if w.chars == 0 {
			w.hash = seed
		}
		w.hash = (w.hash ^ uint64(r)) * prime
		w.chars++
	}
	if c&han != 0 {
		s.endWord()
	}
}

// endWord counts what has been read since the last border.
func (s *scanner) endWord() {
	w, m := s.word, &s.m
	if s.word = (word{}); w.chars == 0 {
		m.symbols += count(w.class&special != 0)
		return
	}
	m.words++
	m.wordChars += w.chars
	m.longest = max(m.longest, w.chars)
	m.alphaWords += count(w.class&letter != 0)
	s.line.hash = mix(s.line.hash, w.hash)
	if len(s.hashes) < mostItems {
		s.hashes = append(s.hashes, w.hash)
		s.ends = append(s.ends, uint32(m.wordChars))
	}
}

// sentence counts a sentence at a full-width mark, and at a mark that a space follows: the point in 3.5 ends nothing.
func (s *scanner) sentence(r rune, c class) {
	switch {
	case c&mark != 0 && r >= utf8.RuneSelf:
		s.m.sentences += count(!s.ended)
		s.ended, s.pending = true, false
	case c&mark != 0:
		s.pending = !s.ended
	case c&quote != 0:
	case c&space != 0 && s.pending:
		s.endSentence()
	default:
		s.pending, s.ended = false, false
	}
}

func (s *scanner) endSentence() {
	s.m.sentences += count(s.pending)
	s.pending = false
}
