import type { Database } from '../storage/database.ts';
import { JournalError } from './errors.ts';
import { type ChainedRow, chainHash, genesisHash } from './hash-chain.ts';
import { type JournalEvent, type Projection, project } from './journal.ts';

/** Events read at a time, so that a long journal needs no more memory than a short one. */
const pageSize = 1_000;

const columns = 'position, at, kind, actor, body, hash';

/** Walks the stored chain from the start. Throws `JournalError` at the first row that breaks it. */
export function verifyChain(database: Database): { events: number; head: string } {
  const rows = database.reader
    .prepare(`SELECT ${columns} FROM journal ORDER BY position`)
    .iterate() as Iterable<ChainedRow & { hash: string }>;
  let events = 0;
  let head = genesisHash;
  for (const row of rows) {
    head = chainHash(head, row);
    events += 1;
    if (row.position !== events || row.hash !== head) {
      throw new JournalError('journal.broken', `the journal was altered at position ${events}`);
    }
  }
  return { events, head };
}

/** Empties every projection and applies the whole journal again, in one transaction. */
export function rebuildProjections(database: Database, projections: readonly Projection[]): void {
  const { writer } = database;
  writer
    .transaction(() => {
      writer.pragma('defer_foreign_keys = ON');
      for (const table of projections.flatMap((projection) => [...projection.tables].reverse())) {
        writer.exec(`DELETE FROM ${table}`);
      }
      for (const events of storedPages(database)) project(events, projections);
    })
    .immediate();
}

/** Page by page: better-sqlite3 refuses writes on a connection that is stepping a query. */
function* storedPages({ writer }: Database): Iterable<JournalEvent[]> {
  const page = writer.prepare(
    'SELECT position, at, kind, actor, body FROM journal WHERE position > ? ORDER BY position LIMIT ?',
  );
  for (let above = 0; ; ) {
    const rows = page.all(above, pageSize) as ChainedRow[];
    yield rows.map((row) => ({ ...row, body: JSON.parse(row.body) as object }));
    const last = rows.at(-1);
    if (!last || rows.length < pageSize) return;
    above = last.position;
  }
}
