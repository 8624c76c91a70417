import { chmodSync, existsSync } from 'node:fs';
import SqliteDatabase from 'better-sqlite3';
import { StorageError } from './errors.ts';

export type Connection = SqliteDatabase.Database;

/** One step of the schema. Steps are numbered by their place in the list and never change. */
export interface Migration {
  readonly name: string;
  readonly sql: string;
}

/**
 * The instance's SQLite file: one connection that writes, one that only reads.
 *
 * The reader sees exactly what is committed, also while a write transaction is open.
 */
export class Database {
  readonly writer: Connection;
  readonly reader: Connection;

  constructor(writer: Connection, reader: Connection) {
    this.writer = writer;
    this.reader = reader;
  }

  /** Closes both connections. Safe to call twice. */
  close(): void {
    this.reader.close();
    this.writer.close();
  }
}

/**
 * Opens the file, or a fresh in-memory database for `:memory:`, and brings its schema up to date.
 * Throws `StorageError` when it was written by a newer Nexus.
 */
export function openDatabase(path: string, migrations: readonly Migration[]): Database {
  const writer = new SqliteDatabase(path);
  try {
    if (path !== ':memory:') chmodSync(path, 0o600);
    writer.pragma('journal_mode = WAL');
    // An ack means "on disk", also after a power cut (architecture §2.2).
    writer.pragma('synchronous = FULL');
    writer.pragma('foreign_keys = ON');
    writer.pragma('busy_timeout = 5000');
    migrate(writer, migrations);
    return new Database(writer, path === ':memory:' ? writer : openReader(path));
  } catch (error) {
    writer.close();
    throw error;
  }
}

/** Opens an instance's file to look at it, also while a broker writes. Throws `StorageError`. */
export function openToRead(path: string, migrations: readonly Migration[]): Connection {
  if (!existsSync(path)) {
    throw new StorageError('storage.unusable', `there is no database ${path}; see --data-dir`);
  }
  const reader = openReader(path);
  const written = reader.pragma('user_version', { simple: true }) as number;
  if (written === migrations.length) return reader;
  reader.close();
  const which = written > migrations.length ? 'a newer' : 'an older';
  const code = written > migrations.length ? 'storage.newer' : 'storage.unusable';
  throw new StorageError(code, `${path} was written by ${which} Nexus; start this one on it first`);
}

function openReader(path: string): Connection {
  const reader = new SqliteDatabase(path, { readonly: true });
  reader.pragma('busy_timeout = 5000');
  return reader;
}

/** Applies what is missing, one transaction a step, counted in `user_version`. */
function migrate(db: Connection, migrations: readonly Migration[]): void {
  const applied = db.pragma('user_version', { simple: true }) as number;
  if (applied > migrations.length) {
    throw new StorageError(
      'storage.newer',
      `the database was written by a newer Nexus (schema ${applied}, this one knows ` +
        `${migrations.length}); upgrade Nexus or choose another --data-dir`,
    );
  }
  for (const [index, { sql }] of migrations.entries()) {
    if (index < applied) continue;
    db.transaction(() => {
      db.exec(sql);
      db.pragma(`user_version = ${index + 1}`);
    }).immediate();
  }
}
