//go:build cuda

package cuda

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
)

// decodeTrial decodes queries of two sequences, whose operands begin at a place within their allocations.
func decodeTrial(t *testing.T, d *Device, kind accelerators.DType, at int,
	table, owners, lengths []int32) ([]float32, error) {
	t.Helper()
	s := accelerators.AttentionDecode{Queries: len(owners), Heads: 4, KVHeads: 2, HeadDim: 24, Pages: 20, PageSize: 32,
		Sequences: 2, Columns: len(table) / 2, Window: 290, Scale: 0.2}
	random := rand.New(rand.NewPCG(1, 2))
	alloc := func(kind accelerators.DType, n int) accelerators.Buffer {
		b, err := d.Alloc(kind, n+at)
		if err != nil {
			t.Fatal(err)
		}
		return b.Slice(at, n)
	}
	operand := func(n int) accelerators.Buffer {
		x, b := make([]float32, n), alloc(kind, n)
		for i := range x {
			x[i] = float32(random.NormFloat64())
		}
		d.UploadF32(b, x)
		return b
	}
	indices := func(x []int32) accelerators.Buffer {
		b := alloc(accelerators.I32, len(x))
		d.UploadI32(b, x)
		return b
	}
	s.Table, s.Owners, s.Lengths = indices(table), indices(owners), indices(lengths)
	q, cache := operand(len(owners)*4*24), operand(20*2*32*2*24)
	out := alloc(kind, q.Len)
	d.AttentionDecode(out, q, cache, s)
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
		chunks, err := decodeTrial(t, d, kind, 8, decodeTable(), owners, lengths)
		if err != nil {
			t.Fatal(err)
		}
		single, err := decodeTrial(t, d, kind, 3, decodeTable(), owners, lengths)
		if err != nil || !slices.Equal(chunks, single) {
			t.Errorf("%v: rows in chunks of 16 bytes have other bits (%v)", kind, err)
		}
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
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
		_, err := decodeTrial(t, d, accelerators.BF16, 0, table, owners, lengths)
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: the error is %v", name, err)
		}
		_ = d.Sync()
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
}
