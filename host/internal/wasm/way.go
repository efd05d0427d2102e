package wasm

// settle finds the ways through a body that was walked, and what each edit pays.
func (b *body) settle() {
	if b.small() {
		b.edits[0].kind = editCharge
	}
	for i := len(b.order) - 1; i >= 0; i-- {
		b.choose(&b.nodes[b.order[i]])
	}
	for i := range b.edits {
		switch e := &b.edits[i]; {
		case !e.kind.pays():
		case e.from == nowhere:
			e.cost = b.nodes[e.to].way
		default:
			e.cost = b.inAdvance(e.to) - (b.nodes[e.from].way - b.nodes[e.from].cost)
		}
	}
}

// choose finds the likeliest way from a node, those that may follow having theirs: the one that stays in most loops.
func (b *body) choose(n *node) {
	n.way = n.cost
	to := n.next[0]
	if to == nowhere {
		return
	}
	if other := n.next[1]; other != nowhere && b.nodes[other].heat > b.nodes[to].heat {
		to = other
	}
	n.heat = max(n.heat, b.nodes[to].heat)
	if !n.last {
		n.way += b.inAdvance(to)
	}
}

// inAdvance is what must have been paid when a node begins.
func (b *body) inAdvance(n int) int64 {
	if b.nodes[n].cut {
		return 0
	}
	return b.nodes[n].way
}
