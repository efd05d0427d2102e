package accelerators

import "math"

// Weights in NF4 (Dettmers et al. 2023, QLoRA) are one of 16 levels times the scale of their block. Scales are the blocks'
// largest magnitudes, held in 8 bits themselves: less their mean, one of 256 levels times the largest magnitude of a
// group of them.
const (
	NF4Block = 64  // weights under one scale
	NF4Group = 256 // scales under one magnitude
	NF4Unit  = 128 // unpacking begins at a multiple of it
)

// NF4Levels are 16 quantiles of the normal distribution, scaled to 1, with an exact zero.
var NF4Levels = [16]float32{
	-1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334,
	-0.09105003625154495, 0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
	0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1,
}

// NF4ScaleLevels are the levels of scales, rising: 0, 1, and of both signs one between 1e-7 and 1e-6, two in the next power
// of ten, and so on up to 64 (Dettmers 2016, dynamic 8-bit numbers).
var NF4ScaleLevels = nf4ScaleLevels()

func nf4ScaleLevels() (levels [256]float32) {
	const zero = 127
	levels[255] = 1
	at := zero + 1
	for octave := range 7 {
		power, count := float32(math.Pow10(octave-6)), 1<<octave
		for i := range count {
			middle := (boundary(i, count) + boundary(i+1, count)) / 2
			levels[at] = power * middle
			levels[2*zero-at] = -levels[at]
			at++
		}
	}
	return levels
}

// boundary i of count+1 that lie evenly between 0.1 and 1, to the bits that PyTorch has.
func boundary(i, count int) float32 {
	const low = float32(0.1)
	step := (1 - low) / float32(count)
	if i < (count+1)/2 {
		return float32(float64(low) + float64(step)*float64(i))
	}
	return float32(1 - float64(step)*float64(count-i))
}

// NF4Words is how many elements of i32 hold n packed weights.
func NF4Words(n int) int {
	units := (n + NF4Unit - 1) / NF4Unit
	blocks := units * NF4Unit / NF4Block
	return units*NF4Unit/8 + (blocks+3)/4 + (blocks+NF4Group-1)/NF4Group + 1
}
