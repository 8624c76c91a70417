import type { ChatDeliver } from '#shared/frames/chat';

/** What a restart needs to know: everything up to `cursor`, and `done` above it, is finished. */
export interface InboxMark {
  readonly cursor: number;
  readonly done: readonly number[];
}

/**
 * The chat messages an aspect has been given: which are new, which are finished, and how far it
 * may say it has come. Bookkeeping only.
 *
 * The cursor stops below the oldest unfinished message, so whatever a crash interrupts is
 * delivered again; what was finished above it is remembered and not done twice. It relies on one
 * link delivering in ascending order: nothing below a message still comes after it.
 */
export class Inbox {
  readonly #maxOpen: number;
  readonly #open = new Set<number>();
  readonly #done: Set<number>;
  #cursor: number;
  #newest: number;
  #overflowed = false;

  /** `maxOpen`: messages taken in and not finished. */
  constructor(mark: InboxMark, maxOpen: number) {
    this.#maxOpen = maxOpen;
    this.#cursor = mark.cursor;
    this.#newest = Math.max(mark.cursor, ...mark.done);
    this.#done = new Set(mark.done);
  }

  get mark(): InboxMark {
    return { cursor: this.#cursor, done: [...this.#done].sort((a, b) => a - b) };
  }

  /** True when messages were turned away and there is room again: reconnect for a replay. */
  get mustCatchUp(): boolean {
    return this.#overflowed && this.#open.size <= this.#maxOpen / 2;
  }

  /** Takes a message in. False for one that is known, or that there is no room for. */
  take({ id }: Pick<ChatDeliver, 'id'>): boolean {
    if (id <= this.#cursor || this.#done.has(id) || this.#open.has(id)) return false;
    if (this.#overflowed || this.#open.size >= this.#maxOpen) {
      this.#overflowed = true;
      return false;
    }
    this.#open.add(id);
    this.#newest = Math.max(this.#newest, id);
    return true;
  }

  /** A message is finished, whatever came of it. */
  finish(id: number): void {
    if (!this.#open.delete(id)) return;
    this.#done.add(id);
    this.#advance();
  }

  /** A replay has ended: everything for us up to `upToId` was sent. */
  caughtUp(upToId: number): void {
    if (this.#overflowed) return;
    this.#newest = Math.max(this.#newest, upToId);
    this.#advance();
  }

  /** A new link begins with a replay: what was turned away before will come again. */
  replayBegins(): void {
    this.#overflowed = false;
  }

  #advance(): void {
    const oldestOpen = Math.min(...this.#open);
    this.#cursor = Math.max(this.#cursor, Math.min(oldestOpen - 1, this.#newest));
    for (const id of this.#done) if (id <= this.#cursor) this.#done.delete(id);
  }
}
