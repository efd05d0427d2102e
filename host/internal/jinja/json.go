package jinja

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// FromJSON reads a JSON value as a template sees it: objects keep their order, whole numbers are ints.
func FromJSON(raw []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	v, err := jsonValue(d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("there is more after the end of the JSON value")
	}
	return v, nil
}

// ToJSON is the inverse of FromJSON: what it writes is read as the same value. Other values than those of JSON are
// errors.
func ToJSON(v any) ([]byte, error) {
	switch v := v.(type) {
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("%v is no JSON", v)
		}
		return []byte(floatRepr(v)), nil
	case []any:
		return jsonSeries('[', ']', len(v), func(i int) ([]byte, error) { return ToJSON(v[i]) })
	case *Object:
		return jsonSeries('{', '}', v.Len(), func(i int) ([]byte, error) {
			key, err := json.Marshal(v.keys[i])
			value, err2 := ToJSON(v.values[i])
			return slices.Concat(key, []byte(":"), value), errors.Join(err, err2)
		})
	}
	return json.Marshal(v)
}

func jsonSeries(open, end byte, n int, item func(i int) ([]byte, error)) ([]byte, error) {
	out := []byte{open}
	for i := range n {
		if i > 0 {
			out = append(out, ',')
		}
		text, err := item(i)
		if err != nil {
			return nil, err
		}
		out = append(out, text...)
	}
	return append(out, end), nil
}

func jsonValue(d *json.Decoder, depth int) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	if depth > maxNested {
		return nil, fmt.Errorf("values are nested more than %d deep", maxNested)
	}
	switch v := token.(type) {
	case json.Number:
		return jsonNumber(v.String())
	case json.Delim:
		if v == '[' {
			return jsonList(d, depth)
		}
		return jsonObject(d, depth)
	}
	return token, nil
}

func jsonNumber(text string) (any, error) {
	if strings.ContainsAny(text, ".eE") {
		return strconv.ParseFloat(text, 64)
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return nil, fmt.Errorf("%s is beyond the 64 bits of a whole number", text)
	}
	return n, nil
}

func jsonList(d *json.Decoder, depth int) (any, error) {
	list := []any{}
	for d.More() {
		v, err := jsonValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	_, err := d.Token()
	return list, err
}

func jsonObject(d *json.Decoder, depth int) (any, error) {
	o := &Object{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		v, err := jsonValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		o.put(key, v)
	}
	_, err := d.Token()
	return o, err
}
