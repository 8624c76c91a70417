import { open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCodeOf } from '#shared/errors';
import { syncFolder } from '#shared/sys/folders';
import type { Entry } from './entry.ts';
import type { LogLineAt } from './log-recovery.ts';

/** Where a tree stood when the log had `size` bytes. */
export interface SavedHead {
  readonly head: string;
  /** Absent in files of the reference, which then are believed as they are. */
  readonly size?: number;
}

/** Reads the sidecar. Undefined when it is missing or does not read. */
export async function readHead(path: string): Promise<SavedHead | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (typeof value !== 'object' || value === null) return undefined;
    if (!('head' in value) || typeof value.head !== 'string') return undefined;
    const size = 'size' in value && typeof value.size === 'number' ? value.size : undefined;
    return size === undefined ? { head: value.head } : { head: value.head, size };
  } catch (error) {
    if (error instanceof SyntaxError || systemCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Replaces the sidecar: readers see the old one or the new one, and it survives a power cut. */
export async function writeHead(path: string, saved: Required<SavedHead>): Promise<void> {
  // One writer at a time (the log's order, the folder's lock), so one name is enough, and what a
  // crash leaves behind is overwritten.
  const temporary = `${path}.tmp`;
  const handle = await open(temporary, 'w', 0o600);
  try {
    await handle.writeFile(JSON.stringify(saved));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, path);
  await syncFolder(dirname(path));
}

/**
 * The head after a restart (runtime spec §10.2). Entries past the saved size were appended after
 * the sidecar was written; each that continues the head moves it on. Without a usable sidecar it
 * is the last entry. Undefined for an empty log.
 */
export function recoverHead(
  saved: SavedHead | undefined,
  lines: readonly LogLineAt<Entry>[],
): string | undefined {
  if (!saved || !lines.some(({ value }) => value.id === saved.head)) return lines.at(-1)?.value.id;
  const { head, size = Number.POSITIVE_INFINITY } = saved;
  return lines.reduce(
    (at, { value, start }) => (start >= size && value.parentId === at ? value.id : at),
    head,
  );
}
