package main

import (
	"time"

	"github.com/carebot-llm/carebot/accelerators"
)

// A stopwatch is a device that adds up the time inside its calls; Alloc and Free count as the engine's.
type stopwatch struct {
	accelerators.Device
	inner time.Duration
}

func (watch *stopwatch) since(start time.Time) { watch.inner += time.Since(start) }

func (watch *stopwatch) Embed(out, table, ids accelerators.Buffer, width int) {
	defer watch.since(time.Now())
	watch.Device.Embed(out, table, ids, width)
}

func (watch *stopwatch) EmbedGrad(dtable, dout, ids accelerators.Buffer, width int) {
	defer watch.since(time.Now())
	watch.Device.EmbedGrad(dtable, dout, ids, width)
}

func (watch *stopwatch) MatMul(c, a, b accelerators.Buffer, s accelerators.MatMul) {
	defer watch.since(time.Now())
	watch.Device.MatMul(c, a, b, s)
}

func (watch *stopwatch) AddBias(y, bias accelerators.Buffer, width int) {
	defer watch.since(time.Now())
	watch.Device.AddBias(y, bias, width)
}

func (watch *stopwatch) BiasGrad(dbias, dy accelerators.Buffer, width int) {
	defer watch.since(time.Now())
	watch.Device.BiasGrad(dbias, dy, width)
}

func (watch *stopwatch) RMSNorm(y, rstd, x, w accelerators.Buffer, width int, eps float32) {
	defer watch.since(time.Now())
	watch.Device.RMSNorm(y, rstd, x, w, width, eps)
}

func (watch *stopwatch) RMSNormGrad(dx, dw, dy, x, w, rstd accelerators.Buffer, width int) {
	defer watch.since(time.Now())
	watch.Device.RMSNormGrad(dx, dw, dy, x, w, rstd, width)
}

func (watch *stopwatch) LayerNorm(y, mean, rstd, x, w, b accelerators.Buffer, width int, eps float32) {
	defer watch.since(time.Now())
	watch.Device.LayerNorm(y, mean, rstd, x, w, b, width, eps)
}

func (watch *stopwatch) LayerNormGrad(dx, dw, db, dy, x, w, mean, rstd accelerators.Buffer, width int) {
	defer watch.since(time.Now())
	watch.Device.LayerNormGrad(dx, dw, db, dy, x, w, mean, rstd, width)
}

func (watch *stopwatch) RoPE(x, cos, sin, positions accelerators.Buffer, s accelerators.RoPE) {
	defer watch.since(time.Now())
	watch.Device.RoPE(x, cos, sin, positions, s)
}

func (watch *stopwatch) Attention(out, lse, q, k, v accelerators.Buffer, s accelerators.Attention) {
	defer watch.since(time.Now())
	watch.Device.Attention(out, lse, q, k, v, s)
}

func (watch *stopwatch) AttentionGrad(dq, dk, dv, dout, out, lse, q, k, v accelerators.Buffer,
	s accelerators.Attention) {
	defer watch.since(time.Now())
	watch.Device.AttentionGrad(dq, dk, dv, dout, out, lse, q, k, v, s)
}

func (watch *stopwatch) AttentionDecode(out, q, k, v, lengths accelerators.Buffer, s accelerators.AttentionDecode) {
	defer watch.since(time.Now())
	watch.Device.AttentionDecode(out, q, k, v, lengths, s)
}

func (watch *stopwatch) SwiGLU(y, x accelerators.Buffer, inner int) {
	defer watch.since(time.Now())
	watch.Device.SwiGLU(y, x, inner)
}

func (watch *stopwatch) SwiGLUGrad(dx, dy, x accelerators.Buffer, inner int) {
	defer watch.since(time.Now())
	watch.Device.SwiGLUGrad(dx, dy, x, inner)
}

func (watch *stopwatch) GELU(y, x accelerators.Buffer) {
	defer watch.since(time.Now())
	watch.Device.GELU(y, x)
}

func (watch *stopwatch) GELUGrad(dx, dy, x accelerators.Buffer) {
	defer watch.since(time.Now())
	watch.Device.GELUGrad(dx, dy, x)
}

func (watch *stopwatch) Tanh(y, x accelerators.Buffer) {
	defer watch.since(time.Now())
	watch.Device.Tanh(y, x)
}

func (watch *stopwatch) TanhGrad(dx, dy, y accelerators.Buffer) {
	defer watch.since(time.Now())
	watch.Device.TanhGrad(dx, dy, y)
}

func (watch *stopwatch) HeadLoss(nll, lse, hidden, weight, targets, logits accelerators.Buffer, s accelerators.Head) {
	defer watch.since(time.Now())
	watch.Device.HeadLoss(nll, lse, hidden, weight, targets, logits, s)
}

func (watch *stopwatch) HeadLossGrad(dhidden, dweight, dnll, hidden, weight, targets, lse,
	logits accelerators.Buffer, s accelerators.Head) {
	defer watch.since(time.Now())
	watch.Device.HeadLossGrad(dhidden, dweight, dnll, hidden, weight, targets, lse, logits, s)
}

func (watch *stopwatch) HeadLearn(nll, dhidden, dweight, dnll, hidden, weight, targets,
	logits accelerators.Buffer, s accelerators.Head) {
	defer watch.since(time.Now())
	watch.Device.HeadLearn(nll, dhidden, dweight, dnll, hidden, weight, targets, logits, s)
}

func (watch *stopwatch) Gather(out, x, rows accelerators.Buffer, width int) {
	defer watch.since(time.Now())
	watch.Device.Gather(out, x, rows, width)
}

func (watch *stopwatch) GatherGrad(dx, dout, rows accelerators.Buffer, width int) {
	defer watch.since(time.Now())
	watch.Device.GatherGrad(dx, dout, rows, width)
}

func (watch *stopwatch) Axpy(y, x accelerators.Buffer, alpha float32) {
	defer watch.since(time.Now())
	watch.Device.Axpy(y, x, alpha)
}

func (watch *stopwatch) Scale(x accelerators.Buffer, alpha float32) {
	defer watch.since(time.Now())
	watch.Device.Scale(x, alpha)
}

func (watch *stopwatch) Add(out, a, b accelerators.Buffer) {
	defer watch.since(time.Now())
	watch.Device.Add(out, a, b)
}

func (watch *stopwatch) Mul(out, a, b accelerators.Buffer) {
	defer watch.since(time.Now())
	watch.Device.Mul(out, a, b)
}

func (watch *stopwatch) Dot(out, a, b accelerators.Buffer) {
	defer watch.since(time.Now())
	watch.Device.Dot(out, a, b)
}

func (watch *stopwatch) SquaredNorm(out, x accelerators.Buffer) {
	defer watch.since(time.Now())
	watch.Device.SquaredNorm(out, x)
}

func (watch *stopwatch) AdamW(param, grad, m, v accelerators.Buffer, s accelerators.AdamW) {
	defer watch.since(time.Now())
	watch.Device.AdamW(param, grad, m, v, s)
}

func (watch *stopwatch) Sample(ids, logits accelerators.Buffer, s accelerators.Sample) {
	defer watch.since(time.Now())
	watch.Device.Sample(ids, logits, s)
}

func (watch *stopwatch) UploadF32(dst accelerators.Buffer, src []float32) {
	defer watch.since(time.Now())
	watch.Device.UploadF32(dst, src)
}

func (watch *stopwatch) UploadI32(dst accelerators.Buffer, src []int32) {
	defer watch.since(time.Now())
	watch.Device.UploadI32(dst, src)
}

func (watch *stopwatch) DownloadF32(dst []float32, src accelerators.Buffer) error {
	defer watch.since(time.Now())
	return watch.Device.DownloadF32(dst, src)
}

func (watch *stopwatch) DownloadI32(dst []int32, src accelerators.Buffer) error {
	defer watch.since(time.Now())
	return watch.Device.DownloadI32(dst, src)
}

func (watch *stopwatch) Copy(dst, src accelerators.Buffer) {
	defer watch.since(time.Now())
	watch.Device.Copy(dst, src)
}

func (watch *stopwatch) Fill(dst accelerators.Buffer, value float32) {
	defer watch.since(time.Now())
	watch.Device.Fill(dst, value)
}

func (watch *stopwatch) Sync() error {
	defer watch.since(time.Now())
	return watch.Device.Sync()
}
