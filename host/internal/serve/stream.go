package serve

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// An eventStream sends JSON values as server-sent events.
type eventStream struct {
	w     http.ResponseWriter
	flush *http.ResponseController
}

func newEventStream(w http.ResponseWriter) *eventStream {
	header := w.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("Cache-Control", "no-cache")
	header.Set("X-Accel-Buffering", "no") // proxies that gather answers
	return &eventStream{w, http.NewResponseController(w)}
}

func (s *eventStream) send(v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return s.write(string(body))
}

func (s *eventStream) write(data string) error {
	if _, err := fmt.Fprintf(s.w, "data: %s\n\n", data); err != nil {
		return err
	}
	return s.flush.Flush()
}

// end sends what ends a stream: the failure that broke it off, if there was one.
func (s *eventStream) end(err error) error {
	if err != nil {
		s.send(map[string]*failure{"error": asFailure(err)})
		return err
	}
	return s.write("[DONE]")
}
