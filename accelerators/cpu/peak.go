package cpu

import "github.com/carebot-llm/carebot/accelerators"

// Peak is not measured yet.
func (d *Device) Peak() accelerators.Peak { return accelerators.Peak{} }
