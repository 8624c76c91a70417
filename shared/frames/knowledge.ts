import { type Static, Type } from 'typebox';
import { defineFrame, type PayloadOf } from './define.ts';

const entryId = Type.Integer({ minimum: 1 });

/** An entry as searches and lists show it (§3.4). */
const KnowledgeHit = Type.Object({
  id: entryId,
  from_agent: Type.String(),
  topic: Type.String(),
  content: Type.String(),
  shared: Type.Boolean(),
  /** `YYYY-MM-DD HH:MM:SS`, UTC. */
  updated_at: Type.String(),
  /** A BM25 rank: negative, lower is better; 0 in lists. */
  score: Type.Number(),
  /** How it was found, such as `fts`; empty in lists. */
  matched: Type.String(),
});
export type KnowledgeHit = Static<typeof KnowledgeHit>;

export const KnowledgeStoreResult = defineFrame({
  kind: 'knowledge.store.result',
  from: ['broker'],
  reply: 'none',
  payload: Type.Object({
    id: entryId,
    /** Ours: set when `shared` was not taken as asked. */
    note: Type.Optional(Type.String()),
    /** Ours: the entry's new time, in answer to a request with `if_updated_at`. */
    updated_at: Type.Optional(Type.String()),
  }),
});
export type KnowledgeStoreResult = PayloadOf<typeof KnowledgeStoreResult>;

/** Writes the caller's entry on a topic, in place of an older one. */
export const KnowledgeStore = defineFrame({
  kind: 'knowledge.store',
  from: ['aspect', 'operator', 'outpost'],
  reply: KnowledgeStoreResult,
  payload: Type.Object({
    topic: Type.String({ minLength: 1 }),
    content: Type.String({ minLength: 1 }),
    /** Absent keeps what is. Taken from those who may share; others are told so in a note (B3). */
    shared: Type.Optional(Type.Boolean()),
    /** Ours: who speaks, where a connection carries several. */
    from: Type.Optional(Type.String()),
    /** Ours: refuse with `conflict` unless the entry still has this time. */
    if_updated_at: Type.Optional(Type.String()),
  }),
});
export type KnowledgeStore = PayloadOf<typeof KnowledgeStore>;

export const KnowledgeSearchResult = defineFrame({
  kind: 'knowledge.search.result',
  from: ['broker'],
  reply: 'none',
  payload: Type.Object({ hits: Type.Array(KnowledgeHit) }),
});

/** Finds entries by their words, best first, among those that the caller may see. */
export const KnowledgeSearch = defineFrame({
  kind: 'knowledge.search',
  from: ['aspect', 'operator', 'outpost'],
  reply: KnowledgeSearchResult,
  effect: 'reads',
  payload: Type.Object({
    text: Type.String(),
    own_agent: Type.Optional(Type.Boolean()),
    shared: Type.Optional(Type.Boolean()),
    peers: Type.Optional(Type.Array(Type.String({ maxLength: 64 }), { maxItems: 64 })),
    top_k: Type.Optional(Type.Integer({ minimum: 0 })),
    /** Only hits whose score is lower; 0 is no limit. */
    max_rank: Type.Optional(Type.Number()),
    /** Ours: only where the words stand together, in this order. */
    mode: Type.Optional(Type.Literal('phrase')),
    from: Type.Optional(Type.String()),
  }),
});
export type KnowledgeSearch = PayloadOf<typeof KnowledgeSearch>;

export const KnowledgeListResult = defineFrame({
  kind: 'knowledge.list.result',
  from: ['broker'],
  reply: 'none',
  payload: Type.Object({ entries: Type.Array(KnowledgeHit) }),
});

/** Everybody's entries, or one agent's, the newest update first. */
export const KnowledgeList = defineFrame({
  kind: 'knowledge.list',
  from: ['operator'],
  reply: KnowledgeListResult,
  effect: 'reads',
  payload: Type.Object({
    agent: Type.Optional(Type.String()),
    limit: Type.Optional(Type.Integer({ minimum: 0 })),
  }),
});

export const KnowledgeShareResult = defineFrame({
  kind: 'knowledge.share.result',
  from: ['broker'],
  reply: 'none',
  payload: Type.Object({ id: entryId, shared: Type.Boolean() }),
});

/**
 * Ours: shows anybody's entry to everybody, or stops that. For the operator, admins and the
 * coordinator: whatever is shared reaches the prompts of all (storage B3).
 */
export const KnowledgeShare = defineFrame({
  kind: 'knowledge.share',
  from: ['aspect', 'operator', 'outpost'],
  reply: KnowledgeShareResult,
  payload: Type.Object({
    id: entryId,
    shared: Type.Boolean(),
    from: Type.Optional(Type.String()),
  }),
});
export type KnowledgeShare = PayloadOf<typeof KnowledgeShare>;
