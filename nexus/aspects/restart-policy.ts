import { backoffMs } from '#shared/sys/backoff';

const waits = { firstMs: 1_000, maxMs: 60_000 };
/** A process that lived this long starts over with a short wait. */
const healthyAfterMs = 5 * 60_000;
/** More ends than this within the window, and it is left down. */
const maxEnds = 10;
const windowMs = 10 * 60_000;
/** The exit code that says: the configuration is wrong, and will be wrong again. */
const misconfigured = 2;

/** What to do about a process that ended. */
export type Decision = { readonly restartInMs: number } | { readonly giveUp: string };

/** Decides about restarts (hands spec §8). Bookkeeping only: monotonic times come from outside. */
export class RestartPolicy {
  #ends: number[] = [];
  #attempt = 0;

  /** The process started at `startedAt` and ended at `endedAt` with `code`. */
  ended(startedAt: number, endedAt: number, code: number | null, random: number): Decision {
    if (code === misconfigured) return { giveUp: 'its configuration is wrong' };
    this.#ends = [...this.#ends.filter((at) => endedAt - at < windowMs), endedAt];
    if (this.#ends.length > maxEnds) {
      return { giveUp: `it ended ${this.#ends.length} times in ${windowMs / 60_000} minutes` };
    }
    this.#attempt = endedAt - startedAt >= healthyAfterMs ? 1 : this.#attempt + 1;
    return { restartInMs: backoffMs(this.#attempt, waits, random) };
  }
}
