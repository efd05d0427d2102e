//go:build cuda

package cuda

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/accelerators/acceltest"
	"github.com/carebot-llm/carebot/accelerators/cuda/cublaslt"
)

// withLibrary opens a device that computes products by the emulator's cublasLt, with an empty folder of choices.
func withLibrary(t *testing.T) *Device {
	t.Helper()
	file := filepath.Join(filepath.Dir(os.Getenv("CAREBOT_LIBCUDA")), "libcublasLt.so.13")
	if _, err := os.Stat(file); err != nil {
		t.Skip("the emulator's cublasLt is not there")
	}
	t.Setenv("CAREBOT_CUBLASLT", file)
	t.Setenv("CAREBOT_CACHE", t.TempDir())
	return opened(t).(*Device)
}

// TestLibrary runs the tests of what products compute with cublasLt in the place of our own kernels.
func TestLibrary(t *testing.T) {
	if err := withLibrary(t).Close(); err != nil {
		t.Fatal(err)
	}
	acceltest.Run(t, func() accelerators.Device { return opened(t) }, "MatMul", "MatMulBF16", "HeadBF16", "HeadLoss")
}

func TestProductsNamesTheLibrary(t *testing.T) {
	d := withLibrary(t)
	defer d.Close()
	if got := d.Products(); !strings.HasPrefix(got, "products by cublasLt 13.0.0 (/") {
		t.Error(got)
	}
}

// TestOwnKernelsWithoutLibrary: whatever is wrong with the library, products are computed.
func TestOwnKernelsWithoutLibrary(t *testing.T) {
	for wish, want := range map[string]string{"create": "cublasLtCreate: cublasLt: not initialized", "suggest": "",
		"multiply": ""} {
		t.Run(wish, func(t *testing.T) {
			t.Setenv("CAREBOT_FAKE_CUBLASLT", wish)
			d := withLibrary(t)
			defer d.Close()
			exactProduct(t, d, accelerators.MatMul{M: 70, N: 30, K: 20}, accelerators.BF16)
			if got := d.Products(); !strings.Contains(got, want) {
				t.Error(got)
			}
			if d.kernels[tiledBF16[0][0]] == nil {
				t.Error("our own kernel did not run")
			}
		})
	}
}

func TestFailingProductIsAnError(t *testing.T) {
	d := withLibrary(t)
	defer d.Close()
	_, x := small(t, d, accelerators.F32, 300)
	multiply := func() {
		d.MatMul(x.Slice(0, 100), x.Slice(100, 100), x.Slice(200, 100),
			accelerators.MatMul{M: 10, N: 10, K: 10, Alpha: 1})
	}
	multiply()
	t.Setenv("CAREBOT_FAKE_CUBLASLT", "multiply")
	multiply()
	if err := d.Sync(); err == nil || !strings.Contains(err.Error(), "cublasLt: invalid value") {
		t.Error(err)
	}
}

// TestLibraryWithinUnits: products of a unit that comes again, first timed, then issued, then repeated as a graph.
func TestLibraryWithinUnits(t *testing.T) {
	d := withLibrary(t)
	defer d.Close()
	x, dx := small(t, d, accelerators.F32, 20*20)
	_, dy := small(t, d, accelerators.F32, 20*20)
	s := accelerators.MatMul{M: 20, N: 20, K: 20, Alpha: 0.125}
	identity := make([]float32, 20*20)
	for i := range 20 {
		identity[21*i] = 2
	}
	_, di := small(t, d, accelerators.F32, 20*20)
	d.UploadF32(di, identity)
	for round := range 5 {
		d.UploadF32(dx, x)
		d.Together(func() {
			for range 6 {
				d.MatMul(dy, dx, di, s)
				d.MatMul(dx, dy, di, accelerators.MatMul{M: 20, N: 20, K: 20, Alpha: 2})
			}
		})
		got := make([]float32, len(x))
		if err := d.DownloadF32(got, dx); err != nil || !slices.Equal(got, x) {
			t.Fatalf("round %d: %v is not what 12 products with multiples of one leave: %v", round, got[:4], err)
		}
		x[round]++
	}
}

// TestChoicesAreKept: what was chosen once is chosen again by another process, for all lengths of the class; another
// version of the library begins anew.
func TestChoicesAreKept(t *testing.T) {
	d := withLibrary(t)
	exactProduct(t, d, accelerators.MatMul{M: 65, N: 30, K: 20, TransB: true}, accelerators.BF16)
	exactProduct(t, d, accelerators.MatMul{M: 72, N: 30, K: 20, TransB: true}, accelerators.BF16)
	first := d.products.choices
	if len(first.known) != 1 || len(d.products.plans) != 2 {
		t.Fatalf("%d choices for %d forms, want 1 for 2", len(first.known), len(d.products.plans))
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	again := readChoices(d.name, "13.0.0")
	if !slices.Equal(again.list(), first.list()) {
		t.Errorf("read %v, want %v", again.list(), first.list())
	}
	for class := range first.known {
		other := again.known[class]
		other[1]++
		if first.add(class, other) != again.known[class] {
			t.Error("a choice in the file was replaced")
		}
	}
	if len(readChoices(d.name, "13.0.1").known) != 0 {
		t.Error("choices of another version were taken")
	}
}

// TestAChoiceThatDoesNotFitIsNotTaken: another process makes one while this one is timing.
func TestAChoiceThatDoesNotFitIsNotTaken(t *testing.T) {
	d := withLibrary(t)
	defer d.Close()
	other := opened(t).(*Device)
	defer other.Close()
	s := accelerators.MatMul{M: 70, N: 30, K: 20}
	exactProduct(t, other, s, accelerators.BF16)
	c := d.find().choices
	exactProduct(t, other, s, accelerators.F32)
	for class := range other.products.choices.known {
		other.products.choices.known[class] = cublaslt.Algorithm{}
	}
	if err := other.products.choices.write(); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []accelerators.DType{accelerators.BF16, accelerators.F32} {
		exactProduct(t, d, s, kind)
		if d.kernels[tiledBF16[0][0]] != nil || d.kernels[tiledF32[0][0]] != nil {
			t.Error("our own kernel ran")
		}
	}
	if len(c.known) != 2 {
		t.Errorf("%d choices are known", len(c.known))
	}
}

// TestChoicesFromNoFile: a pipe would be waited for.
func TestChoicesFromNoFile(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip(err)
	}
	if _, err := readList(pipe); err == nil || !strings.Contains(err.Error(), "no file") {
		t.Error(err)
	}
}

func TestSpoiltChoicesAreMadeAnew(t *testing.T) {
	for name, text := range map[string]string{
		"cut off": `[{"Form":{"M":`, "of another kind": `{"a":1}`,
		"too many":  "[" + strings.Repeat("{},", mostChoices) + "{}]",
		"too large": strings.Repeat(" ", mostFileBytes) + "[]",
	} {
		t.Run(name, func(t *testing.T) {
			d := withLibrary(t)
			defer d.Close()
			file := readChoices(d.name, "13.0.0").file
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			exactProduct(t, d, accelerators.MatMul{M: 70, N: 30, K: 20}, accelerators.BF16)
			if list, err := readList(file); err != nil || len(list) != 1 {
				t.Errorf("afterwards the file has %d choices, %v", len(list), err)
			}
		})
	}
}
