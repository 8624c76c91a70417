import {
  type KnowledgeHit,
  KnowledgeList,
  KnowledgeSearch,
  KnowledgeShare,
  KnowledgeStore,
  type KnowledgeStoreResult,
} from '#shared/frames/knowledge';
import { type Handler, reads, writes } from '../broker/handler.ts';
import { takePage } from '../broker/page.ts';
import { type KnowledgeService, maxHits, type Stored } from './knowledge-service.ts';
import type { FoundEntry, KnowledgeEntry } from './knowledge-store.ts';

const defaultPage = 50;
const maxPage = 500;

/** The knowledge frames. */
export function knowledgeHandlers(knowledge: KnowledgeService): Handler[] {
  return [
    writes(KnowledgeStore, (payload, connection) =>
      knowledge
        .store(connection, payload)
        .then((stored) => toResult(stored, Boolean(payload.if_updated_at))),
    ),

    writes(KnowledgeShare, async (payload, connection) => {
      await knowledge.share(connection, payload);
      return { id: payload.id, shared: payload.shared };
    }),

    reads(KnowledgeSearch, (payload, connection) => ({
      hits: takePage(knowledge.search(connection, payload).map(toFound), maxHits).rows,
    })),

    reads(KnowledgeList, ({ agent, limit }) => ({
      entries: takePage(knowledge.list(agent), pageOf(limit)).rows.map(toListed),
    })),
  ];
}

const pageOf = (limit: number | undefined): number => Math.min(limit || defaultPage, maxPage);

function toResult({ entry, note }: Stored, wantsTime: boolean): KnowledgeStoreResult {
  return {
    id: entry.id,
    ...(note && { note }),
    ...(wantsTime && { updated_at: entry.updatedAt }),
  };
}

function toListed({ id, owner, topic, content, shared, updatedAt }: KnowledgeEntry): KnowledgeHit {
  return {
    id,
    from_agent: owner,
    topic,
    content,
    shared,
    updated_at: updatedAt,
    score: 0,
    matched: '',
  };
}

const toFound = (entry: FoundEntry): KnowledgeHit => ({
  ...toListed(entry),
  score: entry.score,
  matched: 'fts',
});
