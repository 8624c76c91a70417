import { cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from '#shared/sys/folders';
import { packageRoot } from './package-root.ts';

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
