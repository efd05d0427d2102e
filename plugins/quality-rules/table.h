/* A table counts hashes. A slot belongs to the present round only, so that a new round costs nothing. */
#ifndef TABLE_H
#define TABLE_H

/* Hashing is fixed, so that a document has the same values in every process. Two texts of one document have the same
 * hash with a chance of about 2^-64 for each pair. */
#define SEED 0xCBF29CE484222325u /* FNV-1a */
#define PRIME 0x100000001B3u
#define ODD 0x9E3779B97F4A7C15u

/* Continues a hash by another one. */
static uint64_t mix(uint64_t hash, uint64_t next) { return hash * ODD + next; }

typedef struct {
	uint64_t hash;
	uint32_t round, count;
} slot;

typedef struct {
	slot *slots;
	uint32_t size, round, used;
} table;

/* Makes room for n hashes and drops what is in the table. The memory before is not given back. */
static void table_grow(table *t, uint32_t n) {
	uint32_t size = t->size < 64 ? 64 : t->size;
	while (size < 2 * n) size *= 2;
	t->slots = cb_keep(size * sizeof(slot));
	t->size = size;
	t->round = 1;
}

/* Starts a round in which about n hashes are expected. */
static void table_reset(table *t, uint32_t n) {
	t->used = 0;
	if (++t->round == 0 || t->size < 2 * n) table_grow(t, n);
}

/* Whether a slot is that of a hash, or free. */
static bool slot_fits(const table *t, uint32_t i, uint64_t hash) {
	return t->slots[i].round != t->round || t->slots[i].hash == hash;
}

/* The slot of a hash, or the free one where it belongs. At least half of the slots are free, so that the first one will
 * mostly do: it is looked at outside the loop, since the rounds of loops are what costs. */
static slot *table_find(const table *t, uint64_t hash) {
	uint32_t last = t->size - 1, i = (uint32_t)((hash ^ hash >> 32) * ODD >> 20) & last;
	if (slot_fits(t, i, hash)) return &t->slots[i];
	do i = (i + 1) & last;
	while (!slot_fits(t, i, hash));
	return &t->slots[i];
}

static void table_rehash(table *t) {
	table old = *t;
	table_grow(t, old.size < 32 ? 32 : old.size);
	for (uint32_t i = 0; i < old.size; i++) {
		if (old.slots[i].round != old.round) continue;
		slot *s = table_find(t, old.slots[i].hash);
		*s = old.slots[i];
		s->round = t->round;
	}
}

/* Counts a hash and returns its slot. It stays where it is when the table was reset for as many hashes. */
static slot *table_count(table *t, uint64_t hash) {
	slot *s = table_find(t, hash);
	if (s->round != t->round) {
		*s = (slot){hash, t->round, 0};
		t->used++;
	}
	s->count++;
	return s;
}

/* Counts a hash and returns how often it has been added in this round. */
static uint32_t table_add(table *t, uint64_t hash) {
	if (2 * (t->used + 1) > t->size) table_rehash(t);
	return table_count(t, hash)->count;
}

#endif
