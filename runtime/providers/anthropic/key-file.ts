import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCodeOf } from '#shared/errors';
import { findJson, isRecord } from '../json.ts';
import { ProviderError } from '../provider.ts';

/** Looked for in this order inside `<home>/.credentials`. */
const KEY_FILES = ['anthropic.json', 'claude-api.json'];
/** Any permission for group or world. */
const EXPOSED = 0o077;

/**
 * Reads the API key from `<home>/.credentials`, or returns undefined when no key file is there.
 *
 * Throws `ProviderError` `auth` when a file is there but must not or cannot be used: others can
 * read it, it is not `{"api_key": "…"}`, or the key is blank.
 */
export async function findApiKey(home: string): Promise<string | undefined> {
  for (const name of KEY_FILES) {
    const path = join(home, '.credentials', name);
    const file = await openIfThere(path);
    if (!file) continue;
    try {
      return await readKey(file, path);
    } finally {
      await file.close();
    }
  }
  return undefined;
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (thrown) {
    const code = systemCodeOf(thrown);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw refused(`cannot read ${path}`, thrown);
  }
}

async function readKey(file: FileHandle, path: string): Promise<string> {
  // Windows has no such bits; its folders inherit the owner's access list instead.
  if (process.platform !== 'win32' && ((await file.stat()).mode & EXPOSED) !== 0) {
    throw refused(`${path} can be read by others; run: chmod 600 ${path}`);
  }
  const content = findJson(await file.readFile('utf8'));
  const key = isRecord(content) ? content['api_key'] : undefined;
  if (typeof key === 'string' && key.trim() !== '') return key.trim();
  throw refused(`${path} must hold {"api_key": "…"}`);
}

function refused(message: string, cause?: unknown): ProviderError {
  return new ProviderError('auth', message, { retryable: false, cause });
}
