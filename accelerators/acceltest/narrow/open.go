//go:build !cuda

package narrow

import (
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
	_ "github.com/carebot-llm/carebot/accelerators/cpu"
)

// Open opens a device that holds BF16, for the time of a test: the processor made narrow, or, where the tests are built
// with the tag cuda, the first GPU. Without one such a test is skipped.
func Open(t testing.TB) accelerators.Device {
	t.Helper()
	dev, _, err := accelerators.Open("cpu")
	if err != nil {
		t.Fatal(err)
	}
	return closed(t, New(dev))
}
