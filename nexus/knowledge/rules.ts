import { nameKey } from '#shared/config/names';
import { FrameRefused } from '#shared/frames/errors';
import type { KnowledgeSearch } from '#shared/frames/knowledge';
import type { Connection } from '../broker/connection.ts';
import { isAdmin, operatorName } from '../credentials/identity.ts';

const maxTopicLength = 200;
const maxContentBytes = 64 * 1024;

/** Entries that one owner may have. */
export const maxEntries = 10_000;

/** The entries that a search may find. */
export interface Scope {
  /** Owners all of whose entries may be found. */
  readonly whole: readonly string[];
  /** Owners whose shared entries may be found as well. */
  readonly shared: 'all' | readonly string[];
}

/**
 * What a caller may find. Aspects see of others only what is shared (B3), and without a word on it
 * search their own and what is shared; `false` reads as unsaid, as in Go. The operator's search
 * always covers its own, what is shared, and all that the named peers have.
 */
export function scopeOf(
  speaker: string,
  { own_agent, shared, peers = [] }: Pick<KnowledgeSearch, 'own_agent' | 'shared' | 'peers'>,
): Scope {
  if (speaker === operatorName) return { whole: [speaker, ...peers], shared: 'all' };
  const isUnsaid = !own_agent && !shared && peers.length === 0;
  return {
    whole: own_agent || isUnsaid ? [speaker] : [],
    shared: shared || isUnsaid ? 'all' : peers,
  };
}

/**
 * Whether a caller decides what is shared: the operator, the coordinator and admins. A whole host
 * behind an Outpost does not gain that by the Outpost's token.
 */
export function mayShare(connection: Connection, speaker: string, frameName?: string): boolean {
  if (speaker === operatorName) return true;
  if (frameName !== undefined && nameKey(speaker) === nameKey(frameName)) return true;
  return isAdmin(connection.identity) && connection.outpostId === undefined;
}

/** A topic as it is stored and compared (C3). Throws `FrameRefused`. */
export function normalTopic(topic: string): string {
  const normal = topic.toWellFormed().normalize('NFC').trim();
  if (normal === '') throw new FrameRefused('bad_request', 'the topic is blank');
  if (normal.length > 2 * maxTopicLength || [...normal].length > maxTopicLength) {
    throw new FrameRefused('too_large', `a topic may have ${maxTopicLength} characters`);
  }
  return normal;
}

/** Throws `FrameRefused` for more than an entry may hold. */
export function assertContentFits(content: string): void {
  if (Buffer.byteLength(content) <= maxContentBytes) return;
  throw new FrameRefused('too_large', `an entry may have ${maxContentBytes} bytes`);
}
