import type { KnownEntry } from './entry.ts';
import type { Settled } from './jsonl-log.ts';

/**
 * Where one tree's entries and head are kept. Work is done strictly in the order in which it was
 * asked for; `settled` follows the promise of `JsonlLog`. A failure fails what is queued behind.
 */
export interface EntryStorage {
  /** Adds an entry and moves the kept head to it. Throws at once what it refuses. */
  append(entry: KnownEntry, settled: Settled): void;
  /** Moves the kept head to an entry that is durable. */
  saveHead(head: string, settled: Settled): void;
  /** Finishes what is queued. Safe to call twice. */
  close(): Promise<void>;
}
