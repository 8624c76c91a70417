import { FrameRefused } from '#shared/frames/errors';
import { SessionRefresh } from '#shared/frames/session-refresh';
import { type Handler, reads } from '../broker/handler.ts';
import { wireTime } from '../storage/sql-time.ts';
import { isSameCaller } from './identity.ts';
import type { LiveSessions } from './live-sessions.ts';
import type { TokenResolver } from './token-resolver.ts';

/** The frame by which a connection outlives its token. */
export function sessionTokenHandlers(
  resolver: Pick<TokenResolver, 'resolveToken'>,
  sessions: LiveSessions,
): Handler[] {
  return [
    // In the order of a read: what the client sends next is done under the new token.
    reads(SessionRefresh, async ({ token }, connection) => {
      const identity = await resolver.resolveToken(token);
      if (!identity) throw new FrameRefused('forbidden', 'this token is not valid');
      const { identity: before } = connection;
      if (!isSameCaller(before, identity)) {
        throw new FrameRefused('forbidden', `this is no token of ${before.name} with equal rights`);
      }
      const { expiresAt = Number.POSITIVE_INFINITY } = identity;
      if (expiresAt < (before.expiresAt ?? 0)) {
        throw new FrameRefused('bad_request', 'this token ends before the one in use');
      }
      sessions.renew(connection, identity);
      return identity.expiresAt === undefined ? {} : { expires_at: wireTime(identity.expiresAt) };
    }),
  ];
}
