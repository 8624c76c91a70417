import type { Statement } from 'better-sqlite3';
import { messageOf, systemCodeOf } from '#shared/errors';
import type { Clock } from '#shared/sys/clock';
import { BulkInsert } from '../storage/bulk-insert.ts';
import type { Database, Migration } from '../storage/database.ts';
import { isDiskFull } from '../storage/disk-failure.ts';
import { AppendQueue, type Waiting } from './append-queue.ts';
import { JournalError } from './errors.ts';
import { type ChainedRow, chainHash, genesisHash } from './hash-chain.ts';
import {
  type CommitListener,
  type Journal,
  type JournalEvent,
  type NewEvent,
  type Projection,
  project,
} from './journal.ts';

export const journalMigration: Migration = {
  name: 'journal',
  sql: `
    CREATE TABLE journal (
      position INTEGER PRIMARY KEY,
      at       INTEGER NOT NULL,
      kind     TEXT NOT NULL,
      actor    TEXT NOT NULL,
      body     TEXT NOT NULL,
      hash     TEXT NOT NULL
    ) STRICT;
  `,
};

export interface SqliteJournalDeps {
  readonly database: Database;
  readonly projections: readonly Projection[];
  readonly clock: Clock;
  /** Events in one transaction, which bounds how long one commit can take. */
  readonly maxGroup?: number;
  /** How long a group of events may grow while the process is busy. */
  readonly maxDelayMs?: number;
  /** Events waiting for their commit; more are refused with `journal.busy`. */
  readonly maxWaiting?: number;
}

/**
 * The journal in SQLite, with group commit: whatever arrives in one turn of the event loop, or in
 * the busy turns of a short while, is written in one transaction, projections included, and is
 * durable after one sync.
 */
export class SqliteJournal implements Journal {
  readonly #deps: SqliteJournalDeps;
  readonly #queue: AppendQueue;
  readonly #listeners = new Set<CommitListener>();
  readonly #begin: Statement;
  readonly #commit: Statement;
  readonly #insert: BulkInsert;
  readonly #select: Statement;
  #head = 0;
  #headHash = genesisHash;

  constructor(deps: SqliteJournalDeps) {
    this.#deps = deps;
    this.#queue = new AppendQueue({
      maxWaiting: deps.maxWaiting,
      maxGroup: deps.maxGroup ?? 2048,
      maxDelayMs: deps.maxDelayMs ?? 2,
      commit: (group) => this.#commitGroup(group),
    });
    const { writer, reader } = deps.database;
    this.#begin = writer.prepare('BEGIN IMMEDIATE');
    this.#commit = writer.prepare('COMMIT');
    const columns = ['position', 'at', 'kind', 'actor', 'body', 'hash'];
    this.#insert = new BulkInsert(writer, 'journal', columns);
    this.#select = reader.prepare(
      'SELECT position, at, kind, actor, body FROM journal WHERE position > ? ORDER BY position LIMIT ?',
    );
    const newest = writer
      .prepare('SELECT position, hash FROM journal ORDER BY position DESC LIMIT 1')
      .get() as { position: number; hash: string } | undefined;
    if (newest) {
      this.#head = newest.position;
      this.#headHash = newest.hash;
    }
  }

  get head(): number {
    return this.#head;
  }

  /** Where the journal stands, with the hash that covers everything up to there. */
  get chainHead(): { readonly position: number; readonly hash: string } {
    return { position: this.#head, hash: this.#headHash };
  }

  append(event: NewEvent): Promise<JournalEvent> {
    return this.#queue.append(event);
  }

  read(above: number, limit: number): JournalEvent[] {
    const rows = this.#select.all(above, limit) as ChainedRow[];
    return rows.map((row) => ({ ...row, body: JSON.parse(row.body) as object }));
  }

  onCommit(listener: CommitListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  close(): Promise<void> {
    this.#queue.close();
    return Promise.resolve();
  }

  #commitGroup(group: readonly Waiting[]): void {
    let recorded: JournalEvent[];
    try {
      recorded = this.#write(group.map((each) => each.event));
    } catch (error) {
      const failure = asJournalError(error);
      // One event that a projection refuses must not take its neighbours with it.
      if (failure.code === 'journal.rejected' && group.length > 1) this.#commitSingly(group);
      else for (const { reject } of group) reject(failure);
      return;
    }
    // Outside the `try`: what is on disk must not be written again because a listener failed.
    this.#settle(group, recorded);
  }

  #commitSingly(group: readonly Waiting[]): void {
    for (const each of group) {
      let recorded: JournalEvent[];
      try {
        recorded = this.#write([each.event]);
      } catch (error) {
        each.reject(asJournalError(error));
        continue;
      }
      this.#settle([each], recorded);
    }
  }

  /** Writes all or nothing, and moves the head only after the commit. */
  #write(events: readonly NewEvent[]): JournalEvent[] {
    const { writer } = this.#deps.database;
    const at = this.#deps.clock.now();
    let position = this.#head;
    let previous = this.#headHash;
    const rows: unknown[][] = [];
    const recorded: JournalEvent[] = [];
    for (const { kind, actor, body } of events) {
      const row = { position: ++position, at, kind, actor, body: JSON.stringify(body) };
      previous = chainHash(previous, row);
      rows.push([position, at, kind, actor, row.body, previous]);
      recorded.push({ position, at, kind, actor, body });
    }
    let isCommitting = false;
    this.#begin.run();
    try {
      this.#insert.run(rows);
      project(recorded, this.#deps.projections);
      isCommitting = true;
      this.#commit.run();
    } catch (error) {
      // SQLite has already rolled back by itself after some failures, a full disk among them.
      if (writer.inTransaction) writer.exec('ROLLBACK');
      if (isCommitting && !isDiskFull(error)) this.#overwriteRefused();
      throw error;
    }
    this.#head = position;
    this.#headHash = previous;
    return recorded;
  }

  /**
   * When only the sync of a commit failed, its pages are in the log file, and a start after a
   * crash would find there what was refused. The next commit takes their place: an idle one now.
   */
  #overwriteRefused(): void {
    const { writer } = this.#deps.database;
    const version = writer.pragma('user_version', { simple: true });
    try {
      writer.exec(`BEGIN IMMEDIATE; PRAGMA user_version = ${version}; COMMIT`);
    } catch {
      // Written, and not synced either: all the same to a process that starts again.
      if (writer.inTransaction) writer.exec('ROLLBACK');
    }
  }

  #settle(group: readonly Waiting[], recorded: readonly JournalEvent[]): void {
    for (const listener of this.#listeners) listener(recorded);
    for (const [index, event] of recorded.entries()) group[index]?.resolve(event);
  }
}

function asJournalError(error: unknown): JournalError {
  const code = systemCodeOf(error) ?? '';
  if (isDiskFull(error)) {
    return new JournalError('journal.full', 'the disk is full', { cause: error });
  }
  if (code.startsWith('SQLITE_CONSTRAINT') || !code.startsWith('SQLITE_')) {
    return new JournalError('journal.rejected', messageOf(error), { cause: error });
  }
  return new JournalError('journal.io', 'the journal cannot be written', { cause: error });
}
