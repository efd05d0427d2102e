// What the kernels of attention to a cache in pages share. The positions are cut into parts of PART, wherever a query's
// window begins. Of the part p of query n and head h, the block of numbers [n,h,p] of parts [N,H,parts(),2+D] holds the
// largest score in powers of two, the sum of the weights relative to it, and the values' weighted sum; that of a part
// that the query does not see is not written.
#pragma once
#include "attention.cuh"

enum { PART = 256 };

// A Cache is accelerators.AttentionDecode with the numbers of what one launch does.
struct Cache {
	const int *table, *owners, *lengths;
	int pages, page_size, sequences, columns, heads, kv_heads, width, window;
	float scale, cap;
	int from, to; // the queries of this launch

	METHOD int group() const { return heads / kv_heads; }
	METHOD int parts() const { return (columns * page_size + PART - 1) / PART; }
	// seen is the positions that a query sees, none if its length or owner is out of range.
	METHOD Interval seen(int query) const {
		int length = lengths[query], owner = owners[query];
		if (pages == 0 || length < 0 || length > columns * page_size || owner < 0 || owner >= sequences) return {0, 0};
		return {window ? max(0, length - window) : 0, length};
	}
	// seen_of is the positions of the part from one on that a query sees.
	METHOD Interval seen_of(int part, int query) const {
		Interval all = seen(query);
		return {max(all.from, part), min(all.to, part + PART)};
	}
	// place is the number of the row of the cache that has a position's key, page_size before its value. Pages out of
	// range are as good as page 0.
	METHOD int place(int owner, int position) const {
		int page = table[owner * columns + position / page_size];
		if (page < 0 || page >= pages) page = 0;
		return page * 2 * page_size + position % page_size;
	}
	METHOD i64 stride() const { return (i64)kv_heads * width; }
};

#define CACHE_PARAMETERS                                                                                          \
	const int *table, const int *owners, const int *lengths, int pages, int page_size, int sequences, int columns, \
		int heads, int kv_heads, int width, int window, float scale, float cap, int from, int to
#define CACHE                                                                                                      \
	Cache {                                                                                                        \
		table, owners, lengths, pages, page_size, sequences, columns, heads, kv_heads, width, window, scale, cap, \
			from, to                                                                                              \
	}

// parts_of is where a query and head have the first of their numbers.
DEVICE float *parts_of(float *parts, const Cache &c, int query, int head) {
	return parts + ((i64)(query - c.from) * c.heads + head) * c.parts() * (2 + c.width);
}

// A Together is rows that a block has at a time: heads of queries of one sequence, query by query.
struct Together {
	int query, queries, head, heads, owner;

	METHOD int rows() const { return queries * heads; }
	METHOD int query_of(int row) const { return query + row / heads; }
	METHOD int head_of(int row) const { return head + row % heads; }
};
