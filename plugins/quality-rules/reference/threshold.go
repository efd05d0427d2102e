package reference

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
	English map[string]json.RawMessage `json:"english"`
	Chinese map[string]json.RawMessage `json:"chinese"`
}

// parseBound reads {min: ..., max: ...}; an end that is not given is open.
func parseBound(raw json.RawMessage) (bound, error) {
	var ends map[string]json.RawMessage
	b := anything
	if raw[0] != '{' || json.Unmarshal(raw, &ends) != nil {
		return b, fmt.Errorf(": a threshold is {min: ..., max: ...}, not %s", raw)
	}
	for _, end := range slices.Sorted(maps.Keys(ends)) {
		to := map[string]*float64{"min": &b.min, "max": &b.max}[end]
		if to == nil {
			return b, fmt.Errorf(": a threshold has min and max, not %s", end)
		}
		if string(ends[end]) == "null" || json.Unmarshal(ends[end], to) != nil {
			return b, fmt.Errorf(".%s: must be a number, is %s", end, ends[end])
		}
	}
	if b.min > b.max {
		return b, fmt.Errorf(": min %s is above max %s", short(b.min), short(b.max))
	}
	return b, nil
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
func overlay(bounds []bound, key string, given map[string]json.RawMessage) (err error) {
	for _, name := range slices.Sorted(maps.Keys(given)) {
		i := slices.IndexFunc(rules, func(r rule) bool { return r.name == name })
		if i < 0 {
			return unknown(key, name)
		}
		if bounds[i], err = parseBound(given[name]); err != nil {
			return fmt.Errorf("%s.%s%w", key, name, err)
		}
	}
	return nil
}

// unknown returns the error of a rule that does not exist.
func unknown(key, name string) error {
	var names []string
	for i := range rules {
		names = append(names, rules[i].name)
	}
	return fmt.Errorf("%s.%s: no such rule (there are %s)", key, name, strings.Join(names, ", "))
}
