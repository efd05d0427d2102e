/* E-mail addresses, telephone and identity numbers. */
#ifndef PRIVATE_H
#define PRIVATE_H

#include "character.h"

static bool is_one_of(char b, const char *bytes) {
	for (; *bytes != 0; bytes++) {
		if (*bytes == b) return true;
	}
	return false;
}

/* Whether a text starts with labels and a last one of two letters or more. */
static bool starts_with_host(cb_text text) {
	size_t end = 0, dot;
	while (end < text.n && (is_alnum((unsigned char)text.at[end]) || is_one_of(text.at[end], "-."))) end++;
	while (end > 0 && is_one_of(text.at[end - 1], ".-")) end--;
	for (dot = end; dot > 0 && text.at[dot - 1] != '.'; dot--) {
		if (is_digit((unsigned char)text.at[dot - 1])) return false;
	}
	return dot > 1 && end - dot >= 2;
}

/* How often name@host.domain occurs. */
static uint32_t emails(cb_text text) {
	uint32_t n = 0;
	for (size_t at = 1; at < text.n; at++) {
		if (text.at[at] != '@') continue;
		unsigned char before = (unsigned char)text.at[at - 1];
		n += (is_alnum(before) || is_one_of((char)before, "._%+-")) && starts_with_host(cb_after(text, at + 1));
	}
	return n;
}

enum { MOST_DIGITS = 24, MOST_GROUPS = 6 };

/* The groups of digits of a number, such as 010-12345678. */
typedef struct {
	char digits[MOST_DIGITS]; /* of all groups; more are not kept */
	size_t n;
	size_t sizes[MOST_GROUPS];
	size_t count;
	bool plus, bracket; /* + before it; a bracket around the first group */
	bool open;          /* it stands alone: no letter or further digit group touches it */
	bool check;         /* an X follows, the check digit 10 of an identity card */
} groups;

/* The bytes between the last group and the next, 0 when the number ends. */
static size_t separator(const groups *g, cb_text text) {
	size_t n = 0;
	while (n < text.n && n < 2 && is_one_of(text.at[n], "-.() ")) n++;
	if (n == 0 || n == text.n || !is_digit((unsigned char)text.at[n])) return 0;
	bool joins = g->plus || (n == 1 && is_one_of(text.at[0], "-.")) ||
				 (g->bracket && g->count == 1 && text.at[0] == ')');
	return joins ? n : 0;
}

/* Reads one group of digits and returns where it ends. */
static size_t read_group(groups *g, cb_text text, size_t i) {
	size_t start = i;
	for (; i < text.n && is_digit((unsigned char)text.at[i]); i++) {
		if (g->n < MOST_DIGITS) g->digits[g->n] = text.at[i];
		g->n++;
	}
	g->sizes[g->count < MOST_GROUPS ? g->count : MOST_GROUPS - 1] = i - start;
	g->count++;
	return i;
}

/* Reads the number that starts at text[i] and returns where it ends. */
static size_t read_groups(groups *g, cb_text text, size_t i) {
	char before = i > 0 ? text.at[i - 1] : ' ';
	*g = (groups){.plus = before == '+', .bracket = before == '('};
	g->open = !is_alnum((unsigned char)before) && !is_one_of(before, ".-_/");
	for (size_t next = 1; next > 0; i += next) {
		i = read_group(g, text, i);
		next = separator(g, cb_after(text, i));
	}
	if (i < text.n && (text.at[i] | 0x20) == 'x') {
		g->check = true;
		i++;
	}
	g->open = g->open && (i == text.n || !is_alnum((unsigned char)text.at[i]));
	return i;
}

/* Whether 17 digits and a check digit are the number of a Chinese identity card (GB 11643-1999). */
static bool is_identity(const char *digits, int check) {
	int sum = 0, weight = 1;
	for (int i = 16; i >= 0; i--) {
		weight = weight * 2 % 11;
		sum += (digits[i] - '0') * weight;
	}
	return (sum + check) % 11 == 1;
}

/* Whether the groups have these sizes. */
static bool sized(const groups *g, size_t a, size_t b, size_t c) {
	return g->count == 1u + (b > 0) + (c > 0) && g->sizes[0] == a && g->sizes[1] == b && g->sizes[2] == c;
}

/* Numbers that are free to call, in China and the USA, are nobody's. */
static bool is_freephone(const char *digits) {
	return cb_find(CB_TEXT("400 800 833 844 855 866 877 888"), cb_view(digits, 3)) < 31;
}

/* Whether the groups are those of a number that belongs to a person. */
static bool is_personal(const groups *g) {
	const char *d = g->digits;
	if (g->n > MOST_DIGITS || g->count > MOST_GROUPS) return false;
	if (g->plus) return g->n >= 8 && g->n <= 15;
	if (g->check) return g->count == 1 && g->n == 17 && is_identity(d, 10);
	if (sized(g, 11, 0, 0) || sized(g, 3, 4, 4)) return d[0] == '1' && d[1] >= '3'; /* mobile lines of China */
	if (sized(g, 3, 8, 0) || sized(g, 4, 7, 0) || sized(g, 4, 8, 0)) return d[0] == '0'; /* its fixed lines */
	if (sized(g, 3, 3, 4)) return d[0] >= '2' && !is_freephone(d); /* telephones of the USA */
	if (sized(g, 3, 2, 4)) return d[0] != '9';                     /* social security */
	return sized(g, 18, 0, 0) && is_identity(d, d[17] - '0');
}

/* How many telephone and identity numbers there are: mobile and fixed lines and identity cards of China, telephone and
 * social security numbers of the USA, international numbers with a +. */
static uint32_t numbers(cb_text text) {
	uint32_t n = 0;
	for (size_t i = 0; i < text.n;) {
		if (!is_digit((unsigned char)text.at[i])) {
			i++;
			continue;
		}
		groups g;
		i = read_groups(&g, text, i);
		n += g.open && is_personal(&g);
	}
	return n;
}

#endif
