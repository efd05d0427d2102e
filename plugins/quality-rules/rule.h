/* A rule is a measured value and what passes. Thresholds are those of the source named beside them; "ours" marks a rule
 * that the sources state for lines, or without a figure. The Chinese ones stand where a Chinese character is counted
 * instead of a word: a word of Chinese has about 1.7 characters. */
#ifndef RULE_H
#define RULE_H

#include "gram.h"
#include "scan.h"

/* The rules, in the order of the scores in manifest.json. The score after them is PASS. */
typedef enum {
	WORDS,
	MEAN_WORD_LENGTH,
	LONGEST_WORD,
	SYMBOL_RATIO,
	BULLET_LINES,
	ELLIPSIS_LINES,
	ALPHA_WORDS,
	STOP_WORDS_SEEN,
	DUPLICATE_LINE_RATIO,
	DUPLICATE_LINE_CHARS,
	DUPLICATE_PARAGRAPH_RATIO,
	DUPLICATE_PARAGRAPH_CHARS,
	TOP_2_GRAM,
	TOP_3_GRAM,
	TOP_4_GRAM,
	DUPLICATE_5_GRAM,
	DUPLICATE_6_GRAM,
	DUPLICATE_7_GRAM,
	DUPLICATE_8_GRAM,
	DUPLICATE_9_GRAM,
	DUPLICATE_10_GRAM,
	SENTENCES,
	CURLY_BRACES,
	LOREM_IPSUM_SEEN,
	JAVASCRIPT_LINES,
	POLICY_LINES,
	TERMINAL_PUNCTUATION_LINES,
	SHORT_LINES,
	NEWLINE_RATIO,
	SPECIAL_CHARS,
	PRIVATE,
	URLS,
	ZH_RATIO,
	RULES,
	PASS = RULES
} rule_name;

/* The range of values, both ends included, that a rule lets pass. */
typedef struct {
	double min, max;
} bound;

#define NO_END __builtin_inf()
#define AT_LEAST(v) {v, NO_END}
#define AT_MOST(v) {-NO_END, v}
#define WITHIN(low, high) {low, high}
#define ANYTHING {-NO_END, NO_END}

static const struct {
	const char *name;
	bound bounds[LANGUAGES];
} rules[RULES] = {
	/* Gopher, appendix A.1.1: quality. */
	[WORDS] = {"words", {WITHIN(50, 100000), WITHIN(80, 170000)}},
	[MEAN_WORD_LENGTH] = {"mean_word_length", {WITHIN(3, 10), WITHIN(1, 5)}}, /* Chinese: FineWeb2 */
	[LONGEST_WORD] = {"longest_word", {AT_MOST(1000), AT_MOST(1000)}},        /* C4's code, of lines */
	[SYMBOL_RATIO] = {"symbol_ratio", {AT_MOST(0.1), AT_MOST(0.1)}},
	[BULLET_LINES] = {"bullet_lines", {AT_MOST(0.9), AT_MOST(0.9)}},
	[ELLIPSIS_LINES] = {"ellipsis_lines", {AT_MOST(0.3), AT_MOST(0.3)}},
	[ALPHA_WORDS] = {"alpha_words", {AT_LEAST(0.8), AT_LEAST(0.735)}}, /* Chinese: FineWeb2 */
	[STOP_WORDS_SEEN] = {"stop_words", {AT_LEAST(2), AT_LEAST(2)}},

	/* Gopher, table A1: repetition. Chinese: FineWeb2. The share of characters in duplicate lines is FineWeb's, which is
	 * stricter. */
	[DUPLICATE_LINE_RATIO] = {"duplicate_line_ratio", {AT_MOST(0.3), AT_MOST(0.287)}},
	[DUPLICATE_LINE_CHARS] = {"duplicate_line_chars", {AT_MOST(0.1), AT_MOST(0.1)}},
	[DUPLICATE_PARAGRAPH_RATIO] = {"duplicate_paragraph_ratio", {AT_MOST(0.3), AT_MOST(0.3)}},
	[DUPLICATE_PARAGRAPH_CHARS] = {"duplicate_paragraph_chars", {AT_MOST(0.2), AT_MOST(0.2)}},
	[TOP_2_GRAM] = {"top_2_gram", {AT_MOST(0.2), AT_MOST(0.256)}},
	[TOP_3_GRAM] = {"top_3_gram", {AT_MOST(0.18), AT_MOST(0.201)}},
	[TOP_4_GRAM] = {"top_4_gram", {AT_MOST(0.16), AT_MOST(0.171)}},
	[DUPLICATE_5_GRAM] = {"duplicate_5_gram", {AT_MOST(0.15), AT_MOST(0.198)}},
	[DUPLICATE_6_GRAM] = {"duplicate_6_gram", {AT_MOST(0.14), AT_MOST(0.182)}},
	[DUPLICATE_7_GRAM] = {"duplicate_7_gram", {AT_MOST(0.13), AT_MOST(0.167)}},
	[DUPLICATE_8_GRAM] = {"duplicate_8_gram", {AT_MOST(0.12), AT_MOST(0.154)}},
	[DUPLICATE_9_GRAM] = {"duplicate_9_gram", {AT_MOST(0.11), AT_MOST(0.14)}},
	[DUPLICATE_10_GRAM] = {"duplicate_10_gram", {AT_MOST(0.1), AT_MOST(0.127)}},

	/* C4, section 2.2. Its rules for lines are shares of lines here, with thresholds of ours. Chinese sentences: ours,
	 * commas join what full stops part. */
	[SENTENCES] = {"sentences", {AT_LEAST(3), AT_LEAST(2)}},
	[CURLY_BRACES] = {"curly_braces", {AT_MOST(0), AT_MOST(0)}},
	[LOREM_IPSUM_SEEN] = {"lorem_ipsum", {AT_MOST(0), AT_MOST(0)}},
	[JAVASCRIPT_LINES] = {"javascript_lines", {AT_MOST(0.1), AT_MOST(0.1)}}, /* ours */
	[POLICY_LINES] = {"policy_lines", {AT_MOST(0.1), AT_MOST(0.1)}},         /* ours */

	/* FineWeb, its own filters. Chinese: FineWeb2, which has no rule of short lines; newlines are its 0.178 per word.
	 */
	[TERMINAL_PUNCTUATION_LINES] = {"terminal_punctuation_lines", {AT_LEAST(0.12), AT_LEAST(0.106)}},
	[SHORT_LINES] = {"short_lines", {AT_MOST(0.67), AT_MOST(0.67)}},
	[NEWLINE_RATIO] = {"newline_ratio", {AT_MOST(0.3), AT_MOST(0.1)}},

	/* Aquila-Med (Zhao et al. 2024, arXiv 2406.12182), section 2.1.1, removes text with too many special characters and
	 * with private information; the figures are ours, and links too. */
	[SPECIAL_CHARS] = {"special_chars", {AT_MOST(0.1), AT_MOST(0.1)}},
	[PRIVATE] = {"private", {AT_MOST(0), AT_MOST(0)}},
	[URLS] = {"urls", {AT_MOST(0.1), AT_MOST(0.1)}},
	[ZH_RATIO] = {"zh_ratio", {ANYTHING, ANYTHING}},
};

/* Whether the base of a BCP 47 tag is one of those in the list, which stand between commas. */
static bool tag_is(cb_text tag, cb_text list) {
	char base[5] = ",";
	size_t n = cb_find(tag, CB_TEXT("-"));
	if (n > 3) return false;
	for (size_t i = 0; i < n; i++) base[1 + i] = (char)lower((unsigned char)tag.at[i]);
	base[1 + n] = ',';
	return cb_find(list, cb_view(base, n + 2)) < list.n;
}

/* Goes by the tag, and by the letters where there is none. Text is Chinese from a share of 0.3 on, which is below one
 * half because a Chinese character stands for more text than a Latin letter. */
static language language_of(cb_text tag, double zh_ratio) {
	if (tag_is(tag, CB_TEXT(",zh,cmn,lzh,yue,"))) return CHINESE;
	bool unknown = cb_find(tag, CB_TEXT("-")) == 0 || tag_is(tag, CB_TEXT(",und,mul,"));
	return unknown && zh_ratio >= 0.3 ? CHINESE : ENGLISH;
}

/* Measures a document. The result is valid until the next call. */
static const measures *measure(cb_text text, cb_text tag) {
	measures *m = &scan.m;
	scan_reset(text.n);
	read_lines(trim_space(text));
	m->lang = language_of(tag, ratio(m->han, m->letters));
	if (m->ats > 0) m->private += emails(text);
	measure_grams(m);
	return m;
}

static void measured_words(const measures *m, double *v) {
	v[WORDS] = m->words;
	v[MEAN_WORD_LENGTH] = ratio(m->word_chars, m->words);
	v[LONGEST_WORD] = m->longest;
	v[SYMBOL_RATIO] = ratio(m->hashes > m->ellipses ? m->hashes : m->ellipses, m->words);
	v[ALPHA_WORDS] = ratio(m->alpha_words, m->words + m->symbols);
	v[STOP_WORDS_SEEN] = __builtin_popcountll(m->stop[m->lang]);
	v[SENTENCES] = m->sentences;
	v[CURLY_BRACES] = m->braces;
	v[LOREM_IPSUM_SEEN] = m->found[LOREM_IPSUM];
	v[SPECIAL_CHARS] = ratio(m->special, m->chars);
	v[PRIVATE] = m->private;
	v[URLS] = ratio(m->urls, m->words);
	v[ZH_RATIO] = ratio(m->han, m->letters);
}

static void measured_lines(const measures *m, double *v) {
	v[BULLET_LINES] = ratio(m->bullet_lines, m->lines);
	v[ELLIPSIS_LINES] = ratio(m->ellipsis_lines, m->lines);
	v[JAVASCRIPT_LINES] = ratio(m->found_lines[JAVASCRIPT], m->lines);
	v[POLICY_LINES] = ratio(m->found_lines[POLICY], m->lines);
	v[TERMINAL_PUNCTUATION_LINES] = ratio(m->terminal_lines, m->lines);
	v[SHORT_LINES] = ratio(m->short_lines[m->lang], m->lines);
	v[NEWLINE_RATIO] = ratio(m->newlines, m->words);
}

static void measured_repetition(const measures *m, double *v) {
	const repetition *l = &m->repeated_lines, *p = &m->repeated_paragraphs;
	v[DUPLICATE_LINE_RATIO] = ratio(l->repeats, l->all);
	v[DUPLICATE_LINE_CHARS] = ratio(l->repeat_chars, l->chars);
	v[DUPLICATE_PARAGRAPH_RATIO] = ratio(p->repeats, p->all);
	v[DUPLICATE_PARAGRAPH_CHARS] = ratio(p->repeat_chars, p->chars);
	for (int i = 0; i < 3; i++) v[TOP_2_GRAM + i] = m->top[i];
	for (int i = 0; i < 6; i++) v[DUPLICATE_5_GRAM + i] = m->duplicate[i];
}

/* The values of all rules. */
static void measured(const measures *m, double values[RULES]) {
	measured_words(m, values);
	measured_lines(m, values);
	measured_repetition(m, values);
}

#endif
