import {
  BYTES, CHILD, ENTRY_SIZE, FLAG_CHILD, FLAG_NULLABLE, HEADER_SIZE, LIST, MAGIC, MAX_COLUMNS, MAX_FRAME, MAX_ROWS,
  VERSION, width,
} from "./columns";
import { fail } from "./failure";
import { Turn } from "./records";
import { Utf8 } from "./utf8";

/**
 * Writes frames, one after the other, into memory that it keeps. Columns are added in the order in which they are to
 * stand; their number is announced because the directory comes first.
 */
@final
export class Builder {
  /** The frame, after finish(). */
  start: usize = 0;
  length: i32 = 0;
  private room: i32 = 0;
  private next: i32 = 0; // place of the next directory entry
  private last: i32 = 0; // place of the latest one
  private over: bool = false;

  /** Starts a frame. The one before becomes invalid. */
  begin(kind: i32, rows: i32, columns: i32, batch: u64): void {
    this.length = 0;
    this.over = false;
    this.reserve(HEADER_SIZE + min(columns, MAX_COLUMNS) * ENTRY_SIZE);
    this.over = rows > MAX_ROWS || columns > MAX_COLUMNS;
    store<u32>(this.start, MAGIC);
    store<u16>(this.start, VERSION, 4);
    store<u16>(this.start, <u16>kind, 6);
    store<u32>(this.start, rows, 8);
    store<u16>(this.start, <u16>columns, 12);
    store<u64>(this.start, batch, 24);
    this.next = HEADER_SIZE;
  }

  /** Ends the frame. It fails when the frame has outgrown the limits. */
  finish(): bool {
    if (this.over) return fail(`answer larger than ${MAX_FRAME >> 20} MiB`);
    store<u32>(this.start, this.length, 16);
    return true;
  }

  /** Adds a column of n values of fixed width. Its data, zeros, is at the address until more is added; 0: too large. */
  values(id: u16, type: u8, n: i32): usize {
    this.enter(id, type, n);
    const size = n * width(type);
    const at = this.reserve(size);
    if (this.over) return 0;
    this.set(8, at);
    this.set(12, size);
    return this.start + at;
  }

  /** Adds a column of n texts, which text() or detail() then give. It returns the place of the offsets. */
  texts(id: u16, n: i32): i32 {
    this.enter(id, BYTES, n);
    const offsets = this.reserve(4 * (n + 1));
    const data = this.reserve(0);
    if (this.over) return 0;
    this.set(16, offsets);
    this.set(8, data);
    return offsets;
  }

  /** Gives text i of the column of which texts has returned `offsets`. */
  text(offsets: i32, i: i32, text: Utf8): void {
    const at = this.append(text.length);
    if (this.over) return;
    memory.copy(this.start + at, text.start, text.length);
    this.end(offsets, i);
  }

  /** Gives text i as a string, cut to a bounded length. */
  detail(offsets: i32, i: i32, text: string): void {
    this.text(offsets, i, text.length ? bounded(Utf8.from(text)) : Utf8.EMPTY);
  }

  private end(offsets: i32, i: i32): void {
    const size = this.length - load<u32>(this.start + this.last, 8);
    this.set(12, size);
    store<u32>(this.start + offsets + 4 * (i + 1), size);
  }

  /** Adds a column of n lists, whose lengths count() then gives, and the child columns follow. */
  lists(id: u16, n: i32): i32 {
    this.enter(id, LIST, n);
    const offsets = this.reserve(4 * (n + 1));
    if (!this.over) this.set(16, offsets);
    return offsets;
  }

  /** Gives the length of list i of the column of which lists has returned `offsets`. */
  count(offsets: i32, i: i32, length: i32): void {
    if (this.over) return;
    const children = load<u32>(this.start + offsets + 4 * i) + length;
    store<u32>(this.start + offsets + 4 * (i + 1), children);
    this.set(4, children);
  }

  /** Makes the latest column, of n rows, nullable. The bits of what exists, zeros, are at the address. */
  validity(n: i32): usize {
    const at = this.reserve((n + 7) / 8);
    if (this.over) return 0;
    const entry = this.start + this.last;
    store<u8>(entry, load<u8>(entry, 3) | FLAG_NULLABLE, 3);
    this.set(20, at);
    return this.start + at;
  }

  /** Adds the two child columns of lists of turns. */
  turns(role: u16, text: u16, turns: Turn[]): void {
    const roles = this.values(role, 1, turns.length);
    for (let i = 0; roles && i < turns.length; i++) store<u8>(roles + i, <u8>turns[i].role);
    const offsets = this.texts(text, turns.length);
    for (let i = 0; i < turns.length; i++) this.text(offsets, i, turns[i].text);
  }

  /** Fills the directory entry of the next column. */
  private enter(id: u16, type: u8, n: i32): void {
    this.last = this.next;
    this.next += ENTRY_SIZE;
    if (this.over) return;
    const entry = this.start + this.last;
    store<u16>(entry, id);
    store<u8>(entry, type, 2);
    if (!(id & CHILD)) return;
    store<u8>(entry, FLAG_CHILD, 3);
    store<u32>(entry, n, 4);
  }

  /** Sets a u32 of the latest directory entry. */
  private set(place: i32, value: i32): void {
    store<u32>(this.start + this.last + place, value);
  }

  /** Appends zeros at the next multiple of 8 and returns their place. */
  private reserve(size: i32): i32 {
    const from = this.length;
    const at = (from + 7) & ~7;
    this.append(at - from + size);
    if (!this.over) memory.fill(this.start + from, 0, at - from + size);
    return at;
  }

  /** Makes the frame longer and returns the place of what it has got. A frame beyond the limit grows no more. */
  private append(size: i32): i32 {
    const at = this.length;
    if (this.over || size > MAX_FRAME || at + size > MAX_FRAME) {
      this.over = true;
      return at;
    }
    this.length = at + size;
    if (this.length > this.room) {
      this.room = max(2 * this.length, 4096);
      this.start = this.start ? heap.realloc(this.start, this.room) : heap.alloc(this.room);
    }
    return at;
  }
}

/** Marks value i in the bits that validity has returned, if any. */
export function mark(bits: usize, i: i32): void {
  const at = bits + (i >> 3);
  if (bits) store<u8>(at, load<u8>(at) | (<u8>1 << <u8>(i & 7)));
}

const MAX_DETAIL = 1 << 10;

/** Cuts a text between two characters, as the host does. */
function bounded(text: Utf8): Utf8 {
  if (text.length <= MAX_DETAIL) return text;
  let end = MAX_DETAIL - 1;
  while ((text[end] & 0xc0) == 0x80) end--;
  return text.slice(0, end);
}
