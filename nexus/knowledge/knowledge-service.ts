import { nameKey } from '#shared/config/names';
import { messageOf, systemCodeOf } from '#shared/errors';
import { FrameRefused } from '#shared/frames/errors';
import type { KnowledgeSearch, KnowledgeShare, KnowledgeStore } from '#shared/frames/knowledge';
import type { Log } from '#shared/sys/log';
import type { Connection } from '../broker/connection.ts';
import { registeredSpeakerOf, speakerOf } from '../broker/speaker.ts';
import { operatorName } from '../credentials/identity.ts';
import type { Journal } from '../journal/journal.ts';
import {
  type KnowledgeShared,
  type KnowledgeStored,
  knowledgeShared,
  knowledgeStored,
} from './events.ts';
import type { FoundEntry, KnowledgeEntry, KnowledgeStore as Store } from './knowledge-store.ts';
import { PendingStores } from './pending-stores.ts';
import { expressionsFor } from './query.ts';
import {
  assertContentFits,
  maxEntries,
  mayShare,
  normalTopic,
  type Scope,
  scopeOf,
} from './rules.ts';

const defaultHits = 5;
/** Hits of one search. */
export const maxHits = 50;

export interface KnowledgeServiceDeps {
  readonly journal: Journal;
  readonly store: Store;
  readonly log: Log;
  /** The coordinator's name, if this instance has one. */
  readonly frameName?: string | undefined;
  /** A known aspect's name as its owner spells it. */
  findName(name: string): string | undefined;
  /** Entries that one owner may have. */
  readonly maxEntries?: number;
}

/** An entry that is on disk. */
export interface Stored {
  readonly entry: KnowledgeEntry;
  /** Says so when `shared` was not taken as asked. */
  readonly note?: string | undefined;
}

/** What the team knows: written by its owners, shared by those who may, found by their words. */
export class KnowledgeService {
  readonly #deps: KnowledgeServiceDeps;
  readonly #maxEntries: number;
  readonly #pending = new PendingStores();

  constructor(deps: KnowledgeServiceDeps) {
    this.#deps = deps;
    this.#maxEntries = deps.maxEntries ?? maxEntries;
  }

  /** Writes the speaker's entry on a topic. Throws `FrameRefused` for what cannot be taken. */
  store(connection: Connection, request: KnowledgeStore): Promise<Stored> {
    const { content, shared, if_updated_at } = request;
    const owner = registeredSpeakerOf(connection, request.from);
    const topic = normalTopic(request.topic);
    assertContentFits(content);
    const isPending = this.#pending.has(owner, topic);
    const before = this.#deps.store.find(owner, topic);
    if (if_updated_at) assertUnchanged(if_updated_at, before, isPending);
    const isNew = !before && !isPending;
    if (isNew) this.#assertRoom(owner);

    const decides = mayShare(connection, owner, this.#deps.frameName);
    const body: KnowledgeStored['body'] = {
      topic,
      content,
      ...(decides && shared !== undefined && { shared }),
    };
    const settled = this.#pending.add(owner, topic, isNew);
    return this.#deps.journal
      .append({ kind: knowledgeStored, actor: owner, body })
      .finally(settled)
      .then(() => {
        const entry = this.#deps.store.find(owner, topic);
        if (!entry) throw new Error(`stored, but not found: ${owner}, ${topic}`);
        return { entry, note: decides ? undefined : noteOn(entry, shared) };
      });
  }

  /** Shows an entry to everybody, or stops that. Throws `FrameRefused`. */
  async share(connection: Connection, { id, shared, from }: KnowledgeShare): Promise<void> {
    const { journal, store, frameName } = this.#deps;
    const actor = speakerOf(connection, from);
    if (!mayShare(connection, actor, frameName)) {
      throw new FrameRefused('forbidden', 'the operator or the coordinator shares entries');
    }
    if (!store.has(id)) throw new FrameRefused('not_found', `there is no entry ${id}`);
    const body: KnowledgeShared['body'] = { id, shared };
    await journal.append({ kind: knowledgeShared, actor, body });
  }

  /**
   * Entries that the speaker may see and that have the words of a text, the best first: those with
   * the exact phrase, then with all of its words, then with any.
   */
  search(connection: Connection, request: KnowledgeSearch): FoundEntry[] {
    const { text, max_rank, mode } = request;
    const speaker = registeredSpeakerOf(connection, request.from);
    if (text.trim() === '') throw new FrameRefused('bad_request', 'say what to search for');
    const { peers = [] } = request;
    const scope = scopeOf(speaker, { ...request, peers: peers.map((name) => this.#spelt(name)) });
    const wanted = Math.min(request.top_k || defaultHits, maxHits);
    const found = new Map<number, FoundEntry>();
    for (const expression of expressionsFor(text, mode)) {
      for (const entry of this.#matching(expression, scope, wanted)) {
        if (max_rank && entry.score >= max_rank) break;
        if (!found.has(entry.id)) found.set(entry.id, entry);
      }
      if (found.size >= wanted) break;
    }
    return [...found.values()].slice(0, wanted);
  }

  /** Everybody's entries, or one agent's, the newest update first. */
  list(agent?: string): Iterable<KnowledgeEntry> {
    return this.#deps.store.list(agent && this.#spelt(agent));
  }

  /** No text may make a search fail (C1). */
  #matching(expression: string, scope: Scope, limit: number): FoundEntry[] {
    try {
      return this.#deps.store.search(expression, scope, limit);
    } catch (error) {
      if (!systemCodeOf(error)?.startsWith('SQLITE_')) throw error;
      this.#deps.log.warn({ problem: messageOf(error) }, 'knowledge search failed');
      return [];
    }
  }

  #assertRoom(owner: string): void {
    const entries = this.#deps.store.count(owner) + this.#pending.countNew(owner);
    if (entries < this.#maxEntries) return;
    throw new FrameRefused(
      'too_large',
      `${owner} has ${entries} entries, as many as one may have; write to one of their topics`,
    );
  }

  /** A name as entries have it. */
  #spelt(name: string): string {
    if (nameKey(name) === operatorName) return operatorName;
    return this.#deps.findName(name) ?? name;
  }
}

/** A store under way counts as a change: the entry will have another time. */
function assertUnchanged(
  expected: string,
  before: KnowledgeEntry | undefined,
  isPending: boolean,
): void {
  if (!isPending && before?.updatedAt === expected) return;
  const problem = before ? 'the entry has changed' : 'there is no such entry';
  throw new FrameRefused('conflict', `${problem}; read it again`);
}

function noteOn(entry: KnowledgeEntry, shared: boolean | undefined): string | undefined {
  if (shared === undefined || entry.shared === shared) return undefined;
  const state = shared ? 'stored unshared' : 'stored and still shared';
  return `${state}: only the operator or the coordinator changes that`;
}
