import { join } from 'node:path';

/** Names one conversation of an aspect (runtime spec §4). */
export type SessionKey = 'global' | 'stateless' | `thread:${number}`;

/** The session of a chat thread. `root` is the id of its first message. */
export function threadKey(root: number): SessionKey {
  // It becomes a file name, so nothing but a plain decimal may pass.
  if (!Number.isSafeInteger(root) || root < 1) throw new RangeError(`no thread root: ${root}`);
  return `thread:${root}`;
}

/** Whether idle trees of this key may be closed by the sweep: the global one never is (§4). */
export const isReapable = (key: SessionKey): boolean => key.startsWith('thread:');

/** Where a session's log is, below the `session/` folder. Undefined for what is never on disk. */
export function logPathOf(folder: string, key: SessionKey): string | undefined {
  if (key === 'stateless') return undefined;
  if (key === 'global') return join(folder, 'global.jsonl');
  const root = Number(key.slice('thread:'.length));
  if (threadKey(root) !== key) throw new RangeError(`no session key: ${key}`);
  return join(folder, 'threads', `${root}.jsonl`);
}
