import type { Statement } from 'better-sqlite3';
import { nameKey } from '#shared/config/names';
import { type ChatPosted, chatPosted } from '../chat/events.ts';
import { operatorName } from '../credentials/identity.ts';
import type { JournalEvent, Projection } from '../journal/journal.ts';
import type { Database, Migration } from '../storage/database.ts';
import { fromSqlTime, sqlTime } from '../storage/sql-time.ts';
import {
  type FileDeleted,
  type FileFacts,
  type FileShared,
  type FileStored,
  fileDeleted,
  fileShared,
  fileStored,
} from './events.ts';
import type { StoredFile } from './stored-file.ts';

/** What a file takes of a quota at least: also an empty one costs a block on the disk. */
export const blockBytes = 4_096;

/** The reference's table (storage spec §4.1); what follows `created_at` is ours. */
export const fileMigration: Migration = {
  name: 'files',
  sql: `
    CREATE TABLE shared_files (
      id              INTEGER PRIMARY KEY,
      path            TEXT NOT NULL,
      description     TEXT,
      shared_by       TEXT NOT NULL,
      announce_msg_id INTEGER REFERENCES chat_messages(id) ON DELETE SET NULL,
      recipients_json TEXT,
      created_at      TEXT NOT NULL DEFAULT (datetime('now')),
      mime_type       TEXT,
      sha256          TEXT,
      size            INTEGER,
      blob            TEXT UNIQUE
    );
    CREATE INDEX idx_shared_files_shared_by ON shared_files(shared_by);
    CREATE INDEX idx_shared_files_announce_msg_id ON shared_files(announce_msg_id);
    CREATE INDEX idx_shared_files_usage ON shared_files(lower(shared_by), size)
      WHERE size IS NOT NULL;

    -- Who may see which file, so that a page costs what it holds. '*' is everybody.
    CREATE TABLE shared_file_readers (
      reader  TEXT NOT NULL,
      owner   TEXT NOT NULL,
      file_id INTEGER NOT NULL,
      PRIMARY KEY (reader, owner, file_id)
    ) STRICT, WITHOUT ROWID;
    CREATE UNIQUE INDEX idx_shared_file_readers_file ON shared_file_readers(reader, file_id);
  `,
};

/** A page of what `reader` may see. */
export interface FileQuery {
  readonly reader: string;
  readonly owner?: string | undefined;
  /** Exclusive. */
  readonly before?: number | undefined;
  readonly limit: number;
}

interface Row {
  id: number;
  path: string;
  description: string | null;
  owner: string;
  recipients: string | null;
  createdAt: string;
  mimeType: string | null;
  sha256: string | null;
  size: number | null;
  blob: string | null;
}

const everybody = '*';

/** Announced and shared files, as tables derived from the journal. */
export class FileStore implements Projection {
  readonly kinds = [chatPosted, fileShared, fileStored, fileDeleted];
  readonly tables = ['shared_files', 'shared_file_readers'];
  readonly #write: ReturnType<typeof prepareWrites>;
  readonly #read: ReturnType<typeof prepareReads>;

  constructor(database: Database) {
    this.#write = prepareWrites(database);
    this.#read = prepareReads(database);
  }

  apply(events: readonly JournalEvent[]): void {
    type Wanted = JournalEvent & (ChatPosted | FileShared | FileStored | FileDeleted);
    for (const event of events as readonly Wanted[]) {
      if (event.kind === chatPosted) {
        const { file, content } = event.body;
        if (file) this.#insert(event, file, content);
      } else if (event.kind === fileShared) {
        this.#insert(event, event.body, event.body.description, event.body.recipients);
      } else if (event.kind === fileStored) {
        const { fileId, content } = event.body;
        this.#write.content.run(content.blob, content.size, content.sha256, fileId);
      } else {
        this.#delete(event.body.fileId);
      }
    }
  }

  #insert(
    { position, actor, at }: JournalEvent,
    { path, mimeType, sha256, content }: FileFacts,
    description?: string,
    recipients?: readonly string[],
  ): void {
    this.#write.file.run({
      id: position,
      path,
      description: description ?? null,
      owner: actor,
      message: recipients ? null : position,
      recipients: recipients ? JSON.stringify(recipients) : null,
      createdAt: sqlTime(at),
      mimeType: mimeType ?? null,
      sha256: content?.sha256 ?? sha256 ?? null,
      size: content?.size ?? null,
      blob: content?.blob ?? null,
    });
    for (const reader of readersOf(actor, recipients)) {
      this.#write.reader.run(reader, nameKey(actor), position);
    }
  }

  #delete(id: number): void {
    const row = this.#write.one.get(id) as Row | undefined;
    if (!row) return;
    const { owner, recipients } = fromRow(row);
    for (const reader of readersOf(owner, recipients)) {
      this.#write.unread.run(reader, nameKey(owner), id);
    }
    this.#write.remove.run(id);
  }

  /** A file, whoever may see it. */
  find(id: number): StoredFile | undefined {
    const row = this.#read.one.get(id) as Row | undefined;
    return row && fromRow(row);
  }

  /** A file, if this name may see it: its owner, its recipients, the operator. */
  findFor(reader: string, id: number): StoredFile | undefined {
    return this.#read.mayRead.get(nameKey(reader), id) ? this.find(id) : undefined;
  }

  /** Newest first. */
  list({ reader, owner, before, limit }: FileQuery): StoredFile[] {
    const rows = this.#read[owner ? 'pageOfOwner' : 'page'].all({
      reader: nameKey(reader),
      owner: owner ? nameKey(owner) : null,
      before: before || Number.MAX_SAFE_INTEGER,
      limit,
    }) as Row[];
    return rows.map(fromRow);
  }

  /** Bytes that count towards the quotas: of one owner, and of all. */
  usage(owner: string): { owner: number; total: number } {
    return this.#read.usage.get(nameKey(owner)) as { owner: number; total: number };
  }
}

function readersOf(owner: string, recipients: readonly string[] | undefined): Set<string> {
  if (!recipients) return new Set([everybody]);
  return new Set([owner, operatorName, ...recipients].map(nameKey));
}

const columns = `
  f.id, f.path, f.description, f.shared_by AS owner, f.recipients_json AS recipients,
  f.created_at AS createdAt, f.mime_type AS mimeType, f.sha256, f.size, f.blob`;

function prepareWrites({ writer }: Database) {
  const prepare = (sql: string): Statement => writer.prepare(sql);
  return {
    file: prepare(
      `INSERT INTO shared_files (id, path, description, shared_by, announce_msg_id,
         recipients_json, created_at, mime_type, sha256, size, blob)
       VALUES (@id, @path, @description, @owner, @message,
         @recipients, @createdAt, @mimeType, @sha256, @size, @blob)`,
    ),
    reader: prepare('INSERT INTO shared_file_readers (reader, owner, file_id) VALUES (?, ?, ?)'),
    content: prepare('UPDATE shared_files SET blob = ?, size = ?, sha256 = ? WHERE id = ?'),
    one: prepare(`SELECT ${columns} FROM shared_files f WHERE f.id = ?`),
    unread: prepare(
      'DELETE FROM shared_file_readers WHERE reader = ? AND owner = ? AND file_id = ?',
    ),
    remove: prepare('DELETE FROM shared_files WHERE id = ?'),
  };
}

function prepareReads({ reader }: Database) {
  const prepare = (sql: string): Statement => reader.prepare(sql);
  // Each half ends after a page, so a page never costs more than two of them.
  const half = (who: string, also: string) => `
    SELECT * FROM (SELECT file_id FROM shared_file_readers
      WHERE reader = ${who} AND file_id < @before ${also} ORDER BY file_id DESC LIMIT @limit)`;
  const page = (also: string) => `
    SELECT ${columns} FROM shared_files f
    WHERE f.id IN (${half(`'${everybody}'`, also)} UNION ALL ${half('@reader', also)})
    ORDER BY f.id DESC LIMIT @limit`;
  const sum = `SELECT coalesce(sum(max(size, ${blockBytes})), 0) FROM shared_files WHERE size IS NOT NULL`;
  return {
    one: prepare(`SELECT ${columns} FROM shared_files f WHERE f.id = ?`),
    mayRead: prepare(
      `SELECT 1 FROM shared_file_readers WHERE reader IN ('${everybody}', ?) AND file_id = ?`,
    ).pluck(),
    page: prepare(page('')),
    pageOfOwner: prepare(page('AND owner = @owner')),
    usage: prepare(`SELECT (${sum} AND lower(shared_by) = ?) AS owner, (${sum}) AS total`),
  };
}

function fromRow(row: Row): StoredFile {
  const { recipients, description, mimeType, sha256, size, blob, createdAt, ...rest } = row;
  return {
    ...rest,
    createdAt: fromSqlTime(createdAt),
    description: description ?? undefined,
    recipients: recipients === null ? undefined : (JSON.parse(recipients) as string[]),
    mimeType: mimeType ?? undefined,
    sha256: sha256 ?? undefined,
    content: blob && sha256 && size !== null ? { blob, size, sha256 } : undefined,
  };
}
