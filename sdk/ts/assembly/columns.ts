// The contract dp1: frames and the numbers of their kinds and columns.

/** Limits of a frame. */
export const MAX_FRAME: i32 = 16 << 20;
export const MAX_ROWS: i32 = 1 << 20;
export const MAX_COLUMNS: i32 = 1 << 12;

export const MAGIC: u32 = 0x31465044; // "DPF1"
export const VERSION: u16 = 1;
export const HEADER_SIZE: i32 = 32;
export const ENTRY_SIZE: i32 = 24;
export const FLAG_NULLABLE: u8 = 1;
export const FLAG_CHILD: u8 = 2;

/** What a frame holds. The answer to a request of kind k has kind k | ANSWER. */
export const ANSWER: i32 = 0x80;
export const DOCUMENTS: i32 = 0x01;
export const DIALOGUES: i32 = 0x02;
export const SAMPLES: i32 = 0x03;
export const LOGLIK: i32 = 0x10;
export const TEXTS: i32 = 0x11;
export const EMBED: i32 = 0x12;
export const OPEN: i32 = 0x20;
export const FAILURE: i32 = 0x21;

/** Types of columns. BYTES has offsets into its data, LIST into its child columns. */
export const U8: u8 = 1;
export const U16: u8 = 2;
export const U32: u8 = 3;
export const I64: u8 = 4;
export const F32: u8 = 5;
export const F64: u8 = 6;
export const BYTES: u8 = 7;
export const LIST: u8 = 8;

/** The bytes of one value, 0 for the types that have offsets. */
export function width(type: u8): i32 {
  switch (type) {
    case U8: return 1;
    case U16: return 2;
    case U32: case F32: return 4;
    case I64: case F64: return 8;
    default: return 0;
  }
}

export const ID: u16 = 0x01;
export const TEXT: u16 = 0x02;
export const LANGUAGE: u16 = 0x03;
export const SOURCE: u16 = 0x04;
export const META: u16 = 0x05;
export const TURNS: u16 = 0x06;
export const HISTORY: u16 = 0x07;
export const RESPONSE: u16 = 0x08;
export const REFERENCE: u16 = 0x09;

export const STATUS: u16 = 0x20;
export const DETAIL: u16 = 0x21;
export const ACTION: u16 = 0x22;
export const SCORE: u16 = 0x23;
export const REASONS: u16 = 0x24;
export const REWARD: u16 = 0x25;
export const SCORES: u16 = 0x100; // the manifest's score i is column SCORES + i

export const CONTEXT: u16 = 0x40;
export const CONTEXT2: u16 = 0x41;
export const CONTINUATION: u16 = 0x42;
export const LOG_PROB: u16 = 0x43;
export const LOG_PROB2: u16 = 0x44;
export const TOKENS: u16 = 0x45;
export const VECTOR: u16 = 0x46;

export const CONFIG: u16 = 0x60;
export const SEED: u16 = 0x61;
export const MODELS: u16 = 0x62;

/** Marks the columns whose rows are elements of a list. */
export const CHILD: u16 = 0x4000;
export const TURN_ROLE: u16 = CHILD | 0x01;
export const TURN_TEXT: u16 = CHILD | 0x02;
export const HISTORY_ROLE: u16 = CHILD | 0x03;
export const HISTORY_TEXT: u16 = CHILD | 0x04;
export const REASON: u16 = CHILD | 0x05;
export const EDIT_ROW: u16 = CHILD | 0x06;
export const EDIT_TURN: u16 = CHILD | 0x07;
export const EDIT_OP: u16 = CHILD | 0x08;
export const EDIT_TEXT: u16 = CHILD | 0x09;
export const CONTEXT_ROLE: u16 = CHILD | 0x0a;
export const CONTEXT_TEXT: u16 = CHILD | 0x0b;
export const CONTEXT2_ROLE: u16 = CHILD | 0x0c;
export const CONTEXT2_TEXT: u16 = CHILD | 0x0d;
export const VALUE: u16 = CHILD | 0x0e;
export const MODEL_NAME: u16 = CHILD | 0x10;
export const MODEL_INFO: u16 = CHILD | 0x11;
export const MODEL_TOKENS: u16 = CHILD | 0x12;
export const MODEL_OUTPUTS: u16 = CHILD | 0x13;
export const MODEL_HIDDEN: u16 = CHILD | 0x14;
