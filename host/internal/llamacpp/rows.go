package llamacpp

import "strings"

// Rotary pairs of a head of a query or key are half a head apart in Hugging Face's files, (i, i+half), and neighbours in
// those of llama.cpp's llama: rows of their matrices and elements of their biases change places.

// interleaved returns rows, of so many values each, in llama.cpp's order.
func interleaved(rows []float32, heads, cols int) []float32 {
	out := make([]float32, len(rows))
	eachPair(len(rows)/heads/cols, heads, func(apart, beside int) {
		copy(out[beside*cols:(beside+1)*cols], rows[apart*cols:])
	})
	return out
}

// apart is the inverse of interleaved.
func apart(rows []float32, heads, cols int) []float32 {
	out := make([]float32, len(rows))
	eachPair(len(rows)/heads/cols, heads, func(apart, beside int) {
		copy(out[apart*cols:(apart+1)*cols], rows[beside*cols:])
	})
	return out
}

// eachPair calls f with every row's place in either order, for heads of so many rows.
func eachPair(dim, heads int, f func(apart, beside int)) {
	for head := range heads {
		for i := range dim / 2 {
			at := head * dim
			f(at+i, at+2*i)
			f(at+dim/2+i, at+2*i+1)
		}
	}
}

// headsOf is the number of heads whose rows a tensor has in llama.cpp's order; 0 is none.
func (a architecture) headsOf(name string, query, kv int) int {
	switch {
	case !a.interleaved:
		return 0
	case strings.Contains(name, ".attn_q."):
		return query
	case strings.Contains(name, ".attn_k."):
		return kv
	}
	return 0
}
