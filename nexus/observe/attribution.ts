import { nameKey } from '#shared/config/names';
import { FrameRefused } from '#shared/frames/errors';
import type { Connection } from '../broker/connection.ts';

/**
 * Whose turn an uplink frame tells of (wire spec §3.7, G2): always a name that its connection has
 * registered, whatever the frame claims.
 *
 * A connection with several names, as an Outpost's, must say which. For one with a single name that
 * name counts, also against a different claim, since reference clients get it wrong; but an Outpost
 * that claims a name is believed to mean it. `isBound` tells names that the connection still has
 * from those that left or moved. Throws `FrameRefused` when it is nobody's turn.
 */
export function observedAspect(
  connection: Connection,
  claimed: string | undefined,
  isBound: (name: string) => boolean,
): string {
  const own = [...connection.names.values()].filter(isBound);
  if (own.length === 0) throw new FrameRefused('not_registered', 'register first');
  const meant = claimed && own.find((name) => nameKey(name) === nameKey(claimed));
  if (meant) return meant;
  if (claimed && connection.outpostId !== undefined) {
    throw new FrameRefused('forbidden', `${claimed} is not registered through this Outpost`);
  }
  const self = own.find((name) => nameKey(name) === nameKey(connection.identity.name));
  const sole = self ?? (own.length === 1 ? own[0] : undefined);
  if (sole) return sole;
  throw new FrameRefused('bad_request', 'say which of the registered names this is about');
}
