//go:build cuda

package cuda

import (
	"os"
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/accelerators/acceltest"
	"github.com/carebot-llm/carebot/accelerators/cuda/driver"
)

// opened is the first device; without one the test is skipped, unless CAREBOT_GPU=required says that there is one.
func opened(t testing.TB) accelerators.Device {
	t.Helper()
	if _, err := driver.Devices(); err != nil && os.Getenv("CAREBOT_GPU") == "required" {
		t.Fatal(err)
	} else if err != nil {
		t.Skip(err)
	}
	dev, err := open(0)
	if err != nil {
		t.Fatal(err)
	}
	return dev
}

func TestDevice(t *testing.T) {
	if err := opened(t).Close(); err != nil { // skips here what it skips
		t.Fatal(err)
	}
	acceltest.Run(t, func() accelerators.Device { return opened(t) })
}

func TestScale(t *testing.T) {
	d := opened(t).(*Device)
	x, err := d.Alloc(accelerators.F32, 1000)
	if err != nil {
		t.Fatal(err)
	}
	d.UploadF32(x.Slice(0, 2), []float32{1, 2})
	d.Scale(x, 3)
	got := make([]float32, 3)
	if err := d.DownloadF32(got, x.Slice(0, 3)); err != nil || got[1] != 6 {
		t.Fatal(got, err)
	}
	t.Log(d.Describe())
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
}
