package train

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"
)

// event is what a reader sees of an Event message.
type event struct {
	Version string
	Wall    float64
	Step    int64
	Tag     string
	Value   float32
	Start   bool
}

// fields calls do for each field of a message: number is its value when it is no message or string.
func fields(t *testing.T, message []byte, do func(n protowire.Number, number uint64, inner []byte)) {
	t.Helper()
	for len(message) > 0 {
		n, kind, size := protowire.ConsumeTag(message)
		if size < 0 {
			t.Fatal(protowire.ParseError(size))
		}
		message = message[size:]
		var number uint64
		var inner []byte
		switch kind {
		case protowire.VarintType:
			number, size = protowire.ConsumeVarint(message)
		case protowire.Fixed64Type:
			number, size = protowire.ConsumeFixed64(message)
		case protowire.Fixed32Type:
			var bits uint32
			bits, size = protowire.ConsumeFixed32(message)
			number = uint64(bits)
		default:
			inner, size = protowire.ConsumeBytes(message)
		}
		if size < 0 {
			t.Fatal(protowire.ParseError(size))
		}
		message = message[size:]
		do(n, number, inner)
	}
}

func decodeEvent(t *testing.T, message []byte) (e event) {
	t.Helper()
	value := func(n protowire.Number, number uint64, inner []byte) {
		if n == valueTag {
			e.Tag = string(inner)
		} else {
			e.Value = math.Float32frombits(uint32(number))
		}
	}
	fields(t, message, func(n protowire.Number, number uint64, inner []byte) {
		switch n {
		case eventWallTime:
			e.Wall = math.Float64frombits(number)
		case eventStep:
			e.Step = int64(number)
		case eventFileVersion:
			e.Version = string(inner)
		case eventSessionLog:
			fields(t, inner, func(_ protowire.Number, status uint64, _ []byte) { e.Start = status == sessionStart })
		case eventSummary:
			fields(t, inner, func(_ protowire.Number, _ uint64, inner []byte) { fields(t, inner, value) })
		}
	})
	return e
}

func decodeEvents(t *testing.T, path string) []event {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var events []event
	for r := bytes.NewReader(raw); ; {
		data, err := readRecord(r)
		if errors.Is(err, errNotWhole) {
			if r.Len() > 0 {
				t.Fatalf("%d bytes are left", r.Len())
			}
			return events
		}
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, decodeEvent(t, data))
	}
}

func addScalar(t *testing.T, path string, step int, value float32) {
	t.Helper()
	e, err := CreateEvents(path)
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(e.Scalar("train/loss", step, 1.5, value), e.Scalar("train/lr", step, 1.5, -value), e.Close())
	if err != nil {
		t.Fatal(err)
	}
}

func TestEventsAreReadBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events.out.tfevents.0")
	addScalar(t, path, 300, 2.25)
	want := []event{
		{Version: "brain.Event:2"},
		{Wall: 1.5, Step: 300, Start: true},
		{Wall: 1.5, Step: 300, Tag: "train/loss", Value: 2.25},
		{Wall: 1.5, Step: 300, Tag: "train/lr", Value: -2.25},
	}
	if diff := cmp.Diff(want, decodeEvents(t, path)); diff != "" {
		t.Error(diff)
	}
}

// The bytes are those of the record writer of TensorBoard 2.21 for the same message.
func TestFirstRecordIsTensorBoards(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events")
	e, err := CreateEvents(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(raw); got != "0f000000000000006d532b091a0d627261696e2e4576656e743a32fc985129" {
		t.Errorf("got %s", got)
	}
}

func TestResumedEventsGoOnAfterTheLastWholeRecord(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events")
	addScalar(t, path, 1, 1)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before := decodeEvents(t, path)
	resumed := []event{
		{Wall: 1.5, Step: 2, Start: true},
		{Wall: 1.5, Step: 2, Tag: "train/loss", Value: 2},
		{Wall: 1.5, Step: 2, Tag: "train/lr", Value: -2},
	}
	for cut := range whole {
		if err := os.WriteFile(path, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		addScalar(t, path, 2, 2)
		got := decodeEvents(t, path)
		kept := max(1, len(got)-len(resumed))
		if diff := cmp.Diff(append(before[:kept:kept], resumed...), got); diff != "" {
			t.Fatalf("cut to %d bytes: %s", cut, diff)
		}
	}
}

func TestEventsAfterDamageAreRemoved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events")
	addScalar(t, path, 1, 1)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	whole[len(whole)-6] ^= 1
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	e, err := CreateEvents(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if n := len(decodeEvents(t, path)); n != 3 {
		t.Errorf("%d records are left, want 3", n)
	}
}
