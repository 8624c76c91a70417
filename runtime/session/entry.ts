import { type Static, Type } from 'typebox';
import type { Block, StopReason, Usage } from '../providers/provider.ts';

/** The version that we write into a tree's header. Newer files are refused. */
export const treeVersion = 1;

// Shaped by the provider contract, so its types are the source. The schemas check only what every
// block, reason and usage has: a new block type must not make old code drop a turn.
const content = Type.Unsafe<readonly Block[]>(Type.Array(Type.Object({ type: Type.String() })));
const stopReason = Type.Unsafe<StopReason>(Type.String());
const usage = Type.Unsafe<Usage>(Type.Object({ tokens: Type.Object({ in: Type.Number() }) }));

/** What made an aspect take a turn. `msgId` and `threadRoot` are chat message ids. */
const Trigger = Type.Object({
  source: Type.String(),
  from: Type.String(),
  msgId: Type.Optional(Type.Integer()),
  threadRoot: Type.Optional(Type.Integer()),
});
export type Trigger = Static<typeof Trigger>;

/** Payloads by kind (runtime spec §10.1). This table is the only list of kinds. */
export const entryPayloads = {
  /** First line of a file and root of its tree. */
  session: Type.Object({
    version: Type.Integer({ minimum: 1 }),
    /** The tree's id. */
    sessionId: Type.String({ minLength: 1 }),
    aspect: Type.String(),
    key: Type.String(),
    createdAt: Type.String(),
  }),
  'turn.user': Type.Object({
    content,
    text: Type.String(),
    trigger: Trigger,
    turnId: Type.String({ minLength: 1 }),
  }),
  'turn.assistant': Type.Object({
    content,
    text: Type.String(),
    provider: Type.String(),
    model: Type.String(),
    stopReason,
    usage,
    /** Opaque code of a failure (§9.3); never the provider's own text. */
    errorCode: Type.Optional(Type.String()),
    turnId: Type.String({ minLength: 1 }),
    /** True for what had arrived when a turn was cut off. */
    partial: Type.Optional(Type.Boolean()),
  }),
  'system.prompt': Type.Object({
    text: Type.String(),
    sha256: Type.String(),
    reason: Type.String(),
  }),
  /** Something for the model to read that is nobody's turn. */
  note: Type.Object({ text: Type.String() }),
} as const;

export type EntryKind = keyof typeof entryPayloads;
export type EntryPayload<K extends EntryKind> = Static<(typeof entryPayloads)[K]>;

interface Placed {
  readonly id: string;
  /** The entry this one continues; null on a root. */
  readonly parentId: string | null;
  /** RFC 3339, UTC. For people: order comes from `parentId` alone. */
  readonly ts: string;
}

/** An entry of one kind, as it stands on disk. */
export interface EntryOf<K extends EntryKind> extends Placed {
  readonly kind: K;
  readonly payload: Readonly<EntryPayload<K>>;
}

/** An entry whose kind or payload this version does not know. Kept in the tree, never sent. */
export interface UnknownEntry extends Placed {
  readonly kind: 'unknown';
  readonly kindOnDisk: string;
  readonly payload: unknown;
}

export type KnownEntry = { [K in EntryKind]: EntryOf<K> }[EntryKind];
export type Entry = KnownEntry | UnknownEntry;

/** What callers append. The tree adds id, parent and time, and writes headers itself. */
export type Draft = {
  [K in Exclude<EntryKind, 'session'>]: Pick<EntryOf<K>, 'kind' | 'payload'>;
}[Exclude<EntryKind, 'session'>];
