package model

import (
	"errors"
	"fmt"
	"math"
	"math/bits"

	"github.com/carebot-llm/carebot/accelerators"
)

// The ways of stretching rotary positions.
const (
	ropeDefault = "default"
	ropeLinear  = "linear"
	ropeDynamic = "dynamic"
	ropeLlama3  = "llama3"
	ropeYarn    = "yarn"
)

// RopeScaling stretches rotary positions beyond the context of pre-training, by the keys of transformers.
type RopeScaling struct {
	Type            string   `json:"rope_type"`
	OldType         string   `json:"type,omitempty"` // the same in files of old; empty once read
	Factor          float64  `json:"factor,omitempty"`
	OriginalContext int      `json:"original_max_position_embeddings,omitempty"` // llama3, yarn
	LowFreqFactor   float64  `json:"low_freq_factor,omitempty"`                  // llama3
	HighFreqFactor  float64  `json:"high_freq_factor,omitempty"`                 // llama3
	AttentionFactor *float64 `json:"attention_factor,omitempty"`                 // yarn
	BetaFast        float64  `json:"beta_fast,omitempty"`                        // yarn
	BetaSlow        float64  `json:"beta_slow,omitempty"`                        // yarn
	MScale          float64  `json:"mscale,omitempty"`                           // yarn
	MScaleAllDim    float64  `json:"mscale_all_dim,omitempty"`                   // yarn
	Truncate        *bool    `json:"truncate,omitempty"`                         // yarn
}

// standard returns the scaling under its present key, nil if it scales nothing.
func (s RopeScaling) standard() *RopeScaling {
	if s.Type == "" {
		s.Type = s.OldType
	}
	s.OldType = ""
	if s.Type == ropeDefault || s.Type == "" {
		return nil
	}
	return &s
}

func (s RopeScaling) validate() error {
	switch s.Type {
	case ropeLinear, ropeDynamic, ropeYarn, ropeLlama3:
	default:
		return fmt.Errorf("rope_scaling: rope_type %q is not one of %s, %s, %s, %s, %s",
			s.Type, ropeDefault, ropeLinear, ropeDynamic, ropeLlama3, ropeYarn)
	}
	errs := []error{
		rule(s.Factor >= 1 && s.Factor <= maxTokens, "rope_scaling: factor %v is not in 1..%d", s.Factor, maxTokens),
		rule(s.BetaFast >= 0 && s.BetaSlow >= 0, "rope_scaling: beta_fast and beta_slow must not be negative"),
		rule(s.yarnFactor() > 0 && s.yarnFactor() < 1e6, "rope_scaling: the factor on attention is %v", s.yarnFactor()),
	}
	if s.Type == ropeLlama3 {
		errs = append(errs, rule(s.LowFreqFactor > 0 && s.HighFreqFactor > s.LowFreqFactor,
			"rope_scaling: high_freq_factor %v is not above low_freq_factor %v", s.HighFreqFactor, s.LowFreqFactor))
	}
	return errors.Join(errs...)
}

func (s RopeScaling) original(c Config) float64 {
	if s.OriginalContext > 0 {
		return float64(s.OriginalContext)
	}
	return float64(c.MaxPositionEmbeddings)
}

// frequencies returns the angle of each pair of a head at position 1, and the factor on cosine and sine, for sequences
// of the given length, as transformers computes them: in float32, rounded where it rounds. Only dynamic scaling looks
// at the length.
func (c Config) frequencies(length int) (inverse []float32, factor float32) {
	s := c.RopeScaling
	if s == nil {
		return geometric(c.RopeTheta, c.HeadDim), 1
	}
	switch s.Type {
	case ropeDynamic:
		return geometric(c.stretchedTheta(length), c.HeadDim), 1
	case ropeLlama3:
		return s.byWavelength(geometric(c.RopeTheta, c.HeadDim), s.original(c)), 1
	case ropeYarn:
		return s.yarn(c), s.yarnFactor()
	}
	inverse = geometric(c.RopeTheta, c.HeadDim)
	for i := range inverse {
		inverse[i] /= float32(s.Factor)
	}
	return inverse, 1
}

// geometric is theta^(-2i/dim).
func geometric(theta float64, dim int) []float32 {
	inverse := make([]float32, dim/2)
	for i := range inverse {
		inverse[i] = 1 / float32(math.Pow(theta, float64(float32(2*i)/float32(dim))))
	}
	return inverse
}

// stretchedTheta is the base of dynamic "NTK" scaling, which grows with the sequence once it is longer than the
// context.
func (c Config) stretchedTheta(length int) float64 {
	most, f, dim := float64(c.MaxPositionEmbeddings), c.RopeScaling.Factor, float64(c.HeadDim)
	return c.RopeTheta * math.Pow(f*max(float64(length), most)/most-(f-1), dim/(dim-2))
}

// byWavelength is Llama 3's rule: long waves are slowed by the factor, short ones stay, those between are interpolated.
func (s RopeScaling) byWavelength(inverse []float32, context float64) []float32 {
	for i, f := range inverse {
		wave := 2 * math.Pi / float64(f)
		switch {
		case wave > context/s.LowFreqFactor:
			inverse[i] = f / float32(s.Factor)
		case wave >= context/s.HighFreqFactor:
			smooth := float32((context/wave - s.LowFreqFactor) / (s.HighFreqFactor - s.LowFreqFactor))
			inverse[i] = (1-smooth)*f/float32(s.Factor) + smooth*f
		}
	}
	return inverse
}

// yarn interpolates pairs that turn less than BetaSlow times within the original context, keeps those that turn more
// than BetaFast times, and blends between (Peng et al. 2023).
func (s RopeScaling) yarn(c Config) []float32 {
	inverse := geometric(c.RopeTheta, c.HeadDim)
	low, high := s.yarnRange(c)
	for i, f := range inverse {
		ramp := float32(min(max((float64(i)-low)/(high-low), 0), 1))
		inverse[i] = f/float32(s.Factor)*ramp + f*(1-ramp)
	}
	return inverse
}

func (s RopeScaling) yarnRange(c Config) (low, high float64) {
	pairOf := func(turns float64) float64 {
		return float64(c.HeadDim) * math.Log(s.original(c)/(turns*2*math.Pi)) / (2 * math.Log(c.RopeTheta))
	}
	low, high = pairOf(orElse(s.BetaFast, 32)), pairOf(orElse(s.BetaSlow, 1))
	if s.Truncate == nil || *s.Truncate {
		low, high = math.Floor(low), math.Ceil(high)
	}
	low, high = max(low, 0), min(high, float64(c.HeadDim-1))
	if low == high {
		high += 0.001
	}
	return low, high
}

func (s RopeScaling) yarnFactor() float32 {
	scale := func(m float64) float64 { return 0.1*m*math.Log(s.Factor) + 1 }
	switch {
	case s.AttentionFactor != nil:
		return float32(*s.AttentionFactor)
	case s.MScale != 0 && s.MScaleAllDim != 0:
		return float32(scale(s.MScale) / scale(s.MScaleAllDim))
	}
	return float32(scale(1))
}

func orElse(v, instead float64) float64 {
	if v == 0 {
		return instead
	}
	return v
}

// angles writes cosine and sine of positions 0 to n-1, [n, HeadDim/2] each, for sequences of the given length.
func (c Config) angles(n, length int) (cos, sin []float32) {
	inverse, factor := c.frequencies(length)
	cos, sin = make([]float32, 0, n*len(inverse)), make([]float32, 0, n*len(inverse))
	for p := range n {
		for _, f := range inverse {
			angle := float64(float32(p) * f)
			cos = append(cos, float32(math.Cos(angle))*factor)
			sin = append(sin, float32(math.Sin(angle))*factor)
		}
	}
	return cos, sin
}

// A rotary holds tables of cosine and sine on the device, for as many positions as were asked for so far.
type rotary struct {
	cfg      Config // whose rotary keys say the angles
	cos, sin accelerators.Buffer
	rows     int
	retired  []accelerators.Buffer // shorter tables, which a tape may still need on its way back
}

// local is the configuration whose angles are those of layers that see a window.
func (c Config) local() Config {
	c.RopeTheta, c.RopeScaling = c.LocalRopeTheta, nil
	return c
}

// reach makes the tables long enough for n positions. They grow by doubling, up to the context.
func (m *Model) reach(r *rotary, n int) error {
	if n <= r.rows {
		return nil
	}
	rows := max(min(1<<bits.Len(uint(n-1)), m.cfg.Context()), n)
	cos, sin := m.angles(r, rows, 0)
	r.retired = append(r.retired, r.cos, r.sin)
	var err error
	if r.cos, err = m.dev.Alloc(accelerators.F32, len(cos)); err != nil {
		return fmt.Errorf("allocate rotary tables: %w", err)
	}
	if r.sin, err = m.dev.Alloc(accelerators.F32, len(sin)); err != nil {
		return fmt.Errorf("allocate rotary tables: %w", err)
	}
	m.dev.UploadF32(r.cos, cos)
	m.dev.UploadF32(r.sin, sin)
	r.rows = rows
	return nil
}

// angles are those of a rotary's configuration, or nothing in a blank model.
func (m *Model) angles(r *rotary, n, length int) (cos, sin []float32) {
	if m.blank {
		none := make([]float32, n*m.cfg.HeadDim/2)
		return none, none
	}
	return r.cfg.angles(n, length)
}

func (r *rotary) free(dev accelerators.Device) {
	for _, b := range append(r.retired, r.cos, r.sin) {
		if b.Present() {
			dev.Free(b)
		}
	}
	*r = rotary{cfg: r.cfg}
}

// Slowdown is by what the angles of each pair of a head are divided, [head_dim/2], beside the plain ones of rope_theta.
// Scaling that depends on the length has no such numbers: see frequencies.
func (c Config) Slowdown() []float32 {
	plain, slowed := geometric(c.RopeTheta, c.HeadDim), geometric(c.RopeTheta, c.HeadDim)
	if c.RopeScaling != nil {
		slowed, _ = c.frequencies(1)
	}
	for i := range plain {
		plain[i] /= slowed[i]
	}
	return plain
}
