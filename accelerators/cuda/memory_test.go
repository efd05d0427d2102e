//go:build cuda

package cuda

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
)

// lazily tests with each of the ways of the emulator's streams: at once, or late, the one or the other first.
func lazily(t *testing.T, test func(*testing.T)) {
	t.Helper()
	for _, way := range []string{"0", "1", "2"} {
		t.Run("lazy="+way, func(t *testing.T) {
			t.Setenv("CAREBOT_EMULATOR_LAZY", way)
			test(t)
		})
	}
}

// counted is n numbers that float32 holds exactly.
func counted(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(i % (1 << 20))
	}
	return x
}

// Transfers are longer than their parts, and together longer than all staging.
func TestTransfersOfManyParts(t *testing.T) { lazily(t, transfersOfManyParts) }

func transfersOfManyParts(t *testing.T) {
	d := opened(t).(*Device)
	for _, n := range []int{1, stagingChunk/4 - 1, stagingChunk / 4, 3*stagingChunk/4 + 5} {
		x, src := allocated(t, d, n), counted(n)
		for round := range 3 {
			d.UploadF32(x, src)
			d.Scale(x.Slice(n-1, 1), 2)
			src[n-1] = float32(round) // the upload before has taken what was there
		}
		want := counted(n)
		want[n-1] = 2
		got := make([]float32, n)
		if err := d.DownloadF32(got, x); err != nil || !slices.Equal(got, want) {
			t.Errorf("%d elements come back as others, %v", n, err)
		}
		d.Free(x)
	}
	closed(t, d)
}

func closed(t *testing.T, d *Device) {
	t.Helper()
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

// Uploads to several places are under way at once, more than fit in staging.
func TestUploadsThatWaitForOneAnother(t *testing.T) { lazily(t, uploadsThatWaitForOneAnother) }

func uploadsThatWaitForOneAnother(t *testing.T) {
	d := opened(t).(*Device)
	const n = stagingChunk / 4
	all := make([]accelerators.Buffer, 2*stagingBytes/stagingChunk)
	for i := range all {
		src := counted(n)
		src[0], src[n-1] = float32(i), float32(-i)
		all[i] = allocated(t, d, n)
		d.UploadF32(all[i], src)
	}
	got := make([]float32, 1)
	for i, x := range all {
		for at, want := range map[int]float32{0: float32(i), n - 1: float32(-i)} {
			if err := d.DownloadF32(got, x.Slice(at, 1)); err != nil || got[0] != want {
				t.Errorf("element %d of upload %d is %v, %v", at, i, got, err)
			}
		}
	}
	closed(t, d)
}

// Many small uploads before one wait.
func TestUploadsInTurn(t *testing.T) { lazily(t, uploadsInTurn) }

func uploadsInTurn(t *testing.T) {
	d := opened(t).(*Device)
	const n = 3 * stagingSpans
	x := allocated(t, d, n)
	for i := range n {
		d.UploadF32(x.Slice(i, 1), []float32{float32(i)})
	}
	got := make([]float32, n)
	if err := d.DownloadF32(got, x); err != nil || !slices.Equal(got, counted(n)) {
		t.Errorf("they come back as others, %v", err)
	}
	closed(t, d)
}

func TestAFetchDoesNotWaitForLaterWork(t *testing.T) { lazily(t, aFetchDoesNotWaitForLaterWork) }

func aFetchDoesNotWaitForLaterWork(t *testing.T) {
	d := opened(t).(*Device)
	x := allocated(t, d, 2)
	d.UploadF32(x, []float32{1, 2})
	first, second := make([]float32, 2), make([]float32, 2)
	waitFirst := d.FetchF32(first, x)
	d.Scale(x, 3)
	waitSecond := d.FetchF32(second, x)
	d.Scale(x, 3)
	if err := waitFirst(); err != nil || !slices.Equal(first, []float32{1, 2}) || second[0] != 0 {
		t.Error(first, second, err)
	}
	if err := waitSecond(); err != nil || !slices.Equal(second, []float32{3, 6}) {
		t.Error(second, err)
	}
	for range 100 {
		if err := d.FetchF32(first, x)(); err != nil || first[0] != 9 {
			t.Fatal(first, err)
		}
	}
	if n := len(d.landings.all); n != 2 {
		t.Errorf("%d landings for two fetches at a time", n)
	}
	closed(t, d)
}

func TestAFetchTellsOfFaultsBeforeIt(t *testing.T) { lazily(t, aFetchTellsOfFaultsBeforeIt) }

func aFetchTellsOfFaultsBeforeIt(t *testing.T) {
	d := opened(t).(*Device)
	x := allocated(t, d, 1)
	ids, err := d.Alloc(accelerators.I32, 2)
	if err != nil {
		t.Fatal(err)
	}
	d.UploadI32(ids, []int32{1, 5})
	c := d.call("Embed")
	c.ids("ids", ids, 2, 0, 4)
	const want = "Embed: ids[1] is 5, want 0 to 3"
	if err := d.FetchF32(make([]float32, 1), x)(); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("the fetch says %v", err)
	}
	if err := d.Sync(); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("Sync says %v", err)
	}
	if err := d.Sync(); err != nil {
		t.Errorf("the fault came twice: %v", err)
	}
	closed(t, d)
}

// What was out of range when a kernel saw it may be something else by the time that the host does.
func TestAFaultIsToldOfMemoryThatIsUsedAgain(t *testing.T) {
	d := opened(t).(*Device)
	ids, err := d.Alloc(accelerators.I32, 1)
	if err != nil {
		t.Fatal(err)
	}
	d.UploadI32(ids, []int32{5})
	d.call("Embed").ids("ids", ids, 1, 0, 4)
	wait := d.FetchF32(nil, allocated(t, d, 0))
	d.UploadI32(ids, []int32{2})
	if err := d.stream.Synchronize(); err != nil {
		t.Fatal(err)
	}
	if err := wait(); err == nil || !strings.Contains(err.Error(), "Embed: ids[0] was out of range, want 0 to 3") {
		t.Errorf("the fetch says %v", err)
	}
	_ = d.Sync()
	closed(t, d)
}

func TestBF16IsWidenedOnItsWayToTheHost(t *testing.T) {
	d := opened(t).(*Device)
	words, err := d.Alloc(accelerators.I32, 1)
	if err != nil {
		t.Fatal(err)
	}
	d.UploadI32(words, []int32{0x3f804000}) // 2 and 1 as bfloat16
	halves := accelerators.Buffer{Mem: words.Mem, Len: 2, Type: accelerators.BF16}
	words.Mem.(*memory).dtype, words.Mem.(*memory).elements = accelerators.BF16, 2
	got, fetched := make([]float32, 2), make([]float32, 2)
	wait := d.FetchF32(fetched, halves)
	if err := d.DownloadF32(got, halves); err != nil || !slices.Equal(got, []float32{2, 1}) {
		t.Error(got, err)
	}
	if err := wait(); err != nil || !slices.Equal(fetched, []float32{2, 1}) {
		t.Error(fetched, err)
	}
	closed(t, d)
}

// Buried memory is there again when it is needed.
func TestFreedMemoryIsUsedAgain(t *testing.T) {
	emulated(t)
	t.Setenv("CAREBOT_EMULATOR_MEMORY", "629145600")
	d := opened(t).(*Device)
	free, _ := d.room()
	n := int(free/4) / 2
	for range 4 {
		d.Free(allocated(t, d, n))
	}
	x := allocated(t, d, n)
	_, err := d.Alloc(accelerators.F32, n)
	if err == nil || !strings.Contains(err.Error(), "MiB are free; 256 MiB stay free for the kernels") ||
		strings.Contains(err.Error(), "nvidia-smi") {
		t.Errorf("beyond the memory: %v", err)
	}
	if err := d.Sync(); err != nil {
		t.Errorf("that is an error of the stream: %v", err)
	}
	d.Free(x)
	if err := d.Sync(); err != nil {
		t.Error(err)
	}
	t.Setenv("CAREBOT_EMULATOR_USED", strconv.Itoa(400<<20))
	_, err = d.Alloc(accelerators.F32, n)
	if err == nil || !strings.Contains(err.Error(), "400 MiB are not this process's: nvidia-smi") {
		t.Errorf("beside another process: %v", err)
	}
	closed(t, d)
}
