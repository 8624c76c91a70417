import { type Static, Type } from 'typebox';
import { defineFrame, type PayloadOf } from './define.ts';

/** How an aspect keeps its conversations apart (runtime spec §4). */
export const ContextMode = Type.Union([
  Type.Literal('global'),
  Type.Literal('thread'),
  Type.Literal('stateless'),
]);
export type ContextMode = Static<typeof ContextMode>;

const text = Type.String({ minLength: 1 });

/** Shown in the roster, so that one entry cannot swell everybody's list. */
const shown = Type.String({ maxLength: 200 });

/** Where in the journal and in everybody's lists it would stay, so that it cannot swell them. */
const sessionId = Type.String({ minLength: 1, maxLength: 200 });

const registrationFields = {
  name: text,
  session_id: sessionId,
  context_mode: ContextMode,
  provider: Type.String({ minLength: 1, maxLength: 200 }),
  port: Type.Optional(Type.Integer({ minimum: 0, maximum: 65535 })),
  pid: Type.Optional(Type.Integer()),
  started_at: Type.Optional(Type.String({ maxLength: 64 })),
  model: Type.Optional(shown),
  capabilities: Type.Optional(Type.Array(Type.String({ maxLength: 64 }), { maxItems: 64 })),
  home: Type.Optional(Type.String({ maxLength: 4_096 })),
  primary_surface: Type.Optional(shown),
  metadata: Type.Optional(Type.Record(Type.String(), Type.Unknown(), { maxProperties: 64 })),
};

/** What an aspect says of itself when it registers; the REST body has the same members. */
export const Registration = Type.Object(registrationFields);
export type Registration = Static<typeof Registration>;

/** A registration without what we do not know: it is ignored, so it must not be kept either. */
export function withoutUnknown(registration: Registration): Registration {
  const known = Object.entries(registration).filter(([name]) =>
    Object.hasOwn(registrationFields, name),
  );
  return Object.fromEntries(known) as Registration;
}

/** Accepts a registration. Reference clients treat it as informational. */
export const RegisterAck = defineFrame({
  kind: 'register.ack',
  from: ['broker'],
  reply: 'none',
  payload: Type.Object({
    heartbeat_interval_s: Type.Integer(),
    stale_after_s: Type.Integer(),
    /** Ours: which instance this is. Another one's message ids mean something else (G3). */
    nexus_id: Type.Optional(Type.String()),
    /** Ours: id of the newest message; 0 when there is none. */
    head_id: Type.Optional(Type.Integer({ minimum: 0 })),
  }),
});

/** Enters an aspect into the roster and routes its messages to this connection (§1.8). */
export const Register = defineFrame({
  kind: 'register',
  from: ['aspect', 'operator', 'outpost'],
  reply: RegisterAck,
  payload: Type.Object({
    ...registrationFields,
    since_msg_id: Type.Optional(Type.Integer({ minimum: 0 })),
    request_replay: Type.Optional(Type.Boolean()),
    via_outpost: Type.Optional(Type.String()),
  }),
});
export type Register = PayloadOf<typeof Register>;

/** Answers `deregister`: reference clients expect the request's own kind, without a payload. */
const DeregisterAck = defineFrame({
  kind: 'deregister',
  from: ['broker'],
  reply: 'none',
  payload: Type.Unknown(),
});

/** Leaves the roster. Own name only, unless the connection is an admin's. */
export const Deregister = defineFrame({
  kind: 'deregister',
  from: ['aspect', 'operator', 'outpost'],
  reply: DeregisterAck,
  payload: Type.Object({
    name: text,
    session_id: sessionId,
    reason: Type.Optional(Type.String({ maxLength: 500 })),
  }),
});
