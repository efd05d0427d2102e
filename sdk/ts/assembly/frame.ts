import {
  BYTES, CHILD, DETAIL, ENTRY_SIZE, FAILURE, FLAG_CHILD, FLAG_NULLABLE, HEADER_SIZE, LIST, MAGIC, MAX_COLUMNS,
  MAX_FRAME, MAX_ROWS, U8, VERSION, width,
} from "./columns";
import { fail } from "./failure";
import { Utf8 } from "./utf8";

/** A column whose ranges have been checked. One that was not sent reads as empty texts, empty lists and zeros. */
@final
export class Column {
  rows: i32 = 0;
  children: i32 = 0; // of a list: rows of the child columns
  data: usize = 0;
  size: i32 = 0; // of the data
  offsets: usize = 0;
  validity: usize = 0;

  constructor(readonly id: u16, readonly type: u8) {}

  text(row: i32): Utf8 {
    if (!this.offsets) return Utf8.EMPTY;
    const from = this.offset(row);
    return new Utf8(this.data + from, this.offset(row + 1) - from);
  }

  u8(row: i32): u8 {
    return this.data ? load<u8>(this.data + row) : 0;
  }

  u32(row: i32): u32 {
    return this.data ? load<u32>(this.data + (<usize>row << 2)) : 0;
  }

  i64(row: i32): i64 {
    return this.data ? load<i64>(this.data + (<usize>row << 3)) : 0;
  }

  f64(row: i32): f64 {
    return this.data ? load<f64>(this.data + (<usize>row << 3)) : 0;
  }

  /** Offset i of the rows + 1 offsets. */
  offset(i: i32): i32 {
    return this.offsets ? load<u32>(this.offsets + (<usize>i << 2)) : 0;
  }

  /** Cuts the column out of the frame, as its directory entry says. */
  cut(frame: Frame, entry: usize): bool {
    const size = load<u32>(entry, 12);
    if (this.type != LIST) {
      this.data = frame.span(load<u32>(entry, 8), size);
      this.size = size;
      if (!this.data) return this.wrong("data outside the frame");
    }
    const each = width(this.type);
    if (each && <u64>size != <u64>each * this.rows) return this.wrong("size of the data");
    if (!each) {
      this.offsets = frame.span(load<u32>(entry, 16), 4 * (<u64>this.rows + 1));
      if (!this.offsets || !this.monotone()) return this.wrong("offsets");
    }
    if (load<u8>(entry, 3) & FLAG_NULLABLE) {
      this.validity = frame.span(load<u32>(entry, 20), (<u64>this.rows + 7) / 8);
      if (!this.validity) return this.wrong("validity outside the frame");
    }
    return true;
  }

  /** Checks that the offsets never fall and end within what they point into. */
  private monotone(): bool {
    const end = <u32>(this.type == LIST ? this.children : this.size);
    let before: u32 = 0;
    for (let i = 0; i <= this.rows; i++) {
      const at = load<u32>(this.offsets + (<usize>i << 2));
      if (at < before || at > end) return false;
      before = at;
    }
    return true;
  }

  private wrong(what: string): bool {
    return fail(`column ${this.id}: ${what}`);
  }
}

/** A validated view of a received frame. */
@final
export class Frame {
  readonly kind: i32;
  readonly rows: i32;
  readonly batch: u64;
  readonly columns: Column[] = [];
  /** Whether all that was asked for was there. */
  ok: bool = true;
  private claimed: u64 = 0;

  private constructor(private readonly start: usize, private readonly length: i32) {
    this.kind = load<u16>(start, 6);
    this.rows = load<u32>(start, 8);
    this.batch = load<u64>(start, 24);
  }

  /** Checks the header, the directory and every offset, length and count. It fails with null. */
  static parse(start: usize, length: i32): Frame | null {
    const whole = length >= HEADER_SIZE && length <= MAX_FRAME && load<u32>(start) == MAGIC &&
      load<u16>(start, 4) == VERSION && load<u32>(start, 16) == <u32>length && load<u32>(start, 8) <= <u32>MAX_ROWS;
    if (!whole) {
      fail(`frame of ${length} bytes has a wrong header`);
      return null;
    }
    const count = <i32>load<u16>(start, 12);
    if (count > MAX_COLUMNS || HEADER_SIZE + count * ENTRY_SIZE > length) {
      fail(`frame of ${length} bytes says ${count} columns`);
      return null;
    }
    const frame = new Frame(start, length);
    for (let i = 0; i < count; i++) {
      if (!frame.admit(start + HEADER_SIZE + i * ENTRY_SIZE)) return null;
    }
    return frame;
  }

  /** Checks one directory entry and keeps it. */
  private admit(entry: usize): bool {
    const column = new Column(load<u16>(entry), load<u8>(entry, 2));
    const child = (column.id & CHILD) != 0;
    const children = load<u32>(entry, 4);
    const fits = column.type >= U8 && column.type <= LIST && children <= <u32>MAX_FRAME &&
      child == ((load<u8>(entry, 3) & FLAG_CHILD) != 0) && !this.find(column.id);
    if (!fits) return fail(`column ${column.id}: wrong directory entry`);
    column.children = children;
    column.rows = child ? children : this.rows;
    this.columns.push(column);
    return column.cut(this, entry);
  }

  /** The address of `size` bytes at `from`, 0 when they are not within the frame or lie over others. */
  span(from: u32, size: u64): usize {
    this.claimed += size;
    const fits = from % 8 == 0 && from >= <u32>HEADER_SIZE && <u64>from + size <= <u64>this.length &&
      this.claimed <= <u64>this.length;
    return fits ? this.start + from : 0;
  }

  private find(id: u16): Column | null {
    for (let i = 0; i < this.columns.length; i++) {
      if (this.columns[i].id == id) return this.columns[i];
    }
    return null;
  }

  /**
   * The column, with as many rows as the frame, or `children` for a child column. One that is missing reads as empty;
   * one that does not fit as well, and `ok` is false from there on.
   */
  column(id: u16, type: u8, children: i32 = 0): Column {
    const rows = id & CHILD ? children : this.rows;
    const column = this.find(id);
    if (column && column.type == type && column.rows == rows) return column;
    if (column || (id & CHILD && children)) {
      this.ok = fail(`column ${id} is missing, or has another type or number of rows`);
    }
    return new Column(id, type);
  }

  /** Makes another kind of frame an error. */
  expect(kind: i32): void {
    if (this.kind == kind) return;
    if (this.kind != FAILURE) {
      this.ok = fail(`frame of kind ${this.kind}, not ${kind}`);
      return;
    }
    const detail = this.column(DETAIL, BYTES);
    this.ok = fail(this.rows && detail.offsets ? detail.text(0).toString() : "the host gives no reason");
  }
}
