package tokenizer

import "strings"

// A Stream decodes tokens as they come, and never splits a character: the tokens that hold its first bytes wait for
// those that hold the rest. The pieces together are the text that Decode gives.
type Stream struct {
	tok  *Tokenizer
	ids  []int32 // those whose text depends on each other
	told int     // how many of them have been told
}

// longestWait is how many tokens wait for a character to be whole. It has four bytes at most, so these are none.
const longestWait = 8

// Stream begins a text that goes on after the tokens before, of which none is told.
func (t *Tokenizer) Stream(before []int32) *Stream {
	before = before[max(0, len(before)-longestWait):]
	return &Stream{tok: t, ids: append([]int32(nil), before...), told: len(before)}
}

// Add takes the next token and returns the text that is now whole.
func (s *Stream) Add(id int32) string {
	s.ids = append(s.ids, id)
	text := s.untold()
	if strings.HasSuffix(text, "\uFFFD") && len(s.ids)-s.told < longestWait {
		return ""
	}
	if text != "" {
		s.ids = append(s.ids[:0], s.ids[s.told:]...)
		s.told = len(s.ids)
	}
	return text
}

// Rest is the text of the tokens that still wait; bytes that make no character are U+FFFD.
func (s *Stream) Rest() string {
	text := s.untold()
	s.told = len(s.ids)
	return text
}

func (s *Stream) untold() string {
	told, all := s.tok.Decode(s.ids[:s.told]), s.tok.Decode(s.ids)
	return all[min(len(told), len(all)):]
}
