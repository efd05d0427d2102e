package reference

import (
	"strings"
	"unicode/utf8"
)

// bullets start a list item. Those that also start other lines need a space behind them.
const (
	bullets      = "•●○◦■□▪▫◆◇▶►‣⁃★☆✓✔·"
	looseBullets = "-*–—"
)

func startsWithBullet(line string) bool {
	r, size := rune(line[0]), 1
	if r >= utf8.RuneSelf {
		r, size = utf8.DecodeRuneInString(line)
	} else if ascii[r]&(letter|digit) != 0 {
		return false
	}
	if strings.ContainsRune(looseBullets, r) {
		return strings.HasPrefix(line[size:], " ")
	}
	return r != utf8.RuneError && strings.ContainsRune(bullets, r)
}

func endsWithEllipsis(line string) bool {
	return strings.HasSuffix(line, "...") || strings.HasSuffix(line, "…")
}

// endsSentence tells whether a line ends with a mark or a quotation mark, which may stand in brackets. As in C4 an
// ellipsis is no end.
func endsSentence(line string) bool {
	if endsWithEllipsis(line) {
		return false
	}
	r, _ := utf8.DecodeLastRuneInString(strings.TrimRight(line, ")]）】》"))
	return r != utf8.RuneError && strings.ContainsRune(`.!?"'。！？．”’」』`, r)
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
