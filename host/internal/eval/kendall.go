package eval

import (
	"cmp"
	"math"
	"slices"
)

// Kendall is the rank correlation tau-b of a and b, which counts the pairs of places that both order alike and sets
// aside those that one of them leaves equal. It is NaN when one of them is constant. Knight's algorithm (1966) counts
// the discordant pairs while it sorts.
func Kendall(a, b []float64) float64 {
	order := make([]int, len(a))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Or(cmp.Compare(a[i], a[j]), cmp.Compare(b[i], b[j])) })
	tiedA := ties(order, func(i, j int) bool { return a[i] == a[j] })
	tiedBoth := ties(order, func(i, j int) bool { return a[i] == a[j] && b[i] == b[j] })
	byB := make([]float64, len(b))
	for place, i := range order {
		byB[place] = b[i]
	}
	discordant := sortCounting(byB, make([]float64, len(b)))
	tiedB := ties(byB, func(x, y float64) bool { return x == y })
	all := pairsOf(len(a))
	concordant := all - tiedA - tiedB + tiedBoth - discordant
	return (concordant - discordant) / math.Sqrt((all-tiedA)*(all-tiedB))
}

// pairsOf is how many pairs n things make.
func pairsOf(n int) float64 { return float64(n) * float64(n-1) / 2 }

// ties counts the pairs of equal things in a list where equal things stand together.
func ties[T any](sorted []T, equal func(a, b T) bool) float64 {
	count, from := 0.0, 0
	for i := range sorted {
		if !equal(sorted[from], sorted[i]) {
			count, from = count+pairsOf(i-from), i
		}
	}
	return count + pairsOf(len(sorted)-from)
}

// sortCounting sorts values and returns how many pairs were in falling order.
func sortCounting(values, scratch []float64) (inversions float64) {
	if len(values) < 2 {
		return 0
	}
	half := len(values) / 2
	left, right := values[:half], values[half:]
	inversions = sortCounting(left, scratch[:half]) + sortCounting(right, scratch[half:])
	merged := scratch[:0]
	for len(left) > 0 && len(right) > 0 {
		if right[0] < left[0] {
			inversions += float64(len(left))
			merged, right = append(merged, right[0]), right[1:]
		} else {
			merged, left = append(merged, left[0]), left[1:]
		}
	}
	copy(values, append(append(merged, left...), right...))
	return inversions
}
