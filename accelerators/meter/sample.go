package meter

import "github.com/carebot-llm/carebot/accelerators"

// Sample is measured.
func (d *Device) Sample(ids, logits accelerators.Buffer, s accelerators.Sample) {
	start := d.Elapsed()
	d.Device.Sample(ids, logits, s)
	d.note("Sample", start, rows(s.Vocab, logits, ids))
}
