package cpu

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A processor with AVX-512 runs everything, so that a kernel which strays from its set would go unnoticed there.
func TestKernelsForAVX2NameNoRegistersOfAVX512(t *testing.T) {
	text, err := os.ReadFile("kernels_amd64.s")
	if err != nil {
		t.Fatal(err)
	}
	newer := regexp.MustCompile(`\b(Z\d+|K[0-7]|[XY](1[6-9]|2\d|3[01]))\b`)
	name, seen := "", 0
	for line := range strings.Lines(string(text)) {
		if begin, ok := strings.CutPrefix(line, "TEXT ·"); ok {
			name, _, _ = strings.Cut(begin, "(")
		}
		if strings.HasSuffix(name, "AVX2") || strings.HasSuffix(name, "AVX") {
			seen++
			if newer.MatchString(line) {
				t.Errorf("%s: %s", name, strings.TrimSpace(line))
			}
		}
	}
	if seen == 0 {
		t.Error("there is no kernel for AVX2")
	}
}

// Instructions that Go's assembler does not know are bytes, below a comment that says what they are.
func TestBytesAreTheInstructionsTheyAreSaidToBe(t *testing.T) {
	text, err := os.ReadFile("kernels_amd64.s")
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	var code []byte
	comment, data := "", regexp.MustCompile(`^\t(BYTE|WORD|LONG) +\$0x([0-9a-f]+)$`)
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		if m := data.FindStringSubmatch(line); m == nil {
			comment = strings.TrimPrefix(line, "\t// ")
		} else {
			if comment != "" {
				said = append(said, comment)
				comment = ""
			}
			bits, _ := strconv.ParseUint(m[2], 16, 32)
			for range len(m[2]) / 2 {
				code, bits = append(code, byte(bits)), bits>>8
			}
		}
	}
	found := disassemble(t, code)
	if len(found) != len(said) || len(said) == 0 {
		t.Fatalf("%d instructions are named, %d found", len(said), len(found))
	}
	for i := range said {
		if want := inATT(said[i]); found[i] != want {
			t.Fatalf("%s is %q, want %q", said[i], found[i], want)
		}
	}
}

// disassemble returns the instructions in AT&T's notation.
func disassemble(t *testing.T, code []byte) (found []string) {
	tool, err := exec.LookPath("objdump")
	if err != nil {
		t.Skip("there is no objdump: ", err)
	}
	file := filepath.Join(t.TempDir(), "code")
	if err := os.WriteFile(file, code, 0o600); err != nil {
		t.Fatal(err)
	}
	text, err := exec.Command(tool, "-D", "-w", "-b", "binary", "-m", "i386:x86-64", file).Output()
	if err != nil {
		t.Skip("objdump does not read x86: ", err)
	}
	for _, m := range regexp.MustCompile(`(?m)^ +[0-9a-f]+:\t[^\t]*\t(.*)$`).FindAllStringSubmatch(string(text), -1) {
		found = append(found, strings.ReplaceAll(strings.TrimSpace(m[1]), "(%rbx,%riz,1)", "(%rbx)"))
	}
	return found
}

// inATT is an instruction of a comment in AT&T's notation.
func inATT(s string) string {
	for _, change := range [][2]string{
		{`\b([A-D]X|[SD]I)\b`, "R$1"}, {`\b(R\w+|T\d|Z\d+)\b`, "%$1"}, {`%T`, "%TMM"}, {`%Z`, "%ZMM"},
		{`\)\((%\w+)\*1\)`, ",$1,1)"}, {`, `, ","},
	} {
		s = regexp.MustCompile(change[0]).ReplaceAllString(s, change[1])
	}
	return strings.ToLower(s)
}

// Within the vectors of a loop or in its tail: where work is cut must not show.
func TestAnElementHasTheSameBitsWhereverItStands(t *testing.T) {
	const n = 39
	assembly(t, func(t *testing.T, set *kernelSet) {
		r := rand.New(rand.NewPCG(5, 6))
		for _, c := range rowCases {
			var whole, single [][]float32
			for range c.operands {
				x := operand(t, r, n)
				whole, single = append(whole, x), append(single, slices.Clone(x))
			}
			c.run(set, whole)
			for i := range n {
				var one [][]float32
				for _, x := range single {
					one = append(one, x[i:i+1])
				}
				c.run(set, one)
			}
			for i := range whole {
				if !slices.Equal(whole[i], single[i]) {
					t.Errorf("%s: operand %d differs when computed one by one", c.name, i)
				}
			}
		}
	})
}
