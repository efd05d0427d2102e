/** The severity of a log line. */
export enum Level {
  Debug = -4,
  Info = 0,
  Warn = 4,
  Error = 8,
}

// @ts-ignore: decorator
@external("dp1", "log")
declare function hostLog(level: i32, text: usize, length: i32): void;

// @ts-ignore: decorator
@external("dp1", "model_loglik")
export declare function modelLogLik(model: i32, request: usize, length: i32, out: usize, capacity: i32): i32;

// @ts-ignore: decorator
@external("dp1", "model_score")
export declare function modelScore(model: i32, request: usize, length: i32, out: usize, capacity: i32): i32;

// @ts-ignore: decorator
@external("dp1", "model_embed")
export declare function modelEmbed(model: i32, request: usize, length: i32, out: usize, capacity: i32): i32;

/** Writes one line to the host's log. */
export function log(level: Level, message: string): void {
  const text = String.UTF8.encode(message);
  hostLog(level, changetype<usize>(text), text.byteLength);
}
