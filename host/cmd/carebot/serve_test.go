package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"
)

// serves SIGNAL CODE MODEL... serves models, asks the model checkpoint-2 in a chat, prints the answer, sends the signal
// and wants the exit code.
func serves(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: serves SIGNAL CODE MODEL...")
	}
	code, err := strconv.Atoi(args[1])
	ts.Check(err)
	flags := []string{"serve", "--listen", "127.0.0.1:0", "--cache", "1MiB"}
	cmd := exec.Command("carebot", append(flags, args[2:]...)...)
	cmd.Dir = ts.MkAbs(".")
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	defer cmd.Process.Kill()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		ts.Fatalf("the server says nothing: %v\n%s", err, log.String())
	}
	_, address, _ := strings.Cut(strings.TrimSpace(line), " on ")
	answer, err := chatOnce(address)
	ts.Check(err)
	_, err = ts.Stdout().Write(answer)
	ts.Check(err)
	signal := map[string]syscall.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM}[args[0]]
	ts.Check(cmd.Process.Signal(signal))
	var status *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &status) || status.ExitCode() != code {
		ts.Fatalf("the server ends with %v, want exit code %d\n%s", err, code, log.String())
	}
}

func chatOnce(address string) ([]byte, error) {
	question := `{"model": "checkpoint-2", "max_tokens": 5, "messages": [{"role": "user", "content": "Blood?"}]}`
	response, err := http.Post(address+"/v1/chat/completions", "application/json", strings.NewReader(question))
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	return io.ReadAll(response.Body)
}
