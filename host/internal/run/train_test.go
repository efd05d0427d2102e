package run

import (
	"strings"
	"testing"
)

func TestAStageInBF16SaysWhenThatIsSlow(t *testing.T) {
	const slow = "no bf16 instructions"
	for _, set := range []string{"generic", ""} {
		t.Setenv("CAREBOT_CPU", set)
		p := newProject(t, nil)
		made := p.process(t, "mini.yaml", "stages.stable.bf16=true")
		if err := made.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		kernels := made.device.Describe()
		want := 1
		if strings.Contains(kernels, "bf16") || strings.Contains(kernels, "amx") {
			want = 0
		}
		if said := strings.Count(p.log.String(), slow); said != want {
			t.Errorf("on %s the log says %d times %q, want %d", kernels, said, slow, want)
		}
		if s := p.summary(t, "mini", "stable"); !(s.Train.LastLoss < s.Train.FirstLoss) {
			t.Errorf("on %s the loss went from %g to %g", kernels, s.Train.FirstLoss, s.Train.LastLoss)
		}
	}
}
