package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// A failure is an error in OpenAI's form.
type failure struct {
	Status  int    `json:"-"`
	Message string `json:"message"`
	Type    string `json:"type"`
	Param   string `json:"param"`
	Code    string `json:"code"`
}

func (f *failure) Error() string { return f.Message }

// MarshalJSON writes null where there is no parameter or code.
func (f *failure) MarshalJSON() ([]byte, error) {
	orNull := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	return json.Marshal(map[string]any{
		"message": f.Message, "type": f.Type, "param": orNull(f.Param), "code": orNull(f.Code),
	})
}

// The types of failures.
const (
	typeRequest        = "invalid_request_error"
	typeAuthentication = "authentication_error"
	typeRate           = "rate_limit_error"
	typeServer         = "server_error"
)

// wrong is about a parameter of the request.
func wrong(param, format string, args ...any) *failure {
	return &failure{
		Status: http.StatusBadRequest, Type: typeRequest, Param: param,
		Message: param + ": " + fmt.Sprintf(format, args...),
	}
}

func notFound(format string, args ...any) *failure {
	return &failure{Status: http.StatusNotFound, Type: typeRequest, Message: fmt.Sprintf(format, args...)}
}

// asFailure tells the client of an error; what is the server's own fault stays in its log.
func asFailure(err error) *failure {
	var f *failure
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &f):
		return f
	case errors.As(err, &large):
		return &failure{Status: http.StatusRequestEntityTooLarge, Type: typeRequest,
			Message: fmt.Sprintf("the request has more than %d bytes", large.Limit)}
	case errors.Is(err, errSlow), errors.Is(err, context.DeadlineExceeded):
		return &failure{Status: http.StatusGatewayTimeout, Type: typeServer, Code: "timeout", Message: errSlow.Error()}
	case errors.Is(err, errEnded):
		return &failure{Status: http.StatusServiceUnavailable, Type: typeServer, Message: errEnded.Error()}
	case errors.Is(err, context.Canceled):
		return &failure{Status: statusGone, Type: typeRequest, Message: "the client went away"}
	}
	return &failure{Status: http.StatusInternalServerError, Type: typeServer,
		Message: "the server failed; its log says why"}
}

// statusGone is what counts for requests whose client went away before the answer; nobody receives it.
const statusGone = 499

// refuse answers with a failure.
func refuse(w http.ResponseWriter, f *failure) {
	if f.Status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	writeJSON(w, f.Status, map[string]*failure{"error": f})
}

func writeJSON(w http.ResponseWriter, status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, err = w.Write(append(body, '\n'))
	return err
}
