import { Type } from 'typebox';
import { defineFrame, type PayloadOf } from './define.ts';

/** An aspect says what it is doing. Operators see it as `aspect.status_pulse`. */
export const AspectActivity = defineFrame({
  kind: 'aspect.activity',
  from: ['aspect', 'outpost'],
  reply: 'none',
  payload: Type.Object({
    /** `turn.start`, `compact.end`, …; one that we do not know is shown as it is. */
    type: Type.String({ minLength: 1 }),
    aspect_id: Type.Optional(Type.String({ maxLength: 64 })),
    emitted_at: Type.Optional(Type.String()),
    payload: Type.Optional(Type.Unknown()),
  }),
});
export type AspectActivity = PayloadOf<typeof AspectActivity>;

/** What an aspect is doing now, for operators who subscribed. */
export const AspectStatusPulse = defineFrame({
  kind: 'aspect.status_pulse',
  from: ['broker'],
  reply: 'none',
  payload: Type.Object({
    aspect: Type.String(),
    phase: Type.String(),
    detail: Type.Optional(Type.String()),
    ts: Type.String(),
  }),
});
export type AspectStatusPulse = PayloadOf<typeof AspectStatusPulse>;
