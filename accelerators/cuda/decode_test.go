//go:build cuda

package cuda

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
)

// A decodeTrial is queries of two sequences whose operands begin at a place within their allocations.
type decodeTrial struct {
	accelerators.AttentionDecode
	kind                   accelerators.DType
	at                     int
	table, owners, lengths []int32
	q, cache               []float32
}

// newDecodeTrial is one of 20 pages of 32 positions, as bf16 has the numbers.
func newDecodeTrial(dim, window int, table, owners, lengths []int32) decodeTrial {
	t := decodeTrial{kind: accelerators.BF16, table: table, owners: owners, lengths: lengths}
	t.AttentionDecode = accelerators.AttentionDecode{Heads: 4, KVHeads: 2, HeadDim: dim, Pages: 20, PageSize: 32,
		Sequences: 2, Columns: len(table) / 2, Window: window, Scale: 0.2}
	random := rand.New(rand.NewPCG(1, 2))
	numbers := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = math.Float32frombits(math.Float32bits(float32(random.NormFloat64())) &^ 0xffff)
		}
		return x
	}
	t.q, t.cache = numbers(len(owners)*4*dim), numbers(20*2*32*2*dim)
	return t
}

// some is the queries [from, to).
func (a decodeTrial) some(from, to int) decodeTrial {
	width := a.Heads * a.HeadDim
	a.q, a.owners, a.lengths = a.q[from*width:to*width], a.owners[from:to], a.lengths[from:to]
	return a
}

func (a decodeTrial) run(t *testing.T, d *Device) ([]float32, error) {
	t.Helper()
	alloc := func(kind accelerators.DType, n int) accelerators.Buffer {
		b, err := d.Alloc(kind, n+a.at)
		if err != nil {
			t.Fatal(err)
		}
		return b.Slice(a.at, n)
	}
	operand := func(x []float32) accelerators.Buffer {
		b := alloc(a.kind, len(x))
		d.UploadF32(b, x)
		return b
	}
	indices := func(x []int32) accelerators.Buffer {
		b := alloc(accelerators.I32, len(x))
		d.UploadI32(b, x)
		return b
	}
	s := a.AttentionDecode
	s.Queries = len(a.owners)
	s.Table, s.Owners, s.Lengths = indices(a.table), indices(a.owners), indices(a.lengths)
	out := alloc(a.kind, len(a.q))
	d.AttentionDecode(out, operand(a.q), operand(a.cache), s)
	got := make([]float32, out.Len)
	return got, d.DownloadF32(got, out)
}

func decodeTable() (table []int32) {
	for i := range int32(20) {
		table = append(table, (i*7)%20)
	}
	return table
}

// TestDecodeInChunks: a cache whose rows are whole 16 bytes gives the bits of one whose rows are not.
func TestDecodeInChunks(t *testing.T) {
	d := opened(t).(*Device)
	for _, kind := range []accelerators.DType{accelerators.F32, accelerators.BF16} {
		owners, lengths := []int32{0, 0, 1, 1, 1, 0}, []int32{320, 1, 257, 0, 256, 31}
		trial := newDecodeTrial(24, 290, decodeTable(), owners, lengths)
		trial.kind, trial.at = kind, 8
		chunks, err := trial.run(t, d)
		if err != nil {
			t.Fatal(err)
		}
		trial.at = 3
		single, err := trial.run(t, d)
		if err != nil || !slices.Equal(chunks, single) {
			t.Errorf("%v: rows in chunks of 16 bytes have other bits (%v)", kind, err)
		}
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestDecodeInSteps: however the queries of a prompt, and one of another sequence, are cut into steps, their bits are
// the same, on a GPU with much shared memory and on one with little; and they are nearly those of products in f32.
func TestDecodeInSteps(t *testing.T) {
	for _, c := range []struct{ dim, window, shared int }{
		{64, 0, 227 << 10}, {96, 70, 227 << 10}, {128, 0, 227 << 10}, {128, 270, 99 << 10}, {256, 0, 227 << 10},
		{256, 0, 99 << 10},
	} {
		t.Run(fmt.Sprintf("dim=%d/window=%d/shared=%d", c.dim, c.window, c.shared), func(t *testing.T) {
			d := opened(t).(*Device)
			d.mostShared = min(d.mostShared, c.shared)
			owners, lengths := prompt()
			trial := newDecodeTrial(c.dim, c.window, decodeTable(), owners, lengths)
			whole, err := trial.run(t, d)
			if err != nil {
				t.Fatal(err)
			}
			trial.kind = accelerators.F32
			exact, err := trial.run(t, d)
			if err != nil {
				t.Fatal(err)
			}
			nearly(t, "out", whole, exact)
			trial.kind = accelerators.BF16
			page := int(trial.table[7]) // with a value, at position 250, that is not finite
			trial.cache[((2*page+1)*trial.PageSize+26)*trial.KVHeads*c.dim+3] = float32(math.Inf(1))
			sameInSteps(t, d, trial)
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// prompt is 50 queries that follow each other, past the border of two parts, and among them one of another sequence.
func prompt() (owners, lengths []int32) {
	for i := range int32(50) {
		owners, lengths = append(owners, 0), append(lengths, 245+i)
	}
	return slices.Insert(owners, 40, 1), slices.Insert(lengths, 40, 320)
}

func sameInSteps(t *testing.T, d *Device, trial decodeTrial) {
	t.Helper()
	whole, err := trial.run(t, d)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []int{1, 11} {
		var got []float32
		for from := 0; from < len(trial.owners); from += step {
			some, err := trial.some(from, min(from+step, len(trial.owners))).run(t, d)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, some...)
		}
		if !slices.EqualFunc(got, whole, func(a, b float32) bool { return a == b || a != a && b != b }) {
			t.Errorf("in steps of %d queries there are other bits than at once", step)
		}
	}
}

// TestDecodeOutOfRange: pages, owners and lengths that are out of range are errors with the operand's name, and nothing
// is read there.
func TestDecodeOutOfRange(t *testing.T) {
	d := opened(t).(*Device)
	for name, change := range map[string]func(table, owners, lengths []int32){
		"Table[3] is 20":    func(table, _, _ []int32) { table[3] = 20 },
		"Table[0] is -1":    func(table, _, _ []int32) { table[0] = -1 },
		"Owners[1] is 2":    func(_, owners, _ []int32) { owners[1] = 2 },
		"Lengths[0] is -5":  func(_, _, lengths []int32) { lengths[0] = -5 },
		"Lengths[1] is 321": func(_, _, lengths []int32) { lengths[1] = 321 },
	} {
		table, owners, lengths := decodeTable(), []int32{0, 1}, []int32{200, 320}
		change(table, owners, lengths)
		_, err := newDecodeTrial(24, 290, table, owners, lengths).run(t, d)
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: the error is %v", name, err)
		}
		_ = d.Sync()
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
}
