import { NexusError } from '#shared/errors';

export type JournalErrorCode =
  /** Closing down. */
  | 'journal.closed'
  /** The disk is full. */
  | 'journal.full'
  /** The disk failed. */
  | 'journal.io'
  /** Too much is waiting to be written. */
  | 'journal.busy'
  /** A projection refused this event; others of its group are recorded. */
  | 'journal.rejected'
  /** The stored chain of hashes does not hold. */
  | 'journal.broken';

/** An event was not recorded. */
export class JournalError extends NexusError<JournalErrorCode> {}
