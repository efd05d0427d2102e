//go:build cuda

package driver

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"unsafe"

	pkgerrors "github.com/pkg/errors"
	"gorgonia.org/cu"
)

// Handles of gorgonia.org/cu are taken for the driver's, which are pointers.
func TestHandlesArePointers(t *testing.T) {
	for name, size := range map[string]uintptr{
		"Function": unsafe.Sizeof(cu.Function{}), "Stream": unsafe.Sizeof(cu.Stream{}),
	} {
		if size != unsafe.Sizeof(uintptr(0)) {
			t.Errorf("cu.%s has %d bytes", name, size)
		}
	}
}

func TestErrorsOfGorgoniaBecomeOurs(t *testing.T) {
	for _, err := range []error{cu.OutOfMemory, pkgerrors.Wrap(cu.OutOfMemory, "MemAlloc"),
		fmt.Errorf("allocate: %w", pkgerrors.Wrap(cu.OutOfMemory, "MemAlloc"))} {
		if got := Of(err); got != OutOfMemory {
			t.Errorf("%v became %v", err, got)
		}
	}
	if Of(nil) != nil {
		t.Error("nothing became an error")
	}
	if own := fmt.Errorf("launch: %w", OutOfMemory); Of(own) != own {
		t.Error("an error of ours lost what was attempted")
	}
	if other := errors.New("other"); Of(other) != other {
		t.Error("another error became something else")
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	for code, want := range map[Error]string{
		2: "out of memory", 209: "make kernels", 803: "restart the machine", 12345: "12345",
	} {
		if !strings.Contains(code.Error(), want) {
			t.Errorf("%d is %q, without %q", int(code), code.Error(), want)
		}
	}
	if !Lost(fmt.Errorf("launch: %w", Error(719))) || Lost(OutOfMemory) || Lost(nil) {
		t.Error("wrong errors lose a device")
	}
}

// The driver is opened before main, so every case is a process of its own.
func TestWithoutADeviceThereIsARemedy(t *testing.T) {
	if os.Getenv("CAREBOT_TEST_DEVICES") != "" {
		_, err := Devices()
		fmt.Print(err)
		os.Exit(0)
	}
	emulator := strings.Contains(os.Getenv("CAREBOT_LIBCUDA"), "emulator")
	cases := []struct {
		name, want string
		needs      bool // the emulator
		env        []string
	}{
		{"no driver", "CAREBOT_LIBCUDA is empty): install one", false, []string{"CAREBOT_LIBCUDA="}},
		{"a driver that is not there", "none.so: cannot open shared object", false,
			[]string{"CAREBOT_LIBCUDA=none.so"}},
		{"an old driver", "for CUDA 11.8, which is too old: install one for CUDA 12", true,
			[]string{"CAREBOT_EMULATOR_VERSION=11080"}},
		{"devices are hidden", `no GPU behind CUDA_VISIBLE_DEVICES="": unset it`, true,
			[]string{"CUDA_VISIBLE_DEVICES="}},
		{"there are devices", "<nil>", true, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if c.needs && !emulator {
				t.Skip("CAREBOT_LIBCUDA names no emulator")
			}
			cmd := exec.Command(os.Args[0], "-test.run=^TestWithoutADeviceThereIsARemedy$")
			cmd.Env = append(append(os.Environ(), "CAREBOT_TEST_DEVICES=1"), c.env...)
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), c.want) {
				t.Errorf("%v, %s; want %q", err, out, c.want)
			}
		})
	}
}
