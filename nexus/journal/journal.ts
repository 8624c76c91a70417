/** A durable fact about to be recorded. `actor` is the authenticated identity behind it. */
export interface NewEvent {
  readonly kind: string;
  readonly actor: string;
  /** Plain JSON. */
  readonly body: object;
}

/** A recorded fact. Its position is also the chat message id and the replay cursor. */
export interface JournalEvent extends NewEvent {
  /** 1, 2, 3, … without gaps. */
  readonly position: number;
  /** When it was committed, in milliseconds since the epoch. */
  readonly at: number;
}

/**
 * Keeps tables that are derived from events. `apply` runs inside the journal's write transaction,
 * with the events of a group that it wants, in order, each exactly once; however they are grouped,
 * the same events must always build the same tables.
 */
export interface Projection {
  /** Event kinds it wants. */
  readonly kinds: readonly string[];
  /** Tables it owns; emptied before a rebuild. */
  readonly tables: readonly string[];
  apply(events: readonly JournalEvent[]): void;
}

/** Gives each projection the events that it wants. */
export function project(events: readonly JournalEvent[], projections: readonly Projection[]): void {
  for (const projection of projections) {
    const wanted = events.filter(({ kind }) => projection.kinds.includes(kind));
    if (wanted.length > 0) projection.apply(wanted);
  }
}

/** Told about committed events, in order, a group at a time. Must not throw. */
export type CommitListener = (events: readonly JournalEvent[]) => void;

/** The ordered log of every durable fact. One writer. */
export interface Journal {
  /** Position of the newest event; 0 when there is none. */
  readonly head: number;
  /**
   * Records one event. Resolves once it is on disk and the listeners were told; rejects with
   * `JournalError` when it is not recorded. Calls keep their order.
   */
  append(event: NewEvent): Promise<JournalEvent>;
  /** Events above a position, oldest first, at most `limit`. Only committed ones. */
  read(above: number, limit: number): JournalEvent[];
  /** The returned function ends the subscription. */
  onCommit(listener: CommitListener): () => void;
  /** Records what was already given, then refuses further appends. Safe to call twice. */
  close(): Promise<void>;
}
