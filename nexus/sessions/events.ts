export const sessionEntryMirrored = 'session.entry_mirrored';
export const sessionHeadMoved = 'session.head_moved';
export const sessionsPruned = 'session.pruned';

/** An aspect (the actor) added an entry to its session. The first of an id counts. */
export interface SessionEntryMirrored {
  readonly kind: typeof sessionEntryMirrored;
  readonly body: {
    readonly sessionId: string;
    readonly entryId: string;
    readonly parentId?: string;
    readonly entryKind: string;
    /** As the aspect sent it. */
    readonly entryTs?: string;
    /** Any JSON. */
    readonly payload?: unknown;
  };
}

/** An aspect (the actor) goes on from another entry than the one it added last. */
export interface SessionHeadMoved {
  readonly kind: typeof sessionHeadMoved;
  readonly body: {
    readonly sessionId: string;
    readonly op: 'rewind' | 'fork';
    readonly headId: string;
    readonly fromId: string;
  };
}

/** Mirrored rows that are older than `before` were dropped, up to a position. */
export interface SessionsPruned {
  readonly kind: typeof sessionsPruned;
  readonly body: {
    /** In SQLite's form, as the rows have it. */
    readonly before: string;
    readonly upTo: number;
  };
}

export type SessionEvent = SessionEntryMirrored | SessionHeadMoved | SessionsPruned;
