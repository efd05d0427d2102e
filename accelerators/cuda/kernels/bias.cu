// Biases of rows: y [T,C] += bias [C], and dbias [C] += column sums of dy [T,C].
//
// Each thread keeps to eight columns. For the sums the rows are cut into parts, by their number only: a block adds up
// 256 columns of a part, its eight warps every eighth row each, and bias_sum adds the parts up, in order.
//
// hot: bias_*
#include "piece.cuh"

enum { WARPS = 8, COLUMNS = 256 };

template <class T>
DEVICE void add(T *y, const float *bias, u64 rows, int width) {
	int column = COLUMNS * blockIdx.x + 8 * (threadIdx.x % 32), count = width - column;
	if (count <= 0) return;
	float b[8];
	load_eight(b, bias + column, count);
	for (u64 row = blockIdx.y * WARPS + threadIdx.x / 32; row < rows; row += gridDim.y * WARPS) {
		float x[8];
		load_eight(x, y + row * width + column, count);
#pragma unroll
		for (int i = 0; i < 8; i++) x[i] += b[i];
		store_eight(y + row * width + column, x, count);
	}
}

KERNEL void __launch_bounds__(256) bias_add_f32(float *y, const float *bias, u64 rows, int width) {
	add(y, bias, rows, width);
}
REGISTER(bias_add_f32)
KERNEL void __launch_bounds__(256) bias_add_bf16(bf16 *y, const float *bias, u64 rows, int width) {
	add(y, bias, rows, width);
}
REGISTER(bias_add_bf16)

// sums [gridDim.y,width] = column sums of dy by parts of `step` rows.
template <class T>
DEVICE void sum_columns(float *sums, const T *dy, u64 rows, int width, u64 step) {
	alignas(16) __shared__ float parts[WARPS][COLUMNS];
	int lane = threadIdx.x % 32, warp = threadIdx.x / 32, column = COLUMNS * blockIdx.x + 8 * lane;
	u64 from = blockIdx.y * step, to = min(from + step, rows);
	float sum[8] = {};
#pragma unroll 4
	for (u64 row = from + warp; row < to; row += WARPS) {
		float x[8];
		load_eight(x, dy + row * width + column, width - column);
#pragma unroll
		for (int i = 0; i < 8; i++) sum[i] += x[i];
	}
	float4 *mine = (float4 *)&parts[warp][8 * lane];
	mine[0] = {sum[0], sum[1], sum[2], sum[3]}, mine[1] = {sum[4], sum[5], sum[6], sum[7]};
	__syncthreads();
	column = COLUMNS * blockIdx.x + threadIdx.x;
	if (column >= width) return;
	float total = 0;
	for (int w = 0; w < WARPS; w++) total += parts[w][threadIdx.x];
	sums[blockIdx.y * (u64)width + column] = total;
}

KERNEL void __launch_bounds__(256) bias_grad_f32(float *sums, const float *dy, u64 rows, int width, u64 step) {
	sum_columns(sums, dy, rows, width, step);
}
REGISTER(bias_grad_f32)
KERNEL void __launch_bounds__(256) bias_grad_bf16(float *sums, const bf16 *dy, u64 rows, int width, u64 step) {
	sum_columns(sums, dy, rows, width, step);
}
REGISTER(bias_grad_bf16)

// to += sums[0] + sums[1] + ...
KERNEL void bias_sum(float *to, const float *sums, int parts, int width) {
	int column = thread_number();
	if (column >= width) return;
	float total = to[column];
	for (int p = 0; p < parts; p++) total += sums[p * (u64)width + column];
	to[column] = total;
}
REGISTER(bias_sum)
