package train

import (
	"cmp"
	"encoding/binary"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/host/internal/checkpoint"
	"github.com/carebot-llm/carebot/host/internal/tensor"
)

// Moments are AdamW's two moments of neighbouring weights, in one representation.
type moments interface {
	// step updates the weights, which begin at number off of those that there are moments of, and their moments.
	step(dev accelerators.Device, param, grad accelerators.Buffer, off int, s accelerators.AdamW)
	// parts are all buffers; those that could not be allocated are absent.
	parts() []part
}

// A representation makes the moments of n weights.
type representation func(dev accelerators.Device, n int) (moments, error)

// compact are the representations for matrices. Those of norms and biases are few, and those of embeddings are of rows that
// are seldom learned; they are float32 always.
var compact = map[string]representation{"adamw_bf16": newBF16Moments, "adamw_8bit": newBlockMoments}

// States are the moments of groups of parameters, one after the other.
type states struct {
	groups  []tensor.Group
	moments moments
}

// newStates returns what it has when it fails.
func newStates(dev accelerators.Device, params *tensor.ParamSet, optimizer string) ([]states, error) {
	var all []states
	for _, s := range divided(params.Groups(), optimizer) {
		m, err := s.make(dev, length(s.groups))
		all = append(all, states{s.groups, m})
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

// A division is groups with one representation.
type division struct {
	groups []tensor.Group
	make   representation
}

func divided(groups []tensor.Group, optimizer string) []division {
	smaller := compact[optimizer]
	if smaller == nil {
		return []division{{groups, newFloatMoments}}
	}
	var all []division
	for _, g := range groups {
		one := division{[]tensor.Group{g}, newFloatMoments}
		if g.Decay {
			one.make = smaller
		}
		all = append(all, one)
	}
	return all
}

func length(groups []tensor.Group) (n int) {
	for _, g := range groups {
		n += g.Len
	}
	return n
}

// named is the optimizer of a recipe, or of none.
func named(optimizer string) string { return cmp.Or(optimizer, "adamw") }

// A part is a buffer of moments, and how a checkpoint keeps it.
type part struct {
	name, dtype string
	accelerators.Buffer
}

// download is the part as a checkpoint keeps it: integers are words of smaller values.
func (p part) download(dev accelerators.Device) (checkpoint.Tensor, error) {
	t := checkpoint.Tensor{Name: p.name, DType: p.dtype, Shape: []int{p.values()}}
	if p.Type == accelerators.F32 {
		t.Data = make([]float32, p.Len)
		return t, dev.DownloadF32(t.Data, p.Buffer)
	}
	words := make([]int32, p.Len)
	err := dev.DownloadI32(words, p.Buffer)
	t.Raw = make([]byte, 0, 4*len(words))
	for _, w := range words {
		t.Raw = binary.LittleEndian.AppendUint32(t.Raw, uint32(w))
	}
	return t, err
}

func (p part) upload(dev accelerators.Device, from *checkpoint.Tensors) error {
	if p.Type == accelerators.F32 {
		return from.Upload(p.name, dev, p.Buffer)
	}
	raw, words := make([]byte, 4*p.Len), make([]int32, p.Len)
	if err := from.ReadRaw(p.name, p.dtype, raw); err != nil {
		return err
	}
	for i := range words {
		words[i] = int32(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	dev.UploadI32(p.Buffer, words)
	return nil
}

// values is how many there are of the checkpoint's type.
func (p part) values() int { return p.Len * 4 / map[string]int{"F32": 4, "BF16": 2, "U8": 1}[p.dtype] }

// buffers allocates one after the other until one fails.
type buffers struct {
	dev accelerators.Device
	err error
}

func (b *buffers) alloc(t accelerators.DType, n int) accelerators.Buffer {
	if b.err != nil {
		return accelerators.Buffer{}
	}
	var x accelerators.Buffer
	x, b.err = b.dev.Alloc(t, n)
	return x
}

// floatMoments are float32.
type floatMoments struct{ m, v accelerators.Buffer }

func newFloatMoments(dev accelerators.Device, n int) (moments, error) {
	b := buffers{dev: dev}
	return floatMoments{b.alloc(accelerators.F32, n), b.alloc(accelerators.F32, n)}, b.err
}

func (f floatMoments) step(dev accelerators.Device, param, grad accelerators.Buffer, off int, s accelerators.AdamW) {
	dev.AdamW(param, grad, f.m.Slice(off, param.Len), f.v.Slice(off, param.Len), s)
}

func (f floatMoments) parts() []part {
	return []part{{"exp_avg", "F32", f.m}, {"exp_avg_sq", "F32", f.v}}
}

// bf16Moments are bfloat16, rounded at random: rounded to the nearest, a second moment of a beta2 of 0.999 would never fall,
// as what a step takes from it is less than half of its last bit.
type bf16Moments struct{ m, v accelerators.Buffer }

func newBF16Moments(dev accelerators.Device, n int) (moments, error) {
	b := buffers{dev: dev}
	return bf16Moments{b.alloc(accelerators.I32, (n+1)/2), b.alloc(accelerators.I32, (n+1)/2)}, b.err
}

func (h bf16Moments) step(dev accelerators.Device, param, grad accelerators.Buffer, _ int, s accelerators.AdamW) {
	dev.AdamWBF16(param, grad, h.m, h.v, s)
}

func (h bf16Moments) parts() []part {
	return []part{{"exp_avg.bf16", "BF16", h.m}, {"exp_avg_sq.bf16", "BF16", h.v}}
}

// blockMoments are codes of 8 bits with a scale for each block.
type blockMoments struct{ m, v accelerators.Dynamic8 }

func newBlockMoments(dev accelerators.Device, n int) (moments, error) {
	b, blocks := buffers{dev: dev}, (n+accelerators.Dynamic8Block-1)/accelerators.Dynamic8Block
	one := func() accelerators.Dynamic8 {
		return accelerators.Dynamic8{Codes: b.alloc(accelerators.I32, (n+3)/4), Scales: b.alloc(accelerators.F32, blocks)}
	}
	return blockMoments{one(), one()}, b.err
}

func (q blockMoments) step(dev accelerators.Device, param, grad accelerators.Buffer, _ int, s accelerators.AdamW) {
	dev.AdamW8Bit(param, grad, q.m, q.v, s)
}

func (q blockMoments) parts() []part {
	return []part{
		{"exp_avg.codes", "U8", q.m.Codes}, {"exp_avg.scales", "F32", q.m.Scales},
		{"exp_avg_sq.codes", "U8", q.v.Codes}, {"exp_avg_sq.scales", "F32", q.v.Scales},
	}
}
