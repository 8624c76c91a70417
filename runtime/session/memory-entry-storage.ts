import type { EntryStorage } from './entry-storage.ts';
import { SessionError } from './errors.ts';
import type { Settled } from './jsonl-log.ts';

/** Keeps nothing: for stateless sessions, whose tree lives as long as one call. */
export class MemoryEntryStorage implements EntryStorage {
  #closed = false;

  append(_entry: unknown, settled: Settled): void {
    this.#settle(settled);
  }

  saveHead(_head: string, settled: Settled): void {
    this.#settle(settled);
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #settle(settled: Settled): void {
    if (this.#closed) throw new SessionError('session.closed', 'the session is closed');
    settled();
  }
}
