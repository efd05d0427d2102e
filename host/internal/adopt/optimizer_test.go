package adopt

import (
	"slices"
	"strings"
	"testing"
)

func TestOptimizers(t *testing.T) {
	for name, want := range map[string]struct {
		eight, left bool
	}{
		"adamw_torch": {}, "adamw_torch_fused": {}, "adamw_8bit": {eight: true}, "adamw_bnb_8bit": {eight: true},
		"adamw_torch_8bit": {eight: true}, "paged_adamw_8bit": {true, true}, "paged_adamw_32bit": {left: true},
		"adamw_torch_4bit": {left: true}, "adafactor": {left: true},
	} {
		a, err := Adopt("f.yaml", []byte("model_name_or_path: m\ndataset: a\noptim: "+name+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(string(a.Text), "optimizer: adamw_8bit\n"); got != want.eight {
			t.Errorf("%s: 8-bit states are %v", name, got)
		}
		if got := slices.ContainsFunc(a.Left, func(l Left) bool { return l.Key == "optim" }); got != want.left {
			t.Errorf("%s: it is listed: %v", name, got)
		}
	}
}
