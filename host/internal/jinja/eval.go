package jinja

func (n *constant) eval(*frame) any { return n.value }

func (n *name) eval(f *frame) any {
	f.r.step()
	if v := *f.at(n.ref); v != missing {
		return v
	}
	return &undefined{"'" + n.name + "' is undefined"}
}

func (n *nsName) eval(*frame) any { panic("jinja: a target of an assignment is read") }

func values(f *frame, nodes []node) []any {
	all := make([]any, len(nodes))
	for i, n := range nodes {
		all[i] = n.(expr).eval(f)
	}
	return f.r.listed(all)
}

func (n *tupleExpr) eval(f *frame) any { return tuple(values(f, n.items)) }
func (n *listExpr) eval(f *frame) any  { return values(f, n.items) }
func (n *not) eval(f *frame) any       { return !f.r.truth(n.of.eval(f)) }

func (n *dictExpr) eval(f *frame) any {
	o := &Object{}
	for i, k := range n.keys {
		key := k.(expr).eval(f)
		f.r.put(o, key, n.values[i].(expr).eval(f))
	}
	return o
}

// put enters a key that must be hashable.
func (r *renderer) put(o *Object, key, value any) {
	if !hashable(key) {
		r.unsupported("a key of type %s in a dict", typeName(key))
	}
	r.charge(32)
	o.put(key, value)
}

func (n *logical) eval(f *frame) any {
	left := n.left.eval(f)
	if f.r.truth(left) == n.or {
		return left
	}
	return n.right.eval(f)
}

func (n *conditional) eval(f *frame) any {
	if f.r.truth(n.test.eval(f)) {
		return n.then.eval(f)
	}
	if n.otherwise == nil {
		return &undefined{"an inline if without else was false"}
	}
	return n.otherwise.eval(f)
}

func (n *concat) eval(f *frame) any {
	var all []string
	size := 0
	for _, part := range n.parts {
		s := f.r.str(part.(expr).eval(f))
		size += len(s)
		all = append(all, s)
	}
	f.r.charge(size)
	return joined(all)
}

func joined(all []string) string {
	var out builder
	for _, s := range all {
		out.WriteString(s)
	}
	return out.String()
}

func (n *comparison) eval(f *frame) any {
	left := n.first.eval(f)
	for i, op := range n.ops {
		right := n.rest[i].(expr).eval(f)
		f.r.line = n.line
		if !f.r.compare(op, left, right) {
			return false
		}
		left = right
	}
	return true
}

func (n *unary) eval(f *frame) any {
	v := n.of.eval(f)
	f.r.line = n.line
	if i, ok := whole(v); ok {
		if n.op == "-" {
			return f.r.subtract(0, i)
		}
		return i
	}
	x, ok := v.(float64)
	if !ok {
		f.r.noOperand(v)
		f.r.fail("%s of a value of type %s", n.op, typeName(v))
	}
	if n.op == "-" {
		return -x
	}
	return x
}

func (n *binary) eval(f *frame) any {
	left := n.left.eval(f)
	right := n.right.eval(f)
	f.r.line = n.line
	return f.r.operate(n.op, left, right)
}

func (n *attribute) eval(f *frame) any {
	v := n.of.eval(f)
	f.r.line = n.line
	return f.r.attribute(v, n.name)
}

func (n *subscript) eval(f *frame) any {
	v, index := n.of.eval(f), n.index.eval(f)
	f.r.line = n.line
	return f.r.item(v, index)
}

func (n *sliceExpr) eval(f *frame) any {
	v := n.of.eval(f)
	var bounds [3]any
	for i, e := range []expr{n.start, n.stop, n.step} {
		if e != nil {
			bounds[i] = e.eval(f)
		}
	}
	f.r.line = n.line
	return f.r.slice(v, bounds)
}

func (n *call) eval(f *frame) any {
	callee := n.callee.eval(f)
	a := n.arguments.eval(f)
	f.r.line = n.line
	return f.call(callee, a)
}

func (f *frame) call(callee any, a args) any {
	f.r.step()
	switch c := callee.(type) {
	case *callable:
		return c.call(f, a)
	case *undefined:
		f.r.fail("%s", c.message)
	case *loopState:
		f.r.fail("a loop that is not recursive is called")
	}
	f.r.fail("a value of type %s can't be called", typeName(callee))
	return nil
}

func (a *arguments) eval(f *frame) args {
	out := args{positional: values(f, a.positional)}
	for i, n := range a.named {
		out.named.put(a.names[i], n.(expr).eval(f))
	}
	if a.rest != nil {
		out.positional = append(out.positional, f.r.list(a.rest.eval(f))...)
	}
	if a.mapping != nil {
		a.spread(f, &out)
	}
	return out
}

// spread adds the arguments of **mapping.
func (a *arguments) spread(f *frame, out *args) {
	o, ok := a.mapping.eval(f).(*Object)
	if !ok {
		f.r.fail("** needs a mapping")
	}
	for i, key := range o.keys {
		name, isText := key.(string)
		if _, twice := out.named.get(key); !isText || twice {
			f.r.fail("the argument %v is no name or comes twice", key)
		}
		out.named.put(name, o.values[i])
	}
}

func (n *filterExpr) eval(f *frame) any { return n.apply(f, n.of.eval(f)) }

func (n *filterExpr) apply(f *frame, v any) any {
	a := n.arguments.eval(f)
	f.r.line = n.line
	f.r.step()
	return n.filter.apply(f, v, a)
}

func (n *testExpr) eval(f *frame) any {
	v := n.of.eval(f)
	a := n.arguments.eval(f)
	f.r.line = n.line
	f.r.step()
	return n.test.apply(f, v, a)
}
