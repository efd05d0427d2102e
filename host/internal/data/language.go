package data

import "unicode"

// zhShare is the share of ideographs among the letters above which text is Chinese. English words and formulas in
// Chinese text are many letters each, so it is well below one half.
const zhShare = 0.3

// languageOf tells Chinese from English by script.
func languageOf(text string) string {
	letters, ideographs := 0, 0
	for _, c := range text {
		if !unicode.IsLetter(c) {
			continue
		}
		letters++
		ideographs += b2i(c > unicode.MaxLatin1 && unicode.Is(unicode.Han, c))
	}
	if float64(ideographs) > zhShare*float64(letters) {
		return "zh"
	}
	return "en"
}
