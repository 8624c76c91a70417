import type { Clock } from '#shared/sys/clock';
import type { Log } from '#shared/sys/log';
import type { Journal } from '../journal/journal.ts';
import type { Database, Migration } from '../storage/database.ts';
import { type Head, type SignedHead, signHead } from './signed-head.ts';

export const headsMigration: Migration = {
  name: 'signed heads of the journal',
  sql: `
    CREATE TABLE journal_heads (
      position  INTEGER PRIMARY KEY,
      hash      TEXT NOT NULL,
      at        INTEGER NOT NULL,
      signature TEXT NOT NULL
    ) STRICT;
  `,
};

/** A head covers everything below it, so one a second vouches for every commit of that second. */
const signEveryMs = 1_000;

/** Signatures kept: the newest covers everything, older ones serve those who noted them. */
const maxHeads = 1_000;

export interface HeadSignerDeps {
  readonly database: Database;
  readonly journal: Journal & { readonly chainHead: Head };
  readonly instance: {
    readonly nexusId: string;
    readonly seed: Buffer;
    readonly publicKey: Buffer;
  };
  readonly clock: Clock;
  readonly log: Log;
}

/** Signs where the journal stands, soon after it moved, so that others can check what we export. */
export class HeadSigner {
  readonly #deps: HeadSignerDeps;
  readonly #stopListening: () => void;
  #cancelTimer: (() => void) | undefined;
  #signed = 0;

  constructor(deps: HeadSignerDeps) {
    this.#deps = deps;
    this.#signed = newestSignedHead(deps.database)?.position ?? 0;
    this.#stopListening = deps.journal.onCommit(() => this.#schedule());
    // What a crash left unsigned.
    this.#schedule();
  }

  /** Signs the last head. Safe to call twice. */
  close(): void {
    this.#stopListening();
    this.#cancelTimer?.();
    this.#sign();
  }

  #schedule(): void {
    this.#cancelTimer ??= this.#deps.clock.after(signEveryMs, () => {
      this.#cancelTimer = undefined;
      this.#sign();
    });
  }

  #sign(): void {
    const { journal, clock, instance, database, log } = this.#deps;
    const head = journal.chainHead;
    if (head.position === this.#signed) return;
    try {
      const signed = signHead({ ...head, at: clock.now() }, instance);
      database.writer
        .prepare('INSERT INTO journal_heads (position, hash, at, signature) VALUES (?, ?, ?, ?)')
        .run(signed.position, signed.hash, signed.at, signed.signature);
      database.writer
        .prepare(
          `DELETE FROM journal_heads WHERE position <= (
             SELECT position FROM journal_heads ORDER BY position DESC LIMIT 1 OFFSET ?)`,
        )
        .run(maxHeads);
      this.#signed = head.position;
    } catch (error) {
      // A full disk says so elsewhere too; the next commit tries again.
      log.warn({ err: error }, 'the journal’s head could not be signed');
    }
  }
}

/** The newest head that was signed. */
export function newestSignedHead({ reader }: Pick<Database, 'reader'>): SignedHead | undefined {
  return reader
    .prepare(
      'SELECT position, hash, at, signature FROM journal_heads ORDER BY position DESC LIMIT 1',
    )
    .get() as SignedHead | undefined;
}
