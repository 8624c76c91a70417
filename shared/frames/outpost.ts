import { type Static, Type } from 'typebox';
import { defineFrame, type PayloadOf } from './define.ts';

const shown = Type.String({ maxLength: 200 });
const outpostId = Type.String({ minLength: 1, maxLength: 128 });

/** Accepts an Outpost; only then does it register its aspects (§1.8). */
export const OutpostRegisterAck = defineFrame({
  kind: 'outpost.register.ack',
  from: ['broker'],
  reply: 'none',
  payload: Type.Object({ heartbeat_interval_s: Type.Integer() }),
});

/** Declares that this connection carries a whole host: many names may register over it. */
export const OutpostRegister = defineFrame({
  kind: 'outpost.register',
  from: ['aspect', 'admin', 'outpost'],
  reply: OutpostRegisterAck,
  payload: Type.Object({
    outpost_id: outpostId,
    host: Type.Optional(shown),
    version: Type.Optional(shown),
    capabilities: Type.Optional(Type.Array(Type.String({ maxLength: 64 }), { maxItems: 64 })),
    started_at: Type.Optional(Type.String({ maxLength: 64 })),
    metadata: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  }),
});
export type OutpostRegister = PayloadOf<typeof OutpostRegister>;

/** An Outpost says that it is about to leave. Its aspects leave with its connection. */
export const OutpostDeregister = defineFrame({
  kind: 'outpost.deregister',
  from: ['aspect', 'admin', 'outpost'],
  reply: 'none',
  payload: Type.Object({ outpost_id: outpostId, reason: Type.Optional(shown) }),
});
export type OutpostDeregister = Static<typeof OutpostDeregister.payload>;
