package jinja

// args are the arguments of a call.
type args struct {
	positional []any
	named      Object
	caller     *callable // of a call block
}

// bind enters a definition's scope with its parameters and special names unset.
func (f *frame) bind(d *definition, values []any) {
	for i, p := range d.params {
		*f.at(p.ref) = values[i]
	}
	f.enter(d.entry)
	nobody := &undefined{"there is no caller"}
	for _, special := range []struct {
		at    *ref
		value any
	}{{d.caller, nobody}, {d.kwargs, &Object{}}, {d.varargs, tuple{}}} {
		if special.at != nil {
			*f.at(*special.at) = special.value
		}
	}
}

func (n *macroStmt) exec(f *frame) signal {
	*f.at(n.ref) = n.def.callable(f)
	return proceed
}

func (n *callBlock) exec(f *frame) signal {
	f.r.line = n.line
	caller := n.def.callable(f)
	callee := n.call.callee.eval(f)
	a := n.call.arguments.eval(f)
	a.caller = caller
	f.writeText(f.call(callee, a))
	return proceed
}

// callable is the macro that a definition makes in a frame.
func (d *definition) callable(parent *frame) *callable {
	return &callable{d.name, func(f *frame, a args) any {
		defer f.r.deeper()()
		line := f.r.line
		in := &frame{r: f.r, slots: make([]any, d.slots), parent: parent, out: &builder{}}
		rest := d.fill(f, &a)
		in.bind(d, rest.values)
		d.bindSpecial(in, rest)
		d.setDefaults(in)
		in.run(d.body)
		f.r.line = line
		return in.out.String()
	}}
}

// filled are the arguments of a macro by its parameters, and what is left of them.
type filled struct {
	values   []any // missing where there is none
	kwargs   *Object
	varargs  tuple
	callable any
}

// fill hands arguments to parameters: first by position, then by name.
func (d *definition) fill(f *frame, a *args) (out filled) {
	taken := map[string]bool{}
	for i, p := range d.params {
		switch value, ok := a.named.get(p.name); {
		case i < len(a.positional):
			out.values = append(out.values, a.positional[i])
		case ok:
			out.values = append(out.values, value)
			taken[p.name] = true
		default:
			out.values = append(out.values, missing)
		}
	}
	out.kwargs = &Object{}
	for i, key := range a.named.keys {
		if !taken[key.(string)] {
			out.kwargs.put(key, a.named.values[i])
		}
	}
	if len(a.positional) > len(d.params) {
		out.varargs = tuple(a.positional[len(d.params):])
	}
	d.takeCaller(a, &out)
	d.refuseRest(f, out)
	return out
}

// takeCaller finds the caller that a call block, or an argument of that name, gives.
func (d *definition) takeCaller(a *args, out *filled) {
	var rest Object
	for i, key := range out.kwargs.keys {
		if key == "caller" && d.caller != nil {
			out.callable = out.kwargs.values[i]
			continue
		}
		rest.put(key, out.kwargs.values[i])
	}
	if out.kwargs = &rest; a.caller == nil {
		return
	}
	if d.caller != nil {
		out.callable = a.caller
	} else {
		out.kwargs.put("caller", a.caller)
	}
}

func (d *definition) refuseRest(f *frame, out filled) {
	if d.kwargs == nil && out.kwargs.Len() > 0 {
		f.r.fail("macro %s takes no argument %v", d.name, out.kwargs.keys[0])
	}
	if d.varargs == nil && len(out.varargs) > 0 {
		f.r.fail("macro %s takes no more than %d arguments", d.name, len(d.params))
	}
}

func (d *definition) bindSpecial(in *frame, rest filled) {
	if d.caller != nil && rest.callable != nil {
		*in.at(*d.caller) = rest.callable
	}
	if d.kwargs != nil {
		*in.at(*d.kwargs) = rest.kwargs
	}
	if d.varargs != nil {
		*in.at(*d.varargs) = rest.varargs
	}
}

// setDefaults gives parameters without an argument their defaults, each of which may read the parameters.
func (d *definition) setDefaults(in *frame) {
	for i, p := range d.params {
		at := in.at(p.ref)
		if *at != missing {
			continue
		}
		if k := i - (len(d.params) - len(d.defaults)); k >= 0 {
			*at = d.defaults[k].(expr).eval(in)
			continue
		}
		*at = &undefined{"parameter '" + p.name + "' was not provided"}
	}
}
