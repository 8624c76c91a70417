import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  createReadStream,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import SqliteDatabase from 'better-sqlite3';
import { Type } from 'typebox';
import { messageOf } from '#shared/errors';
import { compileSchema } from '#shared/schema';
import { makeFolder } from '#shared/sys/folders';
import type { Connection } from './database.ts';
import { StorageError } from './errors.ts';

export const databaseFile = 'nexus.db';
const manifestFile = 'manifest.json';
const format = 'nexus-backup-v1';

/** What an instance keeps besides its database: folders and files of the data directory. */
const alongside = ['files', 'keyfiles', 'operator.token'];

const Manifest = Type.Object({
  format: Type.Literal(format),
  nexus_id: Type.String(),
  /** RFC 3339. */
  made_at: Type.String(),
  schema: Type.Integer(),
  /** SHA-256 in hex, by path relative to the backup. */
  files: Type.Record(Type.String(), Type.String({ pattern: '^[0-9a-f]{64}$' })),
});

export interface BackupMade {
  readonly folder: string;
  readonly files: number;
  readonly bytes: number;
}

export interface BackupFacts {
  readonly nexusId: string;
  readonly now: number;
  /** The file with the keys of the vault, a line each, if they are to go along. */
  readonly keyFile?: string | undefined;
}

/**
 * Copies an instance into a new folder, also while its broker runs: the database as it is at one
 * moment, and what lies beside it. Private keys are in it, so it is for this user only (0700,
 * 0600). The key of the vault is not, unless it is named. Throws `StorageError` when the folder
 * exists.
 */
export async function makeBackup(
  db: Connection,
  dataDir: string,
  folder: string,
  facts: BackupFacts,
): Promise<BackupMade> {
  if (existsSync(folder)) throw refused(`${folder} exists; a backup never overwrites`);
  makeFolder(folder);
  try {
    chmodSync(folder, 0o700);
    const keysBefore = keysIn(dataDir, facts);
    // One read transaction: commits meanwhile neither disturb it nor begin it anew.
    db.prepare('VACUUM INTO ?').run(join(folder, databaseFile));
    // Afterwards: files are in place before the database speaks of them.
    for (const name of alongside) {
      const from = join(dataDir, name);
      if (existsSync(from)) cpSync(from, join(folder, name), { recursive: true });
    }
    // The key may change meanwhile: the database needs the one before or the one after.
    const keys = new Set([...keysBefore, ...keysIn(dataDir, facts)]);
    if (facts.keyFile && keys.size > 0) {
      writeFileSync(join(folder, facts.keyFile), [...keys, ''].join('\n'));
    }
    const files = await hashesIn(folder);
    const manifest = {
      format,
      nexus_id: facts.nexusId,
      made_at: new Date(facts.now).toISOString(),
      schema: db.pragma('user_version', { simple: true }),
      files: Object.fromEntries(files),
    };
    writeFileSync(join(folder, manifestFile), `${JSON.stringify(manifest, null, 2)}\n`);
    restrict(folder);
    const bytes = [...files.keys()].reduce(
      (sum, path) => sum + statSync(join(folder, path)).size,
      0,
    );
    return { folder, files: files.size, bytes };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

function keysIn(dataDir: string, { keyFile }: BackupFacts): string[] {
  if (!keyFile || !existsSync(join(dataDir, keyFile))) return [];
  return readFileSync(join(dataDir, keyFile), 'utf8').split('\n').filter(Boolean);
}

/** What a data directory may hold before an instance is put there. */
const harmless: ReadonlySet<string> = new Set(['lock', 'lock-journal', 'logs']);

/**
 * Puts a backup where there is no instance yet. Everything is checked on a copy first: the
 * manifest against the files, the database against itself, and what `check` adds, given the path
 * of the database. Throws `StorageError`, and then the data directory is as it was.
 */
export async function restoreBackup(
  folder: string,
  dataDir: string,
  check: (database: string) => void,
): Promise<{ readonly nexusId: string; readonly madeAt: string; readonly files: number }> {
  const manifest = readManifest(folder);
  makeFolder(dataDir);
  const present = readdirSync(dataDir).find((name) => !harmless.has(name));
  if (present) {
    throw refused(`${dataDir} has ${present} in it; restore into an empty --data-dir`);
  }
  await assertComplete(folder, manifest.files);
  const staging = mkdtempSync(join(dataDir, 'restoring-'));
  try {
    for (const path of Object.keys(manifest.files)) {
      makeFolder(dirname(join(staging, path)));
      copyFileSync(join(folder, path), join(staging, path));
    }
    assertSound(join(staging, databaseFile), check);
    restrict(staging);
    const names = readdirSync(staging).filter((name) => name !== databaseFile);
    // The database goes last: before it there is no instance.
    for (const name of [...names, databaseFile]) {
      renameSync(join(staging, name), join(dataDir, name));
    }
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
  const files = Object.keys(manifest.files).length;
  return { nexusId: manifest.nexus_id, madeAt: manifest.made_at, files };
}

function readManifest(folder: string) {
  const manifest = compileSchema(Manifest);
  const value = parse(join(folder, manifestFile));
  if (!manifest.accepts(value)) {
    throw refused(`${folder} is no backup: ${manifestFile} ${manifest.problemWith(value)}`);
  }
  const outside = Object.keys(value.files).find(
    (path) => relative('.', path).startsWith('..') || !/^[\w.-]+(\/[\w.-]+)*$/.test(path),
  );
  if (outside) throw refused(`${folder} is no backup: it names ${JSON.stringify(outside)}`);
  if (!(databaseFile in value.files)) throw refused(`${folder} is no backup: it has no database`);
  return value;
}

function parse(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw refused(`cannot read ${path}: ${messageOf(cause)}`, cause);
  }
}

async function assertComplete(
  folder: string,
  expected: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [path, hash] of Object.entries(expected)) {
    const file = join(folder, path);
    if (!existsSync(file)) throw refused(`the backup lacks ${path}`);
    if ((await hashOf(file)) !== hash) throw refused(`${path} in the backup was altered`);
  }
}

function assertSound(path: string, check: (database: string) => void): void {
  const db = new SqliteDatabase(path, { readonly: true });
  try {
    const verdict = db.pragma('integrity_check', { simple: true });
    if (verdict !== 'ok') throw refused(`the database in the backup is damaged: ${verdict}`);
  } finally {
    db.close();
  }
  check(path);
}

async function hashesIn(folder: string): Promise<Map<string, string>> {
  const hashes = new Map<string, string>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    hashes.set(relative(folder, path).split(sep).join('/'), await hashOf(path));
  }
  return hashes;
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** For this user only, whatever the copies' modes were. */
function restrict(folder: string): void {
  chmodSync(folder, 0o700);
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isSymbolicLink()) continue;
    chmodSync(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o700 : 0o600);
  }
}

const refused = (message: string, cause?: unknown) =>
  new StorageError('storage.backup', message, { cause });
