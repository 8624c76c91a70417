import { nameKey } from '#shared/config/names';
import { FrameRefused } from '#shared/frames/errors';
import type { Connection } from '../broker/connection.ts';

/**
 * Whose turn an uplink frame tells of (wire spec §3.7, G2): always a name that its connection has
 * registered, whatever the frame claims.
 *
 * A connection with several names, as an Outpost's, must say which. For one with a single name that
 * name counts, also against a different claim, since reference clients get it wrong; but an Outpost
 * that claims a name is believed to mean it. Throws `FrameRefused` when it is nobody's turn.
 */
export function observedAspect(connection: Connection, claimed: string | undefined): string {
  const { names, identity, outpostId } = connection;
  if (names.size === 0) throw new FrameRefused('not_registered', 'register first');
  const meant = claimed && names.get(nameKey(claimed));
  if (meant) return meant;
  if (claimed && outpostId !== undefined) {
    throw new FrameRefused('forbidden', `${claimed} is not registered through this Outpost`);
  }
  const [only] = names.size === 1 ? names.values() : [];
  const self = names.get(nameKey(identity.name)) ?? only;
  if (self) return self;
  throw new FrameRefused('bad_request', 'say which of the registered names this is about');
}
