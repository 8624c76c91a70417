import { Type } from 'typebox';
import { defineFrame } from './define.ts';

/** The connection goes on under the token that was presented. */
export const SessionRefreshResult = defineFrame({
  kind: 'session.refresh.result',
  from: ['broker'],
  reply: 'none',
  payload: Type.Object({
    /** RFC 3339; absent for a token that does not expire. */
    expires_at: Type.Optional(Type.String()),
  }),
});

/** Presents a newer token of the same identity, so that the connection outlives the one before. */
export const SessionRefresh = defineFrame({
  kind: 'session.refresh',
  from: ['aspect', 'operator'],
  reply: SessionRefreshResult,
  effect: 'reads',
  payload: Type.Object({ token: Type.String({ minLength: 1, maxLength: 4096 }) }),
});
