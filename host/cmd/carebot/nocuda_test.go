//go:build !cuda

package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestScriptsWithoutCUDA(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "../../testdata/nocuda"})
}
