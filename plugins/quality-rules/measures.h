/* Measures are what the rules read of a document. */
#ifndef MEASURES_H
#define MEASURES_H

/* A language decides which thresholds apply and what counts as a stop word and a short line. */
typedef enum {
	ENGLISH, /* and all languages that are not Chinese */
	CHINESE,
	LANGUAGES
} language;

/* A topic is something that phrases give away. */
typedef enum {
	LOREM_IPSUM,
	JAVASCRIPT,
	POLICY,
	TOPICS,    /* how many there are */
	STOP_WORDS /* has a bit for each word instead of a count */
} topic;

/* Repetition counts lines or paragraphs, and those that occurred before. */
typedef struct {
	uint32_t all, repeats, chars, repeat_chars;
} repetition;

typedef struct {
	language lang;
	uint32_t chars, letters, han, special; /* characters that are not spaces */
	uint32_t words, alpha_words;
	uint32_t symbols; /* runs without letter or digit that are more than punctuation */
	uint32_t word_chars, longest;
	uint32_t sentences, newlines;
	uint32_t lines, bullet_lines, ellipsis_lines; /* lines that are not blank */
	uint32_t terminal_lines;
	uint32_t short_lines[LANGUAGES];
	uint32_t hashes, ellipses, braces, urls, ats;
	uint32_t private;
	uint32_t found[TOPICS], found_lines[TOPICS];
	uint64_t stop[LANGUAGES]; /* a bit for each stop word seen */
	repetition repeated_lines, repeated_paragraphs;
	double top[3];       /* runs of 2 to 4 words */
	double duplicate[6]; /* of 5 to 10 words */
} measures;

/* 0 when there is nothing to have a share of. */
static double ratio(uint64_t part, uint64_t whole) { return whole == 0 ? 0 : (double)part / (double)whole; }

#endif
