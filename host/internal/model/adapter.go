package model

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/host/internal/tensor"
)

// An Adapter says which matrices of a model are trained through low-rank products beside them, the weights themselves
// staying as they are: W + Scale B A with A [Rank,in], drawn as PEFT draws it, and B [out,Rank], zero at first (Hu et al.
// 2021, LoRA). A classification head is trained whole.
type Adapter struct {
	Rank    int
	Alpha   float64
	Targets []string // last names of matrices such as q_proj, or AllLinear alone
	RSLoRA  bool     // scale by the root of the rank (Kalajdzievski 2023)
	DoRA    bool     // train the norms of the rows apart from their directions (Liu et al. 2024)
}

// AllLinear stands for all matrices of the blocks, heads and embeddings aside.
const AllLinear = "all-linear"

// Scale is what B A is multiplied with.
func (a Adapter) Scale() float32 {
	if a.RSLoRA {
		return float32(a.Alpha / math.Sqrt(float64(a.Rank)))
	}
	return float32(a.Alpha / float64(a.Rank))
}

// targets says whether a matrix gets a product: by its last name, or the end of its full one.
func (a Adapter) targets(name string) bool {
	return slices.ContainsFunc(a.Targets, func(t string) bool {
		return t == AllLinear || name == t || strings.HasSuffix(name, "."+t)
	})
}

// check reports what is wrong with an adapter for the matrices of a model.
func (a Adapter) check(matrices []string) error {
	if a.Rank < 1 || a.Rank > maxWidth || !(a.Alpha > 0) {
		return fmt.Errorf("adapter: rank %d and alpha %v must be above 0", a.Rank, a.Alpha)
	}
	var errs []error
	for _, t := range a.Targets {
		one := Adapter{Targets: []string{t}}
		errs = append(errs, rule(slices.ContainsFunc(matrices, one.targets),
			"adapter: no matrix is called %s; there are %s", t, strings.Join(lastNames(matrices), ", ")))
	}
	return errors.Join(append(errs, rule(len(a.Targets) > 0, "adapter: it targets nothing"))...)
}

func lastNames(matrices []string) []string {
	var names []string
	for _, m := range matrices {
		if last := m[strings.LastIndexByte(m, '.')+1:]; !slices.Contains(names, last) {
			names = append(names, last)
		}
	}
	return names
}

// WithAdapter makes a model whose weights are frozen and whose adapter is trained, drawn from a seed.
func WithAdapter(a Adapter, seed uint64) Option {
	return func(o *options) { o.adapter, o.adapterSeed = &a, seed }
}

// beside is what is trained beside frozen weights.
type beside struct {
	Adapter
	layout
	matrices []string // names of all matrices that could be targets
	products []product
}

// A product is the pair of small matrices beside a part.
type product struct {
	of        string // the part's name
	a, b      *part
	magnitude *part // nil unless DoRA
}

// peftPrefix begins the names of an adapter's tensors; what follows is the name in the adapted model.
const peftPrefix = "base_model.model."

// add declares the products beside the targeted rows of a matrix with so many columns.
func (s *beside) add(cols int, rows []slice) []tensor.LowRank {
	var low []tensor.LowRank
	from := 0
	for _, r := range rows {
		s.matrices = append(s.matrices, r.name)
		if s.targets(r.name) {
			a := s.small(r.name+".lora_A.weight", s.Rank, cols, uniform)
			b := s.small(r.name+".lora_B.weight", r.rows, s.Rank, zeros)
			p := product{of: r.name + ".weight", a: a, b: b}
			l := tensor.LowRank{A: a.param, B: b.param, From: from, Scale: s.Scale()}
			if s.DoRA {
				l.Magnitude = s.vector(r.name+".lora_magnitude_vector", r.rows, zeros)
				p.magnitude = s.parts[len(s.parts)-1]
			}
			s.products, low = append(s.products, p), append(low, l)
		}
		from += r.rows
	}
	return low
}

func (s *beside) small(name string, rows, cols int, from start) *part {
	s.matrix(name, rows, cols)
	p := s.parts[len(s.parts)-1]
	p.start = from
	return p
}

// initialiseAdapter draws what is trained beside the weights; magnitudes are the norms that rows have.
func (m *Model) initialiseAdapter(seed uint64) error {
	if m.beside == nil {
		return nil
	}
	for _, p := range m.beside.parts {
		if err := m.initialise(p, seed); err != nil {
			return err
		}
	}
	return m.measureRows()
}

// measureRows makes the magnitudes of an adapter that nothing has trained the norms of the rows.
func (m *Model) measureRows() error {
	if m.beside == nil {
		return nil
	}
	weights := m.byName()
	for _, p := range m.beside.products {
		if p.magnitude == nil {
			continue
		}
		host, err := m.value(weights[p.of])
		if err != nil {
			return err
		}
		m.dev.UploadF32(p.magnitude.param.Update(), rowNorms(host, p.a.shape[1]))
	}
	return m.uploaded()
}

func (m *Model) byName() map[string]*part {
	named := map[string]*part{}
	for _, p := range m.parts {
		named[p.name] = p
	}
	return named
}

// value downloads a part.
func (m *Model) value(p *part) ([]float32, error) {
	host := make([]float32, p.size())
	err := m.weights(p, func(from accelerators.Buffer) error { return m.dev.DownloadF32(host, from) })
	if err != nil {
		return nil, fmt.Errorf("download tensor %s: %w", p.name, err)
	}
	return host, nil
}

// rowNorms are the Euclidean norms of rows.
func rowNorms(matrix []float32, cols int) []float32 {
	norms := make([]float32, len(matrix)/cols)
	for row := range norms {
		sum := 0.0
		for _, v := range matrix[row*cols : (row+1)*cols] {
			sum += float64(v) * float64(v)
		}
		norms[row] = float32(math.Sqrt(sum))
	}
	return norms
}

// Adapter is the model's adapter; ok is false when it has none.
func (m *Model) Adapter() (a Adapter, ok bool) {
	if m.beside == nil {
		return Adapter{}, false
	}
	return m.beside.Adapter, true
}

// trained are the parts that an optimizer changes.
func (m *Model) trained() []*part {
	if m.beside == nil {
		return m.parts
	}
	all := slices.Clone(m.beside.parts)
	for _, p := range m.parts {
		if p.head {
			all = append(all, p)
		}
	}
	return all
}

// Merge adds the products of an adapter to the weights, and takes over the head that was trained with it. The
// weights must not be in NF4, and an adapter that the model itself has not be trained yet.
func (m *Model) Merge(a Adapter, src Source) error {
	twin, err := declare(m.cfg, m.head, options{adapter: &a})
	if err != nil {
		return err
	}
	found, err := twin.matchAdapter(src)
	if err != nil {
		return err
	}
	if err := twin.beside.set.Alloc(m.dev, tensor.Frozen); err != nil {
		return fmt.Errorf("merge an adapter: %w", err)
	}
	defer twin.beside.set.Free(m.dev)
	weights := m.byName()
	for p, name := range found {
		into := p
		if p.head {
			into = weights[p.name]
		}
		if err := m.upload(src, name, into); err != nil {
			return err
		}
	}
	for _, p := range twin.beside.products {
		err := m.rewrite(weights[p.of], func(sum accelerators.Buffer) error {
			return m.mergeProduct(sum, p, a.Scale())
		})
		if err != nil {
			return fmt.Errorf("merge an adapter into %s: %w", p.of, err)
		}
	}
	return errors.Join(m.uploaded(), m.measureRows())
}

// mergeProduct adds B A, scaled, to the values of a weight, and gives its rows their magnitudes.
func (m *Model) mergeProduct(sum accelerators.Buffer, p product, scale float32) error {
	rank, cols, rows := p.a.shape[0], p.a.shape[1], p.b.shape[0]
	m.dev.MatMul(sum, p.b.param.Value(), p.a.param.Value(),
		accelerators.MatMul{M: rows, N: cols, K: rank, Alpha: scale, Beta: 1})
	if p.magnitude == nil {
		return nil
	}
	host := make([]float32, sum.Len)
	magnitudes, err := m.value(p.magnitude)
	if err := errors.Join(err, m.dev.DownloadF32(host, sum)); err != nil {
		return err
	}
	rescale(host, magnitudes)
	m.dev.UploadF32(sum, host)
	return nil
}

// rescale gives each row its norm.
func rescale(w, norms []float32) {
	cols := len(w) / len(norms)
	for row, norm := range rowNorms(w, cols) {
		gain := norms[row] / norm
		for i := range cols {
			w[row*cols+i] *= gain
		}
	}
}

// matchAdapter finds the trained parts' names in a source. A head may be missing: an adapter of a language model has none.
func (m *Model) matchAdapter(src Source) (map[*part]string, error) {
	known := map[string]*part{}
	for _, p := range m.trained() {
		known[m.peftName(p)] = p
	}
	found := map[*part]string{}
	var errs []error
	for _, name := range src.Names() {
		p, ok := known[name]
		shape, _ := src.Shape(name)
		switch {
		case !ok && m.head != HeadClassify && m.isHead(strings.TrimPrefix(name, peftPrefix)):
		case !ok:
			errs = append(errs, fmt.Errorf("tensor %s is no part of an adapter for this model", name))
		case !slices.Equal(shape, p.shape):
			errs = append(errs, fmt.Errorf("tensor %s has shape %v, the adapter's configuration wants %v", name, shape, p.shape))
		default:
			found[p] = name
		}
	}
	for name, p := range known {
		if found[p] == "" && !p.head {
			errs = append(errs, fmt.Errorf("tensor %s is missing", name))
		}
	}
	return found, joined(errs)
}

// peftName is a trained part's name in PEFT's files.
func (m *Model) peftName(p *part) string { return peftPrefix + m.fileName(p) }
