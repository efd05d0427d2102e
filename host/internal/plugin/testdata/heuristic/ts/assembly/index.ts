// The filter of ../../heuristic.go in AssemblyScript.
import { CodePoints, Document, Rating, Scorer, Utf8, register } from "@carebot/sdk";

export * from "@carebot/sdk/exports";

const SEED32: u32 = 2166136261;
const PRIME32: u32 = 16777619;
const SEED64: u64 = 14695981039346656037;
const PRIME64: u64 = 1099511628211;
const LINE_SLOTS: u32 = 4096;

// The hashes of the, be, to, of, and, that, have, with.
const STOP_WORDS: StaticArray<u32> = [
  0xb40eb21c, 0x382ba080, 0x42454824, 0x69343c68, 0x0f29c2a6, 0xcb18332c, 0xf5ce03fb, 0x0c4afe69,
];

const hashes = new StaticArray<u64>(LINE_SLOTS);
const rounds = new StaticArray<u64>(LINE_SLOTS);
let round: u64 = 0;
let used: u32 = 0;

let words: u32 = 0, wordChars: u32 = 0, alpha: u32 = 0, chinese: u32 = 0, stops: u32 = 0;
let symbols: u32 = 0, braces: u32 = 0, lines: u32 = 0, ended: u32 = 0, repeated: u32 = 0;

// The word that is being read.
let wordHash: u32 = SEED32, wordLength: u32 = 0, wordAlpha: bool = false;
// The line that is being read.
let lineHash: u64 = SEED64;

class Filter extends Scorer {
  score(documents: Document[]): Rating[] | null {
    return documents.map<Rating>(document => rate(document.text));
  }
}

function rate(text: Utf8): Rating {
  words = wordChars = alpha = chinese = stops = symbols = braces = lines = ended = repeated = used = 0;
  round++;
  read(text);
  const rating = new Rating();
  rating.put(0, look());
  return rating;
}

function read(text: Utf8): void {
  let chars: u32 = 0, last: u32 = 0;
  lineHash = SEED64;
  const end = text.start + text.length;
  for (const points = new CodePoints(text); ;) {
    const n = letters(text.start + points.to, end);
    if (n) {
      points.skip(n);
      chars += n;
      last = 0x61;
    }
    if (!points.next()) break;
    const c = <u32>points.value;
    if (c == 0x0a) {
      endWord();
      endLine(lineHash, chars, last);
      lineHash = SEED64;
      chars = 0;
      continue;
    }
    lineHash = (lineHash ^ c) * PRIME64;
    if (c == 0x20 || c == 0x09 || c == 0x0d || c == 0x3000) {
      endWord();
      continue;
    }
    if (c >= 0x3400 && c <= 0x9fff) {
      endWord();
      character(c);
    } else {
      sign(c);
    }
    chars++;
    last = c;
  }
  endWord();
  endLine(lineHash, chars, last);
}

/** Adds the letters of ASCII that the text starts with to the word and returns how many. */
function letters(start: usize, end: usize): u32 {
  let word = wordHash, line = lineHash, at = start;
  for (; at < end; at++) {
    const c = <u32>load<u8>(at), l = c | 0x20;
    if (l < 0x61 || l > 0x7a) break;
    word = (word ^ l) * PRIME32;
    line = (line ^ c) * PRIME64;
  }
  wordHash = word;
  lineHash = line;
  wordLength += <u32>(at - start);
  wordAlpha = wordAlpha || at > start;
  return <u32>(at - start);
}

function endWord(): void {
  if (wordLength == 0) return;
  words++;
  wordChars += wordLength;
  alpha += u32(wordAlpha);
  for (let i = 0; i < 8; i++) stops += u32(wordHash == unchecked(STOP_WORDS[i]));
  wordHash = SEED32;
  wordLength = 0;
  wordAlpha = false;
}

/** Counts a Chinese character, which is a word. */
function character(c: u32): void {
  words++;
  wordChars++;
  alpha++;
  chinese++;
  switch (c) {
    case 0x7684: case 0x662f: case 0x4e86: case 0x5728: case 0x548c: case 0x6709: case 0x4e0d: case 0x6211: stops++;
  }
}

/** Adds a character to a word that is none of ASCII's letters. */
function sign(c: u32): void {
  wordLength++;
  wordHash = (wordHash ^ c) * PRIME32;
  wordAlpha = wordAlpha || (c >= 0xc0 && (c < 0x2000 || c > 0x303f) && (c < 0xff00 || c > 0xffef));
  symbols += u32(c == 0x23 || c == 0x2026);
  braces += u32(c == 0x7b || c == 0x7d);
}

function endLine(hash: u64, chars: u32, last: u32): void {
  if (chars == 0) return;
  lines++;
  switch (last) {
    case 0x2e: case 0x21: case 0x3f: case 0x22: case 0x3002: case 0xff01: case 0xff1f: case 0x300d: case 0x201d: ended++;
  }
  let i = <u32>(hash ^ (hash >> 32)) % LINE_SLOTS;
  for (; unchecked(rounds[i]) == round; i = (i + 1) % LINE_SLOTS) {
    if (unchecked(hashes[i]) == hash) {
      repeated++;
      return;
    }
  }
  if (used == LINE_SLOTS / 2) return;
  unchecked(hashes[i] = hash);
  unchecked(rounds[i] = round);
  used++;
}

function look(): f64 {
  if (words == 0) return 0;
  const all = <f64>words, mean = <f64>wordChars / all;
  let s: f64 = 1;
  if (<u32>2 * chinese < words && (mean < 3 || mean > 10)) s -= 0.2;
  s -= 0.3 * (<f64>symbols / all);
  s -= 0.2 * (1 - <f64>alpha / all);
  s -= 0.1 * (1 - <f64>ended / <f64>lines);
  s -= 0.4 * (<f64>repeated / <f64>lines);
  s -= 0.01 * <f64>braces;
  if (stops < 2) s -= 0.3;
  if (words < 50) s -= 0.1;
  return max(s, 0);
}

register(new Filter(), ["look"]);
