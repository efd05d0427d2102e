package plugin

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/carebot-llm/carebot/sdk"
	"github.com/carebot-llm/carebot/sdk/wire"
)

// batchRows are the documents of a batch.
const batchRows = 256

// BenchmarkProcessBatch is a batch encoded and sent there, and its answer back, in messages and in shared memory. The
// process null answers without looking at it: that is the transport. The process hostile is a plugin of the SDK and
// measures each document: records are made of the frame, and the answers are encoded. It keeps texts or borrows them.
func BenchmarkProcessBatch(b *testing.B) {
	for _, plugin := range []string{"null", "keeps", "borrows"} {
		for _, lane := range []string{"messages", "shared"} {
			for _, size := range []int{1 << 10, 8 << 10} {
				b.Run(fmt.Sprintf("%s/%s/%dKB", plugin, lane, size>>10), func(b *testing.B) {
					processBatch(b, plugin, size, lane == "shared")
				})
			}
		}
	}
}

func processBatch(b *testing.B, plugin string, size int, shares bool) {
	s := spec(executableOf(b, "hostile"))
	if s.Plugin.Args = []string{plugin}; plugin == "null" {
		s = spec(executableOf(b, plugin))
	}
	inst := opened(b, s).pool.idle[0].(*process)
	if !shares {
		inst.shared.close()
		inst.shared = nil
	}
	docs := benchDocuments(size, batchRows)
	var builder wire.Builder
	b.SetBytes(int64(size * len(docs)))
	for b.Loop() {
		builder.Use(inst.roomForRequest())
		frame, err := wire.EncodeDocuments(&builder, 0, []wire.Column{wire.ColText}, docs)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := inst.run(b.Context(), wire.Documents, frame); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(docs)), "ns/doc")
}

func benchDocuments(size, n int) []sdk.Document {
	docs := make([]sdk.Document, n)
	for i := range docs {
		docs[i].Text = strings.Repeat("x", size)
	}
	return docs
}

// BenchmarkProcessDocument is one document there and back.
func BenchmarkProcessDocument(b *testing.B) {
	p := opened(b, spec(executableOf(b, "hostile")))
	docs := benchDocuments(1<<10, 1)
	for b.Loop() {
		if _, err := p.Score(b.Context(), docs); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkProcessStart is a process started, opened, asked once and ended: contained as far as the system allows, and
// with nothing but its group.
func BenchmarkProcessStart(b *testing.B) {
	b.Run("contained", processStart)
	b.Run("open", func(b *testing.B) {
		before := contains
		contains = func() containment { return containment{missing: errNotLinux} }
		defer func() { contains = before }()
		processStart(b)
	})
}

func processStart(b *testing.B) {
	p := opened(b, spec(executableOf(b, "hostile")))
	frame, err := wire.EncodeDocuments(new(wire.Builder), 0, []wire.Column{wire.ColText}, benchDocuments(1, 1))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		inst, err := p.pool.engine.start(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		if _, err := inst.run(context.Background(), wire.Documents, frame); err != nil {
			b.Fatal(err)
		}
		inst.close()
	}
}
