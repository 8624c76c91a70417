import { hash } from 'node:crypto';
import { chmod, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { nameKey } from '#shared/config/names';
import { systemCodeOf } from '#shared/errors';

/** How much is kept on disk. */
export interface ActivityLimits {
  /** Days before today that are kept; with 0 nothing is written at all. */
  readonly retainDays: number;
  /** One file; a day's next file is begun beyond it. */
  readonly maxFileBytes: number;
  /** All files together, checked now and then. */
  readonly maxTotalBytes: number;
}

export const defaultActivityLimits: ActivityLimits = {
  retainDays: 14,
  maxFileBytes: 16 * 1024 * 1024,
  maxTotalBytes: 256 * 1024 * 1024,
};

const msPerDay = 86_400_000;
/** A century: longer is no date that can be written. */
const maxDays = 36_500;
const fileName = /^(?<day>\d{4}-\d\d-\d\d)(?:\.(?<part>\d{1,6}))?\.jsonl$/;

interface ActivityFile {
  readonly path: string;
  /** The UTC day of its frames. */
  readonly day: string;
  /** Counts a day's files from 0. */
  readonly part: number;
  readonly bytes: number;
}

/** The files of what was observed: one folder for each aspect, one file or more for each day. */
export class ActivityFolder {
  readonly #root: string;
  readonly #limits: ActivityLimits;
  /** The file that is being written, by folder. */
  readonly #current = new Map<string, ActivityFile>();

  constructor(root: string, limits: ActivityLimits) {
    this.#root = resolve(root);
    this.#limits = limits;
  }

  /** Makes sure that the folder is there and only ours. Rejects with the system's error. */
  async prepare(): Promise<void> {
    await makePrivateFolder(this.#root);
  }

  /** Appends lines to an aspect's file of a day. Rejects with the system's error. */
  async append(aspect: string, day: string, lines: string): Promise<void> {
    const folder = this.folderOf(aspect);
    const bytes = Buffer.byteLength(lines);
    const file = await this.#fileFor(folder, day, bytes);
    const handle = await open(file.path, 'a', 0o600);
    try {
      await handle.appendFile(lines);
    } finally {
      await handle.close();
    }
    this.#current.set(folder, { ...file, bytes: file.bytes + bytes });
  }

  /**
   * Removes files that are too old, and then the oldest until the rest is small enough; never one
   * that is being written. Leaves alone whatever has another name. Returns the bytes that remain.
   */
  async sweep(now: number): Promise<number> {
    const firstDay = dayOf(now - Math.min(this.#limits.retainDays, maxDays) * msPerDay);
    for (const [folder, { day }] of this.#current) {
      if (day < dayOf(now)) this.#current.delete(folder);
    }
    const current = new Set([...this.#current.values()].map(({ path }) => path));
    const files: ActivityFile[] = [];
    for (const folder of await readdir(this.#root, { withFileTypes: true })) {
      if (folder.isDirectory()) files.push(...(await filesIn(join(this.#root, folder.name))));
    }
    files.sort((a, b) => (a.day === b.day ? a.part - b.part : a.day < b.day ? -1 : 1));
    let total = files.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const { path, day, bytes } of files) {
      const isTooMuch = day < firstDay || total > this.#limits.maxTotalBytes;
      if (!isTooMuch || current.has(path)) continue;
      await rm(path, { force: true });
      total -= bytes;
    }
    return total;
  }

  /** An aspect's folder. Names differ regardless of case only, and nothing in one leads outside. */
  folderOf(aspect: string): string {
    const safe = nameKey(aspect).replace(
      /[^a-z0-9_-]/gu,
      (character) => `%${Buffer.from(character).toString('hex')}`,
    );
    const short = safe.length > 128 ? `${safe.slice(0, 48)}%${hash('sha256', safe)}` : safe;
    const folder = resolve(this.#root, short);
    if (!folder.startsWith(this.#root + sep)) throw new Error(`${folder} is not in ${this.#root}`);
    return folder;
  }

  async #fileFor(folder: string, day: string, bytes: number): Promise<ActivityFile> {
    const known = this.#current.get(folder);
    const file = known?.day === day ? known : await newestOf(folder, day);
    if (file.bytes === 0 || file.bytes + bytes <= this.#limits.maxFileBytes) return file;
    return emptyFile(folder, day, file.part + 1);
  }
}

/** The UTC day of a moment. */
export const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

async function newestOf(folder: string, day: string): Promise<ActivityFile> {
  await makePrivateFolder(folder);
  const ofDay = (await filesIn(folder)).filter((file) => file.day === day);
  return ofDay.sort((a, b) => b.part - a.part)[0] ?? emptyFile(folder, day, 0);
}

function emptyFile(folder: string, day: string, part: number): ActivityFile {
  const name = part === 0 ? `${day}.jsonl` : `${day}.${part}.jsonl`;
  return { path: join(folder, name), day, part, bytes: 0 };
}

async function filesIn(folder: string): Promise<ActivityFile[]> {
  const files: ActivityFile[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const groups = fileName.exec(entry.name)?.groups;
    if (!entry.isFile() || !groups) continue;
    const path = join(folder, entry.name);
    const { size: bytes } = await stat(path);
    files.push({ path, day: groups['day'] ?? '', part: Number(groups['part'] ?? 0), bytes });
  }
  return files;
}

/** Also makes one private that is there already. */
async function makePrivateFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    if (systemCodeOf(error) !== 'EEXIST') throw error;
    await chmod(path, 0o700);
  }
}
