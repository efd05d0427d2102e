package tensor

// A slab hands out zeroed values, which stay where they are, and takes the newest back at once: what is made over and
// over again makes no garbage.
type slab[T any] struct {
	chunks [][]T
	used   int
}

const slabChunk = 64

func (s *slab[T]) next() *T {
	chunk, i := s.used/slabChunk, s.used%slabChunk
	if chunk == len(s.chunks) {
		s.chunks = append(s.chunks, make([]T, slabChunk))
	}
	s.used++
	x := &s.chunks[chunk][i]
	*x = *new(T)
	return x
}

// rewind takes back all values but the first n.
func (s *slab[T]) rewind(n int) { s.used = n }
