package jinja

import (
	"math"
	"math/bits"
	"slices"
	"strings"
)

// operate is one of Python's operators + - * / // % **.
func (r *renderer) operate(op string, a, b any) any {
	r.step()
	if s, ok := a.(string); ok && op == "%" {
		return r.made(r.percent(s, b))
	}
	r.noOperand(a)
	r.noOperand(b)
	if i, ok := whole(a); ok {
		if j, ok := whole(b); ok {
			return r.integers(op, i, j)
		}
	}
	if x, ok := number(a); ok {
		if y, ok := number(b); ok {
			return r.floats(op, x, y)
		}
	}
	switch op {
	case "+":
		return r.add(a, b)
	case "*":
		if n, ok := whole(b); ok {
			return r.repeat(a, n)
		}
		if n, ok := whole(a); ok {
			return r.repeat(b, n)
		}
	}
	r.noOperation(op, a, b)
	return nil
}

func (r *renderer) noOperation(op string, a, b any) {
	for _, v := range []any{a, b} {
		if _, ok := v.(markup); ok {
			r.unsupported("%s with a text that is marked safe", op)
		}
	}
	r.fail("%s of values of type %s and %s", op, typeName(a), typeName(b))
}

func (r *renderer) add(a, b any) any {
	switch x := a.(type) {
	case string:
		if y, ok := b.(string); ok {
			r.charge(len(x) + len(y))
			return x + y
		}
	case []any:
		if y, ok := b.([]any); ok {
			return r.listed(slices.Concat(x, y))
		}
	case tuple:
		if y, ok := b.(tuple); ok {
			return tuple(r.listed(slices.Concat([]any(x), y)))
		}
	}
	r.noOperation("+", a, b)
	return nil
}

// repeat is a text, list or tuple n times.
func (r *renderer) repeat(v any, n int) any {
	n = max(n, 0)
	switch v := v.(type) {
	case string:
		r.chargeTimes(len(v), n)
		return strings.Repeat(v, n)
	case []any:
		r.chargeTimes(16*len(v), n)
		return slices.Repeat(v, n)
	case tuple:
		r.chargeTimes(16*len(v), n)
		return tuple(slices.Repeat([]any(v), n))
	}
	r.noOperation("*", v, n)
	return nil
}

func (r *renderer) chargeTimes(size, n int) {
	if high, low := bits.Mul(uint(size), uint(n)); high != 0 || low > maxMemory {
		r.charge(maxMemory + 1)
	}
	r.charge(size * n)
}

func (r *renderer) overflow() { r.unsupported("a number beyond 64 bits") }

func (r *renderer) subtract(i, j int) int {
	d := i - j
	if (i^j)&(i^d) < 0 {
		r.overflow()
	}
	return d
}

func (r *renderer) integers(op string, i, j int) any {
	switch op {
	case "+":
		sum := i + j
		if (sum^i)&(sum^j) < 0 {
			r.overflow()
		}
		return sum
	case "-":
		return r.subtract(i, j)
	case "*":
		return r.multiply(i, j)
	case "**":
		return r.power(i, j)
	}
	if j == 0 {
		r.fail("division by zero")
	}
	if i == math.MinInt && j == -1 {
		r.overflow()
	}
	switch op {
	case "/":
		return r.quotient(i, j)
	case "//":
		return floorDiv(i, j)
	}
	return i - j*floorDiv(i, j)
}

// quotient is a float. Beyond 53 bits Python rounds otherwise than a division of floats does.
func (r *renderer) quotient(i, j int) float64 {
	const limit = 1 << 53
	if i > limit || i < -limit || j > limit || j < -limit {
		r.unsupported("the quotient of numbers beyond 53 bits")
	}
	return float64(i) / float64(j)
}

func floorDiv(i, j int) int {
	q := i / j
	if i%j != 0 && (i < 0) != (j < 0) {
		q--
	}
	return q
}

func (r *renderer) multiply(i, j int) int {
	p := i * j
	if i != 0 && (p/i != j || i == -1 && j == math.MinInt) {
		r.overflow()
	}
	return p
}

func (r *renderer) power(i, j int) any {
	if j < 0 {
		return r.floats("**", float64(i), float64(j))
	}
	p := 1
	for range min(j, 64) {
		p = r.multiply(p, i)
	}
	if j > 64 && i != 0 && i != 1 && i != -1 {
		r.overflow()
	}
	if i == -1 && j%2 == 1 {
		return -1
	}
	return p
}

func (r *renderer) floats(op string, x, y float64) any {
	switch op {
	case "+":
		return x + y
	case "-":
		return x - y
	case "*":
		return x * y
	case "**":
		return r.floatPower(x, y)
	}
	if y == 0 {
		r.fail("division by zero")
	}
	if op == "/" {
		return x / y
	}
	quotient, rest := floorMod(x, y)
	if op == "//" {
		return quotient
	}
	return rest
}

func (r *renderer) floatPower(x, y float64) float64 {
	if x == 0 && y < 0 {
		r.fail("zero to a negative power")
	}
	p := math.Pow(x, y)
	if math.IsNaN(p) && !math.IsNaN(x) && !math.IsNaN(y) {
		r.unsupported("a complex number")
	}
	if math.IsInf(p, 0) && !math.IsInf(x, 0) && !math.IsInf(y, 0) {
		r.fail("the power is too large")
	}
	return p
}

// floorMod divides as Python does: the rest has the divisor's sign.
func floorMod(x, y float64) (quotient, rest float64) {
	rest = math.Mod(x, y)
	quotient = (x - rest) / y
	if rest != 0 && (y < 0) != (rest < 0) {
		rest += y
		quotient--
	}
	if rest == 0 {
		rest = math.Copysign(0, y)
	}
	if quotient == 0 {
		return math.Copysign(0, x/y), rest
	}
	floor := math.Floor(quotient)
	if quotient-floor > 0.5 {
		floor++
	}
	return floor, rest
}
