import type { Clock } from '#shared/sys/clock';
import type { NewId } from '#shared/sys/ids';
import type { Log } from '#shared/sys/log';
import { type Draft, type Entry, type EntryOf, type KnownEntry, treeVersion } from './entry.ts';
import type { EntryStorage } from './entry-storage.ts';
import { SessionError } from './errors.ts';
import { FileEntryStorage } from './file-entry-storage.ts';
import type { JsonlLogOptions } from './jsonl-log.ts';
import type { RecoveryReport } from './log-recovery.ts';
import { MemoryEntryStorage } from './memory-entry-storage.ts';
import { TreeIndex } from './tree-index.ts';

export interface SessionTreeDeps {
  /** Who the conversation belongs to, for the header of a new tree. */
  aspect: string;
  key: string;
  clock: Clock;
  newId: NewId;
  log: Log;
  /** Limits and file access of the log. */
  storage?: JsonlLogOptions;
}

const nothingWrong: RecoveryReport = { badLines: 0, tornBytes: 0 };

/**
 * One conversation: entries that each continue another, and a head that says where it stands.
 *
 * Readers see only what is durable. Writes may be queued without awaiting: each append continues
 * what was asked for before it, and when one fails, so do those behind it and the head stays at
 * the last durable entry.
 */
export class SessionTree {
  readonly #index: TreeIndex;
  readonly #storage: EntryStorage;
  readonly #clock: Clock;
  readonly #newId: NewId;
  /** What was wrong with the file when it was opened. */
  readonly recovery: RecoveryReport;
  readonly sessionId: string;
  #head: string;
  /** Where the head will be once everything queued is durable: parent of the next append. */
  #tip: string;
  #stamp = { ms: Number.NaN, text: '' };

  private constructor(
    { index, storage, head, recovery }: Opened,
    { clock, newId }: SessionTreeDeps,
  ) {
    this.#index = index;
    this.#storage = storage;
    this.#clock = clock;
    this.#newId = newId;
    this.#head = head;
    this.#tip = head;
    this.recovery = recovery;
    this.sessionId = sessionIdOf(index, head);
  }

  /**
   * Opens or creates the tree in the `.jsonl` file at `path`, repairing what a crash left. The
   * caller holds the folder's lock. Throws `session.corrupt` and `session.newer`.
   */
  static async open(path: string, deps: SessionTreeDeps): Promise<SessionTree> {
    const nowMs = deps.clock.now();
    const opened = await FileEntryStorage.open(path, nowMs, deps.storage);
    const { storage, entries, report } = opened;
    try {
      const index = new TreeIndex();
      for (const entry of entries) if (!index.add(entry)) report.badLines++;
      if (report.badLines > 0 || report.tornBytes > 0) {
        deps.log.warn({ path, ...report }, 'session log was damaged and has been repaired');
      }
      refuseForeign(path, entries, report);
      const head = opened.head ?? (await writeHeader(index, storage, deps));
      return new SessionTree({ index, storage, head, recovery: report }, deps);
    } catch (error) {
      await storage.close();
      throw error;
    }
  }

  /** A tree that is gone with the process, for stateless sessions. */
  static async inMemory(deps: SessionTreeDeps): Promise<SessionTree> {
    const index = new TreeIndex();
    const storage = new MemoryEntryStorage();
    const head = await writeHeader(index, storage, deps);
    return new SessionTree({ index, storage, head, recovery: nothingWrong }, deps);
  }

  /** The entry where the conversation stands. */
  get head(): string {
    return this.#head;
  }

  /**
   * Adds an entry and moves the head to it; durable when it resolves. Its parent is the head as
   * of this call, earlier un-awaited calls included. The payload is kept, not copied. Rejects
   * with `session.entry_too_large`, `session.busy`, `session.closed` or `session.write_failed`.
   */
  append(draft: Draft): Promise<KnownEntry> {
    return new Promise((resolve, reject) => {
      const entry: KnownEntry = {
        id: this.#newId(),
        parentId: this.#tip,
        ts: this.#timestamp(),
        ...draft,
      };
      const before = this.#tip;
      this.#tip = entry.id;
      try {
        this.#storage.append(entry, (error) => {
          if (!error) this.#index.add(entry);
          this.#moved(entry.id, error);
          if (error) reject(error);
          else resolve(entry);
        });
      } catch (refusal) {
        this.#tip = before;
        throw refusal;
      }
    });
  }

  /**
   * Moves the head to any durable entry, so that the next append starts or continues a branch
   * there. Durable when it resolves. Rejects with `session.unknown_entry` and what `append` does.
   */
  setHead(id: string): Promise<void> {
    return new Promise((resolve, reject) => {
      if (!this.#index.find(id)) {
        throw new SessionError('session.unknown_entry', `no entry ${id} in this session`);
      }
      const before = this.#tip;
      this.#tip = id;
      try {
        this.#storage.saveHead(id, (error) => {
          this.#moved(id, error);
          if (error) reject(error);
          else resolve();
        });
      } catch (refusal) {
        this.#tip = before;
        throw refusal;
      }
    });
  }

  /** The active branch, from the root to the head. */
  path(): Entry[] {
    return this.#index.pathTo(this.#head);
  }

  find(id: string): Entry | undefined {
    return this.#index.find(id);
  }

  /**
   * The finished answer to a chat message, if it got one, on whichever branch. After a crash this
   * keeps anybody from being answered twice. A failed or cut-off turn is not finished.
   */
  findByTrigger(msgId: number): EntryOf<'turn.assistant'> | undefined {
    return this.#index.findByTrigger(msgId);
  }

  /** Finishes what is queued and closes the files. Safe to call twice. */
  close(): Promise<void> {
    return this.#storage.close();
  }

  /** Formatting costs as much as queueing an entry, and a burst shares its milliseconds. */
  #timestamp(): string {
    const now = this.#clock.now();
    if (now !== this.#stamp.ms) this.#stamp = { ms: now, text: timestampOf(now) };
    return this.#stamp.text;
  }

  #moved(to: string, error: unknown): void {
    if (error) this.#tip = this.#head;
    else this.#head = to;
  }
}

interface Opened {
  index: TreeIndex;
  storage: EntryStorage;
  head: string;
  recovery: RecoveryReport;
}

const timestampOf = (ms: number): string => new Date(ms).toISOString();

/** Never write into a file that we do not understand. */
function refuseForeign(path: string, entries: readonly Entry[], report: RecoveryReport): void {
  if (entries.length === 0 && report.badLines > 0) {
    throw new SessionError('session.corrupt', `no readable entry in ${path}; move it away`);
  }
  const newer = entries.find((e) => e.kind === 'session' && e.payload.version > treeVersion);
  if (newer) {
    throw new SessionError('session.newer', `${path} was written by a newer Nexus; upgrade`);
  }
}

/** The header is the root, so a rewind to before the first turn is a rewind to the header. */
async function writeHeader(
  index: TreeIndex,
  storage: EntryStorage,
  { aspect, key, clock, newId }: SessionTreeDeps,
): Promise<string> {
  const ts = timestampOf(clock.now());
  const header: KnownEntry = {
    id: newId(),
    parentId: null,
    kind: 'session',
    ts,
    payload: { version: treeVersion, sessionId: newId(), aspect, key, createdAt: ts },
  };
  await new Promise<void>((resolve, reject) => {
    storage.append(header, (error) => (error ? reject(error) : resolve()));
  });
  index.add(header);
  return header.id;
}

/** A file of the reference, or one whose first line is lost, is known by its first entry's id. */
function sessionIdOf(index: TreeIndex, head: string): string {
  const root = index.pathTo(head)[0];
  return root?.kind === 'session' ? root.payload.sessionId : (root?.id ?? head);
}
