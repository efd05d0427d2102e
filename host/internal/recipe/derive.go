package recipe

import "cmp"

// derive fills in the defaults that follow from other keys. Those that follow from a model's own files are left to
// whoever reads the files.
func (r *Recipe) derive() {
	for name, d := range r.Datasets {
		d.Source = cmp.Or(d.Source, name)
		if d.Info != "" {
			d.Entry = cmp.Or(d.Entry, name)
		}
		r.Datasets[name] = d
	}
	for name, m := range r.Models {
		m.KVHeads = cmp.Or(m.KVHeads, m.Heads)
		r.Models[name] = m
	}
	for _, st := range r.Stages {
		if t := st.Train; t != nil {
			t.MicroBatchSize = cmp.Or(t.MicroBatchSize, t.BatchSize)
		}
	}
}
