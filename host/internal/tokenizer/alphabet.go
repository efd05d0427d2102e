package tokenizer

import "unicode/utf8"

// Byte-level vocabularies spell each byte as one printable character: a byte that is a printable Latin-1 character as
// itself, the 68 others, in order, as the characters from U+0100 on.
var (
	byteChar [256]rune
	charByte = map[rune]byte{}
)

func init() {
	next := rune(0x100)
	for b := range 256 {
		byteChar[b] = rune(b)
		if b <= ' ' || 0x7f <= b && b <= 0xa0 || b == 0xad {
			byteChar[b] = next
			next++
		}
		charByte[byteChar[b]] = byte(b)
	}
}

// unspell returns the bytes of a token of a vocabulary; ok is false when a character stands for no byte.
func unspell(token string) (bytes string, ok bool) {
	out := make([]byte, 0, len(token))
	for _, r := range token {
		b, known := charByte[r]
		if !known {
			return "", false
		}
		out = append(out, b)
	}
	return string(out), true
}

// alphabetOrder lists the bytes in the order of the characters that spell them.
func alphabetOrder() []byte {
	var order []byte
	for r := rune(0); len(order) < 256; r++ {
		if b, ok := charByte[r]; ok {
			order = append(order, b)
		}
	}
	return order
}

// spell writes a text as a byte-level vocabulary does.
func spell(text string) string {
	out := make([]byte, 0, 2*len(text))
	for i := range len(text) {
		out = utf8.AppendRune(out, byteChar[text[i]])
	}
	return string(out)
}

// spelledBytes returns the bytes of a token; one that spells none stands for itself.
func spelledBytes(token string) string {
	if bytes, ok := unspell(token); ok {
		return bytes
	}
	return token
}
