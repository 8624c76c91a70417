import { type Static, Type } from 'typebox';
import { defineFrame, type PayloadOf } from './define.ts';

export const AspectStatus = Type.Union([
  Type.Literal('live'),
  Type.Literal('stale'),
  Type.Literal('down'),
]);
export type AspectStatus = Static<typeof AspectStatus>;

const rosterFields = {
  status: AspectStatus,
  last_seen: Type.Optional(Type.String()),
  capabilities: Type.Optional(Type.Array(Type.String())),
  model: Type.Optional(Type.String()),
  provider: Type.Optional(Type.String()),
  context_mode: Type.Optional(Type.String()),
};

/** One row of the roster as an operator sees it (§3.5). */
export const RosterRow = Type.Object({
  name: Type.String(),
  ...rosterFields,
  /** `frame` for the coordinator, else absent. */
  role: Type.Optional(Type.String()),
  /** Ours: the Outpost it came through. */
  outpost: Type.Optional(Type.String()),
});
export type RosterRow = Static<typeof RosterRow>;

export const RosterListResult = defineFrame({
  kind: 'roster.list.result',
  from: ['broker'],
  reply: 'none',
  payload: Type.Object({ aspects: Type.Array(RosterRow) }),
});

/** Lists the roster, by name. The payload is not read. */
export const RosterList = defineFrame({
  kind: 'roster.list',
  from: ['operator'],
  reply: RosterListResult,
  effect: 'reads',
  payload: Type.Unknown(),
});

/** An aspect changed its state. Sent for every transition (G12). */
export const RosterUpdate = defineFrame({
  kind: 'roster.update',
  from: ['broker'],
  reply: 'none',
  payload: Type.Object({
    aspect: Type.String(),
    ...rosterFields,
    reason: Type.Union([
      Type.Literal('connect'),
      Type.Literal('disconnect'),
      Type.Literal('status_change'),
    ]),
  }),
});
export type RosterUpdate = PayloadOf<typeof RosterUpdate>;
