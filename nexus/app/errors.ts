import { NexusError } from '#shared/errors';

export type StartErrorCode =
  | 'start.address'
  | 'start.port_in_use'
  | 'start.no_tls'
  | 'start.no_instance'
  | 'start.aspects'
  | 'start.tls_files'
  | 'start.transport';

/** The broker cannot start as it was asked to; the message says what to do. Exit code 2. */
export class StartRefused extends NexusError<StartErrorCode> {}
