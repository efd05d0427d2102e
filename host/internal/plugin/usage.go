package plugin

import "sync/atomic"

// Usage is what a module has used so far.
type Usage struct {
	Calls  int64
	Bytes  int64 // of requests
	Fuel   int64 // instructions, of calls that ended well or ill
	Memory int64 // largest memory of an instance, in bytes
}

// A usageCount counts the usage of all instances of a module.
type usageCount struct{ calls, bytes, fuel, memory atomic.Int64 }

// add counts one call.
func (u *usageCount) add(bytes int, fuel int64, memory uint32) {
	u.calls.Add(1)
	u.bytes.Add(int64(bytes))
	u.fuel.Add(fuel)
	for seen := u.memory.Load(); seen < int64(memory) && !u.memory.CompareAndSwap(seen, int64(memory)); {
		seen = u.memory.Load()
	}
}

// Usage returns what the plugin has used so far. Only modules are metered; it is zero for other plugins.
func (p *Plugin) Usage() Usage {
	m, ok := p.pool.engine.(*module)
	if !ok {
		return Usage{}
	}
	u := &m.usage
	return Usage{Calls: u.calls.Load(), Bytes: u.bytes.Load(), Fuel: u.fuel.Load(), Memory: u.memory.Load()}
}
