import { JournalError } from './errors.ts';
import type { JournalEvent, NewEvent } from './journal.ts';

/** An append that waits for its commit, and whom to tell. */
export interface Waiting {
  readonly event: NewEvent;
  readonly resolve: (event: JournalEvent) => void;
  readonly reject: (error: JournalError) => void;
}

export interface AppendQueueOptions {
  /** Events waiting for their commit; more are refused with `journal.busy`. */
  readonly maxWaiting?: number | undefined;
  /** Events handed over at once. */
  readonly maxGroup?: number | undefined;
  /** Records a group and settles each of its members. */
  commit(group: readonly Waiting[]): void;
}

/** Collects what is appended in one turn of the event loop, and hands it over as one group. */
export class AppendQueue {
  readonly #maxWaiting: number;
  readonly #maxGroup: number;
  readonly #commit: AppendQueueOptions['commit'];
  #waiting: Waiting[] = [];
  #scheduled = false;
  #closed = false;

  constructor({ maxWaiting = 65_536, maxGroup = Infinity, commit }: AppendQueueOptions) {
    this.#maxWaiting = maxWaiting;
    this.#maxGroup = maxGroup;
    this.#commit = commit;
  }

  append(event: NewEvent): Promise<JournalEvent> {
    if (this.#closed) {
      return Promise.reject(new JournalError('journal.closed', 'the journal is closed'));
    }
    if (this.#waiting.length >= this.#maxWaiting) {
      const message = `${this.#maxWaiting} events are waiting to be written`;
      return Promise.reject(new JournalError('journal.busy', message));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ event, resolve, reject });
      this.#schedule();
    });
  }

  /** Hands over what was already given, then refuses more. */
  close(): void {
    while (this.#waiting.length > 0) this.#handOver();
    this.#closed = true;
  }

  /** The check phase runs after every socket that was readable has been read: the whole tick. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#waiting.length === 0) return;
      this.#handOver();
      if (this.#waiting.length > 0) this.#schedule();
    });
  }

  #handOver(): void {
    this.#commit(this.#waiting.splice(0, this.#maxGroup));
  }
}
