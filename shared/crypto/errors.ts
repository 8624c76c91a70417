import { NexusError } from '../errors.ts';

export type KeyfileErrorCode =
  /** The file cannot be read or written. */
  | 'keyfile.unreadable'
  /** It is no keyfile of a version that we know. */
  | 'keyfile.invalid';

/** A keyfile on disk cannot be used; the message names the file and what is wrong. */
export class KeyfileError extends NexusError<KeyfileErrorCode> {}
