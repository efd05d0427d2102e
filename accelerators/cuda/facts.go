//go:build cuda

package cuda

import (
	"fmt"
	"strings"

	"github.com/carebot-llm/carebot/accelerators/cuda/driver"
	"github.com/carebot-llm/carebot/accelerators/cuda/images"
)

// A Fact is something that a machine has for the CUDA device, or lacks.
type Fact struct{ Name, Text string }

// Facts are the driver, what it lacks and the devices, each of which is opened for a moment to see what it has.
func Facts() []Fact {
	n, err := driver.Devices()
	if err != nil {
		return []Fact{{"driver", err.Error()}}
	}
	all := []Fact{{"driver", driver.Library() + " for CUDA " + driver.VersionText()}}
	if missing := driver.Missing(); len(missing) > 0 {
		all = append(all, Fact{"driver", "lacks " + strings.Join(missing, " ")})
	}
	for i := range n {
		all = append(all, Fact{"gpu", fmt.Sprintf("cuda:%d: %s", i, fact(i))})
	}
	return all
}

// fact is what a device is and has, or why it does not open.
func fact(index int) string {
	opened, err := open(index)
	if err != nil {
		return err.Error()
	}
	d := opened.(*Device)
	leave := d.enter()
	free, total := d.room()
	leave()
	text := fmt.Sprintf("%s, %d of %d MiB free, kernels for %s, %s",
		d.Describe(), free>>20, total>>20, d.target(), d.Products())
	if err := d.Close(); err != nil {
		text += ": " + err.Error()
	}
	return text
}

// target is what the images were compiled for that the device runs.
func (d *Device) target() string {
	t, err := images.For(d.major, d.minor)
	switch {
	case d.major == 0:
		return "the emulator"
	case err != nil:
		return err.Error()
	case t.Virtual():
		return t.Name + ", compiled by the driver"
	}
	return t.Name
}
