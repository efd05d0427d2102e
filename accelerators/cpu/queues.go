package cpu

import "sync/atomic"

// queues hand out the tasks of a grid: one queue for each column. A worker stays with a column, whose panels it has
// packed, until nothing is left of it, and then goes on to the next that has tasks. Each column begins with other rows,
// as the first to need rows of a transposed A packs them.
type queues struct {
	down  int
	taken []atomic.Int64 // of each column
	at    []int          // each worker's column, or where it begins
	holds []bool         // whether it has packed that
}

// fill puts all tasks of a grid into the queues, and sets the workers apart.
func (q *queues) fill(g grid, threads int) {
	if cap(q.taken) < g.across {
		q.taken = make([]atomic.Int64, g.across)
	}
	if cap(q.at) < threads {
		q.at, q.holds = make([]int, threads), make([]bool, threads)
	}
	q.down, q.taken = g.down, q.taken[:g.across]
	for i := range q.taken {
		q.taken[i].Store(0)
	}
	for w := range q.at {
		q.at[w], q.holds[w] = w*g.across/threads, false
	}
}

// take is a task that no worker has taken; there must be one.
func (q *queues) take(worker int) (column, row int, held bool) {
	column, held = q.at[worker], q.holds[worker]
	n := q.next(column)
	for ; n >= q.down; n = q.next(column) {
		column, held = (column+1)%len(q.taken), false
	}
	q.at[worker], q.holds[worker] = column, true
	return column, (n + column*q.down/len(q.taken)) % q.down, held
}

// next counts the tasks that are taken of a column.
func (q *queues) next(column int) int { return int(q.taken[column].Add(1)) - 1 }
