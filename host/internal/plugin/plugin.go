// Package plugin runs plugins: it finds what a recipe's `use` names, checks the manifest against what the recipe
// grants, opens instances and asks them in batches. A plugin is compiled in, a WebAssembly module (wazero) or a process
// (go-plugin); the three are instances that answer the same frames of sdk/wire, so that batching, checking and the
// isolation of faulty records exist once. What a module or process sends is never trusted.
package plugin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/sdk"
	"github.com/carebot-llm/carebot/sdk/wire"
)

// ErrTooManyFaults says that a plugin failed on more records than its limit allows.
var ErrTooManyFaults = errors.New("too many faulty records")

// ErrStateLost says that a stateful plugin failed in the middle of the data. Its answers depend on all records before,
// so no other instance can go on.
var ErrStateLost = errors.New("the plugin's state is lost")

// A Spec is all that opening a plugin takes.
type Spec struct {
	Name     string // of the plugin in the recipe
	Plugin   recipe.Plugin
	Dir      string // that relative paths start from, and the working directory of a process
	Seed     uint64
	Models   map[string]sdk.Model // by the manifest's names, the keys of Plugin.Models
	CacheDir string               // holds compiled modules; empty for none
	Hidden   []string             // folders that a process does not see even where it sees what they lie in
	Log      *slog.Logger         // nil discards
	Workers  int                  // instances that compute at once; 0 is one for each processor
}

// A Plugin is an open plugin, safe for concurrent use. Close it.
type Plugin struct {
	name   string
	info   Info
	limits recipe.Limits
	log    *slog.Logger
	broker *broker
	pool   *pool
	tables *wire.Tables

	records atomic.Uint64 // asked so far: batches are numbered by their first record
	faults  faultCount

	order     sync.Mutex   // held by a stateful plugin's calls
	lost      atomic.Bool  // the instance of a stateful plugin has failed
	postponed atomic.Int64 // verdicts that a stateful filter owes
}

// Open finds, checks and opens a plugin. At least one instance has been opened when it returns, so that a configuration
// that the plugin itself refuses is an error here.
func Open(ctx context.Context, spec Spec) (*Plugin, error) {
	p, err := open(ctx, spec.complete())
	if err != nil {
		return nil, fmt.Errorf("plugin %s: %w", spec.Name, err)
	}
	return p, nil
}

// defaultMemory is the memory of a plugin whose entry does not limit it, in bytes.
const defaultMemory = 256 << 20

// complete fills in what a recipe without limits leaves at zero.
func (s Spec) complete() Spec {
	if s.Workers <= 0 {
		s.Workers = runtime.GOMAXPROCS(0)
	}
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	l := &s.Plugin.Limits
	if l.Memory <= 0 {
		l.Memory = defaultMemory
	}
	if l.Deadline <= 0 {
		l.Deadline = recipe.Duration(30 * time.Second)
	}
	if l.Fuel <= 0 {
		l.Fuel = 50_000_000
	}
	if l.Batch <= 0 {
		l.Batch = 256
	}
	return s
}

func open(ctx context.Context, spec Spec) (*Plugin, error) {
	info, code, err := inspect(ctx, spec.Plugin, spec.Dir)
	if err != nil {
		return nil, err
	}
	if err := info.check(spec.Plugin); err != nil {
		return nil, err
	}
	broker, err := newBroker(info.Manifest, spec.Models)
	if err != nil {
		return nil, err
	}
	tables, err := wire.NewTables(&info.Manifest)
	if err != nil {
		return nil, err
	}
	engine, err := newEngine(ctx, spec, info, code, broker)
	if err != nil {
		return nil, err
	}
	p := &Plugin{
		name: spec.Name, info: info, limits: spec.Plugin.Limits, log: spec.Log, broker: broker,
		tables: tables, pool: newPool(engine, instances(spec, info)), faults: faultCount{limit: spec.Plugin.Limits.Faults},
	}
	first, err := p.pool.acquire(ctx)
	if err != nil {
		return nil, errors.Join(err, p.pool.close())
	}
	p.pool.release(first, true)
	return p, nil
}

// newEngine returns what starts instances of the plugin.
func newEngine(ctx context.Context, spec Spec, info Info, code []byte, b *broker) (engine, error) {
	config, err := configure(info.Manifest.Config, spec.Plugin.With)
	if err != nil {
		return nil, err
	}
	opening := wire.Opening{Config: config, Seed: spec.Seed, Models: b.grants()}
	switch info.Transport {
	case TransportWasm:
		return newModule(ctx, spec, info, code, opening, b)
	case TransportProcess:
		return newExecutable(spec, info, opening, b)
	}
	return newBuiltin(info.Manifest.Name, opening, b, spec.Log), nil
}

// modelFactor is how many instances there are for each worker when instances wait for models: one computes while others
// wait.
const modelFactor = 4

// instances returns how many instances a plugin may have. A stateful plugin is one. A process that may reach the
// network is one, so that the rates and costs that it keeps count of are those of the run.
func instances(spec Spec, info Info) int {
	m := &info.Manifest
	switch {
	case m.Purity == sdk.Stateful, info.Transport == TransportProcess && requests(m, capNetwork):
		return 1
	case len(requestedModels(m)) > 0 && info.Transport != TransportProcess:
		return modelFactor * spec.Workers
	}
	return spec.Workers
}

// Manifest returns what the plugin says of itself.
func (p *Plugin) Manifest() sdk.Manifest { return p.info.Manifest }

// Digest returns the sha256 of the plugin's code, in hex.
func (p *Plugin) Digest() string { return p.info.Digest }

// Transport returns how the plugin runs: TransportBuiltin, TransportWasm or TransportProcess.
func (p *Plugin) Transport() string { return p.info.Transport }

// Close ends all instances. Calls that are running end with errors.
func (p *Plugin) Close() error {
	if err := p.pool.close(); err != nil {
		return fmt.Errorf("plugin %s: close: %w", p.name, err)
	}
	return nil
}

// StatusName returns the word for a status in reports.
func StatusName(s sdk.Status) string {
	return [...]string{sdk.OK: "ok", sdk.Abstain: "abstain", sdk.Fault: "fault"}[s]
}
