import { NexusError } from '#shared/errors';

export type TeamErrorCode =
  | 'team.no_folder'
  | 'team.bad_home'
  | 'team.name_taken'
  | 'team.two_frames';

/** The team's home folders cannot be used as they are; the message says what to change. */
export class TeamError extends NexusError<TeamErrorCode> {}

export type ValidationErrorCode =
  | 'keyfile.undecryptable'
  | 'keyfile.malformed'
  | 'keyfile.unknown_aspect'
  | 'keyfile.retired'
  | 'keyfile.revoked'
  | 'keyfile.key_mismatch';

/** A keyfile does not let its holder in. The message is what the reference says of it. */
export class KeyfileRefused extends NexusError<ValidationErrorCode> {
  /** The version that counts, where it is another. */
  readonly currentVersion: number | undefined;

  constructor(code: ValidationErrorCode, message: string, currentVersion?: number) {
    super(code, message);
    this.currentVersion = currentVersion;
  }
}
