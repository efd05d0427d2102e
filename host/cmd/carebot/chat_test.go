package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestReadingStopsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	silent, writer := io.Pipe()
	defer writer.Close()
	in := untilDone(ctx, silent)
	stopped := errors.New("stopped")
	cancel(stopped)
	if _, err := in.Read(make([]byte, 1)); !errors.Is(err, stopped) {
		t.Errorf("error is %v, want the context's cause", err)
	}
}

func TestReadingGoesOnToTheEnd(t *testing.T) {
	text, err := io.ReadAll(untilDone(context.Background(), strings.NewReader("one\ntwo\n")))
	if err != nil || string(text) != "one\ntwo\n" {
		t.Errorf("read %q, %v", text, err)
	}
}
