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
		if got := draw(r, logits, make([]accelerators.Draw, 2)); !slices.Equal(got, []int32{1, 0}) {
			r.t.Errorf("drew %v, want [1 0]", got)
		}
	})
	logits := []float64{0.5, -1, 2, 1, 1, -30, 0, 1.5}
	for _, c := range sampleCases {
		r.run(c.name, func(r *rig) { checkDistribution(r, logits, c.cut) })
	}
	r.run("large logits", func(r *rig) {
		far := each(logits, func(v float64) float64 { return v + 1000 })
		checkDistribution(r, far, accelerators.Draw{Temperature: 1, TopP: 0.9})
	})
	r.run("a large vocabulary", func(r *rig) {
		checkRanks(r, accelerators.Draw{Temperature: 1, TopP: 0.95})
		checkRanks(r, accelerators.Draw{Temperature: 1, TopK: 700})
	})
	r.run("a row's draw depends on its own alone", func(r *rig) { checkStreams(r, logits) })
}

var sampleCases = []struct {
	name string
	cut  accelerators.Draw
}{
	{"whole softmax", accelerators.Draw{Temperature: 1}},
	{"temperature", accelerators.Draw{Temperature: 0.6}},
	{"top k", accelerators.Draw{Temperature: 1, TopK: 3}},
	{"top k of one", accelerators.Draw{Temperature: 2, TopK: 1}},
	{"top p", accelerators.Draw{Temperature: 1, TopP: 0.7}},
	{"top p of one", accelerators.Draw{Temperature: 1, TopP: 0.01}},
	{"top k and top p", accelerators.Draw{Temperature: 1.5, TopK: 4, TopP: 0.8}},
	{"cuts that do not", accelerators.Draw{Temperature: 1, TopK: 8, TopP: 1}},
}

// draw draws an id for each of as many rows as there are draws.
func draw(r *rig, logits []float64, draws []accelerators.Draw) []int32 {
	ids := r.alloc(accelerators.I32, len(draws))
	r.dev.Sample(ids, r.upload(logits), len(logits)/len(draws), draws)
	got := r.downloadInts(ids)
	r.reset()
	return got
}

// counted are n draws alike but for their counters, which go on from that of the first.
func counted(first accelerators.Draw, n int) []accelerators.Draw {
	draws := slices.Repeat([]accelerators.Draw{first}, n)
	for i := range draws {
		draws[i].Counter += uint64(i)
	}
	return draws
}

func checkDistribution(r *rig, logits []float64, s accelerators.Draw) {
	const rows = 20000
	s.Seed, s.Counter = 11, 1000
	counts := make([]float64, len(logits))
	for _, id := range draw(r, slices.Repeat(logits, rows), counted(s, rows)) {
		counts[id]++
	}
	for id, p := range probabilities(logits, s) {
		mean := p * rows
		if limit := 4.5 * math.Sqrt(mean*(1-p)); math.Abs(counts[id]-mean) > limit+1e-6 {
			r.t.Errorf("id %d was drawn %v times, want %.0f within %.0f", id, counts[id], mean, limit)
		}
	}
}

// probabilities is the distribution that the cuts leave. Equal logits are kept in order of their ids.
func probabilities(logits []float64, s accelerators.Draw) []float64 {
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

// checkStreams draws with settings of all kinds together, and each alone.
func checkStreams(r *rig, logits []float64) {
	draws := counted(accelerators.Draw{Temperature: 1, Seed: 3, Counter: 100}, 40)
	for i, c := range sampleCases {
		draws[i].Temperature, draws[i].TopK, draws[i].TopP = c.cut.Temperature, c.cut.TopK, c.cut.TopP
	}
	draws[20].Temperature = 0
	rows := slices.Repeat(logits, len(draws))
	together := draw(r, rows, draws)
	for n, want := range together {
		if got := draw(r, logits, draws[n:n+1]); got[0] != want {
			r.t.Errorf("row %d drew %d alone and %d with others", n, got[0], want)
		}
	}
	for i := range draws {
		draws[i].Seed++
	}
	if other := draw(r, rows, draws); slices.Equal(other, together) {
		r.t.Error("another seed drew the same")
	}
}

// checkRanks draws from many logits and wants each tenth of the kept mass, from the most likely id on, as often as its
// ids have mass.
func checkRanks(r *rig, s accelerators.Draw) {
	const rows, vocab = 500, 3000
	s.Seed = 9
	logits := each(r.normal(vocab), func(v float64) float64 { return 2 * v })
	p := probabilities(logits, s)
	order := make([]int, vocab)
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(p[b], p[a]) })
	tenth, mass := make([]int, vocab), 0.0
	var counts, want [10]float64
	for _, id := range order {
		tenth[id] = min(9, int(10*mass))
		want[tenth[id]] += p[id] * rows
		mass += p[id]
	}
	for _, id := range draw(r, slices.Repeat(logits, rows), counted(s, rows)) {
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
