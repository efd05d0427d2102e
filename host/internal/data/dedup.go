package data

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Seen finds exact duplicates: records of the same content, whatever their scores, source and language.
type Seen struct {
	normalize bool
	places    map[[sha256.Size]byte]string
}

// NewSeen compares contents as they are, or normalised: without case, white space, punctuation and Unicode's
// compatibility forms.
func NewSeen(normalize bool) *Seen {
	return &Seen{normalize: normalize, places: map[[sha256.Size]byte]string{}}
}

// Add reports whether a record of the same content was added before, and where the first stood (file:line).
func (s *Seen) Add(r *Record) (first string, again bool) {
	h := sha256.New()
	for _, part := range r.content() {
		if s.normalize {
			part = normalized(part)
		}
		hashString(h, part)
	}
	key := [sha256.Size]byte(h.Sum(nil))
	if first, again = s.places[key]; !again {
		s.places[key] = fmt.Sprintf("%s:%d", r.File, r.Line)
	}
	return first, again
}

// normalized keeps letters, digits and signs such as + and %; of a text that has none of them it keeps all.
func normalized(text string) string {
	bare := strings.Map(func(c rune) rune {
		if unicode.IsSpace(c) || unicode.IsPunct(c) || unicode.IsControl(c) {
			return -1
		}
		return unicode.ToLower(c)
	}, norm.NFKC.String(text))
	if bare == "" {
		return text
	}
	return bare
}
