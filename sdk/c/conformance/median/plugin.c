/* The stateful plugin of the conformance tests: it judges when it has seen all dialogues. */
#include <carebot.h>

enum { BELOW_MEDIAN, EMPTY };

static size_t *lengths;
static size_t count, room;

static void add(size_t length) {
	if (count == room) {
		size_t more = room == 0 ? 1024 : 2 * room;
		lengths = (size_t *)cb_keep_more(lengths, room * sizeof *lengths, more * sizeof *lengths);
		room = more;
	}
	lengths[count++] = length;
}

/* Drops empty dialogues and postpones the others. */
static bool filter(const cb_dialogue *dialogues, size_t n, cb_verdict *out) {
	for (size_t i = 0; i < n; i++) {
		size_t length = 0;
		for (size_t k = 0; k < dialogues[i].turns.n; k++) length += dialogues[i].turns.at[k].text.n;
		if (length == 0) {
			out[i].action = CB_DROP;
			cb_reason(&out[i], EMPTY);
			continue;
		}
		add(length);
		out[i].action = CB_LATER;
	}
	return true;
}

/* Moves an element down a heap whose largest element is at the root. */
static void sink(size_t *heap, size_t at, size_t n) {
	for (size_t child; (child = 2 * at + 1) < n; at = child) {
		if (child + 1 < n && heap[child + 1] > heap[child]) child++;
		if (heap[at] >= heap[child]) return;
		size_t swap = heap[at];
		heap[at] = heap[child];
		heap[child] = swap;
	}
}

static void sort(size_t *a, size_t n) {
	for (size_t i = n / 2; i-- > 0;) sink(a, i, n);
	while (n-- > 1) {
		size_t swap = a[0];
		a[0] = a[n];
		a[n] = swap;
		sink(a, 0, n);
	}
}

/* Drops what is shorter than the median. */
static bool flush(cb_verdict *out, size_t n) {
	size_t *sorted = (size_t *)cb_alloc(n * sizeof *sorted);
	for (size_t i = 0; i < n; i++) sorted[i] = lengths[i];
	sort(sorted, n);
	for (size_t i = 0; i < n; i++) {
		size_t median = sorted[n / 2];
		out[i].score = (double)lengths[i] / (double)median;
		if (lengths[i] < median) {
			out[i].action = CB_DROP;
			cb_reason(&out[i], BELOW_MEDIAN);
		}
	}
	count = 0;
	return true;
}

CB_PLUGIN(.filter = filter, .flush = flush)
