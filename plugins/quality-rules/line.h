/* Lines: how they start and end. */
#ifndef LINE_H
#define LINE_H

#include "character.h"

/* Bullets start a list item. Those that also start other lines need a space behind them. */
#define BULLETS CB_TEXT("•●○◦■□▪▫◆◇▶►‣⁃★☆✓✔·")
#define LOOSE_BULLETS CB_TEXT("-*–—")

static bool starts_with_bullet(cb_text line) {
	if (is_alnum((unsigned char)line.at[0])) return false;
	size_t size;
	uint32_t first = first_rune(line, &size);
	if (one_of(first, LOOSE_BULLETS)) return size < line.n && line.at[size] == ' ';
	return one_of(first, BULLETS);
}

static bool ends_with(cb_text line, cb_text end) {
	return line.n >= end.n && cb_equal(cb_after(line, line.n - end.n), end);
}

static bool ends_with_ellipsis(cb_text line) { return ends_with(line, CB_TEXT("...")) || ends_with(line, CB_TEXT("…")); }

/* Whether a line ends with a mark or a quotation mark, which may stand in brackets. As in C4 an ellipsis is no end. */
static bool ends_sentence(cb_text line) {
	size_t size;
	if (ends_with_ellipsis(line)) return false;
	while (line.n > 0 && one_of(last_rune(line, &size), CB_TEXT(")]）】》"))) line.n -= size;
	return line.n > 0 && one_of(last_rune(line, &size), CB_TEXT(".!?\"'。！？．”’」』"));
}

#endif
