import { FrameRefused } from '#shared/frames/errors';

/** Work that waits for its turn; more is refused with `busy`. */
const maxWaiting = 256;

/** Runs pieces of work one after the other, in the order in which they came. */
export class OneAtATime {
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** Resolves or rejects as `work` does. */
  run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#waiting === maxWaiting) {
      return Promise.reject(new FrameRefused('busy', 'the vault is being changed; try again'));
    }
    this.#waiting += 1;
    const result = this.#last.then(work).finally(() => {
      this.#waiting -= 1;
    });
    this.#last = result.catch(() => undefined);
    return result;
  }
}
