import { randomUUID } from 'node:crypto';
import { link, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { systemCodeOf } from '#shared/errors';
import { SessionLocked } from './errors.ts';
import { isSameProcess, type ProcessMark, processMark } from './process-mark.ts';

/** What stands in a lock file. */
interface Holder extends ProcessMark {
  /** Tells two locks of one process apart. */
  readonly nonce: string;
}

/**
 * An advisory lock: a file that names its holder by pid and start time. A lock whose holder is
 * dead, or whose pid now belongs to another process, is taken over.
 */
export class FileLock {
  readonly #path: string;
  readonly #nonce: string;
  #released: Promise<void> | undefined;

  private constructor(path: string, nonce: string) {
    this.#path = path;
    this.#nonce = nonce;
  }

  /** Takes the lock; its folder exists. Throws `SessionLocked` with the pid of a live holder. */
  static async acquire(path: string): Promise<FileLock> {
    const nonce = randomUUID();
    const mine = `${path}.${nonce}`;
    const holder: Holder = { ...(await processMark(process.pid)), nonce };
    // Written aside and then linked, so that a lock is never seen without its content.
    await writeFile(mine, JSON.stringify(holder), { mode: 0o600 });
    try {
      await take(path, mine);
      return new FileLock(path, nonce);
    } finally {
      await unlink(mine);
    }
  }

  /** Gives the lock back, if it still is ours. Safe to call twice. */
  release(): Promise<void> {
    this.#released ??= this.#release();
    return this.#released;
  }

  async #release(): Promise<void> {
    const text = await readIfThere(this.#path);
    if (text !== undefined && parseHolder(text)?.nonce === this.#nonce) await unlink(this.#path);
  }
}

/**
 * Links `mine` to `path`, replacing the lock of a dead holder; throws `SessionLocked` for a live one.
 *
 * Looking at a stale lock and replacing it are two steps, so several processes could each remove
 * what the one before has just taken. Therefore a stale lock may be replaced only by who holds the
 * lock on doing so, whose name comes from the stale one. That lock is taken in this same way, so
 * one who dies half way is succeeded too.
 */
async function take(path: string, mine: string): Promise<void> {
  while (!(await linked(mine, path))) {
    const text = await readIfThere(path);
    if (text === undefined) continue;
    // A lock that does not read was cut short by a power failure: its holder is gone.
    const holder = parseHolder(text);
    if (holder && (await isSameProcess(holder))) throw new SessionLocked(path, holder.pid);

    const succession = `${path}.after-${holder?.nonce ?? 'unreadable'}`;
    await take(succession, mine);
    if ((await readIfThere(path)) === text) return rename(succession, path);
    await unlink(succession);
  }
}

const isNonce = (value: unknown): value is string =>
  typeof value === 'string' && /^[\w-]{1,64}$/.test(value);

/** False when the name is taken. */
async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (systemCodeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function parseHolder(text: string): Holder | undefined {
  try {
    const { pid, startedAt, nonce } = JSON.parse(text);
    if (!Number.isInteger(pid) || pid < 1 || !isNonce(nonce)) return undefined;
    return { pid, nonce, ...(typeof startedAt === 'string' ? { startedAt } : {}) };
  } catch {
    // Says nothing about a holder; the caller treats that as none.
    return undefined;
  }
}
