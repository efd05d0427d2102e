//go:build cuda

package narrow

import (
	"os"
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
	_ "github.com/carebot-llm/carebot/accelerators/cuda"
)

// Open opens the first GPU for the time of a test, which is skipped without one, unless CAREBOT_GPU=required says that
// there is one.
func Open(t testing.TB) accelerators.Device {
	t.Helper()
	dev, _, err := accelerators.Open("cuda")
	switch {
	case err != nil && os.Getenv("CAREBOT_GPU") == "required":
		t.Fatal(err)
	case err != nil:
		t.Skip(err)
	}
	return closed(t, dev)
}
