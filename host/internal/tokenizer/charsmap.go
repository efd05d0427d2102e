package tokenizer

import (
	"encoding/binary"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"
)

// A charsmap is SentencePiece's precompiled table of replacements: a double array in the form of the darts-clone
// library, of which each value is the offset of a text that ends with a zero byte.
type charsmap struct {
	units []uint32
	texts string
}

// readCharsmap reads the size of the double array in bytes, the double array, and the texts.
func readCharsmap(raw []byte) (*charsmap, error) {
	if len(raw) < 4 {
		return nil, errors.New("precompiled_charsmap is cut off")
	}
	size := int64(binary.LittleEndian.Uint32(raw))
	raw = raw[4:]
	if size == 0 || size%4 != 0 || size > int64(len(raw)) {
		return nil, errors.New("precompiled_charsmap: the size of its table does not fit")
	}
	m := &charsmap{units: make([]uint32, size/4), texts: string(raw[size:])}
	for i := range m.units {
		m.units[i] = binary.LittleEndian.Uint32(raw[4*i:])
	}
	return m, nil
}

// The parts of a unit.
func hasLeaf(unit uint32) bool  { return unit>>8&1 == 1 }
func offset(unit uint32) uint32 { return unit >> 10 << (unit >> 6 & 8) }
func label(unit uint32) uint32  { return unit & (1<<31 | 0xff) }

// prefixes calls found with the length and the replacement of each key that s begins with, shortest first, until it
// returns false.
func (m *charsmap) prefixes(s string, found func(length int, text string) bool) {
	at := offset(m.units[0])
	for i := range len(s) {
		at ^= uint32(s[i])
		if uint64(at) >= uint64(len(m.units)) || label(m.units[at]) != uint32(s[i]) {
			return
		}
		unit := m.units[at]
		at ^= offset(unit)
		if hasLeaf(unit) && uint64(at) < uint64(len(m.units)) && !found(i+1, m.text(m.units[at]&^(1<<31))) {
			return
		}
	}
}

func (m *charsmap) text(from uint32) string {
	if uint64(from) >= uint64(len(m.texts)) {
		return ""
	}
	text := m.texts[from:]
	if end := strings.IndexByte(text, 0); end >= 0 {
		text = text[:end]
	}
	return text
}

// longest returns the length and the replacement of the longest key that s begins with; length 0 if there is none.
func (m *charsmap) longest(s string) (length int, text string) {
	m.prefixes(s, func(n int, replacement string) bool {
		length, text = n, replacement
		return true
	})
	return length, text
}

// shortest is longest for the shortest key. Keys stop at a zero byte.
func (m *charsmap) shortest(s string) (text string, ok bool) {
	if end := strings.IndexByte(s, 0); end >= 0 {
		s = s[:end]
	}
	m.prefixes(s, func(_ int, replacement string) bool {
		text, ok = replacement, true
		return false
	})
	return text, ok
}

// byGraphemes is the normalizer that the Hugging Face library makes of a charsmap: each grapheme cluster of less than
// six bytes, else each character, becomes the replacement of the shortest key that it begins with.
func (m *charsmap) byGraphemes(s string) string {
	var out strings.Builder
	out.Grow(len(s) + len(s)/8)
	for len(s) > 0 {
		n := plainPrefix(s)
		for _, r := range s[:n] {
			m.write(&out, string(r))
		}
		if s = s[n:]; s == "" {
			break
		}
		clusters := graphemes.FromString(s)
		clusters.Next()
		cluster := clusters.Value()
		m.cluster(&out, cluster)
		s = s[len(cluster):]
	}
	return out.String()
}

// plainPrefix measures the characters at the start of s that are surely grapheme clusters of their own: ASCII and
// Chinese ones before others of these.
func plainPrefix(s string) int {
	n, width := 0, 0 // width of the last character seen, not yet counted
	for i, r := range s {
		if plain := r < utf8.RuneSelf && r != '\r' || 0x4e00 <= r && r <= 0x9fa5; !plain {
			return n
		}
		n = i
		width = utf8.RuneLen(r)
	}
	return n + width
}

func (m *charsmap) cluster(out *strings.Builder, cluster string) {
	if len(cluster) < 6 {
		if text, ok := m.shortest(cluster); ok {
			out.WriteString(text)
			return
		}
	}
	for _, r := range cluster {
		m.write(out, string(r))
	}
}

func (m *charsmap) write(out *strings.Builder, char string) {
	if text, ok := m.shortest(char); ok {
		char = text
	}
	out.WriteString(char)
}
