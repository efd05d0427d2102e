package recipe

import (
	"errors"
	"regexp"
	"time"
)

// Duration is a span of time. A recipe writes it as numbers with units: 30s, 1m30s, 250ms.
type Duration time.Duration

const spanPattern = `^([0-9]{1,7}(\.[0-9]{1,9})?(ns|us|µs|ms|s|m|h)){1,6}$`

var spanForm = regexp.MustCompile(spanPattern)

// ParseDuration reads what String writes.
func ParseDuration(text string) (Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || !spanForm.MatchString(text) {
		return 0, errors.New("want a time span such as 30s or 1m30s")
	}
	return Duration(d), nil
}

// String is the form that a recipe writes.
func (d Duration) String() string { return time.Duration(d).String() }
