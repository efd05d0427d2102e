package tensor

import (
	"fmt"
	"strings"

	"github.com/carebot-llm/carebot/accelerators"
)

// A Param is one weight, a window into the flat buffers of its ParamSet. Grad is absent in a frozen set.
type Param struct {
	Name  string
	Shape []int
	Grad  accelerators.Buffer
	Decay bool // whether weight decay applies: to matrices, not to norms, biases and embeddings
	Off   int  // first element within the flat buffers

	set    *ParamSet
	value  accelerators.Buffer
	half   accelerators.Buffer // the same in bf16, or in place of it
	behind bool                // half lacks what was written to value
	packed []*Packed           // in place of both
	stale  bool                // Grad holds what it did before ZeroGrad: the first to reach it overwrites it
}

// Size is the number of elements.
func (p *Param) Size() int {
	n := 1
	for _, d := range p.Shape {
		n *= d
	}
	return n
}

func (p *Param) String() string {
	return p.Name + " " + strings.ReplaceAll(fmt.Sprint(p.Shape), " ", ",")
}

// Value is the weights, to be read; absent where they are packed. They are F32 unless the set is FrozenBF16.
func (p *Param) Value() accelerators.Buffer {
	if p.value.Present() {
		return p.value
	}
	return p.half
}

// Update is Value to be written, before a tape next reads it.
func (p *Param) Update() accelerators.Buffer {
	p.behind = true
	return p.Value()
}

// inBF16 is the weights as products on bf16 read them: a copy, made when it is first asked for and renewed after
// Update. Parameters with weight decay, which are matrices of products, have theirs together.
func (p *Param) inBF16(dev accelerators.Device) (b accelerators.Buffer, err error) {
	switch {
	case !p.value.Present():
	case p.Decay:
		err = p.set.copyDecayed(dev, p)
	default:
		if !p.half.Present() {
			p.half, err = dev.Alloc(accelerators.BF16, p.Size())
			p.behind = true
		}
		if err == nil && p.behind {
			dev.Copy(p.half, p.value)
		}
	}
	if err == nil {
		p.behind = false
	}
	return p.half, err
}

// copyDecayed makes and renews the copies of all parameters with weight decay at once, where p lacks its own.
func (s *ParamSet) copyDecayed(dev accelerators.Device, p *Param) (err error) {
	g := s.groups[0] // which comes first
	if !s.copies.Present() {
		if s.copies, err = dev.Alloc(accelerators.BF16, g.Len); err != nil {
			return err
		}
		p.behind = true
	}
	if !p.behind {
		return nil
	}
	dev.Copy(s.copies, s.value.Slice(g.Off, g.Len))
	for _, p := range s.params {
		if p.Decay && p.value.Present() {
			p.half, p.behind = s.copies.Slice(p.Off-g.Off, p.Size()), false
		}
	}
	return nil
}

// ReserveBF16 makes the copies in BF16 that another set of the same parameters has, so that none is missing room for
// later.
func (s *ParamSet) ReserveBF16(dev accelerators.Device, like *ParamSet) error {
	for i, p := range like.params {
		if !p.half.Present() {
			continue
		}
		if _, err := s.params[i].inBF16(dev); err != nil {
			return fmt.Errorf("allocate %v in bf16: %w", p, err)
		}
	}
	return nil
}

// factor is w as the tape's products read it.
func (t *Tape) factor(w *Param) (b accelerators.Buffer) {
	var err error
	switch {
	case t.err != nil:
	case t.kind() == accelerators.F32 && w.value.Present():
		b = w.value
	case t.kind() == accelerators.F32:
		t.refuse("%v is held in bf16, and the tape computes in f32", w)
	default:
		if b, err = w.inBF16(t.dev); err != nil {
			t.refuse("allocate %v in bf16: %w", w, err)
		}
	}
	return b
}

func (p *Param) frozen() bool { return !p.Grad.Present() }

// renew says whether Grad is to be overwritten, by the caller, who thereby makes it good.
func (p *Param) renew() bool {
	stale := p.stale
	p.stale = false
	return stale
}

func (p *Param) isMatrix(cols int) bool { return len(p.Shape) == 2 && p.Shape[1] == cols }

func (p *Param) isVector(n int) bool { return len(p.Shape) == 1 && p.Shape[0] == n }

// A ParamSet is the weights of a model in one allocation, and their gradients in another of the same layout: parameters
// with weight decay first, then the others, so that an optimizer step is one call for each group. Between parameters
// there may be padding, which is zero and stays zero.
type ParamSet struct {
	Grad accelerators.Buffer // absent in a frozen set

	value  accelerators.Buffer
	half   accelerators.Buffer // of matrices in a FrozenBF16 set
	copies accelerators.Buffer // in BF16, of the parameters with weight decay; absent until one is asked for
	words  accelerators.Buffer // of packed tensors; absent where there are none
	params []*Param
	names  map[string]bool
	groups []Group
	placed bool
}

// Storage says what memory a set takes.
type Storage int

const (
	Trained    Storage = iota // weights and gradients
	Frozen                    // weights alone
	FrozenBF16                // weights alone, matrices in BF16, for tapes whose activations are
)

// A Group is a range of the flat buffers under one rule of weight decay.
type Group struct {
	Off, Len int
	Decay    bool
}

// Add declares a parameter; it has storage after Alloc. Names must differ.
func (s *ParamSet) Add(name string, shape []int, decay bool) *Param {
	if s.placed || s.names[name] {
		panic(fmt.Sprintf("tensor: parameter %s is added twice, or after Alloc", name))
	}
	if s.names == nil {
		s.names = map[string]bool{}
	}
	s.names[name] = true
	p := &Param{Name: name, Shape: shape, Decay: decay, set: s}
	s.params = append(s.params, p)
	return p
}

// Alloc gives all parameters zeroed storage on the device.
func (s *ParamSet) Alloc(dev accelerators.Device, storage Storage) error {
	floats, halves := s.layout(storage)
	for _, part := range []struct {
		of   *accelerators.Buffer
		kind accelerators.DType
		n    int
		name string
	}{
		{&s.value, accelerators.F32, floats, "weights"},
		{&s.half, accelerators.BF16, halves, "weights"},
		{&s.words, accelerators.I32, s.packedLen(), "words of packed weights"},
		{&s.Grad, accelerators.F32, gradients(storage, floats), "gradients"},
	} {
		if part.n == 0 {
			continue
		}
		var err error
		if *part.of, err = dev.Alloc(part.kind, part.n); err != nil {
			s.Free(dev)
			return fmt.Errorf("allocate %d %s in %v: %w", part.n, part.name, part.kind, err)
		}
	}
	s.place(storage)
	return nil
}

func gradients(storage Storage, weights int) int {
	if storage == Trained {
		return weights
	}
	return 0
}

// place gives the parameters their windows.
func (s *ParamSet) place(storage Storage) {
	s.placePacked()
	for _, p := range s.params {
		switch {
		case len(p.packed) > 0:
		case p.narrow(storage):
			p.half = s.half.Slice(p.Off, p.Size())
		default:
			p.value = s.value.Slice(p.Off, p.Size())
		}
		if storage == Trained {
			p.Grad = s.Grad.Slice(p.Off, p.Size())
		}
	}
	s.placed = true
}

// narrow says whether a parameter is held in BF16 alone.
func (p *Param) narrow(storage Storage) bool { return storage == FrozenBF16 && len(p.Shape) == 2 }

// layout places the parameters and returns the lengths of the flat buffers.
func (s *ParamSet) layout(storage Storage) (floats, halves int) {
	for _, decay := range []bool{true, false} {
		start := floats
		for _, p := range s.params {
			if p.Decay != decay || len(p.packed) > 0 {
				continue
			}
			end := &floats
			if p.narrow(storage) {
				end = &halves
			}
			p.Off = *end
			*end += aligned(p.Size())
		}
		if floats > start {
			s.groups = append(s.groups, Group{Off: start, Len: floats - start, Decay: decay})
		}
	}
	return floats, halves
}

// All lists the parameters in the order in which they were added.
func (s *ParamSet) All() []*Param { return s.params }

// Groups are the ranges of the flat buffers that share a rule of weight decay; together they cover all of it.
func (s *ParamSet) Groups() []Group { return s.groups }

// Value is the weights in F32, to be read.
func (s *ParamSet) Value() accelerators.Buffer { return s.value }

// Update is Value to be written, before a tape next reads it.
func (s *ParamSet) Update() accelerators.Buffer {
	for _, p := range s.params {
		p.behind = true
	}
	return s.value
}

// Count is the length of the flat buffers: all weights, with the padding between them. It is 0 before Alloc.
func (s *ParamSet) Count() int { return s.value.Len }

// Bytes is the memory of all weights, packed ones and copies in BF16 included, as far as there are some yet.
func (s *ParamSet) Bytes() int64 {
	n := bytesOf(accelerators.F32, s.value.Len) + bytesOf(accelerators.I32, s.words.Len)
	for _, p := range s.params {
		n += bytesOf(accelerators.BF16, p.half.Len)
	}
	return n
}

// ZeroGrad clears all gradients. Those of matrices, which are most of the memory and come from products that can as well
// overwrite as add, are only marked: they are right again after the next Backward of a tape that uses the set.
func (s *ParamSet) ZeroGrad(dev accelerators.Device) {
	for _, g := range s.groups {
		if !g.Decay {
			dev.Fill(s.Grad.Slice(g.Off, g.Len), 0)
		}
	}
	for _, p := range s.params {
		p.stale = p.Decay && !p.frozen()
	}
}

// settle clears the marked gradients that nothing has reached.
func (s *ParamSet) settle(dev accelerators.Device) {
	for _, p := range s.params {
		if p.renew() {
			dev.Fill(p.Grad, 0)
		}
	}
}

// Free returns the storage to the device; the parameters are unusable afterwards.
func (s *ParamSet) Free(dev accelerators.Device) {
	for _, p := range s.params {
		if p.half.Present() && p.value.Present() && !p.Decay {
			dev.Free(p.half)
		}
		p.half = accelerators.Buffer{}
	}
	for _, b := range []*accelerators.Buffer{&s.value, &s.half, &s.copies, &s.Grad, &s.words} {
		if b.Present() {
			dev.Free(*b)
		}
		*b = accelerators.Buffer{}
	}
}
