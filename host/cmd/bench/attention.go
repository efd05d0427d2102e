package main

import (
	"fmt"
	"math"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/accelerators/cpu"
)

// attention measures forward and backward pass of causal attention in f32, one sequence, 12 heads of 64.
func attention(b *bench) (report, error) {
	torch, err := b.pythonPeer("pytorch.py")
	if err != nil {
		return report{}, err
	}
	dev, err := cpu.New(2)
	if err != nil {
		return report{}, err
	}
	defer dev.Close()
	t := table{{"T", "ours", "PyTorch SDPA", "ratio"}}
	least := math.Inf(1)
	for _, length := range []int{256, 512, 1024, 2048, 4096} {
		s := shape{Width: 768, Heads: 12, Length: length, Batch: 1}
		h, err := newHeads(dev, s)
		if err != nil {
			return report{}, err
		}
		sdpa := torch.side("PyTorch", request{Op: "sdpa", Threads: 2, shape: &s})
		we, they, err := b.duel(ours("ours", h.both), sdpa, false)
		h.free()
		if err != nil {
			return report{}, err
		}
		t.row(fmt.Sprint(length), we.rate(h.flops()/1e9), they.rate(h.flops()/1e9), number(we.over(they)))
		least = min(least, we.over(they))
	}
	return report{"GFLOP/s of the causal half, forward and backward, best (median), 2 threads, f32.\n\n" + t.String(),
		[]figure{{workAttention, "minimum " + number(least), least >= 1.3}}}, torch.forget()
}

// heads is attention alone, on buffers of its own.
type heads struct {
	dev  accelerators.Device
	s    accelerators.Attention
	x    []accelerators.Buffer
	free func()
}

func newHeads(dev accelerators.Device, s shape) (*heads, error) {
	wide := s.tokens() * s.Width
	x, free, err := buffers(dev, 3*wide, 3*wide, wide, wide, s.tokens()*s.Heads)
	if err != nil {
		return nil, err
	}
	bounds := s.offsets()
	offsets, err := dev.Alloc(accelerators.I32, len(bounds))
	if err != nil {
		return nil, err
	}
	dev.UploadI32(offsets, bounds)
	dim := s.Width / s.Heads
	return &heads{dev, accelerators.Attention{
		Tokens: s.tokens(), Heads: s.Heads, KVHeads: s.Heads, HeadDim: dim, Offsets: offsets,
		StrideQ: 3 * s.Width, StrideK: 3 * s.Width, StrideV: 3 * s.Width,
		Sequences: s.Batch, MaxLen: s.Length, Causal: true, Scale: float32(1 / math.Sqrt(float64(dim))),
	}, x, func() { free(); dev.Free(offsets) }}, nil
}

// both is one forward and one backward pass.
func (h *heads) both() error {
	split := func(x accelerators.Buffer) (q, k, v accelerators.Buffer) {
		w := h.s.Heads * h.s.HeadDim
		return x.Slice(0, x.Len), x.Slice(w, x.Len-w), x.Slice(2*w, x.Len-2*w)
	}
	out, dout, lse := h.x[2], h.x[3], h.x[4]
	q, k, v := split(h.x[0])
	dq, dk, dv := split(h.x[1])
	h.dev.Attention(out, lse, q, k, v, h.s)
	h.dev.AttentionGrad(dq, dk, dv, dout, out, lse, q, k, v, h.s)
	return h.dev.Sync()
}

// flops are seven products of the causal half: two forward, five backward.
func (h *heads) flops() float64 {
	half := float64(h.s.Tokens) * float64(h.s.MaxLen) * float64(h.s.Heads*h.s.HeadDim)
	return 7 * half
}
