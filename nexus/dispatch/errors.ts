import { Refusal } from '#shared/frames/errors';

/** What `dispatch.error` may say (wire spec §3.2). */
export type DispatchErrorCode =
  | 'bad_request'
  /** Only an admin may dispatch for another aspect. */
  | 'identity_mismatch'
  /** This broker has no Hands. */
  | 'no_dispatcher'
  /** Everything else. */
  | 'queue_error';

/** A dispatch that no worker will run. */
export class DispatchRefused extends Refusal<DispatchErrorCode> {}
