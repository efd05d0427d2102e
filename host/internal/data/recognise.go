package data

import (
	"errors"
	"fmt"
	"strings"
)

// recognised are the formats that the fields of a record tell, as TRL and the data sets around it name them; the first
// whose fields are all there is taken.
var recognised = []struct {
	fields []string
	format string
}{
	{[]string{"chosen", "rejected"}, "preference"},
	{[]string{"prompt", "completion", "label"}, "labelled"},
	{[]string{"prompt", "completion"}, "completion"},
	{[]string{"messages"}, "messages"},
	{[]string{"conversations"}, "sharegpt"},
	{[]string{"instruction", "output"}, "alpaca"},
	{[]string{"question", "options", "answer"}, "choice"},
	{[]string{"prompt"}, "prompt"},
	{[]string{"text"}, "text"},
}

// recognise tells the format by the fields of a record.
func recognise(f fields) (string, error) {
	for _, r := range recognised {
		if hasAll(f, r.fields) {
			return r.format, refuseSilentLabel(r.format)
		}
	}
	return "", fmt.Errorf("the fields %s tell no format: set format, and fields where they are named otherwise",
		strings.Join(f.names(), ", "))
}

// refuseSilentLabel keeps bad answers from being taken for dialogues to learn from, which the recipe could not have
// seen.
func refuseSilentLabel(format string) error {
	if format == "labelled" {
		return errors.New("the answers are labelled good or bad: set format: labelled, and keep some of them")
	}
	return nil
}

func hasAll(f fields, names []string) bool {
	for _, name := range names {
		if v, ok := f.get(name); !ok || v == nil {
			return false
		}
	}
	return true
}
