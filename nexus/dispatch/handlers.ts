import { messageOf } from '#shared/errors';
import { Dispatch, type DispatchError } from '#shared/frames/dispatch';
import type { Connection } from '../broker/connection.ts';
import { aside, type Handler, type RefusalReason } from '../broker/handler.ts';
import { speakerOf } from '../broker/speaker.ts';
import { isAdmin } from '../credentials/identity.ts';
import { type DispatchErrorCode, DispatchRefused } from './errors.ts';

/** The dispatch frame of a broker without Hands: every dispatch is refused. */
export function dispatchHandlers(): Handler[] {
  return [
    aside(
      Dispatch,
      ({ aspect }, connection) => {
        assertMayAskAs(connection, aspect);
        throw new DispatchRefused('no_dispatcher', 'this broker runs no Hands');
      },
      toDispatchError,
    ),
  ];
}

/** An aspect dispatches for itself, an admin (the operator too) for anyone. */
function assertMayAskAs(connection: Connection, aspect: string): void {
  if (isAdmin(connection.identity)) return;
  try {
    speakerOf(connection, aspect);
  } catch (cause) {
    throw new DispatchRefused('identity_mismatch', messageOf(cause), { cause });
  }
}

const ownCodes: ReadonlySet<string> = new Set<DispatchErrorCode>([
  'bad_request',
  'identity_mismatch',
  'no_dispatcher',
]);

/** Reference clients know a closed list of codes; what is not in it is `queue_error`. */
function toDispatchError({ code, message }: RefusalReason, request: unknown): DispatchError {
  const { aspect, dispatch_id } = (request ?? {}) as Readonly<Record<string, unknown>>;
  return {
    ...(isLabel(aspect) && { aspect }),
    ...(isLabel(dispatch_id) && { dispatch_id }),
    reason: message,
    code: ownCodes.has(code) ? code : 'queue_error',
  };
}

/** Good enough to be handed back. */
const isLabel = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= 200;
