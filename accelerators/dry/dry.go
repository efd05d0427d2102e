// Package dry is a device without memory that does no work: what runs on it shows how much memory it would take on another.
package dry

import "github.com/carebot-llm/carebot/accelerators"

// device satisfies every request. Its buffers hold nothing: uploads go nowhere, downloads are zeros.
type device struct{ holdsBF16 bool }

// memory is one allocation; it has a size, so that no two have one address.
type memory struct{ _ byte }

// New returns the device, for one that holds BF16 or does not. It has room for anything, so only what asks for memory
// decides how much is asked for.
func New(holdsBF16 bool) accelerators.Device { return device{holdsBF16} }

func (device) Name() string             { return "dry" }
func (device) Describe() string         { return "dry: no memory, no work" }
func (device) Peak() accelerators.Peak  { return accelerators.Peak{} }
func (d device) HoldsBF16() bool        { return d.holdsBF16 }
func (device) Together(work func())     { work() }
func (device) Close() error             { return nil }
func (device) Sync() error              { return nil }
func (device) Free(accelerators.Buffer) {}

func (device) Alloc(t accelerators.DType, n int) (accelerators.Buffer, error) {
	return accelerators.Buffer{Mem: &memory{}, Len: n, Type: t}, nil
}

func (device) UploadF32(accelerators.Buffer, []float32) {}
func (device) UploadI32(accelerators.Buffer, []int32)   {}
func (device) UploadBF16(accelerators.Buffer, []uint16) {}
func (device) UploadF16(accelerators.Buffer, []uint16)  {}

func (device) DownloadF32(dst []float32, _ accelerators.Buffer) error {
	clear(dst)
	return nil
}

func (device) FetchF32(dst []float32, _ accelerators.Buffer) (wait func() error) {
	clear(dst)
	return nil
}

func (device) DownloadI32(dst []int32, _ accelerators.Buffer) error {
	clear(dst)
	return nil
}

func (device) Copy(_, _ accelerators.Buffer)            {}
func (device) Fill(accelerators.Buffer, float32)        {}
func (device) Axpy(_, _ accelerators.Buffer, _ float32) {}
func (device) Scale(accelerators.Buffer, float32)       {}
func (device) Add(_, _, _ accelerators.Buffer)          {}
func (device) Mul(_, _, _ accelerators.Buffer)          {}
func (device) Dot(_, _, _ accelerators.Buffer)          {}
func (device) SquaredNorm(_, _ accelerators.Buffer)     {}

func (device) Embed(_, _, _ accelerators.Buffer, _ int)      {}
func (device) EmbedGrad(_, _, _ accelerators.Buffer, _ int)  {}
func (device) Gather(_, _, _ accelerators.Buffer, _ int)     {}
func (device) GatherGrad(_, _, _ accelerators.Buffer, _ int) {}

func (device) MatMul(_, _, _ accelerators.Buffer, _ accelerators.MatMul) {}
func (device) AddBias(_, _ accelerators.Buffer, _ int)                   {}
func (device) BiasGrad(_, _ accelerators.Buffer, _ int)                  {}

func (device) RMSNorm(_, _, _, _ accelerators.Buffer, _ int, _ float32)                   {}
func (device) RMSNormGrad(_, _, _, _, _, _ accelerators.Buffer, _ int)                    {}
func (device) HeadNorm(_, _, _, _ accelerators.Buffer, _ accelerators.HeadNorm)           {}
func (device) HeadNormGrad(_, _, _, _, _, _ accelerators.Buffer, _ accelerators.HeadNorm) {}
func (device) LayerNorm(_, _, _, _, _, _ accelerators.Buffer, _ int, _ float32)           {}
func (device) LayerNormGrad(_, _, _, _, _, _, _, _ accelerators.Buffer, _ int)            {}
func (device) RoPE(_, _, _, _ accelerators.Buffer, _ accelerators.RoPE)                   {}
func (device) Attention(_, _, _, _, _ accelerators.Buffer, _ accelerators.Attention)      {}
func (device) AttentionGrad(_, _, _, _, _, _, _, _, _ accelerators.Buffer, _ accelerators.Attention) {
}
func (device) AttentionDecode(_, _, _ accelerators.Buffer, _ accelerators.AttentionDecode) {}

func (device) SwiGLU(_, _ accelerators.Buffer, _ int)        {}
func (device) SwiGLUGrad(_, _, _ accelerators.Buffer, _ int) {}
func (device) GeGLU(_, _ accelerators.Buffer, _ int)         {}
func (device) GeGLUGrad(_, _, _ accelerators.Buffer, _ int)  {}
func (device) GELU(_, _ accelerators.Buffer)                 {}
func (device) GELUGrad(_, _, _ accelerators.Buffer)          {}
func (device) GELUTanh(_, _ accelerators.Buffer)             {}
func (device) GELUTanhGrad(_, _, _ accelerators.Buffer)      {}
func (device) Tanh(_, _ accelerators.Buffer)                 {}
func (device) TanhGrad(_, _, _ accelerators.Buffer)          {}

func (device) HeadLoss(_, _, _, _, _, _ accelerators.Buffer, _ accelerators.Head)           {}
func (device) HeadLossGrad(_, _, _, _, _, _, _, _ accelerators.Buffer, _ accelerators.Head) {}
func (device) HeadLearn(_, _, _, _, _, _, _, _ accelerators.Buffer, _ accelerators.Head)    {}
func (device) AdamW(_, _, _, _ accelerators.Buffer, _ accelerators.AdamW)                   {}
func (device) PackNF4(_, _ accelerators.Buffer)                                             {}
func (device) UnpackNF4(_, _ accelerators.Buffer, _, _ int)                                 {}
func (device) AdamWBF16(_, _, _, _ accelerators.Buffer, _ accelerators.AdamW)               {}
func (device) AdamW8Bit(_, _ accelerators.Buffer, _, _ accelerators.Dynamic8, _ accelerators.AdamW) {
}
func (device) Sample(_, _ accelerators.Buffer, _ int, _ []accelerators.Draw) {}

var _ accelerators.Device = device{}
