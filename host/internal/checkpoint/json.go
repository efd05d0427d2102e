package checkpoint

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/carebot-llm/carebot/host/internal/durable"
)

// jsonLimit bounds the JSON files that ReadJSON reads, in bytes. indexLimit and headerLimit bound those parts of tensor
// files.
const (
	jsonLimit   = 64 << 20
	indexLimit  = 100 << 20
	headerLimit = 100 << 20
)

// WriteJSON writes v under path, indented, characters such as < as themselves.
func WriteJSON(path string, v any) error {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return durable.WriteFile(path, out.Bytes())
}

// ReadJSON decodes the one JSON value of at most 64 MB in the file path into v. Keys that v lacks are passed over.
func ReadJSON(path string, v any) error { return readJSON(path, v, jsonLimit) }

func readJSON(path string, v any, limit int64) error {
	data, err := readFile(path, limit)
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}

func readFile(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("it has more than %d bytes, the limit", limit)
	}
	return data, err
}
