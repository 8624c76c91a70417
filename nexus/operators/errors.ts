import { NexusError } from '#shared/errors';

/** Somebody could not prove who they are. An HTTP 401, and a failure that counts. */
export class LoginRefused extends NexusError<'unauthorized'> {
  constructor(message: string, options?: ErrorOptions) {
    super('unauthorized', message, options);
  }
}
