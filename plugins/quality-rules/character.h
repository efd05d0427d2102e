/* Characters. A class says what a character is; a word's class is the union of its characters'. */
#ifndef CHARACTER_H
#define CHARACTER_H

enum {
	LETTER = 1,
	DIGIT = 2,
	PUNCTUATION = 4,
	SPECIAL = 8, /* what is none of these: symbols, controls, bytes that are no UTF-8 */
	SPACE = 16,
	HAN = 32,
	MARK = 64,  /* ends a sentence */
	QUOTE = 128 /* may stand between a mark and the space after it */
};

#include "classes.h"

enum { BAD_RUNE = 0xFFFD, PLANE = 1 << 16, CLASS_RUNS = sizeof class_runs / sizeof class_runs[0] };

/* The classes of the first plane, in which almost all characters are. */
static uint8_t classes[PLANE];

static uint32_t first_of(size_t run) { return run == CLASS_RUNS ? 0x110000 : class_runs[run] >> 8; }

static void spread_classes(void) {
	for (size_t i = 0; first_of(i) < PLANE; i++) {
		uint32_t end = first_of(i + 1) < PLANE ? first_of(i + 1) : PLANE;
		__builtin_memset(classes + first_of(i), (uint8_t)class_runs[i], end - first_of(i));
	}
}

/* The class of a character beyond the first plane. */
static uint8_t far_class(uint32_t rune) {
	size_t low = 0, high = CLASS_RUNS;
	while (high - low > 1) {
		size_t middle = (low + high) / 2;
		if (first_of(middle) <= rune) {
			low = middle;
		} else {
			high = middle;
		}
	}
	return (uint8_t)class_runs[low];
}

static uint8_t class_of(uint32_t rune) { return rune < PLANE ? classes[rune] : far_class(rune); }

static bool is_digit(unsigned char b) { return b >= '0' && b <= '9'; }

static bool is_alnum(unsigned char b) { return is_digit(b) || ((b | 0x20) >= 'a' && (b | 0x20) <= 'z'); }

static unsigned char lower(unsigned char b) { return b >= 'A' && b <= 'Z' ? b | 0x20 : b; }

/* The first character; what is no UTF-8 is BAD_RUNE. */
static uint32_t first_rune(cb_text text, size_t *size) {
	cb_text rest = text;
	uint32_t rune = cb_next(&rest);
	*size = text.n - rest.n;
	return rune;
}

/* The last character, likewise. */
static uint32_t last_rune(cb_text text, size_t *size) {
	for (size_t back = 1; back <= 4 && back <= text.n; back++) {
		cb_text end = cb_after(text, text.n - back);
		if ((*end.at & 0xC0) == 0x80) continue;
		uint32_t rune = first_rune(end, size);
		if (*size == back) return rune;
		break;
	}
	*size = 1;
	return BAD_RUNE;
}

/* Whether a character is one of those of a text. */
static bool one_of(uint32_t rune, cb_text text) {
	while (text.n > 0) {
		if (cb_next(&text) == rune) return true;
	}
	return false;
}

/* The text without the spaces around it. */
static cb_text trim_space(cb_text text) {
	size_t size;
	while (text.n > 0 && (class_of(first_rune(text, &size)) & SPACE)) text = cb_after(text, size);
	while (text.n > 0 && (class_of(last_rune(text, &size)) & SPACE)) text.n -= size;
	return text;
}

#endif
