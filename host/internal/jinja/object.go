package jinja

import (
	"math"
	"slices"
)

// An Object is a mapping that keeps the order in which its keys were first set, like Python's dict. The zero Object is
// empty.
type Object struct {
	keys   []any
	values []any
	index  map[any]int
}

// Set gives a key its value; a key that is there keeps its place.
func (o *Object) Set(key string, value any) { o.put(key, value) }

// Get returns the value of a key.
func (o *Object) Get(key string) (any, bool) { return o.get(key) }

// Keys are the keys that are texts, in their order.
func (o *Object) Keys() []string {
	var keys []string
	for _, key := range o.keys {
		if s, ok := key.(string); ok {
			keys = append(keys, s)
		}
	}
	return keys
}

// Without is a copy that lacks keys.
func (o *Object) Without(keys ...string) *Object {
	c := &Object{}
	for i, key := range o.keys {
		if s, ok := key.(string); !ok || !slices.Contains(keys, s) {
			c.put(key, o.values[i])
		}
	}
	return c
}

// Len is the number of keys.
func (o *Object) Len() int { return len(o.keys) }

func (o *Object) put(key, value any) {
	h := hashed(key)
	if i, ok := o.index[h]; ok {
		o.values[i] = value
		return
	}
	if o.index == nil {
		o.index = map[any]int{}
	}
	o.index[h] = len(o.keys)
	o.keys, o.values = append(o.keys, key), append(o.values, value)
}

func (o *Object) get(key any) (any, bool) {
	if i, ok := o.index[hashed(key)]; ok {
		return o.values[i], true
	}
	return nil, false
}

// hashable reports whether a value may be a key here. Python takes tuples and functions too.
func hashable(key any) bool {
	switch key.(type) {
	case nil, bool, int, float64, string, markup:
		return true
	}
	return false
}

// hashed makes equal what Python holds for the same key: True and 1 and 1.0.
func hashed(key any) any {
	switch k := key.(type) {
	case bool:
		return truthInt(k)
	case float64:
		if k == math.Trunc(k) && math.Abs(k) < 1<<53 {
			return int(k)
		}
	case markup:
		return string(k)
	}
	return key
}
