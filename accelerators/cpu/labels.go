package cpu

import (
	"context"
	"runtime/pprof"
)

// labels are the pprof labels by the name of the operation, each made once.
type labels map[string]context.Context

// of is the context whose label op is the operation's name.
func (l labels) of(op string) context.Context {
	ctx, ok := l[op]
	if !ok {
		ctx = pprof.WithLabels(context.Background(), pprof.Labels("op", op))
		l[op] = ctx
	}
	return ctx
}

// noLabels takes a goroutine's labels away.
var noLabels = context.Background()
