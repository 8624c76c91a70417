import { type Static, Type } from 'typebox';
import { defineFrame, type PayloadOf } from './define.ts';
import { SubscribeAck } from './subscriptions.ts';

/** Whom a frame claims to be about; what the connection registered decides. */
const aspect = Type.Optional(Type.String());
const uplink = { from: ['aspect', 'operator', 'outpost'], reply: 'none' } as const;

/** An aspect begins a turn (wire spec §3.7). One that is still open ends as errored. */
export const ObserveBegin = defineFrame({
  kind: 'observe.begin',
  ...uplink,
  payload: Type.Object({
    aspect,
    turn_id: Type.String({ minLength: 1, maxLength: 128 }),
    /** `main` when empty. */
    label: Type.Optional(Type.String({ maxLength: 64 })),
    model: Type.Optional(Type.String({ maxLength: 200 })),
    provider: Type.Optional(Type.String({ maxLength: 200 })),
    trigger_msg: Type.Optional(Type.Integer({ minimum: 0 })),
  }),
});
export type ObserveBegin = PayloadOf<typeof ObserveBegin>;

/** Something happened in the open turn; `event` is one of `UplinkEvents`. */
export const ObserveEvent = defineFrame({
  kind: 'observe.event',
  ...uplink,
  payload: Type.Object({ aspect, event_kind: Type.String(), event: Type.Optional(Type.Unknown()) }),
});

/** The open turn is over. */
export const ObserveEnd = defineFrame({
  kind: 'observe.end',
  ...uplink,
  payload: Type.Object({ aspect }),
});

const text = Type.Optional(Type.String());
const count = Type.Optional(Type.Integer({ minimum: 0 }));
const orNull = <Schema extends Parameters<typeof Type.Union>[0][number]>(schema: Schema) =>
  Type.Optional(Type.Union([schema, Type.Null()]));

/** Tokens and cost of a finished turn, under Go's names. */
const UplinkUsage = Type.Object({
  InputTokens: count,
  OutputTokens: count,
  CacheReadInputTokens: count,
  CacheCreationInputTokens: count,
  CostUSD: Type.Optional(Type.Number({ minimum: 0 })),
});
export type UplinkUsage = Static<typeof UplinkUsage>;

/** Bodies of `observe.event` by `event_kind`, under the names that Go gives their members. */
export const UplinkEvents = {
  model_chunk: Type.Object({ Text: text }),
  tool_call_start: Type.Object({ ID: text, Name: text, Args: Type.Optional(Type.Unknown()) }),
  tool_call_result: Type.Object({
    ID: text,
    Result: Type.Optional(Type.Unknown()),
    Err: Type.Optional(Type.Unknown()),
  }),
  step_boundary: Type.Object({ Step: Type.Optional(Type.Integer()) }),
  turn_done: Type.Object({ Result: orNull(Type.Object({ Usage: orNull(UplinkUsage) })) }),
  turn_error: Type.Object({ err: text, stage: text }),
};

/** The longest name that can be observed; longer ones cannot exist. */
const ObservedName = Type.String({ minLength: 1, maxLength: 64 });

/**
 * Follows one aspect: first what is retained of its stream, oldest first, then what comes. The
 * answer marks the end of the retained part. Asking again replays again.
 */
export const SubscribeObserve = defineFrame({
  kind: 'subscribe.observe',
  from: ['operator'],
  reply: SubscribeAck,
  effect: 'reads',
  payload: Type.Object({
    aspect: ObservedName,
    /** Only what has a higher `seq` is replayed. */
    since_seq: Type.Optional(Type.Integer({ minimum: 0 })),
    /** Ours: where `since_seq` was read; when that is another epoch, everything is replayed. */
    epoch: Type.Optional(Type.String()),
    /** Ours: `delta` asks for what changed in a turn rather than the turn, each time. */
    form: Type.Optional(Type.Union([Type.Literal('snapshot'), Type.Literal('delta')])),
  }),
});
export type SubscribeObserve = PayloadOf<typeof SubscribeObserve>;

export const UnsubscribeObserve = defineFrame({
  kind: 'unsubscribe.observe',
  from: ['operator'],
  reply: SubscribeAck,
  effect: 'reads',
  payload: Type.Object({ aspect: ObservedName }),
});

/** What a frame of a stream shows, in `frame.kind`; says which payload follows. */
export const ObservedKind = {
  turn: 'turn',
  /** Ours: a `TurnDelta`. */
  turnDelta: 'turn_delta',
  chat: 'chat',
  presence: 'presence',
} as const;

/** One frame of an aspect's stream. */
export const ObserveFrame = defineFrame({
  kind: 'observe.frame',
  from: ['broker'],
  reply: 'none',
  payload: Type.Object({
    aspect: Type.String(),
    frame: Type.Object({
      /** An `ObservedKind`. */
      kind: Type.String(),
      aspect: Type.String(),
      /** Rises by one with everything that happens in the stream, within one epoch. */
      seq: Type.Integer({ minimum: 1 }),
      ts: Type.String(),
      payload: Type.Unknown(),
    }),
    /** Ours: changes with every start of the broker, where `seq` starts over. */
    epoch: Type.Optional(Type.String()),
  }),
});
export type ObserveFrame = PayloadOf<typeof ObserveFrame>;

/** Payload of a `chat` frame. */
export const ObservedChat = Type.Object({
  msg_id: Type.Integer({ minimum: 1 }),
  from: Type.String(),
  content: Type.String(),
  reply_to: Type.Optional(Type.Integer({ minimum: 1 })),
  topic: text,
  /** `outbound` in the sender's stream, `inbound` in each recipient's. */
  direction: Type.Union([Type.Literal('inbound'), Type.Literal('outbound')]),
  created_at: Type.String(),
});
export type ObservedChat = Static<typeof ObservedChat>;

/** Payload of a `presence` frame. */
export const ObservedPresence = Type.Object({ connected: Type.Boolean(), reason: text });
export type ObservedPresence = Static<typeof ObservedPresence>;
