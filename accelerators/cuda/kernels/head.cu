// Cross-entropy over rows of logits [rows,V] in f32, one block to a row. With cap > 0 a logit is z = cap*tanh(x/cap)
// of x in memory, else x itself: nll[t] = lse[t] - z[t,target[t]], lse = log(sum(exp(z))), and the gradient by x is
// dnll[t] * (exp(z - lse) - onehot), with a cap times 1 - tanh^2. A target of -1 gives 0 throughout, and so does one
// that is out of range, which another kernel reports.
//
// The gradient takes the place of the logits: f32 over f32, and bf16 in the first half of each row, so that rows of
// bf16 lie 2V apart. A row is read once for its lse, with a running maximum, and once for the gradient.
//
// hot: head_*
#include "piece.cuh"

enum { THREADS = 512 };

// LOWEST stands for no logit; it is finite, so that the difference of two is a number.
#define LOWEST (-3.0e38f)

// A Row is the logits of a token, and its target.
struct Row {
	float *x;
	int n, target;
	float cap;
};

DEVICE Row row_of(float *logits, int n, float cap, const int *targets) {
	int target = targets[blockIdx.x];
	return {logits + blockIdx.x * (i64)n, n, (u32)target < (u32)n ? target : -1, cap};
}

DEVICE float bend(float x, float cap) { return cap > 0 ? cap * tanhf(x / cap) : x; }

// log_sum_exp is in every thread. The sums of threads and their order depend on the row's length only.
DEVICE float log_sum_exp(const Row &r) {
	float top = LOWEST, sum = 0;
	for (int i = 8 * threadIdx.x; i < r.n; i += 8 * THREADS) {
		float z[8], before = top;
		load_eight(z, r.x + i, r.n - i, LOWEST);
#pragma unroll
		for (int j = 0; j < 8; j++) {
			if (i + j < r.n) z[j] = bend(z[j], r.cap);
			top = fmaxf(top, z[j]);
		}
		sum *= expf(before - top);
#pragma unroll
		for (int j = 0; j < 8; j++) sum += expf(z[j] - top);
	}
	float highest = block_max(top);
	return highest + logf(block_sum(sum * expf(top - highest)));
}

// loss writes nll, and returns lse, of a row that counts.
DEVICE float loss(const Row &r, float *nll) {
	float picked = bend(r.x[r.target], r.cap); // before any thread comes to overwrite it: log_sum_exp has barriers
	float lse = log_sum_exp(r);
	if (threadIdx.x == 0) nll[blockIdx.x] = lse - picked;
	return lse;
}

DEVICE float slope(const Row &r, int i, float x, float lse, float dnll) {
	float z = bend(x, r.cap), dz = dnll * (expf(z - lse) - (i == r.target ? 1 : 0));
	if (r.cap <= 0) return dz;
	float flat = z / r.cap;
	return dz * (1 - flat * flat);
}

// gradient puts a row's gradient over its logits. In bf16 what a round writes covers logits that other threads read in
// this round or before, hence the barrier.
template <class T>
DEVICE void gradient(const Row &r, float lse, float dnll) {
	for (int from = 0; from < r.n; from += 8 * THREADS) {
		int i = from + 8 * threadIdx.x;
		float x[8] = {};
		if (i < r.n && r.target >= 0) {
			load_eight(x, r.x + i, r.n - i);
#pragma unroll
			for (int j = 0; j < 8; j++) x[j] = slope(r, i + j, x[j], lse, dnll);
		}
		if (sizeof(T) < sizeof(float)) __syncthreads();
		if (i < r.n) store_eight((T *)r.x + i, x, r.n - i);
	}
}

KERNEL void __launch_bounds__(THREADS) head_loss(float *nll, float *lse, float *logits, int n, float cap,
	const int *targets) {
	Row r = row_of(logits, n, cap, targets);
	float sum = 0;
	if (r.target >= 0) sum = loss(r, nll);
	else if (threadIdx.x == 0) nll[blockIdx.x] = 0;
	if (threadIdx.x == 0) lse[blockIdx.x] = sum;
}
REGISTER(head_loss)

#define HEAD_GRAD(name, T)                                                                                         \
	KERNEL void __launch_bounds__(THREADS) name(const float *dnll, const float *lse, float *logits, int n, float cap, \
		const int *targets) {                                                                                      \
		gradient<T>(row_of(logits, n, cap, targets), lse[blockIdx.x], dnll[blockIdx.x]);                           \
	}                                                                                                              \
	REGISTER(name)

#define HEAD_LEARN(name, T)                                                                                        \
	KERNEL void __launch_bounds__(THREADS) name(float *nll, const float *dnll, float *logits, int n, float cap,    \
		const int *targets) {                                                                                      \
		Row r = row_of(logits, n, cap, targets);                                                                   \
		float lse = 0;                                                                                             \
		if (r.target >= 0) lse = loss(r, nll);                                                                     \
		else if (threadIdx.x == 0) nll[blockIdx.x] = 0;                                                            \
		gradient<T>(r, lse, dnll[blockIdx.x]);                                                                     \
	}                                                                                                              \
	REGISTER(name)

HEAD_GRAD(head_grad_f32, float)
HEAD_GRAD(head_grad_bf16, bf16)
HEAD_LEARN(head_learn_f32, float)
HEAD_LEARN(head_learn_bf16, bf16)
