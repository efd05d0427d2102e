// What products of matrices need before and after: sums of shares of K, and operands rounded.
//
// hot: product_*
#include "product.cuh"

// c [m,n] = alpha*(parts[0] + parts[1] + ...) + beta*c, where each of the shares' parts is [m,stride]. Without shares
// it is c = beta*c.
KERNEL void product_sum(void *c, const float *parts, int shares, int m, int n, i64 stride, i64 stride_c, float alpha,
	float beta, int is_bf16) {
	Output out = {c, is_bf16 != 0, m, n, stride_c, alpha, beta};
	i64 eights = (n + 7) / 8;
	for (i64 i = thread_number(); i < m * eights; i += thread_count()) {
		int row = i / eights, column = i % eights * 8;
		float sums[8] = {};
		for (int share = 0; share < shares; share++) {
			float x[8];
			load_eight(x, parts + (share * (i64)m + row) * stride + column, n - column);
#pragma unroll
			for (int j = 0; j < 8; j++) sums[j] += x[j];
		}
		put(out, row, column, sums);
	}
}
REGISTER(product_sum)

// to [lines,to_stride] = bf16 of from [lines,length].
KERNEL void product_round(bf16 *to, const float *from, int lines, int length, i64 to_stride, i64 stride) {
	i64 eights = (length + 7) / 8;
	for (i64 i = thread_number(); i < lines * eights; i += thread_count()) {
		int line = i / eights, column = i % eights * 8;
		float x[8];
		load_eight(x, from + line * stride + column, length - column);
		store_eight(to + line * to_stride + column, x, length - column);
	}
}
REGISTER(product_round)
