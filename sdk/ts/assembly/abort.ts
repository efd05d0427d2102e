import { Level, log } from "./host";

/**
 * Takes the place of env.abort: a failed assertion, an index out of range or a `throw` says in the log what it is and
 * ends the call. The host then asks for the records of the batch in halves, in a fresh instance.
 */
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  const what = message ? message : "abort";
  const where = file ? ` (${file}:${line}:${column})` : "";
  log(Level.Error, what + where);
  unreachable();
}
