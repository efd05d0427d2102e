package cpu

import (
	"strings"
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
)

func alloc(t testing.TB, d *Device, n int) accelerators.Buffer {
	t.Helper()
	b, err := d.Alloc(accelerators.F32, n)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func ints(t testing.TB, d *Device, values ...int32) accelerators.Buffer {
	t.Helper()
	b, err := d.Alloc(accelerators.I32, len(values))
	if err != nil {
		t.Fatal(err)
	}
	d.UploadI32(b, values)
	return b
}

func TestMemoryIsBounded(t *testing.T) {
	d := newDevice(1, &genericSet)
	d.room = 1000
	b := alloc(t, d, 200)
	if _, err := d.Alloc(accelerators.F32, 100); err == nil {
		t.Error("allocated 1200 of 1000 bytes")
	}
	d.Free(b.Slice(3, 5)) // any window frees the whole
	alloc(t, d, 250)
	if err := d.Sync(); err != nil {
		t.Error(err)
	}
	if _, err := d.Alloc(accelerators.BF16, 1); err == nil {
		t.Error("allocated bf16, which this device does not compute in")
	}
}

// TestMisusedOperandsAreErrors covers what only this device can know.
func TestMisusedOperandsAreErrors(t *testing.T) {
	d, other := newDevice(1, &genericSet), newDevice(1, &genericSet)
	x, freed, foreign := alloc(t, d, 4), alloc(t, d, 4), alloc(t, other, 4)
	d.Free(freed)
	attend := func(maxLen int, offsets ...int32) func() {
		s := accelerators.Attention{Tokens: 4, Heads: 1, KVHeads: 1, HeadDim: 1, StrideQ: 1, StrideK: 1, StrideV: 1,
			Offsets: ints(t, d, offsets...), Sequences: len(offsets) - 1, MaxLen: maxLen}
		return func() { d.Attention(x, x, x, x, x, s) }
	}
	odd := x
	odd.Off = 2
	nan := alloc(t, d, 2)
	d.Scale(nan, 0)
	d.Fill(nan.Slice(1, 1), exp(100))
	for want, misuse := range map[string]func(){
		"was freed":                  func() { d.Scale(freed, 1) },
		"not memory of this device":  func() { d.Add(x, x, foreign) },
		"[2:6] of an allocation":     func() { d.Scale(odd, 1) },
		"Offsets begin with 1":       attend(4, 1, 4),
		"Offsets end with 3":         attend(4, 0, 3),
		"sequence 0 has 3 tokens":    attend(2, 0, 3, 4),
		"sequence 1 has -1 tokens":   attend(4, 0, 4, 3, 4),
		"size [-1 3] is out of":      func() { d.MatMul(x, x, x, accelerators.MatMul{M: -1, N: 3, K: 1, Alpha: 1}) },
		"stride 2 is less than":      func() { d.MatMul(x, x, x, accelerators.MatMul{M: 1, N: 3, K: 1, StrideC: 2}) },
		"dst is f32, want i32":       func() { d.UploadI32(x, make([]int32, 4)) },
		"src has 4 elements, want 3": func() { d.Copy(x.Slice(0, 3), x) },
		"2 heads do not divide": func() {
			d.AttentionDecode(x, x, x, accelerators.AttentionDecode{Heads: 2, KVHeads: 3, HeadDim: 1})
		},
		"no largest finite value": func() { d.Sample(ints(t, d, 0), nan, 2, make([]accelerators.Draw, 1)) },
	} {
		misuse()
		if err := d.Sync(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want one that says %q", err, want)
		}
	}
}

func TestNothingHappensAfterAnError(t *testing.T) {
	d := newDevice(1, &genericSet)
	x := alloc(t, d, 2)
	d.Fill(x, 1)
	d.AddBias(x, x, 0)
	d.Scale(x, 5)
	first := d.DownloadF32(make([]float32, 2), x)
	if err := d.Sync(); err == nil || err != first {
		t.Errorf("Sync returned %v after Download had returned %v", err, first)
	}
	got := make([]float32, 2)
	if err := d.DownloadF32(got, x); err != nil || got[0] != 1 {
		t.Errorf("after the error x is %v, %v; want 1 as before it", got, err)
	}
}
