package data

import (
	"fmt"
	"maps"
	"math"
	"slices"
)

// shares are wanted parts of a whole, by name; they add up to 1.
type shares struct {
	names []string // sorted
	part  []float64
}

func newShares(weights map[string]float64) (shares, error) {
	s := shares{names: slices.Sorted(maps.Keys(weights))}
	total := 0.0
	for _, name := range s.names {
		w := weights[name]
		if !(w > 0) || math.IsInf(w, 0) {
			return s, fmt.Errorf("share %g of %s is not a positive number", w, name)
		}
		s.part = append(s.part, w)
		total += w
	}
	for i := range s.part {
		s.part[i] /= total
	}
	return s, nil
}

// shareTolerance is how far a share may be off before a mix counts as impossible.
const shareTolerance = 1e-3

// fitShares finds the shares of the cells of a table whose rows and columns add up to wanted shares, by iterative
// proportional fitting from the tokens that there are: of all such tables the one that repeats the data least unevenly.
// A cell without tokens stays empty, so there may be none: that is an error, which says what comes closest.
func fitShares(tokens [][]int64, rows, columns shares) ([][]float64, error) {
	table := make([][]float64, len(tokens))
	for i := range tokens {
		table[i] = make([]float64, len(tokens[i]))
		for j, n := range tokens[i] {
			table[i][j] = float64(n)
		}
	}
	const rounds = 20_000
	for range rounds {
		scaleColumns(table, columns.part)
		scaleRows(table, rows.part)
		if off, _ := farthest(table, columns.part); off < 1e-9 {
			return table, nil
		}
	}
	off, j := farthest(table, columns.part)
	if off > shareTolerance {
		return nil, fmt.Errorf("the shares cannot be had together: language %s shall be %.1f %% of the tokens, "+
			"but with the shares of the sources and the records there are it comes to %.1f %%",
			columns.names[j], 100*columns.part[j], 100*sumColumn(table, j))
	}
	return table, nil
}

func scaleRows(table [][]float64, wanted []float64) {
	for i, row := range table {
		sum := 0.0
		for _, v := range row {
			sum += v
		}
		for j := range row {
			row[j] *= wanted[i] / sum
		}
	}
}

func scaleColumns(table [][]float64, wanted []float64) {
	for j := range wanted {
		sum := sumColumn(table, j)
		for i := range table {
			table[i][j] *= wanted[j] / sum
		}
	}
}

func sumColumn(table [][]float64, j int) float64 {
	sum := 0.0
	for _, row := range table {
		sum += row[j]
	}
	return sum
}

// farthest returns the column that is farthest from its wanted share.
func farthest(table [][]float64, wanted []float64) (off float64, column int) {
	for j, w := range wanted {
		if d := math.Abs(sumColumn(table, j) - w); d > off {
			off, column = d, j
		}
	}
	return off, column
}
