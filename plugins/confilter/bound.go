package confilter

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A bound is a number, or a quantile of the data with the share of dialogues below it as value.
type bound struct {
	value    float64
	quantile bool
	set      bool
}

func numberBound(v float64) bound       { return bound{value: v, set: true} }
func quantileBound(share float64) bound { return bound{value: share, quantile: true, set: true} }

// UnmarshalJSON reads 0.9, "q05" or null. The digits after q are percent.
func (b *bound) UnmarshalJSON(raw []byte) error {
	*b = bound{}
	if string(raw) == "null" {
		return nil
	}
	if raw[0] != '"' {
		b.set = true
		return json.Unmarshal(raw, &b.value)
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return err
	}
	percent, isQuantile := strings.CutPrefix(text, "q")
	v, err := strconv.ParseFloat(percent, 64)
	if err != nil || !isQuantile || !(v >= 0 && v <= 100) {
		return fmt.Errorf("%q is no bound; it is a number, or a quantile from q0 to q100 such as q05", text)
	}
	*b = quantileBound(v / 100)
	return nil
}

// of returns the bound as a number, given what it is a quantile of.
func (b bound) of(data []measure, value func(measure) float64) bound {
	if !b.quantile || len(data) == 0 {
		return b
	}
	values := make([]float64, len(data))
	for i, m := range data {
		values[i] = value(m)
	}
	slices.Sort(values)
	return numberBound(quantile(values, b.value))
}

// quantile interpolates between sorted values: the share 0 is the first of them, 1 the last.
func quantile(sorted []float64, share float64) float64 {
	at := share * float64(len(sorted)-1)
	below := int(math.Floor(at))
	above := min(below+1, len(sorted)-1)
	return sorted[below] + (at-float64(below))*(sorted[above]-sorted[below])
}
