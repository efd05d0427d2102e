package author

import (
	"fmt"
	"maps"
	"slices"

	"github.com/carebot-llm/carebot/sdk"
)

// differences collects what an answer has otherwise than wanted. Keys that are not wanted are not compared.
type differences struct {
	want *want
	all  []string
}

func (d *differences) add(key string, got, want any) {
	d.all = append(d.all, fmt.Sprintf("%s is %v, want %v", key, got, want))
}

func (d *differences) status(got sdk.Status, detail string) {
	if statuses[got] != d.want.Status {
		if detail != "" {
			detail = fmt.Sprintf(" (%s)", detail)
		}
		d.add("status", statuses[got]+detail, d.want.Status)
	}
}

// number compares as the numbers travel, as float32.
func (d *differences) number(key string, want *float64, got float64) {
	if want != nil && float32(*want) != float32(got) {
		d.add(key, got, *want)
	}
}

func (d *differences) numbers(key string, want, got map[string]float64) {
	for _, name := range slices.Sorted(maps.Keys(want)) {
		v, declared := got[name]
		if w := want[name]; !declared {
			d.all = append(d.all, fmt.Sprintf("%s.%s is not declared in the manifest", key, name))
		} else {
			d.number(key+"."+name, &w, v)
		}
	}
}

func (d *differences) verdict(v sdk.Verdict) {
	d.status(v.Status, v.Detail)
	if d.want.Action != "" && actions[v.Action] != d.want.Action {
		d.add("action", actions[v.Action], d.want.Action)
	}
	d.number("score", d.want.Score, v.Score)
	if d.want.Reasons != nil && !slices.Equal(v.Reasons, d.want.Reasons) {
		d.add("reasons", v.Reasons, d.want.Reasons)
	}
	if d.want.Edits == nil {
		return
	}
	got := make([]edit, len(v.Edits))
	for i, e := range v.Edits {
		got[i] = edit{Turn: e.Turn, Op: editOps[e.Op], Text: e.Text}
	}
	if !slices.Equal(got, d.want.Edits) {
		d.all = append(d.all, fmt.Sprintf("edits are %+v, want %+v", got, d.want.Edits))
	}
}
