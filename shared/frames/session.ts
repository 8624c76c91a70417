import { type Static, Type } from 'typebox';
import { defineFrame, type PayloadOf } from './define.ts';

const aspect = Type.String({ minLength: 1, maxLength: 64 });
const id = Type.String({ minLength: 1, maxLength: 200 });
/** Go leaves it out or sends it empty; both mean the aspect's one unnamed session. */
const sessionId = Type.Optional(Type.String({ maxLength: 200 }));
const fromAspect = { from: ['aspect', 'outpost'], reply: 'none' } as const;
const fromBroker = { from: ['broker'], reply: 'none' } as const;

/** An entry was added to an aspect's session. Repeats are harmless: it is mirrored once. */
export const SessionEntryAppended = defineFrame({
  kind: 'session.entry.appended',
  ...fromAspect,
  payload: Type.Object({
    aspect,
    session_id: sessionId,
    entry_id: id,
    parent_id: Type.Optional(Type.String({ maxLength: 200 })),
    entry_kind: Type.String({ minLength: 1, maxLength: 64 }),
    /** When it was written, as the aspect says. */
    ts: Type.Optional(Type.String({ maxLength: 64 })),
    /** Any JSON, up to 256 KiB. */
    payload: Type.Optional(Type.Unknown()),
  }),
});
export type SessionEntryAppended = PayloadOf<typeof SessionEntryAppended>;

/** A session goes on from an earlier entry. */
export const SessionRewind = defineFrame({
  kind: 'session.rewind',
  ...fromAspect,
  payload: Type.Object({
    aspect,
    session_id: sessionId,
    new_head_id: id,
    previous_id: Type.Optional(Type.String({ maxLength: 200 })),
  }),
});

/** A session goes on from a new branch. */
export const SessionFork = defineFrame({
  kind: 'session.fork',
  ...fromAspect,
  payload: Type.Object({
    aspect,
    session_id: sessionId,
    fork_point: Type.Optional(Type.String({ maxLength: 200 })),
    new_head_id: id,
  }),
});

/** Where one mirrored session stands. */
export const SessionRow = Type.Object({
  aspect: Type.String(),
  session_id: Type.String(),
  head_id: Type.String(),
  /** Entries that are mirrored now: old ones are dropped. */
  entries: Type.Integer(),
  last_at: Type.String(),
  /** Rises with every change; pages continue below the last row's. */
  seq: Type.Integer(),
});
export type SessionRow = Static<typeof SessionRow>;

export const SessionListResult = defineFrame({
  kind: 'session.list.result',
  ...fromBroker,
  payload: Type.Object({ sessions: Type.Array(SessionRow), has_more: Type.Boolean() }),
});

/** Ours: mirrored sessions, the last changed first. */
export const SessionList = defineFrame({
  kind: 'session.list',
  from: ['operator'],
  reply: SessionListResult,
  effect: 'reads',
  payload: Type.Object({
    aspect: Type.Optional(Type.String({ maxLength: 64 })),
    before: Type.Optional(Type.Integer({ minimum: 0 })),
    limit: Type.Optional(Type.Integer({ minimum: 0 })),
  }),
});

/** One mirrored entry. */
export const SessionEntryRow = Type.Object({
  /** Rises with every entry; pages continue above the last row's. */
  seq: Type.Integer(),
  entry_id: Type.String(),
  parent_id: Type.Optional(Type.String()),
  entry_kind: Type.String(),
  ts: Type.String(),
  payload: Type.Optional(Type.Unknown()),
  received_at: Type.String(),
});
export type SessionEntryRow = Static<typeof SessionEntryRow>;

/** One time that a head was moved other than by an append. */
export const SessionMoveRow = Type.Object({
  seq: Type.Integer(),
  op: Type.Enum(['rewind', 'fork']),
  head_id: Type.String(),
  /** The head before a rewind, or where a fork begins; empty when the aspect did not say. */
  from_id: Type.String(),
  received_at: Type.String(),
});
export type SessionMoveRow = Static<typeof SessionMoveRow>;

const page = {
  aspect,
  session_id: Type.String({ maxLength: 200 }),
  after: Type.Optional(Type.Integer({ minimum: 0 })),
  limit: Type.Optional(Type.Integer({ minimum: 0 })),
};

export const SessionEntriesResult = defineFrame({
  kind: 'session.entries.result',
  ...fromBroker,
  payload: Type.Object({
    head_id: Type.String(),
    entries: Type.Array(SessionEntryRow),
    has_more: Type.Boolean(),
  }),
});

/** Ours: the entries of one mirrored session, in the order they came. */
export const SessionEntries = defineFrame({
  kind: 'session.entries',
  from: ['operator'],
  reply: SessionEntriesResult,
  effect: 'reads',
  payload: Type.Object(page),
});

export const SessionMovesResult = defineFrame({
  kind: 'session.moves.result',
  ...fromBroker,
  payload: Type.Object({ moves: Type.Array(SessionMoveRow), has_more: Type.Boolean() }),
});

/** Ours: the rewinds and forks of one mirrored session, in the order they came. */
export const SessionMoves = defineFrame({
  kind: 'session.moves',
  from: ['operator'],
  reply: SessionMovesResult,
  effect: 'reads',
  payload: Type.Object(page),
});
