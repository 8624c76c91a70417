/** How long to wait before trying again. */
export interface BackoffTimes {
  readonly firstMs: number;
  readonly maxMs: number;
}

/**
 * The wait before try number `attempt` (1 is the first retry): doubling from `firstMs` to `maxMs`,
 * plus up to a quarter of jitter, so that many clients do not come back in step. `random` is in
 * [0, 1).
 */
export function backoffMs(attempt: number, times: BackoffTimes, random: number): number {
  const base = Math.min(times.firstMs * 2 ** (attempt - 1), times.maxMs);
  return base * (1 + random / 4);
}
