package jinja

import "slices"

// A resolver gives every name of a template the place of its value.
type resolver struct {
	template *Template
	loops    int // around the current node, within its function
	buffers  int // set blocks, filter blocks and functions other than generation blocks around it
	inMarks  int // generation blocks around it
}

func resolved(t *Template) *Template {
	s := newScope(nil, &function{})
	s.analyse(t.body...)
	v := &resolver{template: t}
	v.all(s, t.body)
	t.entry, t.slots = s.entry(), s.fn.slots
	return t
}

func (v *resolver) all(s *scope, nodes []node) {
	for _, n := range nodes {
		v.one(s, n)
	}
}

func (v *resolver) one(s *scope, n node) {
	switch n := n.(type) {
	case *name:
		n.ref = v.find(s, n.name, n.line)
	case *nsName:
		n.ref = v.find(s, n.name, n.line)
	case *forStmt:
		v.forLoop(s, n)
	case *withStmt:
		v.with(s, n)
	case *assignBlock:
		v.assignBlock(s, n)
	case *filterBlock:
		v.filterBlock(s, n)
	case *macroStmt:
		n.ref = v.find(s, n.name, n.line)
		v.captured(func() { v.definition(s, n.def, n.line) })
	case *callBlock:
		v.captured(func() { v.definition(s, n.def, n.line) })
		v.one(s, n.call)
	case *generation:
		v.generation(s, n)
	case *jump:
		if v.loops == 0 {
			fail(n.line, "break and continue belong into a loop")
		}
	default:
		v.all(s, n.children())
	}
}

// find returns where a name is. A filter of a set block may use names that Jinja2's compiler does not know there.
func (v *resolver) find(s *scope, name string, line int) ref {
	at, ok := s.find(name, s.fn)
	if !ok {
		fail(line, "the name %s is not known here", name)
	}
	if l, own := s.loadOf(name); own && l.kind == given && refusedGlobals[name] {
		unsupported(line, "the global %s", name)
	}
	return at
}

// loadOf returns how the scope that knows a name loads it.
func (s *scope) loadOf(name string) (load, bool) {
	for ; s != nil; s = s.parent {
		if slot, ok := s.refs[name]; ok {
			return s.loads[slot], true
		}
	}
	return load{}, false
}

// refusedGlobals are names that Jinja2 knows and this package doesn't.
var refusedGlobals = map[string]bool{"lipsum": true, "cycler": true, "joiner": true, "self": true, "super": true}

// captured visits what writes its text into a buffer.
func (v *resolver) captured(visit func()) {
	v.buffers++
	visit()
	v.buffers--
}

func (v *resolver) forLoop(s *scope, n *forStmt) {
	if writes([]node{n}, "loop") {
		fail(n.line, "loop can't be assigned to within a loop")
	}
	body, otherwise, test := s.inner(), s.inner(), s.inner()
	if n.hasLoop = reads(n.body, "loop"); n.hasLoop {
		body.declare("loop")
		n.loop, _ = body.find("loop", s.fn)
	}
	body.declareAll(n.target)
	body.analyse(n.body...)
	otherwise.analyse(n.otherwise...)
	v.one(s, n.over)
	if n.test != nil {
		v.loopTest(test, n)
	}
	v.loops++
	v.one(body, n.target)
	v.all(body, n.body)
	v.loops--
	v.all(otherwise, n.otherwise)
	n.entry, n.elseEntry = body.entry(), otherwise.entry()
}

// loopTest resolves the condition of a loop, which sees the target but not loop.
func (v *resolver) loopTest(test *scope, n *forStmt) {
	test.declareAll(n.target)
	test.analyse(n.test)
	n.testTarget = copied(n.target)
	v.one(test, n.testTarget)
	v.one(test, n.test)
	n.testEntry = test.entry()
}

// copied is a target with places of its own.
func copied(target expr) expr {
	if t, ok := target.(*tupleExpr); ok {
		var items []node
		for _, item := range t.items {
			items = append(items, copied(item.(expr)))
		}
		return &tupleExpr{items}
	}
	n := *target.(*name)
	return &n
}

// writes reports whether a name is a target anywhere within nodes.
func writes(nodes []node, special string) bool {
	for _, n := range nodes {
		if name, ok := n.(*name); ok && name.name == special && name.use == stored {
			return true
		}
		if writes(n.children(), special) {
			return true
		}
	}
	return false
}

func (v *resolver) with(s *scope, n *withStmt) {
	in := s.inner()
	in.analyse(n.targets...)
	in.analyse(n.body...)
	v.all(in, n.targets)
	v.all(s, n.values)
	v.all(in, n.body)
	n.entry = in.entry()
}

func (v *resolver) assignBlock(s *scope, n *assignBlock) {
	in := s.inner()
	in.analyse(n.body...)
	v.one(s, n.target)
	v.captured(func() {
		v.all(in, n.body)
		v.all(in, n.filtered())
	})
	n.entry = in.entry()
}

func (v *resolver) filterBlock(s *scope, n *filterBlock) {
	in := s.inner()
	in.analyse(n.body...)
	in.analyse(n.filter)
	v.captured(func() {
		v.all(in, n.body)
		v.one(in, n.filter)
	})
	n.entry = in.entry()
}

func (v *resolver) generation(s *scope, n *generation) {
	v.template.generate = true
	v.template.captured = v.template.captured || v.buffers > 0 || v.inMarks > 0
	v.inMarks++
	v.definition(s, n.def, n.line)
	v.inMarks--
}

// definition resolves a macro or the body of a block.
func (v *resolver) definition(s *scope, d *definition, line int) {
	in := s.called()
	for _, p := range d.params {
		in.declare(p.name)
	}
	in.analyse(d.defaults...)
	in.analyse(d.body...)
	v.special(in, d, line)
	loops := v.loops
	v.loops = 0
	for _, p := range d.params {
		v.one(in, p)
	}
	v.all(in, d.defaults)
	v.all(in, d.body)
	v.loops = loops
	d.entry, d.slots = in.entry(), in.fn.slots
}

// special declares the names by which a macro reads its caller and the arguments that it has no parameters for.
func (v *resolver) special(in *scope, d *definition, line int) {
	for _, s := range []struct {
		name string
		at   **ref
	}{{"caller", &d.caller}, {"kwargs", &d.kwargs}, {"varargs", &d.varargs}} {
		named := slices.ContainsFunc(d.params, func(p *name) bool { return p.name == s.name })
		if named && s.name == "caller" {
			unsupported(line, "a parameter named caller")
		}
		if !named && reads(d.body, s.name) {
			in.declare(s.name)
			place, _ := in.find(s.name, in.fn)
			*s.at = &place
		}
	}
}
