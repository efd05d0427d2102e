//! Frames, as package wire of the Go kit describes them: columns behind a header and a directory, little endian.

use std::convert::TryInto;

use crate::Result;

pub(crate) const MAX_FRAME: usize = 16 << 20;
const MAX_ROWS: usize = 1 << 20;
const MAX_COLUMNS: usize = 1 << 12;
const MAGIC: &[u8] = b"DPF1";
const VERSION: u16 = 1;
const HEADER: usize = 32;
const ENTRY: usize = 24;
const NULLABLE: u8 = 1;
const CHILD: u8 = 2;

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kind(pub u16);

impl Kind {
    pub const DOCUMENTS: Kind = Kind(0x01);
    pub const DIALOGUES: Kind = Kind(0x02);
    pub const SAMPLES: Kind = Kind(0x03);
    pub const LOGLIK: Kind = Kind(0x10);
    pub const TEXTS: Kind = Kind(0x11);
    pub const EMBED: Kind = Kind(0x12);
    pub const OPEN: Kind = Kind(0x20);
    pub const FAILURE: Kind = Kind(0x21);

    /// The kind of the answer to a request of this kind.
    pub const fn answer(self) -> Kind {
        Kind(self.0 | 0x80)
    }
}

/// The type of a column's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    U8 = 1,
    U16,
    U32,
    I64,
    F32,
    F64,
    Bytes,
    List,
}

impl Type {
    fn of(number: u8) -> Option<Type> {
        use Type::*;
        [U8, U16, U32, I64, F32, F64, Bytes, List].get((number as usize).wrapping_sub(1)).copied()
    }

    /// How many bytes a value takes, 0 when it has offsets.
    fn width(self) -> usize {
        [1, 2, 4, 8, 4, 8, 0, 0][self as usize - 1]
    }
}

const IS_CHILD: u16 = 0x4000;

/// The numbers of columns.
pub(crate) mod column {
    pub const ID: u16 = 0x01;
    pub const TEXT: u16 = 0x02;
    pub const LANGUAGE: u16 = 0x03;
    pub const SOURCE: u16 = 0x04;
    pub const META: u16 = 0x05;
    pub const TURNS: u16 = 0x06;
    pub const HISTORY: u16 = 0x07;
    pub const RESPONSE: u16 = 0x08;
    pub const REFERENCE: u16 = 0x09;
    pub const STATUS: u16 = 0x20;
    pub const DETAIL: u16 = 0x21;
    pub const ACTION: u16 = 0x22;
    pub const SCORE: u16 = 0x23;
    pub const REASONS: u16 = 0x24;
    pub const REWARD: u16 = 0x25;
    pub const CONTEXT: u16 = 0x40;
    pub const CONTEXT2: u16 = 0x41;
    pub const CONTINUATION: u16 = 0x42;
    pub const LOG_PROB: u16 = 0x43;
    pub const LOG_PROB2: u16 = 0x44;
    pub const TOKENS: u16 = 0x45;
    pub const VECTOR: u16 = 0x46;
    pub const CONFIG: u16 = 0x60;
    pub const SEED: u16 = 0x61;
    pub const MODELS: u16 = 0x62;
    pub const SCORES: u16 = 0x100;

    // Columns whose rows are elements of lists. The texts of turns follow their roles.
    pub const TURN_ROLE: u16 = 0x4001;
    pub const HISTORY_ROLE: u16 = 0x4003;
    pub const REASON: u16 = 0x4005;
    pub const EDIT_ROW: u16 = 0x4006;
    pub const EDIT_TURN: u16 = 0x4007;
    pub const EDIT_OP: u16 = 0x4008;
    pub const EDIT_TEXT: u16 = 0x4009;
    pub const CONTEXT_ROLE: u16 = 0x400a;
    pub const CONTEXT2_ROLE: u16 = 0x400c;
    pub const VALUE: u16 = 0x400e;
    pub const MODEL_NAME: u16 = 0x4010;
    pub const MODEL_INFO: u16 = 0x4011;
    pub const MODEL_TOKENS: u16 = 0x4012;
    pub const MODEL_OUTPUTS: u16 = 0x4013;
    pub const MODEL_HIDDEN: u16 = 0x4014;
}

fn u16_at(data: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(data[at..at + 2].try_into().unwrap())
}

fn u32_at(data: &[u8], at: usize) -> usize {
    u32::from_le_bytes(data[at..at + 4].try_into().unwrap()) as usize
}

/// A column whose ranges have been checked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column<'a> {
    pub id: u16,
    pub kind: Type,
    pub rows: usize,
    /// Rows of the child columns of a list.
    pub children: usize,
    pub data: &'a [u8],
    /// `rows + 1` places in the data, or in the child columns.
    pub offsets: &'a [u8],
    pub valid: Option<&'a [u8]>,
}

impl<'a> Column<'a> {
    pub fn offset(&self, i: usize) -> usize {
        u32_at(self.offsets, 4 * i)
    }

    fn monotone(&self) -> bool {
        let most = if self.kind == Type::List { self.children } else { self.data.len() };
        let mut before = 0;
        for offset in self.offsets.chunks_exact(4) {
            let at = u32_at(offset, 0);
            if at < before || at > most {
                return false;
            }
            before = at;
        }
        true
    }

    /// Value `i` of a column of fixed width.
    pub fn value<const N: usize>(&self, i: usize) -> [u8; N] {
        self.data[N * i..N * (i + 1)].try_into().unwrap()
    }
}

/// A frame that has been read.
#[derive(Debug)]
pub(crate) struct Frame<'a> {
    pub kind: Kind,
    pub rows: usize,
    pub batch: u64,
    pub columns: Vec<Column<'a>>,
    data: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Reads header and directory, and checks all that they say.
    pub fn parse(data: &'a [u8]) -> Result<Frame<'a>> {
        let whole = (HEADER..=MAX_FRAME).contains(&data.len())
            && data.starts_with(MAGIC)
            && u16_at(data, 4) == VERSION
            && u32_at(data, 16) == data.len();
        if !whole {
            return Err("not a frame of dp1".into());
        }
        let (rows, columns) = (u32_at(data, 8), u16_at(data, 12) as usize);
        if rows > MAX_ROWS || columns > MAX_COLUMNS || HEADER + columns * ENTRY > data.len() {
            return Err("a frame with too many rows or columns".into());
        }
        let batch = u64::from_le_bytes(data[24..32].try_into().unwrap());
        let mut frame =
            Frame { kind: Kind(u16_at(data, 6)), rows, batch, columns: Vec::with_capacity(columns), data };
        for entry in data[HEADER..HEADER + columns * ENTRY].chunks_exact(ENTRY) {
            let column = frame.column(entry).ok_or_else(|| format!("column {:#x} is malformed", u16_at(entry, 0)))?;
            frame.columns.push(column);
        }
        Ok(frame)
    }

    fn span(&self, from: usize, size: usize) -> Option<&'a [u8]> {
        if from % 8 != 0 || from < HEADER {
            return None;
        }
        self.data.get(from..from.checked_add(size)?)
    }

    /// Reads a directory entry.
    fn column(&self, entry: &[u8]) -> Option<Column<'a>> {
        let (id, kind, flags) = (u16_at(entry, 0), Type::of(entry[2])?, entry[3]);
        let (child, children) = (flags & CHILD != 0, u32_at(entry, 4));
        if child != (id & IS_CHILD != 0) || children > MAX_FRAME {
            return None;
        }
        let rows = if child { children } else { self.rows };
        let mut c = Column { id, kind, rows, children, data: &[], offsets: &[], valid: None };
        if kind != Type::List {
            c.data = self.span(u32_at(entry, 8), u32_at(entry, 12))?;
        }
        if kind.width() > 0 && c.data.len() != kind.width() * rows {
            return None;
        }
        if kind.width() == 0 {
            c.offsets = self.span(u32_at(entry, 16), 4 * (rows + 1))?;
            if !c.monotone() {
                return None;
            }
        }
        if flags & NULLABLE != 0 {
            c.valid = Some(self.span(u32_at(entry, 20), (rows + 7) / 8)?);
        }
        Some(c)
    }

    /// The column, when there is one of that type and number of rows.
    pub fn find(&self, id: u16, kind: Type, rows: usize) -> Option<&Column<'a>> {
        self.columns.iter().find(|c| c.id == id && c.kind == kind && c.rows == rows)
    }

    /// The column, which must be there.
    pub fn need(&self, id: u16, kind: Type, rows: usize) -> Result<&Column<'a>> {
        self.find(id, kind, rows).ok_or_else(|| format!("the frame has no column {:#x}", id).into())
    }

    /// The texts of a column; empty ones when it is absent.
    pub fn texts(&self, id: u16, rows: usize) -> impl Iterator<Item = &'a str> {
        let column = self.find(id, Type::Bytes, rows).copied();
        (0..rows).map(move |i| column.map_or("", |c| text(&c.data[c.offset(i)..c.offset(i + 1)])))
    }

    /// The numbers of a column; zeros when it is absent.
    pub fn numbers(&self, id: u16, rows: usize) -> impl Iterator<Item = usize> + '_ {
        let column = self.find(id, Type::U32, rows);
        (0..rows).map(move |i| column.map_or(0, |c| u32::from_le_bytes(c.value(i)) as usize))
    }
}

/// Text of the host's.
fn text(bytes: &[u8]) -> &str {
    debug_assert!(std::str::from_utf8(bytes).is_ok());
    // SAFETY: the contract is that the text in the host's frames is valid UTF-8, which the host has checked once.
    // Checking again would cost more than most plugins do.
    unsafe { std::str::from_utf8_unchecked(bytes) }
}

/// Writes frames, one after the other, into a buffer that it keeps.
#[derive(Default)]
pub(crate) struct Writer {
    buffer: Vec<u8>,
    next: usize,
    last: usize,
}

impl Writer {
    /// Starts a frame. The one before becomes invalid.
    pub fn begin(&mut self, kind: Kind, rows: usize, columns: usize, batch: u64) {
        self.buffer.clear();
        self.buffer.resize(HEADER + columns * ENTRY, 0);
        self.next = HEADER;
        self.buffer[..4].copy_from_slice(MAGIC);
        self.buffer[4..6].copy_from_slice(&VERSION.to_le_bytes());
        self.buffer[6..8].copy_from_slice(&kind.0.to_le_bytes());
        self.set(8, rows);
        self.buffer[12..14].copy_from_slice(&(columns as u16).to_le_bytes());
        self.buffer[24..32].copy_from_slice(&batch.to_le_bytes());
    }

    pub fn finish(&mut self) -> Result<&[u8]> {
        let n = self.buffer.len();
        if n > MAX_FRAME {
            return Err(format!("a frame of {} bytes is larger than {}", n, MAX_FRAME).into());
        }
        self.set(16, n);
        Ok(&self.buffer)
    }

    fn set(&mut self, at: usize, value: usize) {
        self.buffer[at..at + 4].copy_from_slice(&(value as u32).to_le_bytes());
    }

    /// `n` zero bytes at the next multiple of 8: their place.
    fn reserve(&mut self, n: usize) -> usize {
        let at = (self.buffer.len() + 7) & !7;
        self.buffer.resize(at + n, 0);
        at
    }

    /// Fills the directory entry of the next column. `children` are its rows, or those of a list's elements.
    fn enter(&mut self, id: u16, kind: Type, children: usize) {
        self.last = self.next;
        self.next += ENTRY;
        self.buffer[self.last..self.last + 2].copy_from_slice(&id.to_le_bytes());
        self.buffer[self.last + 2] = kind as u8;
        if id & IS_CHILD != 0 {
            self.buffer[self.last + 3] = CHILD;
        }
        if id & IS_CHILD != 0 || kind == Type::List {
            self.set(self.last + 4, children);
        }
    }

    /// Adds a column of values of fixed width.
    pub fn fixed<const N: usize>(&mut self, id: u16, kind: Type, values: impl ExactSizeIterator<Item = [u8; N]>) {
        let n = values.len();
        self.enter(id, kind, n);
        let at = self.reserve(n * N);
        self.set(self.last + 8, at);
        self.set(self.last + 12, n * N);
        for (place, value) in self.buffer[at..].chunks_exact_mut(N).zip(values) {
            place.copy_from_slice(&value);
        }
    }

    /// Adds a column of texts.
    pub fn texts<'t>(&mut self, id: u16, texts: impl ExactSizeIterator<Item = &'t str>) {
        self.enter(id, Type::Bytes, texts.len());
        let offsets = self.reserve(4 * (texts.len() + 1));
        let data = self.reserve(0);
        for (i, text) in texts.enumerate() {
            self.buffer.extend_from_slice(text.as_bytes());
            self.set(offsets + 4 * (i + 1), self.buffer.len() - data);
        }
        self.set(self.last + 16, offsets);
        self.set(self.last + 8, data);
        self.set(self.last + 12, self.buffer.len() - data);
    }

    /// Adds a column of lists of those lengths, and returns how many elements they have.
    pub fn lists(&mut self, id: u16, lengths: impl ExactSizeIterator<Item = usize>) -> usize {
        self.enter(id, Type::List, 0);
        let offsets = self.reserve(4 * (lengths.len() + 1));
        let mut children = 0;
        for (i, length) in lengths.enumerate() {
            children += length;
            self.set(offsets + 4 * (i + 1), children);
        }
        self.set(self.last + 16, offsets);
        self.set(self.last + 4, children);
        children
    }

    /// Makes the latest column one that may lack values.
    pub fn valid(&mut self, exists: impl ExactSizeIterator<Item = bool>) {
        let at = self.reserve((exists.len() + 7) / 8);
        self.buffer[self.last + 3] |= NULLABLE;
        self.set(self.last + 20, at);
        for (i, there) in exists.enumerate() {
            self.buffer[at + i / 8] |= (there as u8) << (i % 8);
        }
    }
}
