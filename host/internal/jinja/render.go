package jinja

// A frame is a call of a function of the template, or its root.
type frame struct {
	r      *renderer
	slots  []any
	parent *frame // the frame in which the function was defined
	out    *builder
	top    bool // out is the text itself
}

func (f *frame) at(p ref) *any {
	for range p.up {
		f = f.parent
	}
	return &f.slots[p.slot]
}

// enter fills the slots of a scope.
func (f *frame) enter(loads []load) {
	for _, l := range loads {
		switch l.kind {
		case given:
			f.slots[l.slot] = f.r.given(l.name)
		case alias:
			f.slots[l.slot] = *f.at(l.from)
		case unset:
			f.slots[l.slot] = missing
		}
	}
}

// leave makes the names of a scope unset, as macros that still know them see.
func (f *frame) leave(loads []load) {
	for _, l := range loads {
		f.slots[l.slot] = missing
	}
}

// given is a value that the template was given, or else a global.
func (r *renderer) given(name string) any {
	if v, ok := r.values.get(name); ok {
		return v
	}
	if v, ok := globals[name]; ok {
		return v
	}
	return missing
}

func (f *frame) run(body []node) signal {
	for _, n := range body {
		if s := n.(stmt).exec(f); s != proceed {
			return s
		}
	}
	return proceed
}

func (n *data) exec(f *frame) signal {
	f.write(n.text)
	return proceed
}

func (n *output) exec(f *frame) signal {
	f.r.line = n.line
	f.write(f.r.str(n.value.eval(f)))
	return proceed
}

func (n *assign) exec(f *frame) signal {
	f.r.line = n.line
	f.checkSpaces(n.target)
	f.assign(n.target, n.value.eval(f))
	return proceed
}

// checkSpaces sees that attributes are set of namespaces only.
func (f *frame) checkSpaces(target node) {
	if t, ok := target.(*nsName); ok {
		if _, ok := (*f.at(t.ref)).(*namespace); !ok {
			f.r.fail("%s is no namespace: its attribute %s can't be set", t.name, t.attr)
		}
	}
	for _, c := range target.children() {
		f.checkSpaces(c)
	}
}

// assign stores a value in a target.
func (f *frame) assign(target node, value any) {
	switch t := target.(type) {
	case *name:
		*f.at(t.ref) = value
	case *nsName:
		space := (*f.at(t.ref)).(*namespace)
		f.r.setAttribute(space, t.attr, value)
	case *tupleExpr:
		items := f.r.list(value)
		if len(items) != len(t.items) {
			f.r.fail("%d values are assigned to %d targets", len(items), len(t.items))
		}
		for i, item := range items {
			f.assign(t.items[i], item)
		}
	}
}

func (r *renderer) setAttribute(space *namespace, name string, value any) {
	if name != "" && name[0] == '_' {
		r.fail("a namespace can't have the attribute %s", name)
	}
	r.charge(16)
	space.attributes.put(name, value)
}

func (n *assignBlock) exec(f *frame) signal {
	f.enter(n.entry)
	text, s := f.buffered(func() signal { return f.run(n.body) })
	if s != proceed {
		return s
	}
	f.r.line = n.line
	f.checkSpaces(n.target)
	f.assign(n.target, f.filtered(n.filter, text))
	return proceed
}

// filtered applies the filters of a block to its text.
func (f *frame) filtered(chain *filterExpr, text string) any {
	if chain == nil {
		return text
	}
	value := any(text)
	if inner, ok := chain.of.(*filterExpr); ok {
		value = f.filtered(inner, text)
	}
	return chain.apply(f, value)
}

func (n *filterBlock) exec(f *frame) signal {
	f.enter(n.entry)
	text, s := f.buffered(func() signal { return f.run(n.body) })
	if s == proceed {
		f.r.line = n.line
		f.writeText(f.filtered(n.filter, text))
	}
	return s
}

func (n *ifStmt) exec(f *frame) signal {
	f.r.line = n.line
	f.r.step()
	if f.r.truth(n.test.eval(f)) {
		return f.run(n.then)
	}
	for _, e := range n.elifs {
		e := e.(*ifStmt)
		f.r.line = e.line
		if f.r.truth(e.test.eval(f)) {
			return f.run(e.then)
		}
	}
	return f.run(n.otherwise)
}

func (n *withStmt) exec(f *frame) signal {
	f.enter(n.entry)
	for i, target := range n.targets {
		f.r.line = n.line
		f.assign(target, n.values[i].(expr).eval(f))
	}
	return f.run(n.body)
}

func (n *jump) exec(*frame) signal { return n.signal }

func (n *generation) exec(f *frame) signal {
	defer f.r.deeper()()
	from := f.out.Len()
	in := &frame{r: f.r, slots: make([]any, n.def.slots), parent: f, out: f.out, top: f.top}
	in.bind(n.def, nil)
	in.run(n.def.body)
	if f.top && f.r.template.Marks() {
		f.r.spans = append(f.r.spans, Span{from, f.out.Len()})
	}
	return proceed
}
