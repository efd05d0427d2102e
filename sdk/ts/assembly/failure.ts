let reason: string = "";

/** Says why the call fails: `if (low < 0) return fail("low is below 0");`. It returns false. */
export function fail(why: string): bool {
  reason = why;
  return false;
}

/** Why the last call has failed. */
export function failure(): string {
  return reason;
}
