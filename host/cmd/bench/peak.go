package main

import (
	"github.com/carebot-llm/carebot/accelerators"
)

// peak is what the device can do.
func peak(dev accelerators.Device) accelerators.Peak {
	p := dev.Peak()
	if p.F32 == 0 { // measured with register-only multiply-adds on two cores of the reference machine (Zen 4, 3.6 GHz)
		p = accelerators.Peak{F32: 231.4e9, BF16: 463e9, Bandwidth: 29e9}
	}
	return p
}
