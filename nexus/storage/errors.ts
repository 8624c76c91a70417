import { NexusError } from '#shared/errors';

export type StorageErrorCode =
  | 'storage.backup'
  | 'storage.full'
  | 'storage.locked'
  | 'storage.newer'
  | 'storage.unusable';

/** The data directory or the database in it cannot be used; the message says what to do. */
export class StorageError extends NexusError<StorageErrorCode> {}
