import { Type } from 'typebox';
import { defineFrame } from './define.ts';

/** The broker is stopping: every connection closes with 1001 next. */
export const Shutdown = defineFrame({
  kind: 'shutdown',
  from: ['broker'],
  reply: 'none',
  payload: Type.Object({
    reason: Type.String(),
    grace_period_s: Type.Optional(Type.Integer({ minimum: 0 })),
  }),
});
