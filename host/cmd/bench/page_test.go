package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSectionAndFiguresReplaceTheirOwnPartOfThePage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "page.md")
	text := "above\n<!-- bench:figures --><!-- /bench:figures -->\nbetween\n" +
		"<!-- bench:sgemm -->\nold\n<!-- /bench:sgemm -->\n<!-- bench:bf16 --><!-- /bench:bf16 -->\nbelow\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	first := report{"products", []figure{{workSGEMM, "1.05", true}}}
	if err := writePage(path, "sgemm", first, "2026-01-02"); err != nil {
		t.Fatal(err)
	}
	second := report{"halves", []figure{{workBF16, "1.7", false}}}
	if err := writePage(path, "bf16", second, "2026-01-03"); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"above", "between", "below", "<!-- bench:sgemm -->\nproducts\n", "<!-- bench:bf16 -->\nhalves\n",
		"| " + workSGEMM + " | 1.02 of OpenBLAS, no shape under 0.9 | 1.05 | yes | 2026-01-02 |",
		"| " + workBF16 + " | 1.9 of our SGEMM | 1.7 | **no** | 2026-01-03 |",
		"| " + workGPT2 + " | 5 of llm.c | not measured |  |  |",
	} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
	if strings.Contains(string(page), "old") {
		t.Errorf("the old section is still there:\n%s", page)
	}
}

func TestPagesHaveAPlaceForEverySection(t *testing.T) {
	for file, all := range map[string]string{
		"benchmarks.md": names(sections) + ",figures", "gpu-log.md": names(gpuSections),
	} {
		page, err := os.ReadFile("../../../docs/" + file)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range strings.Split(all, ",") {
			if _, _, _, err := split(string(page), name); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
}
