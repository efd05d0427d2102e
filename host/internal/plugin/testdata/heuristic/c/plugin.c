/* The filter of ../heuristic.go in C. */
#include <carebot.h>

#define SEED32 2166136261u
#define PRIME32 16777619u
#define SEED64 14695981039346656037u
#define PRIME64 1099511628211u

enum { LINE_SLOTS = 4096 };

static struct {
	uint64_t hash, round;
} seen[LINE_SLOTS];
static uint64_t now;
static uint32_t used;

static struct {
	uint32_t words, word_chars, alpha, chinese, stops, symbols, braces, lines, ended, repeated;
} counts;

typedef struct {
	uint32_t hash, length;
	bool alpha;
} word;

static const uint32_t stop_words[8] = {0xb40eb21c, 0x382ba080, 0x42454824, 0x69343c68,
									   0x0f29c2a6, 0xcb18332c, 0xf5ce03fb, 0x0c4afe69};

static void end_word(word *w) {
	if (w->length == 0) return;
	counts.words++;
	counts.word_chars += w->length;
	counts.alpha += w->alpha;
	for (int i = 0; i < 8; i++) counts.stops += w->hash == stop_words[i];
	*w = (word){.hash = SEED32};
}

/* Counts a Chinese character, which is a word. */
static void character(uint32_t c) {
	counts.words++;
	counts.word_chars++;
	counts.alpha++;
	counts.chinese++;
	switch (c) {
	case 0x7684: case 0x662F: case 0x4E86: case 0x5728: case 0x548C: case 0x6709: case 0x4E0D: case 0x6211: counts.stops++;
	}
}

static void end_line(uint64_t hash, uint32_t chars, uint32_t last) {
	if (chars == 0) return;
	counts.lines++;
	switch (last) {
	case '.': case '!': case '?': case '"': case 0x3002: case 0xFF01: case 0xFF1F: case 0x300D: case 0x201D: counts.ended++;
	}
	uint32_t i = (uint32_t)(hash ^ hash >> 32) % LINE_SLOTS;
	for (; seen[i].round == now; i = (i + 1) % LINE_SLOTS) {
		if (seen[i].hash == hash) {
			counts.repeated++;
			return;
		}
	}
	if (used == LINE_SLOTS / 2) return;
	seen[i].hash = hash;
	seen[i].round = now;
	used++;
}

/* Adds the letters of ASCII that a text starts with to a word and returns how many. */
static size_t letters(word *w, uint64_t *line, cb_text text) {
	size_t i = 0;
	for (; i < text.n; i++) {
		unsigned char c = (unsigned char)text.at[i], l = c | 0x20;
		if (l < 'a' || l > 'z') break;
		w->hash = (w->hash ^ l) * PRIME32;
		*line = (*line ^ c) * PRIME64;
	}
	w->length += i;
	w->alpha = w->alpha || i > 0;
	return i;
}

/* Adds a character to a word that is none of ASCII's letters. */
static void sign(word *w, uint32_t c) {
	w->length++;
	w->hash = (w->hash ^ c) * PRIME32;
	w->alpha = w->alpha || (c >= 0xC0 && (c < 0x2000 || c > 0x303F) && (c < 0xFF00 || c > 0xFFEF));
	counts.symbols += c == '#' || c == 0x2026;
	counts.braces += c == '{' || c == '}';
}

static void read(cb_text text) {
	word w = {.hash = SEED32};
	uint64_t line = SEED64;
	uint32_t chars = 0, last = 0;
	while (text.n > 0) {
		size_t n = letters(&w, &line, text);
		if (n > 0) {
			text = cb_after(text, n);
			chars += n;
			last = 'a';
			continue;
		}
		uint32_t c = (unsigned char)*text.at;
		if (c < 0x80) {
			text = cb_view(text.at + 1, text.n - 1);
		} else {
			c = cb_next(&text);
		}
		if (c == '\n') {
			end_word(&w);
			end_line(line, chars, last);
			line = SEED64;
			chars = 0;
			continue;
		}
		line = (line ^ c) * PRIME64;
		if (c == ' ' || c == '\t' || c == '\r' || c == 0x3000) {
			end_word(&w);
			continue;
		}
		if (c >= 0x3400 && c <= 0x9FFF) {
			end_word(&w);
			character(c);
		} else {
			sign(&w, c);
		}
		chars++;
		last = c;
	}
	end_word(&w);
	end_line(line, chars, last);
}

static double look(void) {
	if (counts.words == 0) return 0;
	double words = counts.words, lines = counts.lines, s = 1, mean = counts.word_chars / words;
	if (2 * counts.chinese < counts.words && (mean < 3 || mean > 10)) s -= 0.2;
	s -= 0.3 * (counts.symbols / words);
	s -= 0.2 * (1 - counts.alpha / words);
	s -= 0.1 * (1 - counts.ended / lines);
	s -= 0.4 * (counts.repeated / lines);
	s -= 0.01 * counts.braces;
	if (counts.stops < 2) s -= 0.3;
	if (counts.words < 50) s -= 0.1;
	return s > 0 ? s : 0;
}

static bool score(const cb_document *docs, size_t n, cb_rating *out) {
	for (size_t i = 0; i < n; i++) {
		__builtin_memset(&counts, 0, sizeof counts);
		used = 0;
		now++;
		read(docs[i].text);
		cb_set(out[i].scores, 0, look());
	}
	return true;
}

CB_PLUGIN(.scores = 1, .score = score)
