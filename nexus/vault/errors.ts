import { NexusError } from '#shared/errors';

export type VaultErrorCode =
  /** What should be a key is none, or there are too many. */
  | 'vault.bad_key'
  /** Sealed with a key that is not at hand. */
  | 'vault.no_key'
  /** Sealed with another key than it says, or for another credential, or altered. */
  | 'vault.does_not_open';

/** A credential cannot be sealed or opened. Names and key ids may be in the message, no secret. */
export class VaultError extends NexusError<VaultErrorCode> {}
