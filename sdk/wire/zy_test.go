package wire

import (
	"strings"
	"syscall"
	"testing"

	"github.com/carebot-llm/carebot/sdk"
	"golang.org/x/sys/unix"
)

func BenchmarkEncode(b *testing.B) {
	docs := make([]sdk.Document, 256)
	for i := range docs {
		docs[i].Text = strings.Repeat("x", 8<<10)
	}
	fd, _ := unix.MemfdCreate("x", 0)
	unix.Ftruncate(fd, 32<<20)
	shm, err := unix.Mmap(fd, 0, 32<<20, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		b.Fatal(err)
	}
	pop, err := unix.Mmap(fd, 0, 32<<20, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE)
	if err != nil {
		b.Fatal(err)
	}
	anon, _ := unix.Mmap(-1, 0, 32<<20, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	huge, _ := unix.Mmap(-1, 0, 32<<20, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	syscall.Madvise(huge, 14)
	for _, v := range []struct {
		name string
		m    []byte
	}{{"shm", shm}, {"populated", pop}, {"anon", anon}, {"huge", huge}} {
		b.Run(v.name, func(b *testing.B) {
			var bu Builder
			for b.Loop() {
				bu.Use(v.m)
				EncodeDocuments(&bu, 0, []Column{ColText}, docs)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*256), "ns/doc")
		})
	}
}
