import type { Clock } from '#shared/sys/clock';

/** Callers whose failures are remembered; one more forgets the one that failed longest ago. */
export const maxFailing = 4_096;

/** Failures are forgotten this long after the last one. */
export const forgetMs = 15 * 60_000;

const longestMs = 5 * 60_000;

/** Makes each failure after the first few cost twice the wait of the one before. */
export class FailureDelays {
  readonly #clock: Clock;
  readonly #free: number;
  readonly #failing = new Map<string, { times: number; at: number }>();

  /** `free` failures cost nothing: people mistype. */
  constructor(clock: Clock, free = 5) {
    this.#clock = clock;
    this.#free = free;
  }

  /** How long a caller has to wait before it may try again. */
  waitMs(caller: string): number {
    const found = this.#failing.get(caller);
    if (!found || found.times < this.#free) return 0;
    const delayMs = Math.min(1_000 * 2 ** (found.times - this.#free), longestMs);
    return Math.max(0, found.at + delayMs - this.#clock.monotonic());
  }

  failed(caller: string): void {
    const at = this.#clock.monotonic();
    const found = this.#failing.get(caller);
    const times = found && at - found.at < forgetMs ? found.times + 1 : 1;
    // Put at the end: the first one is the one to forget.
    this.#failing.delete(caller);
    const oldest = this.#failing.keys().next().value;
    if (this.#failing.size >= maxFailing && oldest !== undefined) this.#failing.delete(oldest);
    this.#failing.set(caller, { times, at });
  }

  succeeded(caller: string): void {
    this.#failing.delete(caller);
  }
}
