import { NexusError } from '#shared/errors';

export type AspectErrorCode =
  /** The broker does not let this aspect in; trying again would not help. */
  | 'aspect.refused'
  /** Another live session has the name, and kept it. */
  | 'aspect.name_taken'
  /** The link now leads to another instance, in the middle of work for the one before. */
  | 'aspect.other_instance';

/** The aspect cannot do its work. */
export class AspectError extends NexusError<AspectErrorCode> {}
