import { FrameRefused } from '#shared/frames/errors';
import {
  SessionEntries,
  SessionEntryAppended,
  SessionFork,
  SessionList,
  SessionMoves,
  SessionRewind,
} from '#shared/frames/session';
import { type Handler, reads, writes } from '../broker/handler.ts';
import { takePage } from '../broker/page.ts';
import type { SessionMirror } from './session-mirror.ts';
import type { SessionKey, SessionStore } from './session-store.ts';

const defaultPage = 100;
const maxPage = 500;

export interface SessionHandlerDeps {
  readonly mirror: SessionMirror;
  readonly store: SessionStore;
  /** A known aspect's name as its owner spells it. */
  findName(name: string): string | undefined;
}

/** The session mirror's frames. */
export function sessionHandlers({ mirror, store, findName }: SessionHandlerDeps): Handler[] {
  const spelt = (name: string) => findName(name) ?? name;
  const mirrored = ({ aspect, session_id }: { aspect: string; session_id: string }) => {
    const key: SessionKey = { aspect: spelt(aspect), sessionId: session_id };
    const headId = store.headOf(key);
    if (headId !== undefined) return { key, headId };
    throw new FrameRefused('not_found', `no session "${session_id}" of ${aspect} is mirrored`);
  };

  return [
    writes(SessionEntryAppended, async (payload, connection) => {
      await mirror.append(connection, payload);
      return undefined;
    }),

    writes(SessionRewind, async (payload, connection) => {
      const { aspect, session_id: sessionId = '', new_head_id: headId, previous_id } = payload;
      const fromId = previous_id ?? '';
      await mirror.move(connection, aspect, { sessionId, op: 'rewind', headId, fromId });
      return undefined;
    }),

    writes(SessionFork, async (payload, connection) => {
      const { aspect, session_id: sessionId = '', new_head_id: headId, fork_point } = payload;
      const fromId = fork_point ?? '';
      await mirror.move(connection, aspect, { sessionId, op: 'fork', headId, fromId });
      return undefined;
    }),

    reads(SessionList, ({ aspect, before, limit }) => {
      const rows = store.sessions(aspect ? spelt(aspect) : undefined, before || undefined);
      const { rows: sessions, hasMore } = takePage(rows, pageOf(limit));
      return { sessions, has_more: hasMore };
    }),

    reads(SessionEntries, ({ after = 0, limit, ...which }) => {
      const { key, headId } = mirrored(which);
      const { rows: entries, hasMore } = takePage(store.entries(key, after), pageOf(limit));
      return { head_id: headId, entries, has_more: hasMore };
    }),

    reads(SessionMoves, ({ after = 0, limit, ...which }) => {
      const { key } = mirrored(which);
      const { rows: moves, hasMore } = takePage(store.moves(key, after), pageOf(limit));
      return { moves, has_more: hasMore };
    }),
  ];
}

const pageOf = (limit: number | undefined): number => Math.min(limit || defaultPage, maxPage);
