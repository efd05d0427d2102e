/* my-filter drops dialogues that end in nothing new and trims the turns of the others. */
#include <carebot.h>

enum { EMPTY, REPEATED }; /* the reasons, in the order of manifest.json */

static cb_text trimmed(cb_text text) { return cb_trim(text, CB_TEXT(" \t\r\n")); }

static void drop(cb_verdict *out, uint16_t reason) {
	out->action = CB_DROP;
	cb_reason(out, reason);
}

static bool repeats(cb_turns turns) {
	const cb_turn *last = &turns.at[turns.n - 1];
	for (const cb_turn *t = turns.at; t < last; t++) {
		if (t->role == last->role && cb_equal(trimmed(t->text), trimmed(last->text))) return true;
	}
	return false;
}

static void judge(cb_turns turns, cb_verdict *out) {
	if (turns.n == 0 || trimmed(turns.at[turns.n - 1].text).n == 0) {
		drop(out, EMPTY);
		return;
	}
	if (repeats(turns)) {
		drop(out, REPEATED);
		return;
	}
	for (size_t i = 0; i < turns.n; i++) {
		cb_text text = turns.at[i].text, rest = trimmed(text);
		if (rest.n < text.n) cb_edit(out, CB_REPLACE, i, rest);
	}
}

static bool filter(const cb_dialogue *dialogues, size_t n, cb_verdict *out) {
	for (size_t i = 0; i < n; i++) judge(dialogues[i].turns, &out[i]);
	return true;
}

CB_PLUGIN(.filter = filter)
