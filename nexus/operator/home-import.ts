import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { loadAspectHome } from '#shared/config/aspect-json';
import { readHomeDocuments } from '#shared/config/home-documents';
import { nameKey } from '#shared/config/names';
import { areBlank } from '#shared/config/personality';
import { messageOf } from '#shared/errors';
import type { BrokerAccess } from './broker-access.ts';
import { OperatorError } from './errors.ts';
import { fetchPersonality, writePersonality } from './personality-client.ts';

export interface ImportOptions {
  /** Folders of homes, or homes. */
  readonly folders: readonly string[];
  /** Only this aspect's. */
  readonly name?: string | undefined;
  /** Also where the broker has a personality already. */
  readonly overwrite: boolean;
  /** Says what would be done and does nothing. */
  readonly dryRun: boolean;
}

/** What became of one home. */
export interface Imported {
  readonly name: string;
  readonly home: string;
  /** `kept`: the broker has one already. `refused`: see `problem`. */
  readonly outcome: 'imported' | 'would_import' | 'unchanged' | 'kept' | 'empty' | 'refused';
  readonly version?: number;
  readonly problem?: string;
}

/** Gives the broker the documents of aspect homes, one home after the other. */
export async function* importHomes(
  access: BrokerAccess,
  options: ImportOptions,
): AsyncGenerator<Imported> {
  const { name: only } = options;
  let matched = false;
  for (const home of options.folders.flatMap(homesIn)) {
    const { name } = loadAspectHome(home).config;
    if (only !== undefined && nameKey(only) !== nameKey(name)) continue;
    matched = true;
    yield { name, home, ...(await importHome(access, name, home, options)) };
  }
  if (matched) return;
  const whose = only === undefined ? '' : ` of ${only}`;
  const message = `there is no home${whose} in ${options.folders.join(', ')}; see --aspect-dir`;
  throw new OperatorError('operator.bad_text', message);
}

async function importHome(
  access: BrokerAccess,
  name: string,
  home: string,
  { overwrite, dryRun }: ImportOptions,
): Promise<Pick<Imported, 'outcome' | 'version' | 'problem'>> {
  const documents = await readHomeDocuments(home);
  if (areBlank(documents)) return { outcome: 'empty' };
  try {
    const { version, documents: before } = await fetchPersonality(access, name);
    if (JSON.stringify(before) === JSON.stringify(documents))
      return { outcome: 'unchanged', version };
    if (version > 0 && !overwrite) return { outcome: 'kept', version };
    if (dryRun) return { outcome: 'would_import', version };
    const written = await writePersonality(access, name, documents, version);
    return { outcome: 'imported', version: Number(written['new_version']) };
  } catch (error) {
    if (!(error instanceof OperatorError) || error.code !== 'operator.refused') throw error;
    return { outcome: 'refused', problem: messageOf(error) };
  }
}

function homesIn(folder: string): string[] {
  const root = resolve(folder);
  const isHome = (path: string) => existsSync(join(path, 'aspect.json'));
  if (isHome(root)) return [root];
  if (!existsSync(root)) return [];
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(root, entry.name))
    .filter(isHome)
    .sort();
}
