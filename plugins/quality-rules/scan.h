/* The scan goes over a text once, line by line, and finds words, sentences and signs. */
#ifndef SCAN_H
#define SCAN_H

#include <string.h>

#include "character.h"
#include "line.h"
#include "measures.h"
#include "phrase.h"
#include "private.h"
#include "table.h"

enum {
	/* Bounds the words, and the lines, in which repetition and phrases are looked for, from the beginning of a document.
	 * It is above what the rule of words lets pass and keeps a 16 MiB document within a module's memory. */
	MOST_ITEMS = 1 << 18,
	/* What a line must have for a telephone or identity number to be in it. */
	LEAST_DIGITS = 8
};

/* Lines of at most that many characters are short, by language. FineWeb has 30 characters, which are 5 or 6 words. */
static const uint32_t short_line[LANGUAGES] = {30, 10};

/* The words of the document: their hashes, and the characters of all words up to and including each. */
static struct {
	uint64_t *hashes;
	uint32_t *ends;
	uint32_t n, room;
} words;

/* A word is what has been read since the last border. */
typedef struct {
	uint64_t hash;
	uint32_t chars;
	uint8_t class;
} word;

static struct {
	measures m;
	word word;
	struct { /* the line, which is known again by its words and its number of characters */
		uint64_t hash;
		uint32_t digits, spaces;
	} line;
	struct { /* the paragraph: lines without a blank one between them */
		uint64_t hash;
		uint32_t chars;
	} passage;
	bool pending;  /* a mark may end a sentence here */
	bool ended;    /* the last character ended a sentence */
	uint32_t dots; /* the last characters are so many points */
	uint32_t last; /* the last character that was neither letter nor digit of ASCII */
	table lines, passages;
} scan;

static void scan_reset(size_t bytes) {
	uint32_t most = bytes / 2 < MOST_ITEMS ? (uint32_t)bytes / 2 + 1 : MOST_ITEMS;
	if (words.room < most) {
		words.room = most > 2 * words.room ? most : 2 * words.room;
		words.hashes = cb_keep(words.room * sizeof(uint64_t));
		words.ends = cb_keep(words.room * sizeof(uint32_t));
	}
	words.n = 0;
	scan.m = (measures){0};
	table_reset(&scan.lines, 0);
	table_reset(&scan.passages, 0);
}

/* Counts a line or paragraph. Beyond MOST_ITEMS different ones nothing is counted. */
static void scan_item(table *seen, repetition *r, uint64_t hash, uint32_t chars) {
	if (seen->used >= MOST_ITEMS) return;
	r->all++;
	r->chars += chars;
	if (table_add(seen, hash) > 1) {
		r->repeats++;
		r->repeat_chars += chars;
	}
}

static void add_word(uint64_t hash, uint32_t end) {
	if (words.n == MOST_ITEMS) return;
	words.hashes[words.n] = hash;
	words.ends[words.n++] = end;
}

/* Counts what has been read since the last border. */
static void end_word(void) {
	measures *m = &scan.m;
	word w = scan.word;
	scan.word = (word){0};
	if (w.chars == 0) {
		m->symbols += (w.class & SPECIAL) != 0;
		return;
	}
	m->words++;
	m->word_chars += w.chars;
	if (w.chars > m->longest) m->longest = w.chars;
	m->alpha_words += (w.class & LETTER) != 0;
	scan.line.hash = mix(scan.line.hash, w.hash);
	add_word(w.hash, m->word_chars);
}

static void end_sentence(void) {
	scan.m.sentences += scan.pending;
	scan.pending = false;
}

/* Counts a sentence at a full-width mark, and at a mark that a space follows: the point in 3.5 ends nothing. */
static void sentence(uint32_t rune, uint8_t class) {
	if ((class & MARK) && rune >= 0x80) {
		scan.m.sentences += !scan.ended;
		scan.ended = true;
		scan.pending = false;
	} else if (class & MARK) {
		scan.pending = !scan.ended;
	} else if ((class & SPACE) && scan.pending) {
		end_sentence();
	} else if (!(class & QUOTE)) {
		scan.pending = scan.ended = false;
	}
}

/* Counts the characters that rules ask for. */
static void sign(uint32_t rune, cb_text rest) {
	static const uint64_t www = ((((SEED ^ 'w') * PRIME) ^ 'w') * PRIME ^ 'w') * PRIME;
	measures *m = &scan.m;
	switch (rune) {
	case '#': m->hashes++; break;
	case '@': m->ats++; break;
	case '{':
	case '}': m->braces++; break;
	case ':': m->urls += cb_starts(rest, CB_TEXT("//")); break;
	case 0x2026: m->ellipses += scan.last != 0x2026; break;
	case '.':
		m->urls += scan.word.chars == 3 && scan.word.hash == www;
		m->ellipses += ++scan.dots == 3;
		return;
	}
	scan.dots = 0;
}

/* Adds a character to the words. */
static void read_character(uint32_t rune, uint8_t class) {
	word *w = &scan.word;
	if (class & HAN) {
		scan.m.han++;
		end_word();
	}
	w->class |= class;
	if (class & (LETTER | DIGIT)) {
		w->hash = ((w->chars == 0 ? SEED : w->hash) ^ rune) * PRIME;
		w->chars++;
	}
	if (class & HAN) end_word();
}

/* Reads any other character than those of the runs below; rest is what follows it. */
static void character(uint32_t rune, cb_text rest) {
	uint8_t class = class_of(rune);
	measures *m = &scan.m;
	sentence(rune, class);
	if (class & SPACE) {
		end_word();
		scan.line.spaces++;
		scan.dots = 0;
	} else {
		m->chars++;
		m->special += (class & SPECIAL) != 0;
		m->letters += (class & LETTER) != 0;
		sign(rune, rest);
		read_character(rune, class);
	}
	scan.last = rune;
}

/* Reads a space: what character does with it, in short. */
static void space(void) {
	end_word();
	end_sentence();
	scan.ended = false;
	scan.line.spaces++;
	scan.dots = 0;
	scan.last = ' ';
}

/* What letters of a run leave behind. */
static void end_run(void) {
	scan.pending = scan.ended = false;
	scan.dots = scan.last = 0;
}

/* Reads the letters and digits of ASCII that the text starts with. */
static cb_text alnum_run(cb_text text) {
	word *w = &scan.word;
	uint64_t hash = w->chars == 0 ? SEED : w->hash;
	size_t i = 0, digits = 0;
	for (; i < text.n; i++) {
		unsigned char b = (unsigned char)text.at[i], small = b | 0x20;
		if (small >= 'a' && small <= 'z') {
			b = small;
		} else if (is_digit(b)) {
			digits++;
		} else {
			break;
		}
		hash = (hash ^ b) * PRIME;
	}
	if (i == 0) return text;
	w->hash = hash;
	w->chars += i;
	w->class |= (i > digits ? LETTER : 0) | (digits > 0 ? DIGIT : 0);
	scan.m.chars += i;
	scan.m.letters += i - digits;
	scan.line.digits += digits;
	end_run();
	return cb_after(text, i);
}

/* The Chinese character that the text starts with, when it is one of the most usual ones, else 0. */
static uint32_t usual_han(cb_text text) {
	const unsigned char *p = (const unsigned char *)text.at;
	if (text.n < 3 || p[0] < 0xE4 || p[0] > 0xE9 || (p[1] & 0xC0) != 0x80 || (p[2] & 0xC0) != 0x80) return 0;
	uint32_t rune = (p[0] & 0x0Fu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
	return rune < 0x4E00 ? 0 : rune;
}

/* Reads the most usual Chinese characters, each a word, that the text starts with. */
static cb_text han_run(cb_text text) {
	measures *m = &scan.m;
	uint32_t rune = usual_han(text), n = 0;
	if (rune == 0) return text;
	end_word();
	uint64_t line = scan.line.hash;
	for (; rune != 0; rune = usual_han(text)) {
		uint64_t h = (SEED ^ rune) * PRIME;
		line = mix(line, h);
		add_word(h, m->word_chars + ++n);
		text = cb_after(text, 3);
	}
	scan.line.hash = line;
	m->chars += n;
	m->letters += n;
	m->han += n;
	m->words += n;
	m->alpha_words += n;
	m->word_chars += n;
	if (m->longest == 0) m->longest = 1;
	end_run();
	return text;
}

/* Reads the characters of a line and what they form. */
static void characters(cb_text text) {
	scan.last = 0;
	while (text.n > 0) {
		size_t before = text.n;
		text = han_run(alnum_run(text));
		if (text.n < before) continue;
		uint32_t rune = cb_next(&text);
		if (rune == ' ') {
			space();
		} else {
			character(rune, text);
		}
	}
	end_word();
	end_sentence();
	scan.dots = 0;
	scan.ended = false;
}

static void end_passage(void) {
	if (scan.passage.chars > 0)
		scan_item(&scan.passages, &scan.m.repeated_paragraphs, scan.passage.hash, scan.passage.chars);
	scan.passage.hash = scan.passage.chars = 0;
}

/* Counts a line of so many characters. */
static void end_line(uint32_t width) {
	for (language l = 0; l < LANGUAGES; l++) scan.m.short_lines[l] += width <= short_line[l];
	uint64_t h = mix(scan.line.hash, width);
	scan_item(&scan.lines, &scan.m.repeated_lines, h, width);
	scan.passage.hash = mix(scan.passage.hash, h);
	scan.passage.chars += width;
}

/* Reads one line without the spaces around it. */
static void read_line(cb_text text) {
	measures *m = &scan.m;
	uint32_t first = words.n, chars = m->chars;
	if (text.n == 0) {
		end_passage();
		return;
	}
	scan.line.hash = SEED;
	scan.line.digits = scan.line.spaces = 0;
	characters(text);
	find_phrases(m, words.hashes + first, words.n - first);
	m->lines++;
	m->bullet_lines += starts_with_bullet(text);
	m->ellipsis_lines += ends_with_ellipsis(text);
	m->terminal_lines += ends_sentence(text);
	if (scan.line.digits >= LEAST_DIGITS) m->private += numbers(text);
	end_line(m->chars - chars + scan.line.spaces);
}

static void read_lines(cb_text text) {
	for (;;) {
		const char *end = text.n == 0 ? NULL : memchr(text.at, '\n', text.n);
		size_t n = end == NULL ? text.n : (size_t)(end - text.at);
		read_line(trim_space(cb_view(text.at, n)));
		if (end == NULL) break;
		scan.m.newlines++;
		text = cb_after(text, n + 1);
	}
	end_passage();
}

#endif
