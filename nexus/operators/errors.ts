import { Refusal } from '#shared/frames/errors';

/** Somebody could not prove who they are. An HTTP 401, and a failure that counts. */
export class LoginRefused extends Refusal<'unauthorized'> {
  constructor(message: string, options?: ErrorOptions) {
    super('unauthorized', message, options);
  }
}
