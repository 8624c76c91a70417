import { existsSync, mkdirSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Creates a folder and what is missing above it, for this user only (mode 0700).
 *
 * One `mkdir` a level: Node's recursive form never returns where the file system answers "no such
 * entry" to every attempt, as `/proc` does.
 */
export function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  mkdirSync(path, { mode: 0o700 });
}

/** Makes the names in a folder durable: new files, renames. */
export async function syncFolder(folder: string): Promise<void> {
  // Windows has no way to do this, and does not need it.
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
