package reference

// grams measures runs of words that occur more than once. A run can only do so where its beginning and its end do, so
// each length looks at the few places that are left of the one before.
type grams struct {
	prefix []uint64 // prefix[i] is the hash of the first i words
	starts []uint32 // of the runs that occur more than once, rising
	table  table
}

// span returns the words of an n-gram: in Chinese two characters stand for a word.
func span(lang language, n int) int { return n * (1 + int(lang)) }

// measure fills m.top and m.duplicate. hashes are those of the words, ends the characters up to and including each.
func (g *grams) measure(m *measures, hashes []uint64, ends []uint32) {
	g.begin(hashes)
	step := span(m.lang, 1)
	for n := 2; n <= 10; n++ {
		length := n * step
		if n > 2 {
			g.narrow(step)
		}
		g.repeated(length)
		if n <= 4 {
			m.top[n-2] = g.top(length, ends)
		} else {
			m.duplicate[n-5] = g.duplicate(length, ends)
		}
	}
}

// begin takes every word for the start of a run.
func (g *grams) begin(hashes []uint64) {
	g.prefix, g.starts = append(g.prefix[:0], 0), g.starts[:0]
	h := uint64(0)
	for i, w := range hashes {
		h = mix(h, w)
		g.prefix = append(g.prefix, h)
		g.starts = append(g.starts, uint32(i))
	}
}

// hash returns the hash of the run of the given length that starts at word i; power is that of odd.
func (g *grams) hash(i, length int, power uint64) uint64 {
	return g.prefix[i+length] - g.prefix[i]*power
}

// power returns odd to the power of n.
func power(n int) uint64 {
	p := uint64(1)
	for range n {
		p *= odd
	}
	return p
}

// narrow keeps the starts from which a run that is step words longer may occur more than once.
func (g *grams) narrow(step int) {
	kept, ahead := g.starts[:0], 0
	for _, i := range g.starts {
		end := i + uint32(step)
		for ahead < len(g.starts) && g.starts[ahead] < end {
			ahead++
		}
		if ahead < len(g.starts) && g.starts[ahead] == end {
			kept = append(kept, i)
		}
	}
	g.starts = kept
}

// repeated keeps the starts of runs that occur more than once. The table counts them.
func (g *grams) repeated(length int) {
	for len(g.starts) > 0 && int(g.starts[len(g.starts)-1])+length >= len(g.prefix) {
		g.starts = g.starts[:len(g.starts)-1]
	}
	g.table.reset(len(g.starts))
	p := power(length)
	for _, i := range g.starts {
		g.table.add(g.hash(int(i), length, p))
	}
	kept := g.starts[:0]
	for _, i := range g.starts {
		if g.table.find(g.hash(int(i), length, p)).count > 1 {
			kept = append(kept, i)
		}
	}
	g.starts = kept
}

// top is the share of characters in the most frequent run, 0 when none occurs twice. Of equally frequent runs the
// longest counts. Occurrences may overlap, so the share is cut at 1.
func (g *grams) top(length int, ends []uint32) float64 {
	p := power(length)
	most, chars := uint32(0), 0
	for _, i := range g.starts {
		n, c := g.table.find(g.hash(int(i), length, p)).count, charsOf(ends, int(i), length)
		if n > most || n == most && c > chars {
			most, chars = n, c
		}
	}
	return min(1, ratio(int(most)*chars, whole(ends)))
}

// duplicate is the share of characters in runs that occurred before, none counted twice.
func (g *grams) duplicate(length int, ends []uint32) float64 {
	g.table.reset(len(g.starts))
	p := power(length)
	chars, free := 0, 0
	for _, start := range g.starts {
		i := int(start)
		if i < free || g.table.add(g.hash(i, length, p)) == 1 {
			continue
		}
		chars += charsOf(ends, i, length)
		free = i + length
	}
	return ratio(chars, whole(ends))
}

// charsOf returns the characters of the words [from, from+length).
func charsOf(ends []uint32, from, length int) int {
	chars := ends[from+length-1]
	if from > 0 {
		chars -= ends[from-1]
	}
	return int(chars)
}

func whole(ends []uint32) int {
	if len(ends) == 0 {
		return 0
	}
	return int(ends[len(ends)-1])
}
