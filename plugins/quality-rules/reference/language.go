package reference

import "strings"

// A language decides which thresholds apply and what counts as a stop word and a short line.
type language int

const (
	english language = iota // and all languages that are not Chinese
	chinese
)

// chineseShare is the share of Chinese characters among letters from which text without a language tag is Chinese. It
// is below one half because a Chinese character stands for more text than a Latin letter.
const chineseShare = 0.3

// languageOf goes by the BCP 47 tag, and by the letters where there is none.
func languageOf(tag string, zhRatio float64) language {
	tag = strings.ToLower(tag)
	base, _, _ := strings.Cut(tag, "-")
	switch base {
	case "zh", "cmn", "lzh", "yue":
		return chinese
	case "", "und", "mul":
		if zhRatio >= chineseShare {
			return chinese
		}
	}
	return english
}
