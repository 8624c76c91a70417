import { NexusError } from '#shared/errors';

export type TeamErrorCode =
  | 'team.no_folder'
  | 'team.bad_home'
  | 'team.name_taken'
  | 'team.two_frames';

/** The team's home folders cannot be used as they are; the message says what to change. */
export class TeamError extends NexusError<TeamErrorCode> {}
