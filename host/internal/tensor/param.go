package tensor

import (
	"fmt"
	"strings"

	"github.com/carebot-llm/carebot/accelerators"
)

// A Param is one weight, a window into the flat buffers of its ParamSet. Grad is absent in a frozen set, Value where the
// weight is packed.
type Param struct {
	Name  string
	Shape []int
	Value accelerators.Buffer
	Grad  accelerators.Buffer
	Decay bool // whether weight decay applies: to matrices, not to norms, biases and embeddings
	Off   int  // first element within the flat buffers

	set    *ParamSet
	packed []*Packed // in place of Value
	stale  bool      // Grad holds what it did before ZeroGrad: the first to reach it overwrites it
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
	Value accelerators.Buffer
	Grad  accelerators.Buffer // absent in a frozen set

	words  accelerators.Buffer // of packed tensors; absent where there are none
	params []*Param
	names  map[string]bool
	groups []Group
}

// A Group is a range of the flat buffers under one rule of weight decay.
type Group struct {
	Off, Len int
	Decay    bool
}

// Add declares a parameter; it has storage after Alloc. Names must differ.
func (s *ParamSet) Add(name string, shape []int, decay bool) *Param {
	if s.Value.Present() || s.names[name] {
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

// Alloc gives all parameters zeroed storage on the device, and gradients unless the set is to be frozen.
func (s *ParamSet) Alloc(dev accelerators.Device, frozen bool) error {
	n := s.layout()
	var err error
	if s.Value, err = dev.Alloc(accelerators.F32, n); err != nil {
		return fmt.Errorf("allocate %d weights: %w", n, err)
	}
	if !frozen {
		if s.Grad, err = dev.Alloc(accelerators.F32, n); err != nil {
			s.Free(dev)
			return fmt.Errorf("allocate %d gradients: %w", n, err)
		}
	}
	if words := s.packedLen(); words > 0 {
		if s.words, err = dev.Alloc(accelerators.I32, words); err != nil {
			s.Free(dev)
			return fmt.Errorf("allocate %d words of packed weights: %w", words, err)
		}
	}
	s.place(frozen)
	return nil
}

// place gives the parameters their windows.
func (s *ParamSet) place(frozen bool) {
	s.placePacked()
	for _, p := range s.params {
		if len(p.packed) > 0 {
			continue
		}
		p.Value = s.Value.Slice(p.Off, p.Size())
		if !frozen {
			p.Grad = s.Grad.Slice(p.Off, p.Size())
		}
	}
}

// layout places the parameters and returns the length of the flat buffers.
func (s *ParamSet) layout() int {
	end := 0
	for _, decay := range []bool{true, false} {
		start := end
		for _, p := range s.params {
			if p.Decay == decay && len(p.packed) == 0 {
				p.Off = end
				end += aligned(p.Size())
			}
		}
		if end > start {
			s.groups = append(s.groups, Group{Off: start, Len: end - start, Decay: decay})
		}
	}
	return end
}

// All lists the parameters in the order in which they were added.
func (s *ParamSet) All() []*Param { return s.params }

// Groups are the ranges of the flat buffers that share a rule of weight decay; together they cover all of it.
func (s *ParamSet) Groups() []Group { return s.groups }

// Count is the length of the flat buffers: all weights, with the padding between them. It is 0 before Alloc.
func (s *ParamSet) Count() int { return s.Value.Len }

// Bytes is the memory of all weights, packed ones included.
func (s *ParamSet) Bytes() int64 {
	return bytesOf(accelerators.F32, s.Value.Len) + bytesOf(accelerators.I32, s.words.Len)
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
	for _, b := range []accelerators.Buffer{s.Value, s.Grad, s.words} {
		if b.Present() {
			dev.Free(b)
		}
	}
	s.Value, s.Grad, s.words = accelerators.Buffer{}, accelerators.Buffer{}, accelerators.Buffer{}
}
