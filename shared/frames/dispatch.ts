import { Type } from 'typebox';
import { defineFrame, type PayloadOf } from './define.ts';
import { TurnTokens } from './turns.ts';

const label = Type.String({ maxLength: 200 });

/** A worker ran; `error` is set when it failed. */
export const DispatchResult = defineFrame({
  kind: 'dispatch.result',
  from: ['broker'],
  reply: 'none',
  payload: Type.Object({
    aspect: Type.String(),
    thread: Type.Optional(Type.String()),
    dispatch_id: Type.Optional(Type.String()),
    output: Type.Record(Type.String(), Type.Unknown()),
    tokens: TurnTokens,
    model: Type.Optional(Type.String()),
    error: Type.Optional(Type.String()),
  }),
});

/** No worker ran. Reference clients match on `code`; `reason` is for people. */
export const DispatchError = defineFrame({
  kind: 'dispatch.error',
  from: ['broker'],
  reply: 'none',
  payload: Type.Object({
    aspect: Type.Optional(Type.String()),
    dispatch_id: Type.Optional(Type.String()),
    reason: Type.String(),
    code: Type.String(),
    /** These three with `hard_ceiling` only. */
    active: Type.Optional(Type.Integer()),
    soft_cap: Type.Optional(Type.Integer()),
    limit: Type.Optional(Type.Integer()),
  }),
});
export type DispatchError = PayloadOf<typeof DispatchError>;

/** Runs a fresh, stateless worker as an aspect (§3.2). */
export const Dispatch = defineFrame({
  kind: 'dispatch',
  from: ['aspect', 'operator', 'outpost'],
  reply: DispatchResult,
  error: DispatchError,
  payload: Type.Object({
    aspect: Type.String({ minLength: 1, maxLength: 64 }),
    /** Free, but for `deadline_secs`: a number. */
    payload: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    thread: Type.Optional(label),
    dispatch_id: Type.Optional(label),
  }),
});
