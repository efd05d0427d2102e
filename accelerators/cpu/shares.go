package cpu

import "sync/atomic"

// A share is a range of pieces of work that one worker does in order.
type share struct {
	next atomic.Int64
	end  int64
	_    [cacheLine - 16]byte // a worker's count is on a line of its own
}

// shares are work of which each piece is best done by who did the one before. A worker that is done with its share
// helps with the others.
type shares []share

// deal cuts n pieces into a share for each worker.
func (s shares) deal(n int) {
	for i := range s {
		s[i].next.Store(int64(i * n / len(s)))
		s[i].end = int64((i + 1) * n / len(s))
	}
}

// each calls do with the pieces of share number first, then with what is left of the others.
func (s shares) each(first int, do func(piece int)) {
	for i := range s {
		share := &s[(first+i)%len(s)]
		for piece := share.next.Add(1) - 1; piece < share.end; piece = share.next.Add(1) - 1 {
			do(int(piece))
		}
	}
}
