import { fail } from "./failure";
import { Utf8 } from "./utf8";

/** The types of JSON values. */
export enum JsonType {
  Null,
  Boolean,
  Number,
  String,
  Array,
  Object,
}

/** A JSON value: the configuration, or a document's meta. */
@final
export class Json {
  /** The number; 1 for true. */
  number: f64 = 0;
  /** The string. */
  text: string = "";
  /** The elements of an array, the values of an object. */
  readonly items: Json[] = [];
  /** The names of the values of an object. */
  readonly keys: string[] = [];

  constructor(readonly type: JsonType) {}

  /** Reads a text. It fails with null when the text is not JSON. */
  static parse(text: Utf8): Json | null {
    const parser = new Parser(text);
    const value = parser.value(0);
    if (value && parser.ended()) return value;
    fail(`byte ${parser.at}: not JSON`);
    return null;
  }

  /** The value of that name in an object, null when there is none. */
  get(key: string): Json | null {
    const i = this.keys.indexOf(key);
    return i < 0 ? null : this.items[i];
  }

  /** The number of that name in an object, `otherwise` when there is none. */
  getNumber(key: string, otherwise: f64): f64 {
    const value = this.get(key);
    return value && value.type == JsonType.Number ? value.number : otherwise;
  }

  /** The string of that name in an object, `otherwise` when there is none. */
  getString(key: string, otherwise: string): string {
    const value = this.get(key);
    return value && value.type == JsonType.String ? value.text : otherwise;
  }

  /** The boolean of that name in an object, `otherwise` when there is none. */
  getBoolean(key: string, otherwise: bool): bool {
    const value = this.get(key);
    return value && value.type == JsonType.Boolean ? value.number != 0 : otherwise;
  }
}

const MAX_DEPTH = 64;

/** Reads a text from its start. A place that cannot be read stops it: what it returns is null from there on. */
@final
class Parser {
  at: i32 = 0;

  constructor(private readonly text: Utf8) {}

  /** Whether nothing but white space is left. */
  ended(): bool {
    return this.peek() < 0;
  }

  value(depth: i32): Json | null {
    const c = this.peek();
    if (depth > MAX_DEPTH || c < 0) return null;
    if (c == 0x7b) return this.object(depth);
    if (c == 0x5b) return this.array(depth);
    if (c == 0x22) return this.string();
    if (c == 0x74) return this.word("true", JsonType.Boolean, 1);
    if (c == 0x66) return this.word("false", JsonType.Boolean, 0);
    if (c == 0x6e) return this.word("null", JsonType.Null, 0);
    return this.number();
  }

  private object(depth: i32): Json | null {
    const object = new Json(JsonType.Object);
    this.at++;
    if (this.takes(0x7d)) return object;
    do {
      if (this.peek() != 0x22) return null;
      const key = this.string();
      if (!key || !this.takes(0x3a)) return null;
      const value = this.value(depth + 1);
      if (!value) return null;
      object.keys.push(key.text);
      object.items.push(value);
    } while (this.takes(0x2c));
    return this.takes(0x7d) ? object : null;
  }

  private array(depth: i32): Json | null {
    const array = new Json(JsonType.Array);
    this.at++;
    if (this.takes(0x5d)) return array;
    do {
      const value = this.value(depth + 1);
      if (!value) return null;
      array.items.push(value);
    } while (this.takes(0x2c));
    return this.takes(0x5d) ? array : null;
  }

  private word(word: string, type: JsonType, number: f64): Json | null {
    if (!this.text.slice(this.at, this.at + word.length).is(word)) return null;
    this.at += word.length;
    const value = new Json(type);
    value.number = number;
    return value;
  }

  private number(): Json | null {
    const from = this.at;
    this.accept(0x2d);
    const zero = this.byte() == 0x30;
    const whole = this.digits();
    if (whole == 0 || (zero && whole > 1)) return null;
    if (this.accept(0x2e) && this.digits() == 0) return null;
    if ((this.byte() | 0x20) == 0x65) {
      this.at++;
      if (!this.accept(0x2b)) this.accept(0x2d);
      if (this.digits() == 0) return null;
    }
    const value = new Json(JsonType.Number);
    value.number = parseFloat(this.text.slice(from, this.at).toString());
    return value;
  }

  private digits(): i32 {
    const from = this.at;
    while (this.byte() >= 0x30 && this.byte() <= 0x39) this.at++;
    return this.at - from;
  }

  private string(): Json | null {
    const value = new Json(JsonType.String);
    let from = ++this.at;
    while (this.byte() >= 0x20) {
      const c = this.byte();
      if (c == 0x22 || c == 0x5c) value.text += this.text.slice(from, this.at).toString();
      this.at++;
      if (c == 0x22) return value;
      if (c != 0x5c) continue;
      const unit = this.escaped();
      if (unit < 0) return null;
      value.text += String.fromCharCode(unit);
      from = this.at;
    }
    return null;
  }

  /** What stands for a character after a backslash, as a UTF-16 unit. */
  private escaped(): i32 {
    const c = this.byte();
    this.at++;
    switch (c) {
      case 0x22: case 0x2f: case 0x5c: return c;
      case 0x62: return 8;
      case 0x66: return 12;
      case 0x6e: return 10;
      case 0x72: return 13;
      case 0x74: return 9;
      case 0x75: return this.hex();
      default: return -1;
    }
  }

  private hex(): i32 {
    let unit = 0;
    for (const end = this.at + 4; this.at < end; this.at++) {
      const c = this.byte(), letter = c | 0x20;
      if (c >= 0x30 && c <= 0x39) unit = unit * 16 + c - 0x30;
      else if (letter >= 0x61 && letter <= 0x66) unit = unit * 16 + letter - 0x57;
      else return -1;
    }
    return unit;
  }

  /** The next byte behind white space, -1 at the end. */
  private peek(): i32 {
    let c = this.byte();
    while (c == 0x20 || (c >= 9 && c <= 13 && c != 11 && c != 12)) {
      this.at++;
      c = this.byte();
    }
    return c;
  }

  /** Goes past white space and then the byte, when it is that. */
  private takes(byte: i32): bool {
    return this.peek() == byte && this.accept(byte);
  }

  /** Goes past the byte, when it is that. */
  private accept(byte: i32): bool {
    if (this.byte() != byte) return false;
    this.at++;
    return true;
  }

  private byte(): i32 {
    return this.at < this.text.length ? <i32>this.text[this.at] : -1;
  }
}
