import { NexusError } from '#shared/errors';

export type AuditErrorCode =
  /** The file is no audit export, or was cut off. */
  | 'audit.unreadable'
  /** What is there was altered, or was signed by another instance. */
  | 'audit.altered';

/** A journal or an export of it does not hold. */
export class AuditError extends NexusError<AuditErrorCode> {}
