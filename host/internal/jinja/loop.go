package jinja

// A loopState is the variable loop.
type loopState struct {
	r        *renderer
	next     iterator
	ahead    []any // items read already
	known    int   // how many items there are; -1 if that is not known yet
	index    int   // of the current item, from 0
	current  any
	previous any
	changed  any
}

func newLoop(r *renderer, over any, next iterator) *loopState {
	n, ok := length(over)
	if !ok {
		n = -1
	}
	return &loopState{r: r, next: next, known: n, index: -1, current: missing, previous: missing, changed: missing}
}

// advance goes on to the next item.
func (l *loopState) advance() bool {
	if !l.peek() {
		return false
	}
	l.previous, l.current = l.current, l.ahead[0]
	l.ahead = l.ahead[1:]
	l.index++
	return true
}

// peek reports whether there is one more item.
func (l *loopState) peek() bool {
	if len(l.ahead) > 0 {
		return true
	}
	item, ok := l.next()
	if ok {
		l.ahead = []any{item}
	}
	return ok
}

func (l *loopState) length() int {
	if l.known < 0 {
		for item, ok := l.next(); ok; item, ok = l.next() {
			l.r.charge(16)
			l.ahead = append(l.ahead, item)
		}
		l.known = l.index + 1 + len(l.ahead)
	}
	return l.known
}

func (l *loopState) attribute(name string) (value any, ok bool) {
	switch name {
	case "index":
		return l.index + 1, true
	case "index0":
		return l.index, true
	case "revindex":
		return l.length() - l.index, true
	case "revindex0":
		return l.length() - l.index - 1, true
	case "first":
		return l.index == 0, true
	case "last":
		return !l.peek(), true
	case "length":
		return l.length(), true
	case "depth":
		return 1, true
	case "depth0":
		return 0, true
	case "cycle":
		return &callable{name, l.cycle}, true
	case "changed":
		return &callable{name, l.hasChanged}, true
	case "previtem", "nextitem":
		return l.neighbour(name), true
	}
	return nil, false
}

func (l *loopState) neighbour(name string) any {
	switch {
	case name == "previtem" && l.index > 0:
		return l.previous
	case name == "nextitem" && l.peek():
		return l.ahead[0]
	}
	return &undefined{"there is no " + name}
}

func (l *loopState) cycle(f *frame, a args) any {
	if len(a.positional) == 0 || len(a.named.keys) > 0 {
		f.r.fail("loop.cycle needs items")
	}
	return a.positional[l.index%len(a.positional)]
}

func (l *loopState) hasChanged(f *frame, a args) any {
	value := tuple(a.positional)
	if l.changed != missing && f.r.equal(l.changed, value) {
		return false
	}
	l.changed = value
	return true
}

func (n *forStmt) exec(f *frame) signal {
	f.r.line = n.line
	over := n.over.eval(f)
	next := f.r.iterate(over)
	if n.test != nil {
		over, next = nil, n.tested(f, next)
	}
	ended, s := n.loopOver(f, over, next)
	f.leave(n.entry)
	if s != proceed || ended {
		return s
	}
	f.enter(n.elseEntry)
	return f.run(n.otherwise)
}

// loopOver runs the body for each item. ended reports whether the body ran to its end once.
func (n *forStmt) loopOver(f *frame, over any, next iterator) (ended bool, s signal) {
	l := newLoop(f.r, over, next)
	if n.test != nil {
		l.known = -1
	}
	for l.advance() {
		f.assign(n.target, l.current)
		if n.hasLoop {
			*f.at(n.loop) = l
		}
		f.enter(n.entry)
		switch f.run(n.body) {
		case breaks:
			return ended, proceed
		case proceed:
			ended = true
		}
	}
	return ended, proceed
}

// tested leaves out the items that do not pass the loop's condition.
func (n *forStmt) tested(f *frame, next iterator) iterator {
	entered := false
	return func() (any, bool) {
		if !entered {
			f.enter(n.testEntry)
			entered = true
		}
		for item, ok := next(); ok; item, ok = next() {
			f.assign(n.testTarget, item)
			line := f.r.line
			f.r.line = n.line
			pass := f.r.truth(n.test.eval(f))
			f.r.line = line
			if pass {
				return item, true
			}
		}
		return nil, false
	}
}
