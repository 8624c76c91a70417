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
  /** How long a group may grow while the process is busy; unless given, for one turn only. */
  readonly maxDelayMs?: number | undefined;
  /** Records a group and settles each of its members. */
  commit(group: readonly Waiting[]): void;
}

/** A turn of the event loop that takes as long has done something; one that did not takes a third. */
const busyTurnMs = 0.03;

/** A group that is growing, as it was when the last turn ended. */
interface Group {
  readonly began: number;
  readonly lastTurn: number;
  readonly events: number;
}

/**
 * Collects what is appended in one turn of the event loop, and hands it over as one group. With a
 * delay, a group goes on growing while each turn brings something: many who each wait for a commit
 * of their own then share one, and whoever is alone waits for one empty turn more.
 */
export class AppendQueue {
  readonly #maxWaiting: number;
  readonly #maxGroup: number;
  readonly #maxDelayMs: number;
  readonly #commit: AppendQueueOptions['commit'];
  #waiting: Waiting[] = [];
  #scheduled = false;
  #closed = false;

  constructor(options: AppendQueueOptions) {
    const { maxWaiting = 65_536, maxGroup = Infinity, maxDelayMs = 0, commit } = options;
    this.#maxWaiting = maxWaiting;
    this.#maxGroup = maxGroup;
    this.#maxDelayMs = maxDelayMs;
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

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    const now = performance.now();
    setImmediate(() => this.#endTurn({ began: now, lastTurn: now, events: 0 }));
  }

  /** The check phase runs after every socket that was readable has been read: the whole turn. */
  #endTurn(group: Group): void {
    if (this.#mayGrow(group)) {
      const grown = { ...group, lastTurn: performance.now(), events: this.#waiting.length };
      setImmediate(() => this.#endTurn(grown));
      return;
    }
    this.#scheduled = false;
    if (this.#waiting.length === 0) return;
    this.#handOver();
    if (this.#waiting.length > 0) this.#schedule();
  }

  /** A turn that brought nothing and was short means that there is nothing more to wait for. */
  #mayGrow({ began, lastTurn, events }: Group): boolean {
    const { length } = this.#waiting;
    if (this.#maxDelayMs === 0 || length >= this.#maxGroup) return false;
    const now = performance.now();
    if (now - began >= this.#maxDelayMs) return false;
    return length > events || now - lastTurn >= busyTurnMs;
  }

  #handOver(): void {
    this.#commit(this.#waiting.splice(0, this.#maxGroup));
  }
}
