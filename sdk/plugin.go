// Package sdk is what the author of a CareBot plugin imports. A plugin rates documents (Scorer), filters dialogues (Filter)
// or judges answers (Reward); it always works on batches of plain structs and never sees a tensor. The same source is
// built in three ways: compiled into the host, as a WebAssembly module, or as a process; package sdk/wire serves the last two.
//
// The package imports the standard library only.
package sdk

import "context"

// A Scorer rates documents: one Rating for each document, in order. An error fails the whole batch, which the host then
// splits to find the record.
type Scorer interface {
	Score(ctx context.Context, docs []Document) ([]Rating, error)
}

// A Filter judges dialogues: one Verdict for each dialogue, in order.
type Filter interface {
	Filter(ctx context.Context, dialogues []Dialogue) ([]Verdict, error)
}

// A Flusher is a Filter that has answered Later: at the end of the data Flush returns the postponed verdicts, in the order in
// which they were postponed. A Flusher declares purity "stateful" and is run as one instance, in the order of the data.
type Flusher interface {
	Flush(ctx context.Context) ([]Verdict, error)
}

// A Reward judges answers: one Judgement for each sample, in order.
type Reward interface {
	Reward(ctx context.Context, samples []Sample) ([]Judgement, error)
}

// A Plugin is the unit that a recipe names: its manifest and the constructor of its implementation. New is called once for
// each instance; what it returns implements the interfaces of the manifest's kinds.
type Plugin struct {
	Manifest Manifest
	New      func(env Env) (any, error)

	// Borrows promises that no text of a request, nor a part of one, is kept when the method that got it has returned,
	// except in its answers and as strings.Clone. Texts then lie where the host has written them, which saves copying
	// them, and change after the return. Package sdktest wipes them there, so that tests find a promise that is broken.
	Borrows bool
}

// Env is what the host gives a plugin instance when it opens it.
type Env struct {
	Config []byte // the recipe's `with` block as JSON, {} when there is none
	Seed   uint64 // of the run; equal in all instances
	Host   Host
}

// Host is what a plugin may ask of the host.
type Host interface {
	// Model returns the model that the recipe binds to a name that the manifest requests. It fails when nothing is bound
	// or the grant is missing.
	Model(name string) (Model, error)
	Log(level Level, message string)
}

// A Level is the severity of a log line.
type Level int32

// The levels, with the numbers of log/slog.
const (
	Debug Level = -4
	Info  Level = 0
	Warn  Level = 4
	Error Level = 8
)
