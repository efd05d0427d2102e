//go:build cuda

package emulatortest

import (
	"fmt"
	"strings"
	"testing"
)

func TestDriver(t *testing.T) {
	c := built(t)
	for _, name := range []string{"streams", "events", "copies", "graphs", "spoilt_capture", "errors"} {
		for lazy := range 3 {
			if text, err := c.run(fmt.Sprintf("CAREBOT_EMULATOR_LAZY=%d", lazy), "driver", name); err != nil {
				t.Errorf("%s, laziness %d: %v: %s", name, lazy, err, text)
			}
		}
	}
}

func TestDriverThatTheEnvironmentChanges(t *testing.T) {
	c := built(t)
	for name, set := range map[string]string{
		"memory":      "CAREBOT_EMULATOR_MEMORY=1000000 CAREBOT_EMULATOR_USED=400000",
		"lost_device": "CAREBOT_EMULATOR_FAIL=launch:3",
		"old_driver":  "CAREBOT_EMULATOR_VERSION=11080 CAREBOT_EMULATOR_CAPABILITY=7.5",
		"no_device":   "CUDA_VISIBLE_DEVICES=",
	} {
		if text, err := c.run(set, "driver", name); err != nil {
			t.Errorf("%s: %v: %s", name, err, text)
		}
	}
}

// What is wrong with these shows only when streams are lazy.
func TestLazyStreamsShowWhatIsNotWaitedFor(t *testing.T) {
	c := built(t)
	for name, laziness := range map[string]string{
		"missing_wait": "1", "pinned_buffer_changed_too_early": "1", "upload_too_early": "2",
	} {
		if text, err := c.run("", "driver", name); err != nil {
			t.Errorf("%s: %v: %s", name, err, text)
		}
		if _, err := c.run("CAREBOT_EMULATOR_LAZY="+laziness, "driver", name); err == nil {
			t.Errorf("%s is not found", name)
		}
	}
}

func TestFreedMemoryIsGone(t *testing.T) {
	c := built(t)
	for _, name := range []string{"use_after_free", "graph_of_freed_memory"} {
		text, err := c.run("", "driver", name)
		if err == nil || !strings.Contains(text, "not allocated, or not any more") {
			t.Error(name, text, err)
		}
	}
}

func TestLeaksAreReported(t *testing.T) {
	text, err := built(t).run("CAREBOT_EMULATOR_LEAKS=1", "driver", "leaks")
	if err != nil || !strings.Contains(text, "1 allocations left") || !strings.Contains(text, "2 streams left") {
		t.Error(text, err)
	}
}
