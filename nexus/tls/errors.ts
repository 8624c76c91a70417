import { NexusError } from '#shared/errors';

export type TlsErrorCode =
  /** There is a certificate already. */
  | 'tls.exists'
  /** A name or address that no certificate can be made for. */
  | 'tls.bad_host';

/** A certificate was not made; the message says why. */
export class TlsError extends NexusError<TlsErrorCode> {}
