package run

import (
	"fmt"
	"io"
	"time"
)

// seconds is the time of all steps.
func (pr *profile) seconds() float64 {
	sum := time.Duration(0)
	for _, s := range pr.steps {
		sum += s.duration
	}
	return sum.Seconds()
}

// kernelSeconds is the part of it that was spent in kernels.
func (pr *profile) kernelSeconds() float64 {
	sum := time.Duration(0)
	for _, e := range pr.events {
		sum += e.Duration
	}
	return sum.Seconds()
}

// fastest is the time of the fastest step in seconds.
func (pr *profile) fastest() float64 {
	least := pr.steps[0].duration
	for _, s := range pr.steps {
		least = min(least, s.duration)
	}
	return least.Seconds()
}

// summarise prints the figures of the step as a whole.
func (pr *profile) summarise(out io.Writer) error {
	steps, seconds := float64(len(pr.steps)), pr.seconds()
	outside, planned := seconds-pr.kernelSeconds(), plannedMemory(pr.device.HoldsBF16(), pr.config, pr.spec).Total()
	tokens, flops := pr.work()
	_, err := fmt.Fprintf(out, `
step           %s, the fastest of %d %s
tokens         %s a step, %s a second
model          %s GFLOP/s%s
engine         %s of the step outside kernels, %s
memory         %s of the device at most; the plan says %s
`, milliseconds(seconds/steps), len(pr.steps), milliseconds(pr.fastest()),
		count(int64(tokens/steps)), count(int64(tokens/seconds)), rate(flops, seconds), pr.ofPeaks(flops/seconds),
		milliseconds(outside/steps), percent(outside/seconds), mebibytes(pr.device.PeakBytes()), mebibytes(planned))
	if err != nil || pr.peak.F32 == 0 {
		return err
	}
	_, err = fmt.Fprintf(out, "peak           %s GFLOP/s in f32, %s in bf16, %s GB/s\n",
		rate(pr.peak.F32, 1), rate(pr.peak.BF16, 1), rate(pr.peak.Bandwidth, 1))
	return err
}

// work is the tokens of the steps and the operations that the model needs for them, whatever the engine does.
func (pr *profile) work() (tokens, flops float64) {
	flat := pr.config.FlopsPerToken(0)
	byLength := pr.config.FlopsPerToken(1) - flat
	for _, s := range pr.steps {
		offsets := pr.plan.Batch(s.batch).Offsets
		for i := 1; i < len(offsets); i++ {
			n := float64(offsets[i] - offsets[i-1])
			tokens += n
			flops += n * (flat + byLength*n)
		}
	}
	return tokens, flops
}

// ofPeaks says what share of the device's peak a rate is, for bf16 of both peaks.
func (pr *profile) ofPeaks(flops float64) string {
	if pr.peak.F32 == 0 {
		return ""
	}
	text := fmt.Sprintf(", %s of the f32 peak", percent(flops/pr.peak.F32))
	if pr.spec.BF16 {
		text += fmt.Sprintf(", %s of the bf16 peak", percent(flops/pr.peak.BF16))
	}
	return text
}
