package narrow

import (
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
)

// closed closes the device at the end of the test, which must have left no error in its stream.
func closed(t testing.TB, dev accelerators.Device) accelerators.Device {
	t.Cleanup(func() {
		if err := dev.Sync(); err != nil {
			t.Errorf("the device ends with an error: %v", err)
		}
		if err := dev.Close(); err != nil {
			t.Error(err)
		}
	})
	return dev
}
