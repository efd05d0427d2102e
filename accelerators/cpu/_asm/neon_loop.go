package main

func (f *neonFunctions) rowKernels() {
	f.dot()
	f.dot64()
	f.dot3()
	f.fill()
	f.add()
	f.mul()
	f.axpy()
	f.scale()
	f.scaleMul()
	f.rmsNormGrad()
	f.layerNormKernels()
	f.rotate()
	f.max()
	f.expSum()
	f.softmaxGrad()
	f.activationKernels()
	f.adamw()
}

// A neonLane is one vector of a loop over rows, or in the tail one element in lane 0.
type neonLane struct {
	*neonFunction
	disp int
	unit int // which of the unrolled vectors
	tail bool
}

// load returns a register with the elements; in the tail its other lanes are zero.
func (l neonLane) load(from xreg) vreg {
	v := l.v()
	if l.tail {
		l.emit("FMOVS (%v), F%d", from, int(v))
	} else {
		l.emit("FMOVQ %d(%v), F%d", l.disp, from, int(v))
	}
	return v
}

func (l neonLane) store(v vreg, to xreg) {
	if l.tail {
		l.emit("FMOVS F%d, (%v)", int(v), to)
	} else {
		l.emit("FMOVQ F%d, %d(%v)", int(v), l.disp, to)
	}
}

// add adds the lanes that exist to sum.
func (l neonLane) add(v, sum vreg) {
	if l.tail {
		first := l.v()
		l.zero(first)
		l.emit("VMOV %v, %v", element{v, 0}, element{first, 0})
		v = first
	}
	l.do(fadd, sum, sum, v)
}

// max raises top by the lanes that exist. NaNs are skipped, as they are greater than nothing.
func (l neonLane) max(v, top vreg) {
	if l.tail {
		l.spread(v, element{v, 0})
	}
	greater := l.v()
	l.do(fcmgt, greater, v, top)
	l.do(bit, top, v, greater)
}

// loop runs body over the elements of slices, of which the first has the length: unroll vectors at a time, then one,
// then single elements.
func (p *neonFunction) loop(slices []string, unroll int, body func(l neonLane, at []xreg)) {
	var at []xreg
	for _, name := range slices {
		at = append(at, p.integer(name+"_base"))
	}
	n := p.integer(slices[0] + "_len")
	p.whole("many", n, at, unroll, body)
	if unroll > 1 {
		p.whole("one", n, at, 1, body)
	}
	p.emit("CBZ %v, over", n)
	p.label("single")
	p.scope(func() { body(neonLane{neonFunction: p, tail: true}, at) })
	for _, r := range at {
		p.emit("ADD $4, %v", r)
	}
	p.emit("SUBS $1, %v", n)
	p.emit("BNE single")
	p.label("over")
}

func (p *neonFunction) whole(label string, n xreg, at []xreg, unroll int, body func(l neonLane, at []xreg)) {
	p.emit("SUBS $%d, %v", 4*unroll, n)
	p.emit("BLT %sOver", label)
	p.label(label)
	for u := range unroll {
		p.scope(func() { body(neonLane{neonFunction: p, disp: 16 * u, unit: u}, at) })
	}
	for _, r := range at {
		p.emit("ADD $%d, %v", 16*unroll, r)
	}
	p.emit("SUBS $%d, %v", 4*unroll, n)
	p.emit("BGE %s", label)
	p.label(label + "Over")
	p.emit("ADD $%d, %v", 4*unroll, n)
}

// sums are accumulators, one for each unrolled vector.
func (p *neonFunction) sums() []vreg {
	var sums []vreg
	for range neonUnroll {
		sums = append(sums, p.v())
		p.zero(sums[len(sums)-1])
	}
	return sums
}

// combine combines four accumulators to the first.
func (p *neonFunction) combine(op vectorOp, v []vreg) {
	p.do(op, v[0], v[0], v[1])
	p.do(op, v[2], v[2], v[3])
	p.do(op, v[0], v[0], v[2])
}

// fold is the sum of all lanes of four accumulators, in lane 0.
func (p *neonFunction) fold(sums []vreg) vreg {
	p.combine(fadd, sums)
	p.do(faddp, sums[0], sums[0], sums[0])
	p.do(faddp, sums[0], sums[0], sums[0])
	return sums[0]
}

// endSum ends a function whose result is the sum of all lanes.
func (f *neonFunctions) endSum(p *neonFunction, sums []vreg) { f.endWith(p, p.fold(sums)) }

// endWith ends a function with its result, which is lane 0.
func (f *neonFunctions) endWith(p *neonFunction, v vreg) {
	p.emit("FMOVS F%d, %s", int(v), p.at("ret"))
	f.end(p)
}
