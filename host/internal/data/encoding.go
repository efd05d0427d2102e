package data

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/transform"
)

// The encodings a file can be found to have.
const (
	utf8Name = "utf-8"
	gbName   = "gb18030"
)

// A probe is what a look at a whole file says of its encoding.
type probe struct {
	stray int  // bytes that are not UTF-8
	line  int  // of the first of them
	wide  int  // characters of UTF-8 of three bytes or more, which text in GB18030 seldom has by chance
	gb    bool // the whole file is valid GB18030, and not by chance
}

func (p probe) utf8() bool { return p.stray == 0 }

// choose decides how to decode a file that declares an encoding: auto, utf-8 or gb18030. Bytes of the wrong encoding
// are an error: decoders would replace them silently, or find other characters in them.
func (p probe) choose(declared string) (string, error) {
	switch {
	case declared == gbName && p.utf8() && p.wide > 0:
		return "", errors.New("the recipe says gb18030, but the whole file is UTF-8: set encoding to utf-8 or auto")
	case declared == gbName && !p.utf8() && !p.gb:
		return "", errors.New("the recipe says gb18030, but not the whole file is valid in it")
	case declared == gbName:
		return gbName, nil
	case p.utf8():
		return utf8Name, nil
	case p.gb && declared == utf8Name:
		return "", fmt.Errorf("line %d is not UTF-8, but the whole file is GB18030: set encoding to gb18030 or auto",
			p.line)
	case p.gb:
		return gbName, nil
	}
	// Neither: records that hold the stray bytes are bad ones, the others are read.
	return utf8Name, nil
}

// probeFile looks at the whole file. A file that breaks off is judged by what there is of it; reading it will report
// the rest.
func probeFile(f File) (probe, error) {
	p := probe{}
	err := f.scan(func(r *bufio.Reader) { p.scanUTF8(r) })
	if err == nil && p.stray > p.wide {
		err = f.scan(func(r *bufio.Reader) { p.gb = validGB(r) })
	}
	return p, err
}

func (f File) scan(look func(*bufio.Reader)) error {
	in, err := f.open()
	if err != nil {
		return err
	}
	look(bufio.NewReaderSize(in, 1<<16))
	return in.Close()
}

func (p *probe) scanUTF8(r *bufio.Reader) {
	line := 1
	for {
		block, last := peekBlock(r)
		if len(block) == 0 {
			return
		}
		n := 0
		for n < len(block) && (last || utf8.FullRune(block[n:])) {
			c, size := utf8.DecodeRune(block[n:])
			n += size
			switch {
			case c == '\n':
				line++
			case c == utf8.RuneError && size == 1:
				if p.stray++; p.stray == 1 {
					p.line = line
				}
			case size > 2:
				p.wide++
			}
		}
		r.Discard(n)
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// peekBlock returns what lies in the reader's buffer, at least one character of it. last says that nothing follows.
func peekBlock(r *bufio.Reader) (block []byte, last bool) {
	_, err := r.Peek(utf8.UTFMax)
	block, _ = r.Peek(r.Buffered())
	return block, err != nil
}

// validGB reports whether all of r decodes as GB18030. Text in a single-byte encoding such as Windows-1252 often does,
// as ideographs made of an accented letter and the ASCII letter after it; Chinese text has few of such second bytes.
func validGB(r *bufio.Reader) bool {
	pairs := &pairCounter{}
	text := bufio.NewReader(transform.NewReader(io.TeeReader(r, pairs), simplifiedchinese.GB18030.NewDecoder()))
	for {
		c, _, err := text.ReadRune()
		if err != nil {
			return pairs.letters*2 < pairs.all
		}
		if c == utf8.RuneError {
			return false
		}
	}
}

// A pairCounter counts the two-byte characters of GB18030 that pass through it, and those with an ASCII letter as
// second byte. A digit as second byte belongs to a character of four bytes.
type pairCounter struct {
	all, letters int
	lead         bool
}

func (p *pairCounter) Write(block []byte) (int, error) {
	for _, b := range block {
		if !p.lead {
			p.lead = b >= utf8.RuneSelf
			continue
		}
		p.lead = false
		p.all += b2i(b >= '@')
		p.letters += b2i(b >= '@' && b < utf8.RuneSelf)
	}
	return len(block), nil
}

// decoded returns UTF-8 without a byte order mark.
func decoded(r io.Reader, encoding string) *bufio.Reader {
	if encoding == gbName {
		r = transform.NewReader(r, simplifiedchinese.GB18030.NewDecoder())
	}
	buffered := bufio.NewReaderSize(r, 1<<16)
	if mark, _ := buffered.Peek(3); string(mark) == "\uFEFF" {
		buffered.Discard(3)
	}
	return buffered
}
