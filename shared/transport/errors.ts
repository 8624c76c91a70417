import { NexusError } from '../errors.ts';

export type LinkErrorCode =
  /** The peer could not be reached. */
  | 'link.unreachable'
  /** The token was not accepted. */
  | 'link.unauthorized'
  /** The server's certificate is not the pinned one. */
  | 'link.wrong_certificate'
  /** The link ended before the answer came. */
  | 'link.closed'
  /** No answer in time. */
  | 'link.timeout';

/** The way to the peer failed. */
export class LinkError extends NexusError<LinkErrorCode> {}

/** The peer answered a request with an error frame; `code` is the wire's. */
export class RequestRefused extends NexusError {}
