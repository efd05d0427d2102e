package acceltest

import (
	"cmp"
	"math"
	"slices"

	"github.com/carebot-llm/carebot/accelerators"
)

func testSample(r *rig) {
	r.run("temperature 0 takes the first largest", func(r *rig) {
		logits := []float64{1, 5, 5, -1, 7, -3, 0, 7}
		if got := draw(r, logits, accelerators.Sample{Rows: 2, Vocab: 4}); !slices.Equal(got, []int32{1, 0}) {
			r.t.Errorf("drew %v, want [1 0]", got)
		}
	})
	logits := []float64{0.5, -1, 2, 1, 1, -30, 0, 1.5}
	for _, c := range sampleCases {
		r.run(c.name, func(r *rig) { checkDistribution(r, logits, c.cut) })
	}
	r.run("large logits", func(r *rig) {
		far := each(logits, func(v float64) float64 { return v + 1000 })
		checkDistribution(r, far, accelerators.Sample{Temperature: 1, TopP: 0.9})
	})
	r.run("a large vocabulary", func(r *rig) {
		checkRanks(r, accelerators.Sample{Temperature: 1, TopP: 0.95})
		checkRanks(r, accelerators.Sample{Temperature: 1, TopK: 700})
	})
	r.run("a row's draw depends on its counter alone", func(r *rig) { checkStreams(r, logits) })
}

var sampleCases = []struct {
	name string
	cut  accelerators.Sample
}{
	{"whole softmax", accelerators.Sample{Temperature: 1}},
	{"temperature", accelerators.Sample{Temperature: 0.6}},
	{"top k", accelerators.Sample{Temperature: 1, TopK: 3}},
	{"top k of one", accelerators.Sample{Temperature: 2, TopK: 1}},
	{"top p", accelerators.Sample{Temperature: 1, TopP: 0.7}},
	{"top p of one", accelerators.Sample{Temperature: 1, TopP: 0.01}},
	{"top k and top p", accelerators.Sample{Temperature: 1.5, TopK: 4, TopP: 0.8}},
	{"cuts that do not", accelerators.Sample{Temperature: 1, TopK: 8, TopP: 1}},
}

func draw(r *rig, logits []float64, s accelerators.Sample) []int32 {
	ids := r.alloc(accelerators.I32, s.Rows)
	r.dev.Sample(ids, r.upload(logits), s)
	got := r.downloadInts(ids)
	r.reset()
	return got
}

func checkDistribution(r *rig, logits []float64, s accelerators.Sample) {
	s.Rows, s.Vocab, s.Seed, s.Counter = 20000, len(logits), 11, 1000
	counts := make([]float64, s.Vocab)
	for _, id := range draw(r, slices.Repeat(logits, s.Rows), s) {
		counts[id]++
	}
	for id, p := range probabilities(logits, s) {
		mean := p * float64(s.Rows)
		if limit := 4.5 * math.Sqrt(mean*(1-p)); math.Abs(counts[id]-mean) > limit+1e-6 {
			r.t.Errorf("id %d was drawn %v times, want %.0f within %.0f", id, counts[id], mean, limit)
		}
	}
}

// probabilities is the distribution that the cuts leave. Equal logits are kept in order of their ids.
func probabilities(logits []float64, s accelerators.Sample) []float64 {
	order := make([]int, len(logits))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(logits[b], logits[a]) })
	if s.TopK > 0 {
		order = order[:min(s.TopK, len(order))]
	}
	p, top := make([]float64, len(logits)), slices.Max(logits)
	softmax := func() {
		total := 0.0
		clear(p)
		for _, i := range order {
			total += math.Exp((logits[i] - top) / float64(s.Temperature))
		}
		for _, i := range order {
			p[i] = math.Exp((logits[i]-top)/float64(s.Temperature)) / total
		}
	}
	softmax()
	if s.TopP > 0 && s.TopP < 1 {
		mass, kept := 0.0, 0
		for ; kept < len(order) && mass < float64(s.TopP); kept++ {
			mass += p[order[kept]]
		}
		order = order[:kept]
		softmax()
	}
	return p
}

func checkStreams(r *rig, logits []float64) {
	s := accelerators.Sample{Rows: 40, Vocab: len(logits), Temperature: 1, Seed: 3, Counter: 100}
	together := draw(r, slices.Repeat(logits, s.Rows), s)
	one := s
	one.Rows = 1
	for n, want := range together {
		one.Counter = s.Counter + uint64(n)
		if got := draw(r, logits, one); got[0] != want {
			r.t.Errorf("row %d drew %d alone and %d with others", n, got[0], want)
		}
	}
	s.Seed++
	if other := draw(r, slices.Repeat(logits, s.Rows), s); slices.Equal(other, together) {
		r.t.Error("another seed drew the same")
	}
}

// checkRanks draws from many logits and wants each tenth of the kept mass, from the most likely id on, as often as its
// ids have mass.
func checkRanks(r *rig, s accelerators.Sample) {
	s.Rows, s.Vocab, s.Seed = 500, 3000, 9
	logits := each(r.normal(s.Vocab), func(v float64) float64 { return 2 * v })
	p := probabilities(logits, s)
	order := make([]int, s.Vocab)
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(p[b], p[a]) })
	tenth, mass := make([]int, s.Vocab), 0.0
	var counts, want [10]float64
	for _, id := range order {
		tenth[id] = min(9, int(10*mass))
		want[tenth[id]] += p[id] * float64(s.Rows)
		mass += p[id]
	}
	for _, id := range draw(r, slices.Repeat(logits, s.Rows), s) {
		if p[id] == 0 {
			r.t.Fatalf("drew id %d, which the cuts leave out", id)
		}
		counts[tenth[id]]++
	}
	for i, n := range counts {
		if math.Abs(n-want[i]) > 4.5*math.Sqrt(want[i]) {
			r.t.Errorf("tenth %d of the mass was drawn %v times, want about %.0f", i, n, want[i])
		}
	}
}
