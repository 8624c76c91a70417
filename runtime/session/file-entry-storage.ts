import type { Entry, KnownEntry } from './entry.ts';
import { decodeEntry, encodeEntry } from './entry-codec.ts';
import type { EntryStorage } from './entry-storage.ts';
import { readHead, recoverHead, writeHead } from './head-file.ts';
import { JsonlLog, type JsonlLogOptions, type Settled } from './jsonl-log.ts';
import type { RecoveryReport } from './log-recovery.ts';

export interface OpenedStorage {
  storage: FileEntryStorage;
  /** In file order. */
  entries: Entry[];
  /** Undefined for a new file. */
  head: string | undefined;
  report: RecoveryReport;
}

/**
 * Keeps a tree in `<name>.jsonl`, with its head in `<name>.head.json`.
 *
 * The sidecar is not written on every append. An append always continues the head, so the log
 * after `size` retells how the head moved, and rebuilding it at the next open costs nothing (the
 * log is read anyway). Only `saveHead` moves the head in a way that the log does not tell. That
 * is written durably, after the entries before it and before those behind it: otherwise a crash
 * could keep an entry of the new branch and forget that the branch was taken. `close` brings the
 * sidecar up to date for other readers.
 */
export class FileEntryStorage implements EntryStorage {
  readonly #log: JsonlLog;
  readonly #headPath: string;
  #head: string | undefined;
  /** Length of the log when the sidecar was last in step. */
  #savedSize: number;
  /** True when the sidecar may say something that the log does not lead on from. */
  #doubtful = false;
  #closing: Promise<void> | undefined;

  private constructor(log: JsonlLog, headPath: string, head: string | undefined) {
    this.#log = log;
    this.#headPath = headPath;
    this.#head = head;
    // Recovery finds this head again, so nothing needs saving before something is added.
    this.#savedSize = log.length;
  }

  /** Opens or creates both files and recovers. The caller holds the folder's lock. */
  static async open(
    path: string,
    nowMs: number,
    options: JsonlLogOptions = {},
  ): Promise<OpenedStorage> {
    const headPath = `${path.replace(/\.jsonl$/, '')}.head.json`;
    const saved = await readHead(headPath);
    const { log, lines, report } = await JsonlLog.open(path, decodeEntry, nowMs, options);
    const head = recoverHead(saved, lines);
    const storage = new FileEntryStorage(log, headPath, head);
    // No size, or one past the end: the next recovery could not tell what was appended after it.
    storage.#doubtful =
      saved !== undefined && !(saved.size !== undefined && saved.size <= log.length);
    return { storage, entries: lines.map(({ value }) => value), head, report };
  }

  append(entry: KnownEntry, settled: Settled): void {
    if (this.#doubtful) this.#repairHead();
    this.#log.append(encodeEntry(entry), (error) => {
      if (!error) this.#head = entry.id;
      settled(error);
    });
  }

  saveHead(head: string, settled: Settled): void {
    this.#log.inOrder(
      () => this.#write(head),
      (error) => {
        if (!error) this.#head = head;
        settled(error);
      },
    );
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Goes before the next entry; should it fail, so does that entry. */
  #repairHead(): void {
    this.#log.inOrder(
      async () => {
        if (this.#head !== undefined) await this.#write(this.#head);
      },
      () => undefined,
    );
  }

  async #write(head: string): Promise<void> {
    const size = this.#log.length;
    // A failure may come after the rename, so then nobody knows what the sidecar says.
    this.#doubtful = true;
    await writeHead(this.#headPath, { head, size });
    this.#doubtful = false;
    this.#savedSize = size;
  }

  async #close(): Promise<void> {
    await this.#log.close();
    if (this.#head === undefined) return;
    if (this.#doubtful || this.#savedSize !== this.#log.length) {
      await this.#write(this.#head);
    }
  }
}
