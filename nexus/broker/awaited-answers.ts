import type { Envelope } from '#shared/frames/envelope';
import { FrameRefused } from '#shared/frames/errors';

/** Takes the one answer to a request. Must not throw. */
export type TakeAnswer = (answer: Envelope) => void;

/** What the broker asked over one connection, by request id, and is still waiting for. */
export class AwaitedAnswers {
  readonly #takers = new Map<string, TakeAnswer>();
  readonly #max: number;

  constructor(max = 256) {
    this.#max = max;
  }

  has(id: string): boolean {
    return this.#takers.has(id);
  }

  /** Gives the answer to `id` to `take`, once. Throws `FrameRefused` with `busy` at the bound. */
  expect(id: string, take: TakeAnswer): void {
    if (this.#takers.size >= this.#max) {
      throw new FrameRefused('busy', `${this.#max} requests wait for this peer; wait for some`);
    }
    this.#takers.set(id, take);
  }

  /** Nobody waits for it any more: a late answer is dropped. */
  forget(id: string): void {
    this.#takers.delete(id);
  }

  /** Hands an answer to whoever asked; one that nobody waits for is dropped (§2). */
  take(answer: Envelope): void {
    const id = answer.in_reply_to ?? '';
    const taker = this.#takers.get(id);
    this.#takers.delete(id);
    taker?.(answer);
  }
}
