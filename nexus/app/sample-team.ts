import { cpSync, existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeFolder } from '#shared/sys/folders';

/** What makes a home: nothing that an aspect wrote while it ran. */
const isHomeFile = (name: string): boolean => name === 'aspect.json' || name.endsWith('.md');

/** Copies the homes that come with the package into a new folder, and returns its path. */
export function copySampleTeam(target: string): string {
  const source = join(packageRoot(), 'agents');
  for (const entry of readdirSync(source, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    makeFolder(join(target, entry.name));
    for (const name of readdirSync(join(source, entry.name)).filter(isHomeFile)) {
      cpSync(join(source, entry.name, name), join(target, entry.name, name));
    }
  }
  return target;
}

/** The nearest folder upwards with a package.json: the same for source and for `dist`. */
function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json')) && folder !== dirname(folder)) {
    folder = dirname(folder);
  }
  return folder;
}
