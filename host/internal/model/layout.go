package model

import (
	"strings"

	"github.com/carebot-llm/carebot/host/internal/tensor"
)

// A part is a tensor as Hugging Face stores it: rows of a parameter. Projections that read the same input are parts of
// one parameter, so that one multiplication serves them.
type part struct {
	name  string // with the prefix of the base model
	shape []int
	param *tensor.Param
	off   int // first element within the parameter

	packed *tensor.Packed // where it is held in NF4, which the parameter then has no values of
	linear bool           // weight of a linear layer

	start   start
	padding int  // row of a table that starts as zeros; -1 is none
	head    bool // belongs to the classification head, which a base model's files lack
}

// A start is what a tensor holds before training.
type start int

const (
	zeros start = iota
	ones
	normal
	uniform // below 1/sqrt(columns) in size
)

func (p *part) size() int {
	n := 1
	for _, d := range p.shape {
		n *= d
	}
	return n
}

// A layout declares the parameters of a model.
type layout struct {
	prefix string // of the base model's tensors
	set    *tensor.ParamSet
	parts  []*part
	beside *beside // nil without an adapter
	packs  bool    // linear layers are held in NF4
}

// A slice names rows of a fused parameter.
type slice struct {
	name string
	rows int
}

// matrix declares weights [rows, cols] of a linear layer.
func (l *layout) matrix(name string, rows, cols int) *tensor.Param {
	return l.fused(name, cols, slice{name, rows})
}

// fused declares one matrix whose rows are several tensors of the file.
func (l *layout) fused(name string, cols int, slices ...slice) *tensor.Param {
	rows := 0
	for _, s := range slices {
		rows += s.rows
	}
	p := l.set.Add(name, []int{rows, cols}, true)
	off := 0
	for _, s := range slices {
		l.parts = append(l.parts, &part{
			name: s.name, shape: []int{s.rows, cols}, param: p, off: off, start: normal, padding: -1,
		})
		off += s.rows * cols
	}
	return p
}

// vector declares a bias (zeros) or the weights of a norm (ones).
func (l *layout) vector(name string, n int, from start) *tensor.Param {
	return l.fusedVector(name, from, slice{name, n})
}

func (l *layout) fusedVector(name string, from start, slices ...slice) *tensor.Param {
	n := 0
	for _, s := range slices {
		n += s.rows
	}
	p := l.set.Add(name, []int{n}, false)
	off := 0
	for _, s := range slices {
		l.parts = append(l.parts, &part{name: s.name, shape: []int{s.rows}, param: p, off: off, start: from, padding: -1})
		off += s.rows
	}
	return p
}

// table declares embeddings [rows, cols].
func (l *layout) table(name string, rows, cols, padding int) *tensor.Param {
	p := l.set.Add(name, []int{rows, cols}, false)
	l.parts = append(l.parts, &part{name: name, shape: p.Shape, param: p, start: normal, padding: padding})
	return p
}

// linear is a weight, a bias, nil unless there is one, and the low-rank products of an adapter.
type linear struct {
	weight, bias *tensor.Param
	low          []tensor.LowRank
}

func (x linear) apply(t *tensor.Tape, in *tensor.Tensor) *tensor.Tensor {
	return t.Linear(in, x.weight, x.bias, x.low...)
}

func (x linear) addTo(t *tensor.Tape, residual, in *tensor.Tensor) *tensor.Tensor {
	return t.LinearAdd(residual, in, x.weight, x.bias, x.low...)
}

// linear declares a linear layer; name is without ".weight" and ".bias".
func (l *layout) linear(name string, cols int, biased bool, slices ...slice) linear {
	named := func(suffix string) []slice {
		with := make([]slice, len(slices))
		for i, s := range slices {
			with[i] = slice{s.name + suffix, s.rows}
		}
		return with
	}
	x := linear{weight: l.fused(name+".weight", cols, named(".weight")...)}
	weights := l.parts[len(l.parts)-len(slices):]
	for _, p := range weights {
		p.linear = true
	}
	if l.packs {
		l.pack(weights)
	}
	if biased {
		x.bias = l.fusedVector(name+".bias", zeros, named(".bias")...)
	}
	if l.beside != nil {
		x.low = l.beside.add(cols, slices)
	}
	return x
}

// dense declares a linear layer with a bias that is not fused with another.
func (l *layout) dense(name string, rows, cols int) linear {
	return l.linear(name, cols, true, slice{name, rows})
}

// markHead makes the parts from number n on the classification head.
func (l *layout) markHead(n int) {
	for _, p := range l.parts[n:] {
		p.head = true
	}
}

// canonical is the name this package knows a file's tensor by: with the base model's prefix, which files of a model
// without a head lack, and with the present names of old BERT's norms.
func (l *layout) canonical(name string) string {
	name = strings.Replace(name, "LayerNorm.gamma", "LayerNorm.weight", 1)
	name = strings.Replace(name, "LayerNorm.beta", "LayerNorm.bias", 1)
	if strings.HasPrefix(name, l.prefix) || l.isHead(name) {
		return name
	}
	return l.prefix + name
}

// headPrefixes begin the tensors of all heads of the model types here, those included that this package does not
// compute.
var headPrefixes = []string{"lm_head.", "score.", "classifier.", "cls."}

func (l *layout) isHead(name string) bool {
	for _, p := range headPrefixes {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}
