package cpu

import (
	"slices"
	"sync"
	"testing"
)

func TestQueuesHandOutEachTaskOnce(t *testing.T) {
	for _, g := range []grid{{across: 1, down: 1}, {across: 1, down: 9}, {across: 7, down: 1}, {across: 5, down: 8}} {
		for _, threads := range []int{1, 2, 3, 16} {
			var q queues
			q.fill(g, threads)
			taken := make([][]int, threads)
			var all sync.WaitGroup
			for w := range threads {
				all.Go(func() {
					for range g.tasks()/threads + min(1, max(0, g.tasks()%threads-w)) {
						column, row, _ := q.take(w)
						taken[w] = append(taken[w], row*g.across+column)
					}
				})
			}
			all.Wait()
			got := slices.Sorted(slices.Values(slices.Concat(taken...)))
			if len(got) != g.tasks() || len(slices.Compact(got)) != g.tasks() {
				t.Errorf("%+v, %d threads: %v", g, threads, taken)
			}
		}
	}
}

func TestAWorkerPacksAColumnOnce(t *testing.T) {
	var q queues
	g := grid{across: 3, down: 4}
	q.fill(g, 1)
	packs := 0
	for range g.tasks() {
		if _, _, held := q.take(0); !held {
			packs++
		}
	}
	if packs != g.across {
		t.Errorf("%d columns packed, want %d", packs, g.across)
	}
}
