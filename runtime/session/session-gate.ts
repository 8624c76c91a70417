import { SessionError } from './errors.ts';

interface Waiting {
  readonly key: string;
  admit(): void;
  refuse(error: SessionError): void;
}

/**
 * Decides whose turn it is: one at a time per key, at most `maxRunning` over all. Who came first
 * goes first, among those whose key is free. Bookkeeping only: it runs nothing.
 */
export class SessionGate {
  readonly #limits: { maxRunning: number; maxWaiting: number };
  readonly #running = new Set<string>();
  readonly #waiting: Waiting[] = [];
  #closed = false;

  constructor(limits: { maxRunning: number; maxWaiting: number }) {
    this.#limits = limits;
  }

  /**
   * Resolves when it is the caller's turn; the caller ends it with `leave`. Rejects with
   * `session.busy` when too many wait and with `session.closed` after `close`.
   */
  enter(key: string): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(closed());
      if (this.#isFree(key)) {
        this.#running.add(key);
        return resolve();
      }
      const { maxWaiting } = this.#limits;
      if (this.#waiting.length >= maxWaiting) {
        return reject(new SessionError('session.busy', `${maxWaiting} turns are waiting already`));
      }
      this.#waiting.push({ key, admit: resolve, refuse: reject });
    });
  }

  /** Ends a turn and admits who can go now. */
  leave(key: string): void {
    this.#running.delete(key);
    for (let index = 0; index < this.#waiting.length; ) {
      const next = this.#waiting[index];
      if (!next || this.#running.size >= this.#limits.maxRunning) return;
      if (!this.#isFree(next.key)) {
        index++;
        continue;
      }
      this.#waiting.splice(index, 1);
      this.#running.add(next.key);
      next.admit();
    }
  }

  isRunning(key: string): boolean {
    return this.#running.has(key);
  }

  /** True while somebody has or awaits a turn on this key. */
  isBusy(key: string): boolean {
    return this.#running.has(key) || this.#waiting.some((each) => each.key === key);
  }

  /** Refuses whoever waits and whoever comes. Turns that run go on. */
  close(): void {
    this.#closed = true;
    for (const { refuse } of this.#waiting.splice(0)) refuse(closed());
  }

  #isFree(key: string): boolean {
    return !this.#running.has(key) && this.#running.size < this.#limits.maxRunning;
  }
}

const closed = (): SessionError => new SessionError('session.closed', 'sessions are closing down');
