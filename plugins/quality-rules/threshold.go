package qualityrules

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A bound is the range of values, both ends included, that a rule lets pass.
type bound struct{ min, max float64 }

func atLeast(v float64) bound        { return bound{v, math.Inf(1)} }
func atMost(v float64) bound         { return bound{math.Inf(-1), v} }
func within(low, high float64) bound { return bound{low, high} }

var anything = bound{math.Inf(-1), math.Inf(1)}

// misses says how a value lies outside, nothing when it is inside.
func (b bound) misses(v float64) string {
	switch {
	case v < b.min:
		return short(v) + " < " + short(b.min)
	case v > b.max:
		return short(v) + " > " + short(b.max)
	}
	return ""
}

func short(v float64) string { return strconv.FormatFloat(v, 'g', 4, 64) }

// config is the `with` block. A threshold that is given takes the place of the rule's own whole: {} switches the rule
// off.
type config struct {
	English map[string]threshold `json:"english"`
	Chinese map[string]threshold `json:"chinese"`
}

type threshold struct{ Min, Max *float64 }

// UnmarshalJSON refuses keys other than min and max, which the host knows nothing of.
func (t *threshold) UnmarshalJSON(raw []byte) error {
	var ends map[string]*float64
	if err := json.Unmarshal(raw, &ends); err != nil {
		return err
	}
	*t = threshold{ends["min"], ends["max"]}
	delete(ends, "min")
	delete(ends, "max")
	if len(ends) > 0 {
		return fmt.Errorf("a threshold has min and max, not %q", slices.Sorted(maps.Keys(ends)))
	}
	return nil
}

// configured returns the thresholds of both languages, by rule.
func configured(raw []byte) (bounds [2][]bound, err error) {
	var c config
	if err := json.Unmarshal(raw, &c); err != nil {
		return bounds, fmt.Errorf("configuration: %w", err)
	}
	for i := range rules {
		bounds[english] = append(bounds[english], rules[i].english)
		bounds[chinese] = append(bounds[chinese], rules[i].chinese)
	}
	if err := overlay(bounds[english], "english", c.English); err != nil {
		return bounds, err
	}
	return bounds, overlay(bounds[chinese], "chinese", c.Chinese)
}

// overlay puts the given thresholds in the place of the rules' own.
func overlay(bounds []bound, key string, given map[string]threshold) error {
	left := len(given)
	for i := range rules {
		t, ok := given[rules[i].name]
		if !ok {
			continue
		}
		left--
		bounds[i] = anything
		if t.Min != nil {
			bounds[i].min = *t.Min
		}
		if t.Max != nil {
			bounds[i].max = *t.Max
		}
		if bounds[i].min > bounds[i].max {
			return fmt.Errorf("%s.%s: min %v is above max %v", key, rules[i].name, *t.Min, *t.Max)
		}
	}
	if left > 0 {
		return unknown(key, given)
	}
	return nil
}

// unknown returns the error that names the first rule that does not exist.
func unknown(key string, given map[string]threshold) error {
	var names, strange []string
	for i := range rules {
		names = append(names, rules[i].name)
	}
	for name := range given {
		if !slices.Contains(names, name) {
			strange = append(strange, name)
		}
	}
	return fmt.Errorf("%s.%s: no such rule (there are %s)", key, slices.Min(strange), strings.Join(names, ", "))
}
