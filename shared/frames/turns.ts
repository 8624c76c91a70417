import { type Static, Type } from 'typebox';
import { defineFrame, type PayloadOf } from './define.ts';

/** Tokens of one turn. `total` may be more than the sum: cached input counts too. */
export const TurnTokens = Type.Object({
  input: Type.Integer({ minimum: 0 }),
  output: Type.Integer({ minimum: 0 }),
  total: Type.Integer({ minimum: 0 }),
});
export type TurnTokens = Static<typeof TurnTokens>;

const turnRequest = {
  prompt: Type.String({ minLength: 1 }),
  system_prompt: Type.Optional(Type.String()),
  model: Type.Optional(Type.String({ maxLength: 200 })),
  thinking_level: Type.Optional(Type.String({ maxLength: 64 })),
  max_tokens: Type.Optional(Type.Integer({ minimum: 1 })),
};

/** How an aspect answers `turn`. What it leaves out is empty or zero (§3.2). */
export const TurnResult = defineFrame({
  kind: 'turn.result',
  from: ['aspect', 'outpost'],
  reply: 'none',
  payload: Type.Object({
    output: Type.Optional(Type.String()),
    stop_reason: Type.Optional(Type.String()),
    tokens: Type.Optional(TurnTokens),
    /** Entries of its session that the turn made. */
    entry_ids: Type.Optional(Type.Array(Type.String())),
  }),
});

/** How an aspect answers a `turn` that failed. */
export const TurnError = defineFrame({
  kind: 'turn.error',
  from: ['aspect', 'outpost'],
  reply: 'none',
  payload: Type.Object({ error: Type.Optional(Type.String()) }),
});

/** Asks an aspect for one turn. The envelope has an `id` and names its `target_aspect`. */
export const Turn = defineFrame({
  kind: 'turn',
  from: ['broker'],
  reply: TurnResult,
  error: TurnError,
  payload: Type.Object(turnRequest),
});
export type Turn = PayloadOf<typeof Turn>;

/** Ours: nobody waits for a `turn` any more. An answer to it would be dropped. */
export const TurnCancel = defineFrame({
  kind: 'turn.cancel',
  from: ['broker'],
  reply: 'none',
  payload: Type.Object({
    /** The `id` of the `turn` frame. */
    request_id: Type.String(),
    reason: Type.String(),
  }),
});

export const AspectTurnResult = defineFrame({
  kind: 'aspect.turn.result',
  from: ['broker'],
  reply: 'none',
  payload: Type.Object({
    aspect: Type.String(),
    output: Type.String(),
    stop_reason: Type.String(),
    tokens: TurnTokens,
    entry_ids: Type.Array(Type.String()),
  }),
});

/** Ours: the operator asks an aspect for one turn. Taken back when the operator leaves first. */
export const AspectTurn = defineFrame({
  kind: 'aspect.turn',
  from: ['operator'],
  reply: AspectTurnResult,
  payload: Type.Object({ aspect: Type.String({ minLength: 1, maxLength: 64 }), ...turnRequest }),
});
