import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCodeOf } from '../errors.ts';
import type { Documents } from './personality.ts';

/** The documents of a home folder, trimmed. Each may be missing. */
export async function readHomeDocuments(folder: string): Promise<Documents> {
  const [nexusMd, soulMd, primerMd] = await Promise.all([
    readFirst(folder, ['NEXUS.md', 'CLAUDE.md']),
    readFirst(folder, ['SOUL.md']),
    readFirst(folder, ['PRIMER.md']),
  ]);
  return { nexusMd, soulMd, primerMd };
}

async function readFirst(folder: string, names: readonly string[]): Promise<string> {
  for (const name of names) {
    try {
      const text = await readFile(join(folder, name), 'utf8');
      return text.trim();
    } catch (error) {
      if (systemCodeOf(error) !== 'ENOENT') throw error;
    }
  }
  return '';
}
