import { NexusError } from '#shared/errors';

export type SessionErrorCode =
  /** Too much is waiting: for a turn, or for the disk. */
  | 'session.busy'
  /** Closed, or closing down. */
  | 'session.closed'
  /** The file holds bytes but nothing that reads as an entry. */
  | 'session.corrupt'
  /** One entry is larger than a line may be. */
  | 'session.entry_too_large'
  /** Another process uses this home's sessions. */
  | 'session.locked'
  /** The file was written by a newer Nexus. */
  | 'session.newer'
  /** No entry with this id in this tree. */
  | 'session.unknown_entry'
  /** The disk is full or failed; nothing of what was asked is kept. */
  | 'session.write_failed';

/** A session cannot do what was asked; the message says why and what helps. */
export class SessionError extends NexusError<SessionErrorCode> {}

/** Another live process holds the lock of the session folder. */
export class SessionLocked extends SessionError {
  readonly pid: number;

  constructor(path: string, pid: number) {
    super(
      'session.locked',
      `process ${pid} is using the sessions of this home (${path}); stop it first`,
    );
    this.pid = pid;
  }
}

/** An entry's line would pass the limit. What is large belongs in an artifact. */
export class EntryTooLarge extends SessionError {
  readonly bytes: number;
  readonly maxBytes: number;

  constructor(bytes: number, maxBytes: number) {
    super('session.entry_too_large', `an entry of ${bytes} bytes passes the limit of ${maxBytes}`);
    this.bytes = bytes;
    this.maxBytes = maxBytes;
  }
}
