import type { Statement } from 'better-sqlite3';
import type { JournalEvent, Projection } from '../journal/journal.ts';
import type { Database, Migration } from '../storage/database.ts';
import { sqlTime } from '../storage/sql-time.ts';
import {
  type KnowledgeEvent,
  type KnowledgeStored,
  knowledgeShared,
  knowledgeStored,
} from './events.ts';
import type { Scope } from './rules.ts';

/**
 * Tables and triggers of the reference (storage spec §4.2), so that it can read what we wrote. The
 * index for searches, which version there is, who shared it, and earlier versions are ours.
 */
export const knowledgeMigration: Migration = {
  name: 'knowledge',
  sql: `
    CREATE TABLE knowledge (
      id          INTEGER PRIMARY KEY,
      from_agent  TEXT NOT NULL,
      topic       TEXT NOT NULL,
      content     TEXT NOT NULL,
      shared      INTEGER NOT NULL DEFAULT 0,
      created_at  TEXT NOT NULL DEFAULT (datetime('now')),
      updated_at  TEXT NOT NULL DEFAULT (datetime('now')),
      embedding   BLOB,
      embed_model TEXT,
      embed_dim   INTEGER,
      UNIQUE (from_agent, topic)
    );
    CREATE INDEX idx_knowledge_from_agent ON knowledge(from_agent);
    CREATE INDEX idx_knowledge_updated_at ON knowledge(updated_at);
    CREATE INDEX idx_knowledge_shared ON knowledge(shared) WHERE shared = 1;
    CREATE INDEX idx_knowledge_scope ON knowledge(id, from_agent, shared, updated_at);

    CREATE VIRTUAL TABLE knowledge_fts USING fts5(
      topic, content, content='knowledge', content_rowid='id', tokenize='porter unicode61'
    );
    CREATE TRIGGER knowledge_ai AFTER INSERT ON knowledge BEGIN
      INSERT INTO knowledge_fts (rowid, topic, content) VALUES (new.id, new.topic, new.content);
    END;
    CREATE TRIGGER knowledge_ad AFTER DELETE ON knowledge BEGIN
      INSERT INTO knowledge_fts (knowledge_fts, rowid, topic, content)
      VALUES ('delete', old.id, old.topic, old.content);
    END;
    CREATE TRIGGER knowledge_au AFTER UPDATE ON knowledge BEGIN
      INSERT INTO knowledge_fts (knowledge_fts, rowid, topic, content)
      VALUES ('delete', old.id, old.topic, old.content);
      INSERT INTO knowledge_fts (rowid, topic, content) VALUES (new.id, new.topic, new.content);
    END;

    CREATE TABLE knowledge_state (
      entry_id  INTEGER PRIMARY KEY REFERENCES knowledge(id) ON DELETE CASCADE,
      owner     TEXT NOT NULL,
      /** Journal position of the store that wrote what is there. */
      version   INTEGER NOT NULL UNIQUE,
      shared_by TEXT,
      shared_at TEXT
    ) STRICT;
    CREATE INDEX idx_knowledge_state_owner ON knowledge_state(owner, version);

    CREATE TABLE knowledge_history (
      entry_id   INTEGER NOT NULL REFERENCES knowledge(id) ON DELETE CASCADE,
      version    INTEGER NOT NULL,
      content    TEXT NOT NULL,
      updated_at TEXT NOT NULL,
      PRIMARY KEY (entry_id, version)
    ) STRICT;
  `,
};

/** Earlier versions kept of an entry. */
const maxVersions = 20;

/** What one owner knows on one topic. */
export interface KnowledgeEntry {
  readonly id: number;
  readonly owner: string;
  readonly topic: string;
  readonly content: string;
  readonly shared: boolean;
  /** As in SQLite; no two versions of an entry have the same. */
  readonly updatedAt: string;
}

/** An entry that a search found. */
export interface FoundEntry extends KnowledgeEntry {
  /** BM25: negative, lower is better. */
  readonly score: number;
}

/** Knowledge entries, as tables derived from the journal. */
export class KnowledgeStore implements Projection {
  readonly kinds = [knowledgeStored, knowledgeShared];
  /** The triggers empty the index. */
  readonly tables = ['knowledge', 'knowledge_state', 'knowledge_history'];
  readonly #write: ReturnType<typeof prepareWrites>;
  readonly #read: ReturnType<typeof prepareReads>;

  constructor(database: Database) {
    this.#write = prepareWrites(database);
    this.#read = prepareReads(database);
  }

  apply(events: readonly JournalEvent[]): void {
    for (const event of events as readonly (JournalEvent & KnowledgeEvent)[]) {
      if (event.kind === knowledgeShared) {
        const { id, shared } = event.body;
        this.#write.share.run(shared ? 1 : 0, id);
        this.#noteSharing(id, shared, event);
      } else {
        const id = this.#applyStored(event);
        if (event.body.shared !== undefined) this.#noteSharing(id, event.body.shared, event);
      }
    }
  }

  /** Inserts, or keeps the version before and takes its place. Returns the entry's id. */
  #applyStored({ position, actor, at, body }: JournalEvent & KnowledgeStored): number {
    const { topic, content } = body;
    const shared = body.shared === undefined ? null : Number(body.shared);
    const before = this.#write.find.get(actor, topic) as EntryRow | undefined;
    if (!before) {
      const now = sqlTime(at);
      this.#write.insert.run(position, actor, topic, content, shared ?? 0, now, now);
      this.#write.state.run(position, actor, position);
      return position;
    }
    if (before.content !== content) {
      this.#write.keep.run(before.id);
      this.#write.prune.run(before.id, before.id);
    }
    this.#write.replace.run(content, shared, sqlTime(at), before.id);
    this.#write.version.run(position, before.id);
    return before.id;
  }

  #noteSharing(id: number, shared: boolean, { actor, at }: JournalEvent): void {
    this.#write.sharing.run(shared ? actor : null, shared ? sqlTime(at) : null, id);
  }

  find(owner: string, topic: string): KnowledgeEntry | undefined {
    const row = this.#read.one.get(owner, topic) as EntryRow | undefined;
    return row && fromRow(row);
  }

  has(id: number): boolean {
    return this.#read.exists.get(id) !== undefined;
  }

  /** Entries of an owner. */
  count(owner: string): number {
    return this.#read.count.get(owner) as number;
  }

  /** Everybody's entries, or one owner's, the newest update first. */
  *list(owner: string | undefined): Iterable<KnowledgeEntry> {
    const rows = owner ? this.#read.listOf.iterate(owner) : this.#read.list.iterate();
    for (const row of rows as Iterable<EntryRow>) yield fromRow(row);
  }

  /**
   * Entries in scope that an FTS5 expression matches, the best first; the newer of equals. Throws
   * SQLite's error for what is no expression.
   */
  search(expression: string, { whole, shared }: Scope, limit: number): FoundEntry[] {
    const rows = this.#read.search.all({
      expression,
      whole: JSON.stringify(whole),
      anyShared: shared === 'all' ? 1 : 0,
      shared: JSON.stringify(shared === 'all' ? [] : shared),
      limit,
    });
    return (rows as FoundRow[]).map((row) => ({ ...fromRow(row), score: row.score }));
  }
}

interface EntryRow {
  id: number;
  owner: string;
  topic: string;
  content: string;
  shared: number;
  updatedAt: string;
}

interface FoundRow extends EntryRow {
  score: number;
}

const fromRow = ({ id, owner, topic, content, shared, updatedAt }: EntryRow): KnowledgeEntry => ({
  id,
  owner,
  topic,
  content,
  shared: shared === 1,
  updatedAt,
});

const columns =
  'k.id, k.from_agent AS owner, k.topic, k.content, k.shared, k.updated_at AS updatedAt';
const findByTopic = `SELECT ${columns} FROM knowledge k WHERE from_agent = ? AND topic = ?`;

/**
 * Topic above content. Every match is looked at, so that is done in the covering index, which is
 * small; rows are read only for the few that are left at the end.
 */
const searchSql = `
  SELECT ${columns}, found.score FROM (
    SELECT k.id, k.updated_at, bm25(knowledge_fts, 5, 1) AS score
    FROM knowledge_fts
    JOIN knowledge k INDEXED BY idx_knowledge_scope ON k.id = knowledge_fts.rowid
    WHERE knowledge_fts MATCH @expression AND (
      k.from_agent IN (SELECT value FROM json_each(@whole)) OR k.shared = 1 AND (
        @anyShared = 1 OR k.from_agent IN (SELECT value FROM json_each(@shared))))
    ORDER BY score, k.updated_at DESC, k.id DESC LIMIT @limit
  ) found JOIN knowledge k ON k.id = found.id
  ORDER BY found.score, found.updated_at DESC, found.id DESC`;

function prepareWrites({ writer }: Database) {
  const prepare = (sql: string): Statement => writer.prepare(sql);
  return {
    find: prepare(findByTopic),
    insert: prepare(
      `INSERT INTO knowledge (id, from_agent, topic, content, shared, created_at, updated_at)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
    ),
    // A second later at least, so that if_updated_at can tell any two versions apart.
    replace: prepare(
      `UPDATE knowledge SET content = ?, shared = coalesce(?, shared),
         updated_at = max(?, datetime(updated_at, '+1 second')),
         embedding = NULL, embed_model = NULL, embed_dim = NULL
       WHERE id = ?`,
    ),
    state: prepare('INSERT INTO knowledge_state (entry_id, owner, version) VALUES (?, ?, ?)'),
    version: prepare('UPDATE knowledge_state SET version = ? WHERE entry_id = ?'),
    keep: prepare(
      `INSERT INTO knowledge_history (entry_id, version, content, updated_at)
       SELECT k.id, s.version, k.content, k.updated_at
       FROM knowledge k JOIN knowledge_state s ON s.entry_id = k.id WHERE k.id = ?`,
    ),
    prune: prepare(
      `DELETE FROM knowledge_history WHERE entry_id = ? AND version <= (
         SELECT version FROM knowledge_history WHERE entry_id = ?
         ORDER BY version DESC LIMIT 1 OFFSET ${maxVersions})`,
    ),
    share: prepare('UPDATE knowledge SET shared = ? WHERE id = ?'),
    sharing: prepare('UPDATE knowledge_state SET shared_by = ?, shared_at = ? WHERE entry_id = ?'),
  };
}

function prepareReads({ reader }: Database) {
  const prepare = (sql: string): Statement => reader.prepare(sql);
  const states = `SELECT ${columns} FROM knowledge_state s JOIN knowledge k ON k.id = s.entry_id`;
  // By version and not by time: times are seconds, and may run ahead of the clock.
  const newestFirst = 'ORDER BY s.version DESC';
  return {
    one: prepare(findByTopic),
    exists: prepare('SELECT 1 FROM knowledge WHERE id = ?').pluck(),
    count: prepare('SELECT count(*) FROM knowledge WHERE from_agent = ?').pluck(),
    list: prepare(`${states} ${newestFirst}`),
    listOf: prepare(`${states} WHERE s.owner = ? ${newestFirst}`),
    search: prepare(searchSql),
  };
}
