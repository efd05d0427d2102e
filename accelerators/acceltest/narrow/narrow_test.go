package narrow

import (
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/accelerators/acceltest"
	"github.com/carebot-llm/carebot/accelerators/cpu"
)

func open(t *testing.T) *Device {
	dev, err := cpu.New(2)
	if err != nil {
		t.Fatal(err)
	}
	return New(dev)
}

func TestTheDevicePassesTheSuite(t *testing.T) {
	acceltest.Run(t, func() accelerators.Device { return open(t) })
}

// Mixed activations, and what must be F32, are mistakes that tests of the engine are to find.
func TestTypesThatDoNotMatchAreErrors(t *testing.T) {
	d := open(t)
	defer d.Close()
	f32, bf16 := alloc(t, d, accelerators.F32), alloc(t, d, accelerators.BF16)
	for name, mistake := range map[string]func(){
		"activations":  func() { d.Add(bf16, f32, bf16) },
		"statistics":   func() { d.RMSNorm(bf16, bf16.Slice(0, 1), bf16, f32, 4, 0) },
		"weights":      func() { d.RMSNorm(bf16, f32.Slice(0, 1), bf16, bf16, 4, 0) },
		"f32 products": func() { d.MatMul(f32, bf16, bf16, accelerators.MatMul{M: 2, N: 2, K: 2, Alpha: 1}) },
		"a table":      func() { d.Embed(f32, bf16, alloc(t, d, accelerators.I32), 1) },
		"a reduction":  func() { d.SquaredNorm(f32.Slice(0, 1), bf16) },
	} {
		mistake()
		if err := d.Sync(); err == nil {
			t.Errorf("%s of the wrong type are no error", name)
		}
		if err := d.Sync(); err != nil {
			t.Errorf("%s: the error came twice: %v", name, err)
		}
	}
}

func alloc(t *testing.T, d *Device, kind accelerators.DType) accelerators.Buffer {
	t.Helper()
	b, err := d.Alloc(kind, 4)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
