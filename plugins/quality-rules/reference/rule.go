package reference

// A rule is a measured value and what passes. Thresholds are those of the source named beside them; "ours" marks a rule
// that the sources state for lines, or without a figure. The Chinese ones stand where a Chinese character is counted
// instead of a word: a word of Chinese has about 1.7 characters.
type rule struct {
	name, summary    string
	english, chinese bound
	value            func(*measures) float64
}

var rules = []rule{
	// Gopher, appendix A.1.1: quality.
	{"words", "words, or Chinese characters", within(50, 100_000), within(80, 170_000),
		func(m *measures) float64 { return float64(m.words) }},
	{"mean_word_length", "characters per word", within(3, 10), within(1, 5), // Chinese: FineWeb2
		func(m *measures) float64 { return ratio(m.wordChars, m.words) }},
	{"longest_word", "characters of the longest word", atMost(1000), atMost(1000), // C4's code, of lines
		func(m *measures) float64 { return float64(m.longest) }},
	{"symbol_ratio", "# signs or ellipses, whichever are more, per word", atMost(0.1), atMost(0.1),
		func(m *measures) float64 { return ratio(max(m.hashes, m.ellipses), m.words) }},
	{"bullet_lines", "share of lines that start with a bullet", atMost(0.9), atMost(0.9),
		func(m *measures) float64 { return ratio(m.bulletLines, m.lines) }},
	{"ellipsis_lines", "share of lines that end with an ellipsis", atMost(0.3), atMost(0.3),
		func(m *measures) float64 { return ratio(m.ellipsisLines, m.lines) }},
	{"alpha_words", "share of words and lone symbols that have a letter",
		atLeast(0.8), atLeast(0.735), // Chinese: FineWeb2
		func(m *measures) float64 { return ratio(m.alphaWords, m.words+m.symbols) }},
	{"stop_words", "how many of the language's common words occur", atLeast(2), atLeast(2),
		func(m *measures) float64 { return float64(m.stopWords()) }},

	// Gopher, table A1: repetition. Chinese: FineWeb2. The share of characters in duplicate lines is FineWeb's, which
	// is stricter.
	{"duplicate_line_ratio", "share of lines that occurred before", atMost(0.3), atMost(0.287),
		func(m *measures) float64 { return ratio(m.repeatedLines.repeats, m.repeatedLines.all) }},
	{"duplicate_line_chars", "share of characters in lines that occurred before", atMost(0.1), atMost(0.1),
		func(m *measures) float64 { return ratio(m.repeatedLines.repeatChars, m.repeatedLines.chars) }},
	{"duplicate_paragraph_ratio", "share of paragraphs that occurred before", atMost(0.3), atMost(0.3),
		func(m *measures) float64 { return ratio(m.repeatedParagraphs.repeats, m.repeatedParagraphs.all) }},
	{"duplicate_paragraph_chars", "share of characters in paragraphs that occurred before", atMost(0.2), atMost(0.2),
		func(m *measures) float64 { return ratio(m.repeatedParagraphs.repeatChars, m.repeatedParagraphs.chars) }},
	{"top_2_gram", "share of characters in the most frequent run of 2 words (4 Chinese characters)",
		atMost(0.2), atMost(0.256), func(m *measures) float64 { return m.top[0] }},
	{"top_3_gram", "the same for 3 words (6)", atMost(0.18), atMost(0.201), func(m *measures) float64 { return m.top[1] }},
	{"top_4_gram", "the same for 4 words (8)", atMost(0.16), atMost(0.171), func(m *measures) float64 { return m.top[2] }},
	{"duplicate_5_gram", "share of characters in runs of 5 words (10 Chinese characters) that occurred before",
		atMost(0.15), atMost(0.198), func(m *measures) float64 { return m.duplicate[0] }},
	{"duplicate_6_gram", "the same for 6 words (12)", atMost(0.14), atMost(0.182),
		func(m *measures) float64 { return m.duplicate[1] }},
	{"duplicate_7_gram", "the same for 7 words (14)", atMost(0.13), atMost(0.167),
		func(m *measures) float64 { return m.duplicate[2] }},
	{"duplicate_8_gram", "the same for 8 words (16)", atMost(0.12), atMost(0.154),
		func(m *measures) float64 { return m.duplicate[3] }},
	{"duplicate_9_gram", "the same for 9 words (18)", atMost(0.11), atMost(0.14),
		func(m *measures) float64 { return m.duplicate[4] }},
	{"duplicate_10_gram", "the same for 10 words (20)", atMost(0.1), atMost(0.127),
		func(m *measures) float64 { return m.duplicate[5] }},

	// C4, section 2.2. Its rules for lines are shares of lines here, with thresholds of ours.
	{"sentences", "sentences that end with a mark",
		atLeast(3), atLeast(2), // Chinese: ours, commas join what full stops part
		func(m *measures) float64 { return float64(m.sentences) }},
	{"curly_braces", "curly brackets", atMost(0), atMost(0), func(m *measures) float64 { return float64(m.braces) }},
	{"lorem_ipsum", "how often lorem ipsum occurs", atMost(0), atMost(0),
		func(m *measures) float64 { return float64(m.found[loremIpsum]) }},
	{"javascript_lines", "share of lines that mention JavaScript", atMost(0.1), atMost(0.1), // ours
		func(m *measures) float64 { return ratio(m.foundLines[javascript], m.lines) }},
	{"policy_lines", "share of lines about cookies, terms of use or privacy", atMost(0.1), atMost(0.1), // ours
		func(m *measures) float64 { return ratio(m.foundLines[policy], m.lines) }},

	// FineWeb, its own filters. Chinese: FineWeb2, which has no rule of short lines; newlines are its 0.178 per word.
	{"terminal_punctuation_lines", "share of lines that end with . ! ? or a quotation mark", atLeast(0.12), atLeast(0.106),
		func(m *measures) float64 { return ratio(m.terminalLines, m.lines) }},
	{"short_lines", "share of lines of at most 30 characters, 10 in Chinese", atMost(0.67), atMost(0.67),
		func(m *measures) float64 { return ratio(m.shortLines[m.lang], m.lines) }},
	{"newline_ratio", "line ends per word", atMost(0.3), atMost(0.1),
		func(m *measures) float64 { return ratio(m.newlines, m.words) }},

	// Aquila-Med (Zhao et al. 2024, arXiv 2406.12182), section 2.1.1, removes text with too many special characters and
	// with private information; the figures are ours.
	{"special_chars", "share of characters that are neither letters, digits nor punctuation", atMost(0.1), atMost(0.1),
		func(m *measures) float64 { return ratio(m.special, m.chars) }},
	{"private", "e-mail addresses, telephone and identity numbers", atMost(0), atMost(0),
		func(m *measures) float64 { return float64(m.private) }},
	{"urls", "links per word", atMost(0.1), atMost(0.1), // ours
		func(m *measures) float64 { return ratio(m.urls, m.words) }},
	{"zh_ratio", "share of Chinese characters among letters", anything, anything,
		func(m *measures) float64 { return ratio(m.han, m.letters) }},
}

// ratio is 0 when there is nothing to have a share of.
func ratio(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}
