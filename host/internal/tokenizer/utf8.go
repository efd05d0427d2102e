package tokenizer

import "unicode/utf8"

// validUTF8 replaces each sequence that is not UTF-8 by one U+FFFD, as Unicode recommends and Hugging Face does: what
// begins like a character and breaks off counts as one sequence, any other stray byte as one each.
func validUTF8(bytes []byte) string {
	if utf8.Valid(bytes) {
		return string(bytes)
	}
	var out []byte
	for len(bytes) > 0 {
		r, n := utf8.DecodeRune(bytes)
		if r == utf8.RuneError && n == 1 {
			n = brokenLength(bytes)
		}
		out = utf8.AppendRune(out, r)
		bytes = bytes[n:]
	}
	return string(out)
}

// brokenLength measures the longest beginning of a character at the start of bytes, where no whole one is. A byte that
// begins nothing has length 1.
func brokenLength(bytes []byte) int {
	n := 1
	for n < min(len(bytes), utf8.UTFMax-1) && !utf8.FullRune(bytes[:n+1]) {
		n++
	}
	return n
}
