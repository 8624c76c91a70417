import { chmodSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { systemCodeOf } from '#shared/errors';
import { makeFolder } from '#shared/sys/folders';
import { storageFailure } from './disk-failure.ts';
import { StorageError } from './errors.ts';

/** The instance's folder, locked for this process. Everything an instance keeps is in it. */
export class DataDir {
  readonly path: string;
  readonly #lock: SqliteDatabase.Database;

  private constructor(path: string, lock: SqliteDatabase.Database) {
    this.path = path;
    this.#lock = lock;
  }

  /**
   * Creates the folder if need be (mode 0700) and locks it. Throws `StorageError` when it cannot
   * be written or when another broker has it.
   *
   * The lock is an exclusive SQLite transaction on a file of its own: the operating system frees
   * it when the process ends, however it ends, so there are no stale locks to recover from.
   */
  static open(folder: string): DataDir {
    const path = resolve(folder);
    try {
      makeFolder(path);
      if (!statSync(path).isDirectory()) throw new Error('it is not a folder');
      return new DataDir(path, lockFile(join(path, 'lock')));
    } catch (cause) {
      if (systemCodeOf(cause) === 'SQLITE_BUSY') {
        throw new StorageError(
          'storage.locked',
          `another broker is using ${path}; stop it, or choose another --data-dir`,
          { cause },
        );
      }
      throw storageFailure(cause, path);
    }
  }

  /** Path of a file in the folder. `name` is ours, never from outside. */
  file(name: string): string {
    return join(this.path, name);
  }

  /** Gives the lock back. Safe to call twice. */
  close(): void {
    this.#lock.close();
  }
}

function lockFile(path: string): SqliteDatabase.Database {
  const lock = new SqliteDatabase(path, { timeout: 0 });
  try {
    // SQLite gives its journal beside it the same mode.
    chmodSync(path, 0o600);
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock.close();
    throw error;
  }
}
