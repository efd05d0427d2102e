package acceltest

import (
	"fmt"
	"math"

	"github.com/carebot-llm/carebot/accelerators"
)

// headLoss is the forward in float64: nll and lse, both 0 where there is no target.
func headLoss(hidden, weight []float64, targets []int32, s accelerators.Head) (nll, lse []float64) {
	nll, lse = make([]float64, s.Tokens), make([]float64, s.Tokens)
	for t, target := range targets {
		if target < 0 {
			continue
		}
		sum, picked := 0.0, 0.0
		for v := range s.Vocab {
			logit := capped(dot(hidden[t*s.Width:(t+1)*s.Width], weight[v*s.Width:]), s.Cap)
			sum += math.Exp(logit)
			if int32(v) == target {
				picked = logit
			}
		}
		lse[t] = math.Log(sum)
		nll[t] = lse[t] - picked
	}
	return nll, lse
}

func testHeadLoss(r *rig) {
	for _, s := range []accelerators.Head{
		{Tokens: 1, Width: 1, Vocab: 1}, {Tokens: 3, Width: 17, Vocab: 65}, {Tokens: 65, Width: 5, Vocab: 17},
		{Tokens: 40, Width: 5, Vocab: 65, Cap: 1.5}, {Tokens: 1100, Width: 3, Vocab: 4}, {Tokens: 0, Width: 4, Vocab: 4},
	} {
		for _, every := range []int{1, 3} {
			r.run(fmt.Sprintf("%d,%d,%d/target of every %d", s.Tokens, s.Width, s.Vocab, every), func(r *rig) {
				targets := r.indices(s.Tokens, s.Vocab)
				for i := range targets {
					if i%every != 0 {
						targets[i] = -1
					}
				}
				headCase(r, s, targets)
			})
		}
	}
}

func headCase(r *rig, s accelerators.Head, targets []int32) {
	s.Compute = r.held
	hidden, weight := r.normal(s.Tokens*s.Width), r.normal(s.Vocab*s.Width)
	dnll, dweight := r.normal(s.Tokens), r.normal(len(weight))
	hb, wb, tb := r.activations(hidden), r.activations(weight), r.uploadInts(targets)
	nb, lb := r.output(s.Tokens), r.output(s.Tokens)
	logits := r.output(s.Vocab * max(1, s.Tokens/3)) // several chunks, the last one shorter
	r.dev.HeadLoss(nb, lb, hb, wb, tb, logits, s)
	nll, _ := headLoss(hidden, weight, targets, s)
	r.expect("nll", nb, nll, reduced)

	dhb, dwb := r.result(len(hidden)), r.upload(dweight)
	r.dev.HeadLossGrad(dhb, dwb, r.upload(dnll), hb, wb, tb, lb, logits, s)
	loss := func() float64 { nll, _ := headLoss(hidden, weight, targets, s); return dot(nll, dnll) }
	r.gradient("dhidden", dhb, nil, hidden, r.coarse(summed), loss)
	overTokens := r.coarse(summed) * math.Sqrt(max(1, float64(s.Tokens)/100)) // roundings of terms of a random walk
	r.gradient("dweight", dwb, dweight, weight, overTokens, loss)

	nb, dhb, dwb = r.output(s.Tokens), r.result(len(hidden)), r.upload(dweight)
	r.dev.HeadLearn(nb, dhb, dwb, r.upload(dnll), hb, wb, tb, logits, s)
	r.expect("learned nll", nb, nll, reduced)
	r.gradient("learned dhidden", dhb, nil, hidden, r.coarse(summed), loss)
	r.gradient("learned dweight", dwb, dweight, weight, overTokens, loss)
	r.reset()
}
