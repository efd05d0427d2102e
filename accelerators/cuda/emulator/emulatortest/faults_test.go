//go:build cuda

package emulatortest

import (
	"strings"
	"testing"
)

var schedules = []string{
	"CAREBOT_EMULATOR_SCHEDULE=forward", "CAREBOT_EMULATOR_SCHEDULE=reverse", "CAREBOT_EMULATOR_SCHEDULE=shuffled",
}

// Faults, with the variant of the emulator that must find them, in every schedule; message is what the report has, and
// empty where the result is just wrong.
var faults = []struct{ kernel, variant, message string }{
	{"lacks_barrier", "", ""},
	{"lacks_barrier", "-races", "race"},
	{"lacks_second_barrier", "", ""},
	{"lacks_second_barrier", "-races", "race"},
	{"lacks_wait", "-races", "a copy_async still brings"},
	{"waits_for_too_few", "-races", "a copy_async still brings"},
	{"diverges", "", "others wait at another one"},
	{"hangs", "", "for ever"},
	{"writes_beyond_memory", "", "0 bytes beyond the end of one of 2048"},
	{"reads_before_memory", "", "touches device memory"},
	{"writes_beyond_dynamic_shared", "", "byte 512 of dynamic shared memory of 512"},
	{"writes_beyond_shared", "", "index 127 is out of the array"},
	{"reads_misaligned", "", "is not on a boundary of 16 bytes"},
	{"shifts_too_far", "", "shift by"},
	{"races", "-races", "which thread"},
	{"lacks_syncwarp", "-races", "kernels.cu:"},
	{"races_between_blocks", "-races", "of another block"},
}

func TestFaultsAreFound(t *testing.T) {
	c := built(t)
	for _, f := range faults {
		for _, schedule := range schedules {
			text, err := c.run(schedule, "rotate"+f.variant, f.kernel)
			if err == nil {
				t.Errorf("%s%s, %s: the fault is not found", f.kernel, f.variant, schedule)
			}
			named := f.message == "" || strings.Contains(text, "emulator: "+f.kernel)
			if !named || !strings.Contains(text, f.message) {
				t.Errorf("%s%s, %s: the report lacks %q: %s", f.kernel, f.variant, schedule, f.message, text)
			}
		}
	}
}

// A copy that is not waited for may be there by chance, which the shuffled schedule tries.
func TestCopiesThatAreNotWaitedForAreLate(t *testing.T) {
	c := built(t)
	for _, kernel := range []string{"lacks_wait", "waits_for_too_few"} {
		for _, schedule := range schedules[:2] {
			if _, err := c.run(schedule, "rotate", kernel); err == nil {
				t.Errorf("%s, %s: the fault is not found", kernel, schedule)
			}
		}
	}
}

func TestWholeKernelsPass(t *testing.T) {
	c := built(t)
	for _, kernel := range []string{
		"rotates", "rotates_twice", "rotates_with_copies", "leaves_early", "reads_vectors", "sets_once",
		"rotates_in_warps",
	} {
		for _, schedule := range schedules {
			for _, program := range []string{"rotate", "rotate-races"} {
				if text, err := c.run(schedule, program, kernel); err != nil {
					t.Errorf("%s %s, %s: %v: %s", program, kernel, schedule, err, text)
				}
			}
		}
	}
}

func TestCollectivesAreAsTheReferencesSay(t *testing.T) {
	c := built(t)
	for _, schedule := range schedules {
		if text, err := c.run(schedule, "collectives"); err != nil {
			t.Errorf("%s: %v: %s", schedule, err, text)
		}
	}
}
