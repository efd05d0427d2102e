package run

import (
	"bufio"
	"encoding/json"
	"io"
	"time"
)

// A traceEvent is one of Chrome's trace event format (as Perfetto reads it): "X" is a span, "M" names a track. Times
// are in microseconds.
type traceEvent struct {
	Name     string         `json:"name"`
	Category string         `json:"cat,omitempty"`
	Phase    string         `json:"ph"`
	Start    float64        `json:"ts"`
	Duration float64        `json:"dur"`
	Process  int            `json:"pid"`
	Track    int            `json:"tid"`
	Args     map[string]any `json:"args"`
}

// Tracks of a trace.
const (
	stepTrack = 1 + iota
	kernelTrack
)

// writeTrace writes the steps and the kernel calls as one JSON object, an event a line.
func (pr *profile) writeTrace(w io.Writer) error {
	out := bufio.NewWriter(w)
	enc := json.NewEncoder(out)
	separator := `{"displayTimeUnit":"ms","traceEvents":[` + "\n"
	for _, e := range pr.trace() {
		if _, err := out.WriteString(separator); err != nil {
			return err
		}
		if err := enc.Encode(e); err != nil {
			return err
		}
		separator = ","
	}
	if _, err := out.WriteString("]}\n"); err != nil {
		return err
	}
	return out.Flush()
}

func (pr *profile) trace() []traceEvent {
	events := []traceEvent{
		trackName("process_name", stepTrack, "carebot "+pr.stage), trackName("thread_name", stepTrack, "steps"),
		trackName("thread_name", kernelTrack, "kernels of "+pr.device.Describe()),
	}
	for _, s := range pr.steps {
		e := span("step", "step", stepTrack, s.start, s.duration)
		e.Args = map[string]any{"batch": s.batch}
		events = append(events, e)
	}
	for _, k := range pr.events {
		e := span(k.Op, "kernel", kernelTrack, k.Start, k.Duration)
		e.Args = map[string]any{"shape": k.Shape, "flops": k.Flops, "bytes": k.Bytes}
		events = append(events, e)
	}
	return events
}

func span(name, category string, track int, start, duration time.Duration) traceEvent {
	return traceEvent{Name: name, Category: category, Phase: "X", Process: 1, Track: track,
		Start: microseconds(start), Duration: microseconds(duration)}
}

func trackName(kind string, track int, text string) traceEvent {
	return traceEvent{Name: kind, Phase: "M", Process: 1, Track: track, Args: map[string]any{"name": text}}
}

func microseconds(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
