package data

import "fmt"

// didYouMean suggests the known name that is nearest to a wrong one; it is empty when none is near.
func didYouMean(name string, known []string) string {
	best, near := max(2, len(name)/3)+1, ""
	for _, k := range known {
		if d := distance(name, k); d < best {
			best, near = d, k
		}
	}
	if near == "" {
		return ""
	}
	return fmt.Sprintf(", did you mean %q", near)
}

// distance is the number of characters to insert, delete or replace to turn a into b (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := b2i(a[i] != b[j])
			corner, row[j+1] = row[j+1], min(row[j]+1, row[j+1]+1, corner+cost)
		}
	}
	return row[len(b)]
}
