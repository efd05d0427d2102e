package narrow

import (
	"errors"

	"github.com/carebot-llm/carebot/accelerators"
)

// Alloc implements accelerators.Memory, as all methods here do.
func (d *Device) Alloc(t accelerators.DType, n int) (accelerators.Buffer, error) {
	b, err := d.Device.Alloc(wide(accelerators.Buffer{Type: t}).Type, n)
	b.Type = t
	return b, err
}

func (d *Device) Free(b accelerators.Buffer) { d.Device.Free(wide(b)) }

func (d *Device) UploadF32(dst accelerators.Buffer, src []float32) {
	d.Device.UploadF32(wide(dst), src)
	d.round(dst)
}

func (d *Device) UploadBF16(dst accelerators.Buffer, src []uint16) {
	d.Device.UploadBF16(wide(dst), src)
}

func (d *Device) UploadF16(dst accelerators.Buffer, src []uint16) {
	d.Device.UploadF16(wide(dst), src)
	d.round(dst)
}

func (d *Device) DownloadF32(dst []float32, src accelerators.Buffer) error {
	return errors.Join(d.err, d.Device.DownloadF32(dst, wide(src)))
}

func (d *Device) DownloadI32(dst []int32, src accelerators.Buffer) error {
	return errors.Join(d.err, d.Device.DownloadI32(dst, src))
}

func (d *Device) FetchF32(dst []float32, src accelerators.Buffer) (wait func() error) {
	if err := d.DownloadF32(dst, src); err != nil {
		return func() error { return err }
	}
	return nil
}

func (d *Device) Copy(dst, src accelerators.Buffer) {
	d.Device.Copy(wide(dst), wide(src))
	d.round(dst)
}

func (d *Device) Fill(dst accelerators.Buffer, value float32) {
	d.Device.Fill(wide(dst), value)
	d.round(dst)
}

func (d *Device) Sync() error {
	err := errors.Join(d.err, d.Device.Sync())
	d.err = nil
	return err
}
