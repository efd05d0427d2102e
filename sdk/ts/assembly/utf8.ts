/**
 * A text as UTF-8 bytes. Texts of records are views of what the host has sent: they cost nothing to make, slice or
 * compare, and are valid until the call returns. What is kept for longer is kept as toString() or copy(). Places and
 * lengths are in bytes.
 */
@final
export class Utf8 {
  /** Not for plugins: a view of `length` bytes at `start`, which `owner` holds when it is not null. */
  constructor(readonly start: usize, readonly length: i32, private readonly owner: ArrayBuffer | null = null) {}

  /** The text without a byte. */
  static readonly EMPTY: Utf8 = new Utf8(0, 0);

  /** Encodes a string. A lone surrogate becomes U+FFFD. */
  static from(text: string): Utf8 {
    const bytes = String.UTF8.encode(text, false, String.UTF8.ErrorMode.REPLACE);
    return new Utf8(changetype<usize>(bytes), bytes.byteLength, bytes);
  }

  /** A copy that stays valid after the call. */
  copy(): Utf8 {
    const bytes = new ArrayBuffer(this.length);
    memory.copy(changetype<usize>(bytes), this.start, this.length);
    return new Utf8(changetype<usize>(bytes), this.length, bytes);
  }

  /** Decodes the text, which costs more than most of what can be done with its bytes. */
  toString(): string {
    return String.UTF8.decodeUnsafe(this.start, this.length);
  }

  /** The byte at a place. */
  @operator("[]")
  byteAt(place: i32): i32 {
    if (<u32>place >= <u32>this.length) throw new RangeError("place outside the text");
    return load<u8>(this.start + place);
  }

  @operator("==")
  equals(other: Utf8): bool {
    return this.length == other.length && memory.compare(this.start, other.start, this.length) == 0;
  }

  @operator("!=")
  differs(other: Utf8): bool {
    return !this.equals(other);
  }

  /** Whether the text is that string. It is compared without being decoded. */
  is(text: string): bool {
    const points = new CodePoints(this);
    for (let i = 0; i < text.length; i++) {
      const point = text.codePointAt(i);
      if (!points.next() || points.value != point) return false;
      if (point > 0xffff) i++;
    }
    return !points.next();
  }

  /** The bytes from `from` to `to`, as a view. */
  slice(from: i32, to: i32 = i32.MAX_VALUE): Utf8 {
    const end = max(0, min(to, this.length));
    const begin = max(0, min(from, end));
    return new Utf8(this.start + begin, end - begin, this.owner);
  }

  startsWith(prefix: Utf8): bool {
    return this.length >= prefix.length && memory.compare(this.start, prefix.start, prefix.length) == 0;
  }

  endsWith(suffix: Utf8): bool {
    const from = this.length - suffix.length;
    return from >= 0 && memory.compare(this.start + from, suffix.start, suffix.length) == 0;
  }

  includes(part: Utf8): bool {
    return this.indexOf(part) >= 0;
  }

  /** The first place at or after `from` where the part begins, -1 when there is none. */
  indexOf(part: Utf8, from: i32 = 0): i32 {
    if (part.length == 0) return from <= this.length ? from : -1;
    const first = load<u8>(part.start);
    for (let i = max(from, 0), last = this.length - part.length; i <= last; i++) {
      if (load<u8>(this.start + i) != first) continue;
      if (memory.compare(this.start + i, part.start, part.length) == 0) return i;
    }
    return -1;
  }

  /** How often the byte occurs. */
  countByte(byte: u8): i32 {
    let count = 0;
    for (let at = this.start, end = at + this.length; at < end; at++) count += i32(load<u8>(at) == byte);
    return count;
  }

  /** The number of characters (code points). */
  get codePointCount(): i32 {
    let count = 0;
    for (let at = this.start, end = at + this.length; at < end; at++) count += i32((load<u8>(at) & 0xc0) != 0x80);
    return count;
  }

  /** The text without spaces, tabs and line ends at its ends. */
  trim(): Utf8 {
    let from = 0, to = this.length;
    while (from < to && isSpace(load<u8>(this.start + from))) from++;
    while (to > from && isSpace(load<u8>(this.start + to - 1))) to--;
    return this.slice(from, to);
  }

  /** FNV-1a of the bytes. */
  hash(): u64 {
    let hash: u64 = 0xcbf29ce484222325;
    for (let at = this.start, end = at + this.length; at < end; at++) hash = (hash ^ load<u8>(at)) * 0x100000001b3;
    return hash;
  }
}

/** Walks the characters (code points) of a text: `const c = new CodePoints(text); while (c.next()) use(c.value);`. */
@final
export class CodePoints {
  /** The character, after next() has returned true. A byte that is part of none is U+FFFD. */
  value: i32 = 0;
  private at: usize;
  private readonly end: usize;

  constructor(private readonly text: Utf8) {
    this.at = text.start;
    this.end = text.start + text.length;
  }

  /** The place behind the character. */
  get to(): i32 {
    return <i32>(this.at - this.text.start);
  }

  /** Goes that many bytes on, which must not be more than are left, nor end inside a character. */
  skip(bytes: i32): void {
    this.at += bytes;
  }

  /** Goes to the next character, false at the end. */
  @inline
  next(): bool {
    const at = this.at;
    if (at >= this.end) return false;
    const lead = <i32>load<u8>(at);
    const value = lead < 0x80 ? lead : this.wide(lead);
    this.value = value;
    this.at = at + (value < 0x80 ? 1 : this.width);
    return true;
  }

  private width: i32 = 1; // of a character that is not ASCII

  /** The character of several bytes that begins here. */
  private wide(lead: i32): i32 {
    this.width = 1;
    const width = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || this.end - this.at < <usize>width) return 0xfffd;
    if (width == 3) return this.three(lead);
    let value = lead & (0x7f >> width);
    for (let i = 1; i < width; i++) {
      const byte = <i32>load<u8>(this.at + i);
      if ((byte & 0xc0) != 0x80) return 0xfffd;
      value = (value << 6) | (byte & 0x3f);
    }
    this.width = width;
    return value;
  }

  /** The character of three bytes that begins here: the usual one of Chinese text. */
  private three(lead: i32): i32 {
    const second = <i32>load<u8>(this.at, 1), third = <i32>load<u8>(this.at, 2);
    if ((second & 0xc0) != 0x80 || (third & 0xc0) != 0x80) return 0xfffd;
    this.width = 3;
    return ((lead & 0x0f) << 12) | ((second & 0x3f) << 6) | (third & 0x3f);
  }
}

function isSpace(byte: u8): bool {
  return byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d;
}
