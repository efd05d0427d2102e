package reference

// repetition counts items, lines or paragraphs, and those that occurred before.
type repetition struct{ all, repeats, chars, repeatChars int }

// seen remembers items by their hash.
type seen struct{ table table }

func (s *seen) reset() { s.table.reset(0) }

// add counts an item. Beyond mostItems different ones nothing is counted.
func (s *seen) add(hash uint64, chars int, r *repetition) {
	if s.table.used >= mostItems {
		return
	}
	r.all++
	r.chars += chars
	if s.table.add(hash) > 1 {
		r.repeats++
		r.repeatChars += chars
	}
}

// Hashing is fixed, so that a document has the same values in every process. Two texts of one document have the same
// hash with a chance of about 2^-64 for each pair.
const (
	seed  = 14695981039346656037 // FNV-1a
	prime = 1099511628211
	odd   = 0x9E3779B97F4A7C15
)

// hashOf returns the hash of a word of ASCII.
func hashOf(s string) uint64 {
	h := uint64(seed)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * prime
	}
	return h
}

// www begins an address.
var www = hashOf("www")

// mix continues a hash by another one.
func mix(h, next uint64) uint64 { return h*odd + next }

// A table counts hashes. A slot belongs to the present round only, so that a new round costs nothing.
type table struct {
	slots []slot
	round uint32
	used  int
}

type slot struct {
	hash         uint64
	round, count uint32
}

// reset starts a round in which about n hashes are expected.
func (t *table) reset(n int) {
	t.used = 0
	if t.round++; t.round == 0 || len(t.slots) < 2*n {
		t.grow(n)
	}
}

// grow makes room for n hashes and drops what is in the table.
func (t *table) grow(n int) {
	size := max(64, len(t.slots))
	for size < 2*n {
		size *= 2
	}
	t.slots, t.round = make([]slot, size), 1
}

// add counts a hash and returns how often it has been added in this round.
func (t *table) add(hash uint64) uint32 {
	if 2*(t.used+1) > len(t.slots) {
		t.rehash()
	}
	s := t.find(hash)
	if s.round != t.round {
		*s = slot{hash: hash, round: t.round}
		t.used++
	}
	s.count++
	return s.count
}

// find returns the slot of a hash, or the free one where it belongs. At least half of the slots are free.
func (t *table) find(hash uint64) *slot {
	last := uint64(len(t.slots) - 1)
	for i := (hash ^ hash>>32) * odd >> 20 & last; ; i = (i + 1) & last {
		if s := &t.slots[i]; s.round != t.round || s.hash == hash {
			return s
		}
	}
}

func (t *table) rehash() {
	old, round := t.slots, t.round
	t.grow(max(32, len(old)))
	for i := range old {
		if old[i].round == round {
			s := t.find(old[i].hash)
			*s = slot{old[i].hash, t.round, old[i].count}
		}
	}
}
