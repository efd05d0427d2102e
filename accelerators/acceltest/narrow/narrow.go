// Package narrow is a device that holds BF16 without hardware for it, for tests: another device, whose F32 memory it
// rounds after every kernel. It is as strict about types as the contract is.
package narrow

import (
	"fmt"
	"math"

	"github.com/carebot-llm/carebot/accelerators"
)

// A Device holds BF16 buffers as F32 memory of the device within, in which every number is one of bfloat16.
type Device struct {
	accelerators.Device
	host []float32
	err  error // a mistake about types
}

// New wraps a device. Closing the result closes it.
func New(dev accelerators.Device) *Device { return &Device{Device: dev} }

// HoldsBF16 is true.
func (d *Device) HoldsBF16() bool { return true }

// wide is a buffer as the device within knows it.
func wide(b accelerators.Buffer) accelerators.Buffer {
	if b.Type == accelerators.BF16 {
		b.Type = accelerators.F32
	}
	return b
}

// alike notes a mistake unless the activations of a call have one type.
func (d *Device) alike(op string, activations ...accelerators.Buffer) bool {
	for _, b := range activations[1:] {
		if b.Type != activations[0].Type {
			d.fail(fmt.Errorf("narrow: %s of %v and %v", op, activations[0].Type, b.Type))
		}
	}
	return d.err == nil
}

// computes notes a mistake unless a call on activations of BF16 computes in it.
func (d *Device) computes(op string, compute accelerators.DType, activations ...accelerators.Buffer) bool {
	if activations[0].Type == accelerators.BF16 && compute != accelerators.BF16 {
		d.fail(fmt.Errorf("narrow: %s of bf16 computes in %v", op, compute))
	}
	return d.alike(op, activations...)
}

func (d *Device) fail(err error) {
	if d.err == nil {
		d.err = err
	}
}

// round rounds what a kernel has written to BF16 buffers.
func (d *Device) round(results ...accelerators.Buffer) {
	for _, b := range results {
		if b.Type != accelerators.BF16 || b.Len == 0 {
			continue
		}
		if cap(d.host) < b.Len {
			d.host = make([]float32, b.Len)
		}
		host := d.host[:b.Len]
		if d.Device.DownloadF32(host, wide(b)) != nil {
			return
		}
		for i, x := range host {
			host[i] = nearest(x)
		}
		d.Device.UploadF32(wide(b), host)
	}
}

// nearest is the number of bfloat16 that is nearest to x, of two the even one.
func nearest(x float32) float32 {
	if x != x {
		return x
	}
	bits := math.Float32bits(x)
	return math.Float32frombits((bits + 0x7fff + bits>>16&1) &^ 0xffff)
}

var _ accelerators.Device = (*Device)(nil)
