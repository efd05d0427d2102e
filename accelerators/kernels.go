package accelerators

// Kernels is the work list of a device. Shapes follow the names: T tokens (all sequences of a batch one after the other), C
// model width, H query heads, G key-value heads, D head width, F inner width, V vocabulary. Matrices are row-major and dense
// unless a stride is named. Every call is enqueued on the device's stream; errors are sticky and come out of Sync. Gradient
// kernels add to their d* destinations where the comment says "+=", and overwrite them otherwise. No result depends on the
// number of threads.
//
// Types: indices are I32, and every kernel works on F32. On a device that HoldsBF16 activations and their gradients may be
// BF16 instead: what one call has of x, y, out, a, b, q, k, v, cache, hidden, dx, dy, dout, dq, dk, dv and dhidden is then
// all BF16. That is so for all kernels but those of the optimizer, PackNF4, Dot, SquaredNorm and Sample. Besides:
//
//   - MatMul: with Compute BF16 each of A, B and C is F32 or BF16 as it comes; with Compute F32 all three are F32.
//   - Attention, its gradient and the head have Compute BF16 when their activations are BF16.
//   - The head's weight has the type of hidden. The table of Embed is F32, or BF16 where out is.
//   - Always F32 are weights and biases of norms, AddBias's bias, gradients of parameters (dw, db, dbias, dtable, dweight),
//     rstd, mean, lse, nll, dnll, cos, sin and logits.
//
// A kernel computes on BF16 as if its operands had been widened: sums, statistics and functions are F32, and each element
// of a result is rounded once, to the nearest even, when it is stored; "+=" reads the element, adds in F32 and rounds. What
// goes into a product within a kernel (probabilities, their gradients, those of logits) may be rounded before it. Windows
// begin at any element; where the engine asks for speed they begin on a boundary of 32 bytes, or at a column that is a
// multiple of the head's width. Types that do not go together are an error, like shapes that do not.
type Kernels interface {
	// Embed: out[t,:] = table[ids[t],:]. EmbedGrad: dtable[ids[t],:] += dout[t,:], in order of t. Ids out of range are an error.
	Embed(out, table, ids Buffer, width int)
	EmbedGrad(dtable, dout, ids Buffer, width int)

	// MatMul: C = alpha*op(A) op(B) + beta*C. A C that shares elements with A or B is an error; with Beta 0 it is not read.
	MatMul(c, a, b Buffer, s MatMul)
	// AddBias: y[t,:] += bias. BiasGrad: dbias += column sums of dy.
	AddBias(y, bias Buffer, width int)
	BiasGrad(dbias, dy Buffer, width int)

	// RMSNorm: y = x * rstd * w, rstd[t] = 1/sqrt(mean(x[t]^2)+eps) is kept for the gradient (Zhang and Sennrich 2019).
	RMSNorm(y, rstd, x, w Buffer, width int, eps float32)
	// RMSNormGrad: dx += ..., dw += ....
	RMSNormGrad(dx, dw, dy, x, w, rstd Buffer, width int)
	// HeadNorm is RMSNorm of each of the heads in the rows of x, all with the weights w [D]; y has x's layout, rstd is
	// [T,Heads].
	HeadNorm(y, rstd, x, w Buffer, s HeadNorm)
	// HeadNormGrad overwrites the heads of dx, which has x's layout as dy has; dw += ....
	HeadNormGrad(dx, dw, dy, x, w, rstd Buffer, s HeadNorm)
	// LayerNorm: y = (x-mean)*rstd*w + b, population variance (Ba et al. 2016).
	LayerNorm(y, mean, rstd, x, w, b Buffer, width int, eps float32)
	// LayerNormGrad: dx += ..., dw += ..., db += ....
	LayerNormGrad(dx, dw, db, dy, x, w, mean, rstd Buffer, width int)

	// RoPE rotates in place each head of x[t] (row stride given in s) by its position: pairs (i, i+D/2), angles from the tables
	// cos and sin [positions, D/2]. Inverse rotates back, which is the gradient (Su et al. 2021).
	RoPE(x, cos, sin, positions Buffer, s RoPE)

	// Attention: out and lse [T,H] of softmax(scale * q k^T + mask) v over packed sequences; never materialises T x T.
	// AttentionGrad overwrites dq, dk, dv and recomputes the scores from lse.
	Attention(out, lse, q, k, v Buffer, s Attention)
	AttentionGrad(dq, dk, dv, dout, out, lse, q, k, v Buffer, s Attention)
	// AttentionDecode attends queries (q [N,H*D]) to cached keys and values: cache is [Pages, 2, PageSize, G*D], of each page
	// the keys, then the values. Used by generation only.
	AttentionDecode(out, q, cache Buffer, s AttentionDecode)

	// SwiGLU: y[t,f] = silu(x[t,f]) * x[t,F+f] for x [T,2F] (Shazeer 2020). SwiGLUGrad overwrites dx.
	SwiGLU(y, x Buffer, inner int)
	SwiGLUGrad(dx, dy, x Buffer, inner int)
	// GELU is the exact form, 0.5x(1+erf(x/sqrt 2)). GELUGrad overwrites dx.
	GELU(y, x Buffer)
	GELUGrad(dx, dy, x Buffer)
	// GELUTanh is the approximation 0.5x(1+tanh(sqrt(2/pi)(x+0.044715x^3))) (Hendrycks and Gimpel 2016). GELUTanhGrad
	// overwrites dx.
	GELUTanh(y, x Buffer)
	GELUTanhGrad(dx, dy, x Buffer)
	// GeGLU: y[t,f] = GELUTanh(x[t,f]) * x[t,F+f] for x [T,2F] (Shazeer 2020). GeGLUGrad overwrites dx.
	GeGLU(y, x Buffer, inner int)
	GeGLUGrad(dx, dy, x Buffer, inner int)
	// Tanh: y = tanh(x). TanhGrad overwrites dx from the output y.
	Tanh(y, x Buffer)
	TanhGrad(dx, dy, y Buffer)

	// HeadLoss is the language-model head with cross-entropy: nll[t] = lse[t] - logit[t,target[t]] with logits = hidden
	// * weight^T. A target of -1 gives 0. logits is workspace for at least one row of V, used as the device likes; as
	// many rows as fit are computed at a time, so that the logits [T,V] never exist whole. HeadLossGrad recomputes
	// them; dnll[t] is the gradient of each nll: dhidden overwritten, dweight +=. HeadLearn is both for a dnll that is
	// known beforehand, the logits computed once.
	HeadLoss(nll, lse, hidden, weight, targets, logits Buffer, s Head)
	HeadLossGrad(dhidden, dweight, dnll, hidden, weight, targets, lse, logits Buffer, s Head)
	HeadLearn(nll, dhidden, dweight, dnll, hidden, weight, targets, logits Buffer, s Head)

	// Gather: out[i,:] = x[rows[i],:]. GatherGrad: dx[rows[i],:] += dout[i,:], in order of i.
	Gather(out, x, rows Buffer, width int)
	GatherGrad(dx, dout, rows Buffer, width int)

	// Axpy: y += alpha * x. Scale: x *= alpha. Add: out = a + b. Mul: out = a * b.
	Axpy(y, x Buffer, alpha float32)
	Scale(x Buffer, alpha float32)
	Add(out, a, b Buffer)
	Mul(out, a, b Buffer)
	// Dot: out[0] = sum(a*b); SquaredNorm: out[0] = sum(x^2). Both accumulate in at least double-f32 precision in a fixed order.
	Dot(out, a, b Buffer)
	SquaredNorm(out, x Buffer)

	// AdamW is one step of Adam with decoupled weight decay (Loshchilov and Hutter 2019) on flat buffers. It does nothing
	// when the norm that it clips by is not finite.
	AdamW(param, grad, m, v Buffer, s AdamW)
	// AdamWBF16 is the same with moments in bfloat16, two to an element of m and v (I32). They are rounded up or down at
	// random, by s.Seed, s.Step and the element's number alone, so that on average nothing is lost.
	AdamWBF16(param, grad, m, v Buffer, s AdamW)
	// AdamW8Bit is the same with moments in eight bits, the first with a sign, the second without (Dettmers et al. 2022). They
	// are rounded to the nearest, the second never to zero unless its whole block is.
	AdamW8Bit(param, grad Buffer, m, v Dynamic8, s AdamW)

	// PackNF4 holds the weights x in 4 bits each: every block by its own largest magnitude, and the level that is nearest, of
	// two the lower; then the scales likewise. packed has NF4Words of x.Len elements (i32), laid out as the device likes.
	PackNF4(packed, x Buffer)
	// UnpackNF4: out = weights of packed, which holds of, from number from on, a multiple of NF4Unit. out may be BF16.
	UnpackNF4(out, packed Buffer, of, from int)

	// Sample draws one id for each row of logits [N,V], by a draw each, which may be reused on return.
	Sample(ids, logits Buffer, vocab int, draws []Draw)

	// Together calls work, whose kernel calls form a unit that is likely to come again with the same buffers and shapes: the
	// pass of a decoding step, a micro-batch of a small model. A device may collect them and run them as one by the time
	// that Together returns, or that an upload, a download or Sync within it needs them. Units do not nest.
	Together(work func())
}

// MatMul describes C[M,N] = alpha*op(A)[M,K] op(B)[K,N] + beta*C. A is [M,K], or [K,M] when TransA; B is [K,N], or [N,K] when
// TransB. Strides (elements between rows as stored) of 0 mean dense. K is summed in a fixed order.
type MatMul struct {
	M, N, K                   int
	TransA, TransB            bool
	StrideA, StrideB, StrideC int
	Alpha, Beta               float32
	Compute                   DType // BF16 rounds A and B to bfloat16, to nearest even; sums stay f32
}

// HeadNorm describes Heads heads of width Dim side by side in Tokens rows that are Stride elements apart.
type HeadNorm struct {
	Tokens, Heads, Dim, Stride int
	Eps                        float32
}

// RoPE describes a rotation: Heads heads of width Dim side by side in rows of Stride elements.
type RoPE struct {
	Heads, Dim, Stride int
	Inverse            bool
}

// Attention describes packed self-attention. Offsets [Sequences+1] (i32, on the device) are the first tokens of the sequences,
// ending with T. Rows of q, k and v are Stride* elements apart, those of out, dout dense (H*D). Window > 0 limits how far back
// a token sees, itself included. MaxLen is the longest sequence.
type Attention struct {
	Tokens, Heads, KVHeads, HeadDim int
	StrideQ, StrideK, StrideV       int
	Offsets                         Buffer
	Sequences, MaxLen               int
	Causal                          bool
	Window                          int
	Scale                           float32
	Cap                             float32 // > 0 bends each score to Cap*tanh(score/Cap)
	Compute                         DType   // of its products, as in MatMul; softmax and sums stay f32
}

// AttentionDecode describes attention of N queries to a cache in pages. The positions of sequence s lie on the pages
// Table[s,0], Table[s,1] and so on, PageSize on each; Table is [Sequences, Columns], and entries that no query reaches must
// be pages too. Query n is the last of the first Lengths[n] positions of sequence Owners[n], and sees the last Window of
// them, or all when Window is 0. Table, Owners and Lengths are i32, on the device.
type AttentionDecode struct {
	Queries, Heads, KVHeads, HeadDim    int
	Pages, PageSize, Sequences, Columns int
	Table, Owners, Lengths              Buffer
	Window                              int
	Scale, Cap                          float32
}

// Head describes the language-model head. Cap > 0 bends each logit to Cap*tanh(logit/Cap).
type Head struct {
	Tokens, Width, Vocab int
	Cap                  float32
	Compute              DType // of its matrix products, as in MatMul
}

// AdamW holds the constants of one optimizer step; Step counts from 1. Squared, one element on the device, is the squared
// norm of the whole gradient: where it is present and MaxNorm is not 0, the gradient is first multiplied with
// min(1, MaxNorm/sqrt(Squared)), computed in float64 and rounded to float32.
type AdamW struct {
	LR, Beta1, Beta2, Eps, WeightDecay float32
	Squared                            Buffer
	MaxNorm                            float64
	Step                               int
	Seed                               uint64 // of AdamWBF16's random numbers
}

// Dynamic8 is numbers in eight bits, block by block: a code, four to an element of Codes (I32), is a share of the largest
// magnitude in its block of Dynamic8Block numbers, which is in Scales (F32). The leading one of a code is the share's power of
// ten, what follows it the place within [0.1, 1) of that. Numbers with a sign have it in the code's highest bit. The code 1 of
// numbers without a sign, and 128 of those with one, is the whole scale (Dettmers 2016, dynamic tree quantization).
type Dynamic8 struct{ Codes, Scales Buffer }

// Dynamic8Block is how many numbers share a scale.
const Dynamic8Block = 256

// A Draw takes an id from a row of logits: the largest when Temperature is 0, else one from the softmax at that temperature
// cut to the TopK largest and the TopP mass, where these are not 0, by the number at Counter of the stream of Seed.
type Draw struct {
	Temperature   float32
	TopK          int
	TopP          float32
	Seed, Counter uint64
}
