import { messageOf } from '#shared/errors';
import type { Clock } from '#shared/sys/clock';
import { AppendQueue, type Waiting } from './append-queue.ts';
import { JournalError } from './errors.ts';
import {
  type CommitListener,
  type Journal,
  type JournalEvent,
  type NewEvent,
  type Projection,
  project,
} from './journal.ts';

export interface MemoryJournalDeps {
  readonly clock: Clock;
  /** One that refuses an event must do so before it changes anything: nothing is rolled back. */
  readonly projections?: readonly Projection[];
  /** Events waiting for their commit; more are refused with `journal.busy`. */
  readonly maxWaiting?: number;
}

/** The journal without a disk, for tests: order and refusals of the real one, a group per turn. */
export class MemoryJournal implements Journal {
  readonly #clock: Clock;
  readonly #projections: readonly Projection[];
  readonly #queue: AppendQueue;
  readonly #events: JournalEvent[] = [];
  readonly #listeners = new Set<CommitListener>();

  constructor({ clock, projections = [], maxWaiting }: MemoryJournalDeps) {
    this.#clock = clock;
    this.#projections = projections;
    this.#queue = new AppendQueue({ maxWaiting, commit: (group) => this.#commit(group) });
  }

  get head(): number {
    return this.#events.length;
  }

  append(event: NewEvent): Promise<JournalEvent> {
    return this.#queue.append(event);
  }

  read(above: number, limit: number): JournalEvent[] {
    return this.#events.slice(above, above + limit);
  }

  onCommit(listener: CommitListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  close(): Promise<void> {
    this.#queue.close();
    return Promise.resolve();
  }

  #commit(group: readonly Waiting[]): void {
    const recorded: { event: JournalEvent; resolve: (event: JournalEvent) => void }[] = [];
    for (const { event, resolve, reject } of group) {
      try {
        recorded.push({ event: this.#record(event), resolve });
      } catch (error) {
        reject(new JournalError('journal.rejected', messageOf(error), { cause: error }));
      }
    }
    if (recorded.length === 0) return;
    const events = recorded.map(({ event }) => event);
    for (const listener of this.#listeners) listener(events);
    for (const { event, resolve } of recorded) resolve(event);
  }

  #record({ kind, actor, body }: NewEvent): JournalEvent {
    const plain = JSON.parse(JSON.stringify(body)) as object;
    const event = { position: this.head + 1, at: this.#clock.now(), kind, actor, body: plain };
    project([event], this.#projections);
    this.#events.push(event);
    return event;
  }
}
