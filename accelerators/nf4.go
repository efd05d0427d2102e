package accelerators

// Weights in NF4 (Dettmers et al. 2023, QLoRA) are one of 16 levels times the scale of their block. Scales are the blocks'
// largest magnitudes, held in eight bits themselves: less their mean they are numbers with a sign as in Dynamic8.
const (
	NF4Block = 64  // weights under one scale
	NF4Unit  = 128 // unpacking begins at a multiple of it
)

// NF4Levels are 16 quantiles of the normal distribution, scaled to 1, with an exact zero.
var NF4Levels = [16]float32{
	-1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334,
	-0.09105003625154495, 0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
	0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1,
}

// NF4Words is how many elements of i32 hold n packed weights.
func NF4Words(n int) int {
	units := (n + NF4Unit - 1) / NF4Unit
	blocks := units * NF4Unit / NF4Block
	return units*NF4Unit/8 + (blocks+3)/4 + (blocks+Dynamic8Block-1)/Dynamic8Block + 1
}
