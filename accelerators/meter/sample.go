package meter

import "github.com/carebot-llm/carebot/accelerators"

// Sample is measured.
func (d *Device) Sample(ids, logits accelerators.Buffer, vocab int, draws []accelerators.Draw) {
	start := d.Elapsed()
	d.Device.Sample(ids, logits, vocab, draws)
	d.note("Sample", start, rows(vocab, logits, ids))
}
