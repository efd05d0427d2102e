// Norms of rows x [width], each with h = (x-mean) rstd, where the mean is 0 in RMSNorm.
//
//   RMSNorm    y = h w, rstd = 1/sqrt(mean(x^2)+eps)
//   LayerNorm  y = h w + b, rstd = 1/sqrt(mean((x-mean)^2)+eps)
//   gradient   with g = dy w: dx (+)= rstd (g - h mean(g h)), of LayerNorm rstd (g - mean(g) - h mean(g h));
//              dw += dy h and db += dy, summed over the rows
//
// The rows are heads side by side in rows of a stride, as HeadNorm has them; those of the other norms have one head.
//
// A team of threads shares a row and holds it in registers from the sum over it on, so that every byte comes from
// memory once: HELD pieces each, which of bf16 is 32 bytes of each operand under way per thread, 50 to 100 kB on a
// multiprocessor, where about 30 keep an H200's memory busy. What a row has beyond, its threads read again.
// Weights are not held: all rows have them in the nearest cache.
//
// In the gradients a block goes through a run of rows and leaves the sums of its dw in a row of parts, which
// add_parts adds up. How the rows are cut, by shape alone, is the caller's choice.
// hot: rms_norm* layer_norm*
#include "piece.cuh"

enum { HELD = 2, FORWARD_THREADS = 512, GRADIENT_THREADS = 256 };

// Rows says where row i begins.
struct Rows {
	u32 count, heads, width;
	u64 stride;
};

DEVICE u64 start(const Rows &r, u32 i) { return i / r.heads * r.stride + (u64)(i % r.heads) * r.width; }

// A Team is the threads of a block that share a row: a power of two of them within a warp, or whole warps.
struct Team {
	u32 size, number, lane;
};

DEVICE Team team_of(u32 size) { return {size, threadIdx.x / size, threadIdx.x % size}; }

// team_sum leaves the sum over a team in each of its threads, in a fixed order. All threads of the block call it.
DEVICE float team_sum(const Team &t, float x) {
	__shared__ float parts[32];
	for (u32 lanes = min(t.size, 32u) / 2; lanes > 0; lanes /= 2) x += __shfl_xor_sync(0xffffffff, x, lanes);
	if (t.size <= 32) return x;
	__syncthreads();
	if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = x;
	__syncthreads();
	u32 warps = t.size / 32;
	x = 0;
	for (u32 w = t.number * warps; w < (t.number + 1) * warps; w++) x += parts[w];
	return x;
}

// A Share is a thread's part of a row: pieces that begin at the elements first, first+step and so on below width.
template <class T>
struct Share {
	const T *row;
	u32 width, first, step;
	Piece<T> held[HELD];
};

// share reads the pieces that are held; of no row, which has the width 0, they are zeros.
template <bool whole, class T>
DEVICE Share<T> share(const T *row, u32 width, const Team &t) {
	Share<T> s = {row, width, t.lane * PIECE, t.size * PIECE, {}};
#pragma unroll
	for (u32 k = 0; k < HELD; k++) {
		u32 at = s.first + k * s.step;
		if (at < width) s.held[k] = load<whole>(row + at, width - at);
	}
	return s;
}

template <bool whole, class T>
DEVICE Piece<T> rest(const Share<T> &s, u32 at) {
	return at < s.width ? load<whole>(s.row + at, s.width - at) : Piece<T>{};
}

// each calls work(x, at) for the pieces of a share.
template <bool whole, class T, class Work>
DEVICE void each(const Share<T> &x, Work work) {
#pragma unroll
	for (u32 k = 0; k < HELD; k++) {
		u32 at = x.first + k * x.step;
		if (at < x.width) work(x.held[k], at);
	}
	for (u32 at = x.first + HELD * x.step; at < x.width; at += x.step) work(rest<whole>(x, at), at);
}

// scale_row is y = (x-mean) rstd w + b of a share, without b where there is none.
template <bool whole, class T>
DEVICE void scale_row(T *y, const Share<T> &x, const float *w, const float *b, float mean, float rstd) {
	each<whole>(x, [&](const Piece<T> &p, u32 at) {
		u32 count = x.width - at;
		Piece<float> weight = load<whole>(w + at, count), bias = {};
		if (b) bias = load<whole>(b + at, count);
		float out[PIECE];
#pragma unroll
		for (int i = 0; i < PIECE; i++)
			out[i] = (element(p, i) - mean) * rstd * element(weight, i) + element(bias, i);
		store<whole>(y + at, out, count);
	});
}

template <bool whole, class T>
DEVICE float sum_of_squares(const Share<T> &x, float mean) {
	float sum = 0;
	each<whole>(x, [&](const Piece<T> &p, u32 at) {
#pragma unroll
		for (int i = 0; i < PIECE; i++) {
			float d = element(p, i) - mean;
			if (whole || (u32)i < x.width - at) sum += d * d;
		}
	});
	return sum;
}

template <bool whole, class T>
DEVICE float sum_of(const Share<T> &x) {
	float sum = 0;
	each<whole>(x, [&](const Piece<T> &p, u32) {
#pragma unroll
		for (int i = 0; i < PIECE; i++) sum += element(p, i);
	});
	return sum;
}

// norm is LayerNorm where there is a mean to be written, else RMSNorm, of one row by each team.
template <bool whole, class T>
DEVICE void norm(T *y, float *mean, float *rstd, const T *x, const float *w, const float *b, Rows rows, u32 size,
	float eps) {
	Team team = team_of(size);
	u32 i = blockIdx.x * (blockDim.x / size) + team.number;
	bool live = i < rows.count;
	u64 from = live ? start(rows, i) : 0;
	Share<T> in = share<whole>(x + from, live ? rows.width : 0, team);
	float m = mean ? team_sum(team, sum_of<whole>(in)) / rows.width : 0;
	float r = 1 / sqrtf(team_sum(team, sum_of_squares<whole>(in, m)) / rows.width + eps);
	scale_row<whole>(y + from, in, w, b, m, r);
	if (live && team.lane == 0) {
		rstd[i] = r;
		if (mean) mean[i] = m;
	}
}

template <class T>
DEVICE bool whole_rows(const Rows &r, const T *x) {
	return r.width % PIECE == 0 && r.stride % PIECE == 0 && aligned(x);
}

// y may be x.
template <class T>
DEVICE void rms_norm(T *y, float *rstd, const T *x, const float *w, Rows rows, u32 size, float eps) {
	if (whole_rows(rows, x) && aligned(y, w)) norm<true>(y, nullptr, rstd, x, w, nullptr, rows, size, eps);
	else norm<false>(y, nullptr, rstd, x, w, nullptr, rows, size, eps);
}

#define RMS_NORM(T) \
	KERNEL void __launch_bounds__(FORWARD_THREADS, 2) rms_norm_##T(real_##T *y, float *rstd, const real_##T *x, \
		const float *w, u32 count, u32 heads, u32 width, u64 stride, u32 size, float eps) { \
		rms_norm(y, rstd, x, w, {count, heads, width, stride}, size, eps); \
	} \
	REGISTER(rms_norm_##T)

template <class T>
DEVICE void layer_norm(T *y, float *mean, float *rstd, const T *x, const float *w, const float *b, Rows rows, u32 size,
	float eps) {
	if (whole_rows(rows, x) && aligned(y, w, b)) norm<true>(y, mean, rstd, x, w, b, rows, size, eps);
	else norm<false>(y, mean, rstd, x, w, b, rows, size, eps);
}

#define LAYER_NORM(T) \
	KERNEL void __launch_bounds__(FORWARD_THREADS, 2) layer_norm_##T(real_##T *y, float *mean, float *rstd, \
		const real_##T *x, const float *w, const float *b, u32 count, u32 width, u32 size, float eps) { \
		layer_norm(y, mean, rstd, x, w, b, {count, 1, width, width}, size, eps); \
	} \
	REGISTER(layer_norm_##T)

// A Gradient is the operands of a gradient; dw and db point to the block's row of parts.
template <class T>
struct Gradient {
	T *dx;
	float *dw, *db;
	const T *dy, *x;
	const float *w, *mean, *rstd;
	bool add; // to dx
};

// A Moment is what a row's gradient needs of the whole row: mean(g) and mean(g h).
struct Moment {
	float mean, rstd, g, gh;
};

template <bool whole, bool centred, class T>
DEVICE Moment moment(const Share<T> &x, const Share<T> &dy, const float *w, float mean, float rstd, const Team &team,
	u32 width) {
	float sum = 0, inner = 0;
	auto piece = [&](const Piece<T> &px, const Piece<T> &pdy, u32 at) {
		Piece<float> weight = load<whole>(w + at, x.width - at);
#pragma unroll
		for (int i = 0; i < PIECE; i++) {
			float g = element(pdy, i) * element(weight, i);
			if (centred) sum += g;
			inner += g * (element(px, i) - mean);
		}
	};
#pragma unroll
	for (u32 k = 0; k < HELD; k++) {
		u32 at = x.first + k * x.step;
		if (at < x.width) piece(x.held[k], dy.held[k], at);
	}
	for (u32 at = x.first + HELD * x.step; at < x.width; at += x.step)
		piece(rest<whole>(x, at), rest<whole>(dy, at), at);
	float g = centred ? team_sum(team, sum) / width : 0;
	return {mean, rstd, g, rstd * team_sum(team, inner) / width};
}

// learn writes a piece of dx, which is at to, and adds to the sums of its columns.
template <bool whole, bool centred, class T>
DEVICE void learn(T *to, const Piece<T> &x, const Piece<T> &dy, const Piece<T> &old, const float *w, u32 count,
	const Moment &m, float dw[PIECE], float db[PIECE]) {
	Piece<float> weight = load<whole>(w, count);
	float dx[PIECE];
#pragma unroll
	for (int i = 0; i < PIECE; i++) {
		float above = element(dy, i), h = (element(x, i) - m.mean) * m.rstd;
		dx[i] = element(old, i) + m.rstd * (above * element(weight, i) - m.g - h * m.gh);
		dw[i] += above * h;
		if (centred) db[i] += above;
	}
	store<whole>(to, dx, count);
}

// learn_rest does what a row has beyond the pieces held. The sums of those columns are in the parts themselves; a
// block has only one team then.
template <bool whole, bool centred, class T>
DEVICE void learn_rest(const Gradient<T> &g, T *to, const Share<T> &x, const Share<T> &dy, const Share<T> &old,
	const Moment &m, bool begun) {
	for (u32 at = x.first + HELD * x.step; at < x.width; at += x.step) {
		u32 count = x.width - at;
		float dw[PIECE], db[PIECE];
#pragma unroll
		for (int i = 0; i < PIECE; i++) {
			bool there = begun && (u32)i < count;
			dw[i] = there ? g.dw[at + i] : 0;
			db[i] = there && centred ? g.db[at + i] : 0;
		}
		learn<whole, centred>(to + at, rest<whole>(x, at), rest<whole>(dy, at), rest<whole>(old, at), g.w + at, count,
			m, dw, db);
		store<whole>(g.dw + at, dw, count);
		if (centred) store<whole>(g.db + at, db, count);
	}
}

// leave writes the sums of the columns over the teams of the block, in their order.
template <bool whole>
DEVICE void leave(float *part, const float (&sums)[HELD][PIECE], const Team &team, u32 width) {
	SHARED(float, of_teams); // [teams, width] where there are several
	u32 teams = blockDim.x / team.size;
	__syncthreads();
#pragma unroll
	for (u32 k = 0; k < HELD; k++) {
		u32 at = (team.lane + k * team.size) * PIECE;
		if (teams == 1 && at < width) store<whole>(part + at, sums[k], width - at);
#pragma unroll
		for (u32 i = 0; i < PIECE; i++)
			if (teams > 1 && at + i < width) of_teams[team.number * width + at + i] = sums[k][i];
	}
	__syncthreads();
	for (u32 j = threadIdx.x; teams > 1 && j < width; j += blockDim.x) {
		float sum = 0;
		for (u32 t = 0; t < teams; t++) sum += of_teams[t * width + j];
		part[j] = sum;
	}
}

// norm_grad does run rows, one by each team at a time. All teams go round equally often, for their sums' sake.
template <bool whole, bool centred, class T>
DEVICE void norm_grad(const Gradient<T> &g, const Rows &rows, u32 size, u32 run) {
	Team team = team_of(size);
	float dw[HELD][PIECE] = {}, db[HELD][PIECE] = {};
	for (u32 done = 0; done < run; done += blockDim.x / size) {
		u32 i = blockIdx.x * run + done + team.number;
		bool live = done + team.number < run && i < rows.count;
		u64 from = live ? start(rows, i) : 0;
		u32 width = live ? rows.width : 0;
		Share<T> x = share<whole>(g.x + from, width, team), dy = share<whole>(g.dy + from, width, team);
		Share<T> old = share<whole>(g.dx + from, g.add ? width : 0, team);
		float mean = centred && live ? g.mean[i] : 0, rstd = live ? g.rstd[i] : 0;
		Moment m = moment<whole, centred>(x, dy, g.w, mean, rstd, team, rows.width);
#pragma unroll
		for (u32 k = 0; k < HELD; k++) {
			u32 at = x.first + k * x.step;
			if (at >= width) continue;
			Piece<T> before = whole ? old.held[k] : rest<whole>(old, at); // what is not whole takes more registers
			learn<whole, centred>(g.dx + from + at, x.held[k], dy.held[k], before, g.w + at, width - at, m, dw[k],
				db[k]);
		}
		learn_rest<whole, centred>(g, g.dx + from, x, dy, old, m, done > 0);
	}
	leave<whole>(g.dw, dw, team, rows.width);
	if (centred) leave<whole>(g.db, db, team, rows.width);
}

template <bool centred, class T>
DEVICE void norm_grad(Gradient<T> g, const Rows &rows, u32 size, u32 run) {
	bool whole = whole_rows(rows, g.x) && aligned(g.dx, g.dy, g.w);
	g.dw += (u64)blockIdx.x * rows.width;
	g.db += (u64)blockIdx.x * rows.width;
	if (whole) norm_grad<true, centred>(g, rows, size, run);
	else norm_grad<false, centred>(g, rows, size, run);
}

// Registers bound how many blocks a multiprocessor has at once, of LayerNorm one less: as many as none of them
// spills with.
enum { blocks_f32 = 2, blocks_bf16 = 3 };

#define RMS_NORM_GRAD(T) \
	KERNEL void __launch_bounds__(GRADIENT_THREADS, blocks_##T) rms_norm_grad_##T(real_##T *dx, \
		float *parts, const real_##T *dy, const real_##T *x, const float *w, const float *rstd, u32 count, \
		u32 heads, u32 width, u64 stride, u32 size, u32 run, u32 add) { \
		Gradient<real_##T> g = {dx, parts, parts, dy, x, w, nullptr, rstd, add != 0}; \
		norm_grad<false>(g, {count, heads, width, stride}, size, run); \
	} \
	REGISTER(rms_norm_grad_##T)

#define LAYER_NORM_GRAD(T) \
	KERNEL void __launch_bounds__(GRADIENT_THREADS, blocks_##T - 1) layer_norm_grad_##T(real_##T *dx, \
		float *dw_parts, float *db_parts, const real_##T *dy, const real_##T *x, const float *w, const float *mean, \
		const float *rstd, u32 count, u32 width, u32 size, u32 run) { \
		Gradient<real_##T> g = {dx, dw_parts, db_parts, dy, x, w, mean, rstd, true}; \
		norm_grad<true>(g, {count, 1, width, width}, size, run); \
	} \
	REGISTER(layer_norm_grad_##T)

typedef float real_f32;
typedef bf16 real_bf16;

RMS_NORM(f32)
RMS_NORM(bf16)
LAYER_NORM(f32)
LAYER_NORM(bf16)
RMS_NORM_GRAD(f32)
RMS_NORM_GRAD(bf16)
LAYER_NORM_GRAD(f32)
LAYER_NORM_GRAD(bf16)

// add_parts is out[j] += the sum over parts [count,width] of column j. A block has 32 columns and 16 groups, of which
// each adds up every sixteenth row, so that a column's rows do not wait for one another.
KERNEL void add_parts(float *out, const float *parts, u32 count, u32 width) {
	const u32 GROUPS = 16;
	__shared__ float sums[GROUPS][32];
	u32 column = blockIdx.x * 32 + threadIdx.x % 32, group = threadIdx.x / 32;
	float sum = 0;
	if (column < width) {
#pragma unroll 8
		for (u32 i = group; i < count; i += GROUPS) sum += parts[(u64)i * width + column];
	}
	sums[group][threadIdx.x % 32] = sum;
	__syncthreads();
	if (group > 0 || column >= width) return;
	for (u32 g = 1; g < GROUPS; g++) sum += sums[g][threadIdx.x];
	out[column] += sum;
}
REGISTER(add_parts)
