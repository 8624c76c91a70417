import type { Statement } from 'better-sqlite3';
import type { SessionEntryRow, SessionMoveRow, SessionRow } from '#shared/frames/session';
import type { JournalEvent, Projection } from '../journal/journal.ts';
import type { Database, Migration } from '../storage/database.ts';
import { fromSqlTime, sqlTime } from '../storage/sql-time.ts';
import {
  type SessionEntryMirrored,
  type SessionEvent,
  type SessionHeadMoved,
  type SessionsPruned,
  sessionEntryMirrored,
  sessionHeadMoved,
  sessionsPruned,
} from './events.ts';

/** `session_projection` is the reference's (storage spec §4.3); heads and their moves are ours. */
export const sessionMigration: Migration = {
  name: 'session mirror',
  sql: `
    CREATE TABLE session_projection (
      id          INTEGER PRIMARY KEY,
      aspect      TEXT NOT NULL,
      session_id  TEXT NOT NULL,
      entry_id    TEXT NOT NULL,
      parent_id   TEXT,
      entry_kind  TEXT NOT NULL,
      entry_ts    TEXT NOT NULL,
      payload     TEXT,
      received_at TEXT NOT NULL DEFAULT (datetime('now')),
      UNIQUE (aspect, session_id, entry_id)
    );
    CREATE INDEX idx_session_projection_session ON session_projection(aspect, session_id);
    CREATE INDEX idx_session_projection_received ON session_projection(received_at);
    CREATE INDEX idx_session_projection_parent ON session_projection(aspect, session_id, parent_id)
      WHERE parent_id IS NOT NULL;

    CREATE TABLE session_heads (
      aspect     TEXT NOT NULL,
      session_id TEXT NOT NULL,
      head_id    TEXT NOT NULL,
      entries    INTEGER NOT NULL,
      last_at    TEXT NOT NULL,
      seq        INTEGER NOT NULL,
      PRIMARY KEY (aspect, session_id)
    ) STRICT, WITHOUT ROWID;
    CREATE UNIQUE INDEX idx_session_heads_seq ON session_heads(seq);
    CREATE INDEX idx_session_heads_aspect ON session_heads(aspect, seq);

    CREATE TABLE session_head_moves (
      id          INTEGER PRIMARY KEY,
      aspect      TEXT NOT NULL,
      session_id  TEXT NOT NULL,
      op          TEXT NOT NULL,
      head_id     TEXT NOT NULL,
      from_id     TEXT NOT NULL,
      received_at TEXT NOT NULL
    ) STRICT;
    CREATE INDEX idx_session_head_moves_session ON session_head_moves(aspect, session_id);
  `,
};

/** One mirrored session. */
export interface SessionKey {
  readonly aspect: string;
  readonly sessionId: string;
}

interface EntryRow {
  readonly seq: number;
  readonly entry_id: string;
  readonly parent_id: string | null;
  readonly entry_kind: string;
  readonly ts: string;
  readonly payload: string | null;
  readonly received_at: string;
}

/** The mirror of the aspects' sessions, as tables derived from the journal. */
export class SessionStore implements Projection {
  readonly kinds = [sessionEntryMirrored, sessionHeadMoved, sessionsPruned];
  readonly tables = ['session_projection', 'session_heads', 'session_head_moves'];
  readonly #write: ReturnType<typeof prepareWrites>;
  readonly #read: ReturnType<typeof prepareReads>;

  constructor(database: Database) {
    this.#write = prepareWrites(database);
    this.#read = prepareReads(database);
  }

  apply(events: readonly JournalEvent[]): void {
    for (const event of events as readonly (JournalEvent & SessionEvent)[]) {
      if (event.kind === sessionEntryMirrored) this.#applyEntry(event);
      else if (event.kind === sessionHeadMoved) this.#applyMove(event);
      else this.#applyPruned(event);
    }
  }

  #applyEntry({ position, at, actor, body }: JournalEvent & SessionEntryMirrored): void {
    const { sessionId, entryId, parentId = null, entryKind, entryTs, payload } = body;
    const now = sqlTime(at);
    const json = payload === undefined ? null : JSON.stringify(payload);
    const ts = entryTs || fromSqlTime(now);
    const { changes } = this.#write.entry.run(
      ...[position, actor, sessionId, entryId, parentId, entryKind, ts, json, now],
    );
    if (changes === 0) return;
    // An entry that comes late, behind its own child, does not move the head back.
    const isLeaf = this.#write.child.get(actor, sessionId, entryId) === undefined;
    const advance = isLeaf ? this.#write.advance : this.#write.count;
    advance.run(actor, sessionId, entryId, 1, now, position);
  }

  #applyMove({ position, at, actor, body }: JournalEvent & SessionHeadMoved): void {
    const { sessionId, op, headId, fromId } = body;
    const now = sqlTime(at);
    this.#write.move.run(position, actor, sessionId, op, headId, fromId, now);
    this.#write.advance.run(actor, sessionId, headId, 0, now, position);
  }

  #applyPruned({ body: { before, upTo } }: JournalEvent & SessionsPruned): void {
    for (const statement of this.#write.prune) statement.run({ before, upTo });
  }

  has({ aspect, sessionId }: SessionKey, entryId: string): boolean {
    return this.#read.has.get(aspect, sessionId, entryId) !== undefined;
  }

  /** The entry that a session goes on from, if the session is mirrored. */
  headOf({ aspect, sessionId }: SessionKey): string | undefined {
    return this.#read.head.get(aspect, sessionId) as string | undefined;
  }

  /** Sessions of one aspect or of all, changed before `seq`, the last changed first. */
  *sessions(aspect: string | undefined, seq = Number.MAX_SAFE_INTEGER): Iterable<SessionRow> {
    const rows =
      aspect === undefined
        ? this.#read.sessions.iterate(seq)
        : this.#read.sessionsOf.iterate(aspect, seq);
    for (const row of rows as Iterable<SessionRow>) {
      yield { ...row, last_at: fromSqlTime(row.last_at) };
    }
  }

  /** Entries of a session above `after`. Read as far as they are taken: payloads may be large. */
  *entries({ aspect, sessionId }: SessionKey, after: number): Iterable<SessionEntryRow> {
    const rows = this.#read.entries.iterate(aspect, sessionId, after) as Iterable<EntryRow>;
    for (const { parent_id, payload, received_at, ...row } of rows) {
      yield {
        ...row,
        ...(parent_id !== null && { parent_id }),
        ...(payload !== null && { payload: JSON.parse(payload) as unknown }),
        received_at: fromSqlTime(received_at),
      };
    }
  }

  /** Head moves of a session above `after`. */
  *moves({ aspect, sessionId }: SessionKey, after: number): Iterable<SessionMoveRow> {
    const rows = this.#read.moves.iterate(aspect, sessionId, after) as Iterable<SessionMoveRow>;
    for (const row of rows) yield { ...row, received_at: fromSqlTime(row.received_at) };
  }

  /** The position up to which rows from before a time can go, about `limit` at a time. */
  findPrunable(before: string, limit: number): number | undefined {
    const upTo = this.#read.oldEntries.get(before, limit) ?? this.#read.oldMoves.get(before, limit);
    return (upTo as number | null) ?? undefined;
  }
}

function prepareWrites({ writer }: Database) {
  const prepare = (sql: string): Statement => writer.prepare(sql);
  const upsert = (head: string) =>
    prepare(
      `INSERT INTO session_heads (aspect, session_id, head_id, entries, last_at, seq)
       VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (aspect, session_id) DO UPDATE SET head_id = ${head},
         entries = session_heads.entries + excluded.entries,
         last_at = excluded.last_at, seq = excluded.seq`,
    );
  const old = 'id <= @upTo AND received_at < @before';
  return {
    entry: prepare(
      `INSERT OR IGNORE INTO session_projection
         (id, aspect, session_id, entry_id, parent_id, entry_kind, entry_ts, payload, received_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    child: prepare(
      `SELECT 1 FROM session_projection
       WHERE aspect = ? AND session_id = ? AND parent_id = ? LIMIT 1`,
    ),
    advance: upsert('excluded.head_id'),
    count: upsert('session_heads.head_id'),
    move: prepare(
      `INSERT INTO session_head_moves (id, aspect, session_id, op, head_id, from_id, received_at)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
    ),
    prune: [
      // By the index on time: grouping tempts SQLite to walk the whole mirror for a few old rows.
      prepare(
        `UPDATE session_heads SET entries = entries - gone.n
         FROM (SELECT aspect, session_id, count(*) AS n
               FROM session_projection INDEXED BY idx_session_projection_received
               WHERE ${old} GROUP BY aspect, session_id) AS gone
         WHERE session_heads.aspect = gone.aspect AND session_heads.session_id = gone.session_id`,
      ),
      prepare(`DELETE FROM session_projection WHERE ${old}`),
      prepare(`DELETE FROM session_head_moves WHERE ${old}`),
      prepare('DELETE FROM session_heads WHERE entries = 0 AND seq <= @upTo AND last_at < @before'),
    ],
  };
}

function prepareReads({ reader }: Database) {
  const prepare = (sql: string): Statement => reader.prepare(sql);
  const session = 'SELECT aspect, session_id, head_id, entries, last_at, seq FROM session_heads';
  const ofSession = 'WHERE aspect = ? AND session_id = ? AND id > ? ORDER BY id';
  const oldIds = (table: string) =>
    prepare(
      `SELECT max(id) FROM (SELECT id FROM ${table}
       WHERE received_at < ? ORDER BY received_at, id LIMIT ?)`,
    ).pluck();
  return {
    has: prepare(
      `SELECT 1 FROM session_projection WHERE aspect = ? AND session_id = ? AND entry_id = ?`,
    ),
    head: prepare('SELECT head_id FROM session_heads WHERE aspect = ? AND session_id = ?').pluck(),
    sessions: prepare(`${session} WHERE seq < ? ORDER BY seq DESC`),
    sessionsOf: prepare(`${session} WHERE aspect = ? AND seq < ? ORDER BY seq DESC`),
    entries: prepare(
      `SELECT id AS seq, entry_id, parent_id, entry_kind, entry_ts AS ts, payload, received_at
       FROM session_projection ${ofSession}`,
    ),
    moves: prepare(
      `SELECT id AS seq, op, head_id, from_id, received_at FROM session_head_moves ${ofSession}`,
    ),
    oldEntries: oldIds('session_projection'),
    oldMoves: oldIds('session_head_moves'),
  };
}
