import { FrameRefused } from '#shared/frames/errors';
import type { SessionEntryAppended } from '#shared/frames/session';
import type { Clock } from '#shared/sys/clock';
import type { Log } from '#shared/sys/log';
import type { Connection } from '../broker/connection.ts';
import { speakerOf } from '../broker/speaker.ts';
import type { Journal } from '../journal/journal.ts';
import { sqlTime } from '../storage/sql-time.ts';
import {
  type SessionEntryMirrored,
  type SessionHeadMoved,
  type SessionsPruned,
  sessionEntryMirrored,
  sessionHeadMoved,
  sessionsPruned,
} from './events.ts';
import type { SessionStore } from './session-store.ts';

/** How long mirrored rows stay. The aspect's own log is what counts, and keeps everything. */
export interface SessionRetention {
  readonly keepMs: number;
  readonly sweepEveryMs: number;
  /** Rows dropped in one commit, which bounds how long it takes; more go a second later. */
  readonly maxRows: number;
}

/** Wait between two commits of one sweep. */
const nextBatchMs = 1_000;

export interface SessionMirrorDeps {
  readonly journal: Journal;
  readonly store: SessionStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly retention: SessionRetention;
  /** Bytes of an entry's payload, as JSON (storage spec B5). */
  readonly maxPayloadBytes?: number;
}

/** Records what aspects say of their sessions, and forgets it after a while. */
export class SessionMirror {
  readonly #deps: SessionMirrorDeps;
  readonly #maxPayloadBytes: number;
  #cancelSweep: () => void = () => undefined;
  #closed = false;

  constructor(deps: SessionMirrorDeps) {
    this.#deps = deps;
    this.#maxPayloadBytes = deps.maxPayloadBytes ?? 256 * 1024;
    this.#sweepIn(deps.retention.sweepEveryMs);
  }

  /** Records an entry of the speaker's own session, once. Throws `FrameRefused`. */
  async append(connection: Connection, entry: SessionEntryAppended): Promise<void> {
    const { journal, store } = this.#deps;
    const { session_id: sessionId = '', entry_id: entryId, parent_id: parentId, ts } = entry;
    const aspect = speakerOf(connection, entry.aspect);
    const { payload } = entry;
    if (payload !== undefined && jsonBytes(payload) > this.#maxPayloadBytes) {
      throw new FrameRefused('too_large', `a payload may have ${this.#maxPayloadBytes} bytes`);
    }
    if (store.has({ aspect, sessionId }, entryId)) return;
    const body: SessionEntryMirrored['body'] = {
      sessionId,
      entryId,
      ...(parentId && { parentId }),
      entryKind: entry.entry_kind,
      ...(ts && { entryTs: ts }),
      ...(payload !== undefined && { payload }),
    };
    await journal.append({ kind: sessionEntryMirrored, actor: aspect, body });
  }

  /** Records that the speaker's own session goes on elsewhere. Throws `FrameRefused`. */
  async move(
    connection: Connection,
    claimed: string,
    body: SessionHeadMoved['body'],
  ): Promise<void> {
    const actor = speakerOf(connection, claimed);
    await this.#deps.journal.append({ kind: sessionHeadMoved, actor, body });
  }

  close(): void {
    this.#closed = true;
    this.#cancelSweep();
  }

  #sweepIn(ms: number): void {
    if (this.#closed) return;
    this.#cancelSweep = this.#deps.clock.after(ms, () => void this.#sweep());
  }

  async #sweep(): Promise<void> {
    const { retention, log } = this.#deps;
    let isMore = false;
    try {
      isMore = await this.#prune();
    } catch (error) {
      log.warn({ err: error }, 'old session entries were not dropped');
    }
    this.#sweepIn(isMore ? nextBatchMs : retention.sweepEveryMs);
  }

  /** Drops one batch. True when there may be more. */
  async #prune(): Promise<boolean> {
    const { journal, store, clock, retention } = this.#deps;
    const before = sqlTime(clock.now() - retention.keepMs);
    const upTo = store.findPrunable(before, retention.maxRows);
    if (upTo === undefined) return false;
    const body: SessionsPruned['body'] = { before, upTo };
    await journal.append({ kind: sessionsPruned, actor: 'nexus', body });
    return true;
  }
}

const jsonBytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));
