//go:build cuda

package cuda

import (
	"math"
	"testing"
)

// Data sheets say so many TFLOP/s of bf16 without sparsity, and of f32. The clocks are those that the cards report.
func TestPeakIsThatOfDataSheets(t *testing.T) {
	for _, c := range []struct {
		card         string
		major, minor int
		sms          int
		mhz          float64
		bf16, f32    float64
	}{
		{"NVIDIA A100-SXM4-80GB", 8, 0, 108, 1410, 312, 19.5},
		{"NVIDIA A30", 8, 0, 56, 1440, 165, 10.3},
		{"NVIDIA A40", 8, 6, 84, 1740, 149.7, 37.4},
		{"NVIDIA GeForce RTX 3090", 8, 6, 82, 1695, 71, 35.6},
		{"NVIDIA L4", 8, 9, 58, 2040, 121, 30.3},
		{"NVIDIA L40", 8, 9, 142, 2490, 181, 90.5},
		{"NVIDIA L40S", 8, 9, 142, 2520, 362, 91.6},
		{"NVIDIA GeForce RTX 4090", 8, 9, 128, 2520, 165.2, 82.6},
		{"NVIDIA H100 80GB HBM3", 9, 0, 132, 1980, 989.4, 66.9},
		{"NVIDIA H100 PCIe", 9, 0, 114, 1755, 756, 51.2},
		{"NVIDIA H100 NVL", 9, 0, 132, 1785, 835, 60},
		{"NVIDIA H200", 9, 0, 132, 1980, 989, 66.9},
		{"NVIDIA H200 NVL", 9, 0, 132, 1785, 835, 60},
		{"NVIDIA GH200 480GB", 9, 0, 132, 1980, 989, 66.9},
		{"NVIDIA B200", 10, 0, 148, 1965, 2250, 75},
		{"NVIDIA GeForce RTX 5090", 12, 0, 170, 2407, 209.5, 104.8},
		{"NVIDIA RTX PRO 6000 Blackwell Workstation Edition", 12, 0, 188, 2617, 503.8, 125.9},
	} {
		f32, bf16 := ratesOf(c.major, c.minor).peak(c.card, c.sms, c.mhz)
		for want, got := range map[float64]float64{c.bf16: bf16 / 1e12, c.f32: f32 / 1e12} {
			if math.Abs(got-want) > 0.02*want {
				t.Errorf("%s: %.1f TFLOP/s, want %.1f", c.card, got, want)
			}
		}
	}
}
