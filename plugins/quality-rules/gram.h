/* Grams measure runs of words that occur more than once. A run can only do so where its beginning and its end do, so
 * each length looks at the few places that are left of the one before. */
#ifndef GRAM_H
#define GRAM_H

#include "scan.h"

static struct {
	uint64_t *prefix; /* prefix[i] is the hash of the first i words */
	uint32_t *starts; /* of the runs that occur more than once, rising */
	slot **slots;     /* of these runs */
	uint32_t n, room; /* of starts; prefix has one more */
	table table;
} grams;

/* Takes every word for the start of a run. */
static void grams_begin(void) {
	if (grams.room < words.n) {
		grams.room = words.room;
		grams.prefix = cb_keep((grams.room + 1) * sizeof(uint64_t));
		grams.starts = cb_keep(grams.room * sizeof(uint32_t));
		grams.slots = cb_keep(grams.room * sizeof(slot *));
	}
	uint64_t h = 0;
	for (uint32_t i = 0; i < words.n; i++) {
		h = mix(h, words.hashes[i]);
		grams.prefix[i + 1] = h;
		grams.starts[i] = i;
	}
	grams.n = words.n;
}

/* The hash of the run of the given length that starts at word i; power is that of ODD. */
static uint64_t gram_hash(uint32_t i, uint32_t length, uint64_t power) {
	return grams.prefix[i + length] - grams.prefix[i] * power;
}

static uint64_t power_of_odd(uint32_t n) {
	uint64_t p = 1;
	while (n-- > 0) p *= ODD;
	return p;
}

/* Keeps the starts from which a run that is `step` words longer may occur more than once. */
static void grams_narrow(uint32_t step) {
	uint32_t kept = 0, ahead = 0;
	for (uint32_t k = 0; k < grams.n; k++) {
		uint32_t start = grams.starts[k], end = start + step;
		while (ahead < grams.n && grams.starts[ahead] < end) ahead++;
		if (ahead < grams.n && grams.starts[ahead] == end) grams.starts[kept++] = start;
	}
	grams.n = kept;
}

/* Keeps the starts of runs that occur more than once. The table counts them. */
static void grams_repeated(uint32_t length) {
	while (grams.n > 0 && grams.starts[grams.n - 1] + length > words.n) grams.n--;
	table_reset(&grams.table, grams.n);
	uint64_t power = power_of_odd(length);
	for (uint32_t k = 0; k < grams.n; k++)
		grams.slots[k] = table_count(&grams.table, gram_hash(grams.starts[k], length, power));
	uint32_t kept = 0;
	for (uint32_t k = 0; k < grams.n; k++) {
		if (grams.slots[k]->count == 1) continue;
		grams.slots[kept] = grams.slots[k];
		grams.starts[kept++] = grams.starts[k];
	}
	grams.n = kept;
}

/* The characters of a run. */
static uint32_t gram_chars(uint32_t start, uint32_t length) {
	return words.ends[start + length - 1] - (start > 0 ? words.ends[start - 1] : 0);
}

static uint32_t all_chars(void) { return words.n == 0 ? 0 : words.ends[words.n - 1]; }

/* The share of characters in the most frequent run, 0 when none occurs twice. Of equally frequent runs the longest
 * counts. Occurrences may overlap, so the share is cut at 1. */
static double grams_top(uint32_t length) {
	uint32_t most = 0, chars = 0;
	for (uint32_t k = 0; k < grams.n; k++) {
		uint32_t n = grams.slots[k]->count, c = gram_chars(grams.starts[k], length);
		if (n > most || (n == most && c > chars)) {
			most = n;
			chars = c;
		}
	}
	double share = ratio((uint64_t)most * chars, all_chars());
	return share < 1 ? share : 1;
}

/* The share of characters in runs that occurred before, none counted twice. */
static double grams_duplicate(uint32_t length) {
	table_reset(&grams.table, grams.n);
	uint64_t power = power_of_odd(length);
	uint32_t chars = 0, open = 0;
	for (uint32_t k = 0; k < grams.n; k++) {
		uint32_t start = grams.starts[k];
		if (start < open || table_add(&grams.table, gram_hash(start, length, power)) == 1) continue;
		chars += gram_chars(start, length);
		open = start + length;
	}
	return ratio(chars, all_chars());
}

/* Fills in top and duplicate. In Chinese two characters stand for a word. */
static void measure_grams(measures *m) {
	uint32_t step = m->lang == CHINESE ? 2 : 1;
	grams_begin();
	for (uint32_t n = 2; n <= 10; n++) {
		if (n > 2) grams_narrow(step);
		grams_repeated(n * step);
		if (n <= 4) {
			m->top[n - 2] = grams_top(n * step);
		} else {
			m->duplicate[n - 5] = grams_duplicate(n * step);
		}
	}
}

#endif
