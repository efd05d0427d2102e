/* A phrase is a run of words, by their hashes, that is looked for in every line. */
#ifndef PHRASE_H
#define PHRASE_H

#include <string.h>

#include "measures.h"
#include "table.h"

enum { MOST_PHRASES = 64, MOST_PHRASE_WORDS = 4, FIRST_WORDS = 1 << 10 };

typedef struct {
	uint64_t words[MOST_PHRASE_WORDS];
	uint32_t n;
	topic topic;
	language lang; /* of a stop word */
	uint64_t bit;
	uint8_t next; /* the next phrase, counted from 1, whose first word has the same slot; 0 for none */
} phrase;

static struct {
	phrase all[MOST_PHRASES];
	uint8_t n;
	uint8_t first[FIRST_WORDS]; /* by the slot of the first word, counted from 1 */
} phrases;

static uint32_t first_slot(uint64_t hash) { return (uint32_t)(hash * ODD >> 54); }

/* Adds a phrase of these words. */
static phrase *add_phrase(const uint64_t *words, uint32_t n) {
	phrase *p = &phrases.all[phrases.n++];
	uint8_t *first = &phrases.first[first_slot(words[0])];
	memcpy(p->words, words, n * sizeof *words);
	p->n = n;
	p->next = *first;
	*first = phrases.n;
	return p;
}

static bool starts_phrase(const uint64_t *words, uint32_t n, const phrase *p) {
	for (uint32_t i = 0; i < p->n; i++) {
		if (i == n || words[i] != p->words[i]) return false;
	}
	return true;
}

/* Counts the phrases in the words of a line, and the line for each topic that it has. */
static void find_phrases(measures *m, const uint64_t *words, uint32_t n) {
	uint32_t line[TOPICS] = {0};
	for (uint32_t i = 0; i < n; i++) {
		for (uint8_t k = phrases.first[first_slot(words[i])]; k > 0; k = phrases.all[k - 1].next) {
			const phrase *p = &phrases.all[k - 1];
			if (!starts_phrase(words + i, n - i, p)) continue;
			if (p->topic == STOP_WORDS) {
				m->stop[p->lang] |= p->bit;
				continue;
			}
			m->found[p->topic]++;
			line[p->topic] = 1;
		}
	}
	for (topic t = 0; t < TOPICS; t++) m->found_lines[t] += line[t];
}

#endif
