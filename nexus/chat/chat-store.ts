import type { Statement } from 'better-sqlite3';
import type { JournalEvent, Projection } from '../journal/journal.ts';
import { BulkInsert } from '../storage/bulk-insert.ts';
import type { Database, Migration } from '../storage/database.ts';
import { fromSqlTime, sqlTime } from '../storage/sql-time.ts';
import {
  type ChatEvent,
  type ChatPosted,
  type ChatReacted,
  chatPosted,
  chatReacted,
} from './events.ts';
import type { ChatMessage } from './message.ts';

/** Columns and names of the reference (storage spec §4.1); `topic` and the keys are ours. */
export const chatMigration: Migration = {
  name: 'chat',
  sql: `
    CREATE TABLE chat_messages (
      id                 INTEGER PRIMARY KEY,
      thread_id          TEXT,
      from_agent         TEXT NOT NULL,
      content            TEXT NOT NULL,
      reply_to           INTEGER REFERENCES chat_messages(id) ON DELETE SET NULL,
      parent_msg_id      INTEGER,
      thread_root_msg_id INTEGER,
      kind               TEXT NOT NULL DEFAULT 'chat',
      created_at         TEXT NOT NULL DEFAULT (datetime('now')),
      topic              TEXT
    );
    CREATE INDEX idx_chat_messages_reply_to ON chat_messages(reply_to) WHERE reply_to IS NOT NULL;
    CREATE INDEX idx_chat_messages_thread_root ON chat_messages(thread_root_msg_id)
      WHERE reply_to IS NOT NULL;

    CREATE TABLE chat_reactions (
      id         INTEGER PRIMARY KEY,
      msg_id     INTEGER NOT NULL REFERENCES chat_messages(id) ON DELETE CASCADE,
      reactor    TEXT NOT NULL,
      emoji      TEXT NOT NULL,
      created_at TEXT NOT NULL DEFAULT (datetime('now')),
      UNIQUE (msg_id, reactor, emoji)
    );

    CREATE TABLE chat_send_keys (
      sender TEXT NOT NULL,
      key    TEXT NOT NULL,
      msg_id INTEGER NOT NULL,
      PRIMARY KEY (sender, key)
    ) STRICT, WITHOUT ROWID;
  `,
};

/** The path of the file that a message announces. */
export const announcedFileMigration: Migration = {
  name: 'announced files',
  sql: 'ALTER TABLE chat_messages ADD COLUMN file_path TEXT;',
};

export interface Reaction {
  readonly aspect: string;
  readonly emoji: string;
}

/** What a list asks for: at most one of the two bounds, both exclusive. */
export interface PageQuery {
  readonly after?: number | undefined;
  readonly before?: number | undefined;
  readonly limit: number;
}

interface Row {
  id: number;
  from: string;
  content: string;
  threadRoot: number | null;
  replyTo: number | null;
  replyAuthor: string | null;
  topic: string | null;
  filePath: string | null;
  createdAt: string;
  replyCount?: number;
}

const messageColumns = [
  'id',
  'from_agent',
  'content',
  'reply_to',
  'parent_msg_id',
  'thread_root_msg_id',
  'created_at',
  'topic',
  'file_path',
];

const columns = `
  m.id, m.from_agent AS "from", m.content, m.thread_root_msg_id AS threadRoot,
  m.reply_to AS replyTo, r.from_agent AS replyAuthor, m.topic, m.file_path AS filePath,
  m.created_at AS createdAt`;
const source = 'FROM chat_messages m LEFT JOIN chat_messages r ON r.id = m.reply_to';

/** UNION, not UNION ALL: a cycle in imported rows must end. */
const descendants = (root: string) => `
  WITH RECURSIVE tree(id) AS (
    SELECT ${root} UNION SELECT c.id FROM chat_messages c JOIN tree t ON c.reply_to = t.id)`;

/** Chat messages and reactions, as tables derived from the journal. */
export class ChatStore implements Projection {
  readonly kinds = [chatPosted, chatReacted];
  readonly tables = ['chat_messages', 'chat_reactions', 'chat_send_keys'];
  readonly #write: ReturnType<typeof prepareWrites>;
  readonly #read: ReturnType<typeof prepareReads>;

  constructor(database: Database) {
    this.#write = prepareWrites(database);
    this.#read = prepareReads(database);
  }

  /** Messages are inserted together, as far as nothing between them needs them to be there. */
  apply(events: readonly JournalEvent[]): void {
    let rows: unknown[][] = [];
    const insertRows = () => {
      this.#write.messages.run(rows);
      rows = [];
    };
    for (const event of events as readonly (JournalEvent & ChatEvent)[]) {
      if (event.kind === chatReacted) {
        insertRows();
        this.#applyReacted(event, event.body);
      } else {
        if (event.body.threadRoot) insertRows();
        rows.push(this.#rowOf(event, event.body));
        if (event.body.key) this.#write.key.run(event.actor, event.body.key, event.position);
      }
    }
    insertRows();
  }

  #rowOf({ position, actor, at }: JournalEvent, body: ChatPosted['body']): unknown[] {
    const root = body.threadRoot ?? position;
    // The newest message of the thread, so that racing replies form a chain and not a fork (§4.2).
    const parent = body.threadRoot ? (this.#write.newestReply.get(root) ?? root) : null;
    const { replyTo = null, topic = null, file } = body;
    const path = file?.path ?? null;
    return [position, actor, body.content, replyTo, parent, root, sqlTime(at), topic, path];
  }

  #applyReacted(event: JournalEvent, body: ChatReacted['body']) {
    this.#write.clearReaction.run(body.msgId, event.actor);
    if (body.op === 'removed') return;
    this.#write.reaction.run(body.msgId, event.actor, body.emoji, sqlTime(event.at));
  }

  find(id: number): ChatMessage | undefined {
    return fromRow(this.#read.one.get(id) as Row | undefined);
  }

  /** The id of the newest message; 0 when there is none. */
  newestId(): number {
    return this.#read.newest.get() as number;
  }

  /** The message that a sender posted under an idempotency key. */
  findByKey(sender: string, key: string): ChatMessage | undefined {
    const id = this.#read.byKey.get(sender, key) as number | undefined;
    return id === undefined ? undefined : this.find(id);
  }

  /** Messages above an id, oldest first, each read when it is asked for. Write nothing meanwhile. */
  *since(id: number): IterableIterator<ChatMessage> {
    for (const row of this.#read.since.iterate(id)) {
      const message = fromRow(row as Row);
      if (message) yield message;
    }
  }

  /** A message and everything below it, with ids above `sinceId`, ascending. */
  subtree(rootId: number, sinceId: number, limit: number): ChatMessage[] {
    return fromRows(this.#read.subtree.all(rootId, sinceId, limit));
  }

  /** A page in ascending order, and whether more lies beyond it in the direction it was read. */
  page({ after, before, limit }: PageQuery): { messages: ChatMessage[]; hasMore: boolean } {
    const rows =
      after === undefined
        ? this.#read.newestBelow.all(before ?? Number.MAX_SAFE_INTEGER, limit + 1)
        : this.#read.oldestAbove.all(after, limit + 1);
    const messages = fromRows(rows.slice(0, limit));
    if (after === undefined) messages.reverse();
    return { messages, hasMore: rows.length > limit };
  }

  /** The reactions to many messages, by message id; those without any are left out. */
  reactionsToAll(msgIds: readonly number[]): Map<number, Reaction[]> {
    const rows = this.#read.reactionsToAll.all(JSON.stringify(msgIds)) as (Reaction & {
      msgId: number;
    })[];
    const byMessage = Map.groupBy(rows, ({ msgId }) => msgId);
    const plain = ({ aspect, emoji }: Reaction): Reaction => ({ aspect, emoji });
    return new Map([...byMessage].map(([msgId, of]) => [msgId, of.map(plain)]));
  }

  reactionsTo(msgId: number): Reaction[] {
    return this.#read.reactions.all(msgId) as Reaction[];
  }
}

function prepareWrites({ writer }: Database) {
  const prepare = (sql: string): Statement => writer.prepare(sql);
  return {
    messages: new BulkInsert(writer, 'chat_messages', messageColumns),
    newestReply: prepare(
      `SELECT max(id) FROM chat_messages
       WHERE thread_root_msg_id = ? AND reply_to IS NOT NULL`,
    ).pluck(),
    key: prepare('INSERT INTO chat_send_keys (sender, key, msg_id) VALUES (?, ?, ?)'),
    clearReaction: prepare('DELETE FROM chat_reactions WHERE msg_id = ? AND reactor = ?'),
    reaction: prepare(
      'INSERT INTO chat_reactions (msg_id, reactor, emoji, created_at) VALUES (?, ?, ?, ?)',
    ),
  };
}

function prepareReads({ reader }: Database) {
  const prepare = (sql: string): Statement => reader.prepare(sql);
  const counted = `SELECT ${columns}, (${descendants('m.id')} SELECT count(*) - 1 FROM tree) AS replyCount ${source}`;
  return {
    one: prepare(`SELECT ${columns} ${source} WHERE m.id = ?`),
    newest: prepare('SELECT coalesce(max(id), 0) FROM chat_messages').pluck(),
    byKey: prepare('SELECT msg_id FROM chat_send_keys WHERE sender = ? AND key = ?').pluck(),
    since: prepare(`SELECT ${columns} ${source} WHERE m.id > ? ORDER BY m.id`),
    subtree: prepare(
      `${descendants('?')} SELECT ${columns} ${source}
       WHERE m.id IN (SELECT id FROM tree) AND m.id > ? ORDER BY m.id LIMIT ?`,
    ),
    oldestAbove: prepare(`${counted} WHERE m.id > ? ORDER BY m.id LIMIT ?`),
    newestBelow: prepare(`${counted} WHERE m.id < ? ORDER BY m.id DESC LIMIT ?`),
    reactionsToAll: prepare(
      `SELECT msg_id AS msgId, reactor AS aspect, emoji FROM chat_reactions
       WHERE msg_id IN (SELECT value FROM json_each(?)) ORDER BY msg_id, id`,
    ),
    reactions: prepare(
      'SELECT reactor AS aspect, emoji FROM chat_reactions WHERE msg_id = ? ORDER BY id',
    ),
  };
}

const fromRows = (rows: unknown[]): ChatMessage[] =>
  (rows as Row[]).flatMap((row) => fromRow(row) ?? []);

function fromRow(row: Row | undefined): ChatMessage | undefined {
  if (!row) return undefined;
  const { createdAt, threadRoot, replyTo, replyAuthor, topic, filePath, ...rest } = row;
  return {
    ...rest,
    threadRoot: threadRoot ?? row.id,
    replyTo: replyTo ?? undefined,
    replyAuthor: replyAuthor ?? undefined,
    topic: topic ?? undefined,
    filePath: filePath ?? undefined,
    receivedAt: fromSqlTime(createdAt),
  };
}
