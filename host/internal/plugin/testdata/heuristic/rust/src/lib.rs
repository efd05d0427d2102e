//! The filter of ../../heuristic.go in Rust.

use carebot::{Document, Env, Plugin, Rating, Result, Scorer};

const SEED32: u32 = 2166136261;
const PRIME32: u32 = 16777619;
const SEED64: u64 = 14695981039346656037;
const PRIME64: u64 = 1099511628211;
const LINE_SLOTS: usize = 4096;

/// The hashes of the, be, to, of, and, that, have, with.
const STOP_WORDS: [u32; 8] = [
    0xb40eb21c, 0x382ba080, 0x42454824, 0x69343c68, 0x0f29c2a6, 0xcb18332c, 0xf5ce03fb, 0x0c4afe69,
];

#[derive(Default)]
struct Counts {
    words: u32,
    word_chars: u32,
    alpha: u32,
    chinese: u32,
    stops: u32,
    symbols: u32,
    braces: u32,
    lines: u32,
    ended: u32,
    repeated: u32,
}

struct Word {
    hash: u32,
    length: u32,
    alpha: bool,
}

const NO_WORD: Word = Word { hash: SEED32, length: 0, alpha: false };

#[derive(Clone, Copy, Default)]
struct Slot {
    hash: u64,
    round: u64,
}

struct Filter {
    counts: Counts,
    seen: Vec<Slot>,
    round: u64,
    used: usize,
}

impl Plugin for Filter {
    fn open(_: &Env) -> Result<Self> {
        Ok(Filter { counts: Counts::default(), seen: vec![Slot::default(); LINE_SLOTS], round: 0, used: 0 })
    }
}

impl Scorer for Filter {
    fn score(&mut self, docs: &[Document]) -> Result<Vec<Rating>> {
        Ok(docs.iter().map(|doc| self.rate(doc.text)).collect())
    }
}

impl Filter {
    fn rate(&mut self, text: &str) -> Rating {
        self.counts = Counts::default();
        self.used = 0;
        self.round += 1;
        self.read(text);
        Rating::new().score("look", self.counts.look())
    }

    fn read(&mut self, text: &str) {
        let (mut word, mut line, mut chars, mut last) = (NO_WORD, SEED64, 0u32, 0u32);
        let mut rest = text;
        loop {
            let n = word.letters(rest, &mut line);
            if n > 0 {
                rest = &rest[n..];
                chars += n as u32;
                last = 0x61;
            }
            let mut points = rest.chars();
            let c = match points.next() {
                Some(c) => c as u32,
                None => break,
            };
            rest = points.as_str();
            if c == 0x0A {
                self.counts.end_word(&mut word);
                self.end_line(line, chars, last);
                line = SEED64;
                chars = 0;
                continue;
            }
            line = (line ^ u64::from(c)).wrapping_mul(PRIME64);
            if c == 0x20 || c == 0x09 || c == 0x0D || c == 0x3000 {
                self.counts.end_word(&mut word);
                continue;
            } else if (0x3400..=0x9FFF).contains(&c) {
                self.counts.end_word(&mut word);
                self.counts.character(c);
            } else {
                self.counts.sign(&mut word, c);
            }
            chars += 1;
            last = c;
        }
        self.counts.end_word(&mut word);
        self.end_line(line, chars, last);
    }

    fn end_line(&mut self, hash: u64, chars: u32, last: u32) {
        if chars == 0 {
            return;
        }
        self.counts.lines += 1;
        if matches!(last, 0x2E | 0x21 | 0x3F | 0x22 | 0x3002 | 0xFF01 | 0xFF1F | 0x300D | 0x201D) {
            self.counts.ended += 1;
        }
        let mut i = (hash ^ hash >> 32) as usize % LINE_SLOTS;
        while self.seen[i].round == self.round {
            if self.seen[i].hash == hash {
                self.counts.repeated += 1;
                return;
            }
            i = (i + 1) % LINE_SLOTS;
        }
        if self.used < LINE_SLOTS / 2 {
            self.seen[i] = Slot { hash, round: self.round };
            self.used += 1;
        }
    }
}

impl Word {
    /// Adds the letters of ASCII that a text starts with and returns how many.
    fn letters(&mut self, text: &str, line: &mut u64) -> usize {
        let (mut hash, mut all, mut n) = (self.hash, *line, 0);
        for &c in text.as_bytes() {
            let l = c | 0x20;
            if !l.is_ascii_lowercase() {
                break;
            }
            hash = (hash ^ u32::from(l)).wrapping_mul(PRIME32);
            all = (all ^ u64::from(c)).wrapping_mul(PRIME64);
            n += 1;
        }
        self.hash = hash;
        *line = all;
        self.length += n as u32;
        self.alpha |= n > 0;
        n
    }
}

impl Counts {
    fn end_word(&mut self, word: &mut Word) {
        if word.length == 0 {
            return;
        }
        self.words += 1;
        self.word_chars += word.length;
        self.alpha += u32::from(word.alpha);
        self.stops += u32::from(STOP_WORDS.contains(&word.hash));
        *word = NO_WORD;
    }

    /// Counts a Chinese character, which is a word.
    fn character(&mut self, c: u32) {
        self.words += 1;
        self.word_chars += 1;
        self.alpha += 1;
        self.chinese += 1;
        if matches!(c, 0x7684 | 0x662F | 0x4E86 | 0x5728 | 0x548C | 0x6709 | 0x4E0D | 0x6211) {
            self.stops += 1;
        }
    }

    /// Adds a character to a word that is none of ASCII's letters.
    fn sign(&mut self, word: &mut Word, c: u32) {
        word.length += 1;
        word.hash = (word.hash ^ c).wrapping_mul(PRIME32);
        word.alpha |= c >= 0xC0 && !(0x2000..=0x303F).contains(&c) && !(0xFF00..=0xFFEF).contains(&c);
        match c {
            0x23 | 0x2026 => self.symbols += 1,
            0x7B | 0x7D => self.braces += 1,
            _ => {}
        }
    }

    fn look(&self) -> f64 {
        if self.words == 0 {
            return 0.0;
        }
        let (words, lines, mut s) = (f64::from(self.words), f64::from(self.lines), 1.0);
        let mean = f64::from(self.word_chars) / words;
        if 2 * self.chinese < self.words && !(3.0..=10.0).contains(&mean) {
            s -= 0.2;
        }
        s -= 0.3 * (f64::from(self.symbols) / words);
        s -= 0.2 * (1.0 - f64::from(self.alpha) / words);
        s -= 0.1 * (1.0 - f64::from(self.ended) / lines);
        s -= 0.4 * (f64::from(self.repeated) / lines);
        s -= 0.01 * f64::from(self.braces);
        if self.stops < 2 {
            s -= 0.3;
        }
        if self.words < 50 {
            s -= 0.1;
        }
        s.max(0.0)
    }
}

carebot::plugin!(Filter: Scorer);
