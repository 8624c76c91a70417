import { messageOf, rootCodeOf, rootOf } from '#shared/errors';
import { StorageError } from './errors.ts';

/** SQLite maps its index into memory, and says so when that file cannot grow. */
const full: ReadonlySet<string> = new Set([
  'ENOSPC',
  'EDQUOT',
  'SQLITE_FULL',
  'SQLITE_IOERR_SHMSIZE',
]);
const failing: ReadonlySet<string> = new Set(['EACCES', 'EFBIG', 'EIO', 'EPERM', 'EROFS']);

/** Whether something failed because there is no space left. */
export const isDiskFull = (thrown: unknown): boolean => full.has(rootCodeOf(thrown) ?? '');

/** Whether it was the disk, or the database on it, that failed. */
export function isDiskFailure(thrown: unknown): boolean {
  const code = rootCodeOf(thrown) ?? '';
  return full.has(code) || failing.has(code) || code.startsWith('SQLITE_');
}

/** What the operator is told when a data directory cannot be used. */
export function storageFailure(cause: unknown, folder: string): StorageError {
  if (isDiskFull(cause)) {
    return new StorageError(
      'storage.full',
      `the disk that holds ${folder} is full; free some space, or choose another --data-dir`,
      { cause },
    );
  }
  return new StorageError(
    'storage.unusable',
    `cannot use the data directory ${folder} (${messageOf(rootOf(cause))}); ` +
      'make it writable, or choose another --data-dir',
    { cause },
  );
}
