import { setImmediate as nextTurn } from 'node:timers/promises';
import { EntryTooLarge, SessionError } from './errors.ts';
import { type LogFile, type OpenLogFile, openLogFile } from './log-file.ts';
import { type LogLineAt, type RecoveryReport, recoverLog } from './log-recovery.ts';

/**
 * Hears how a piece of work ended: durable, or failed with `error`. Called synchronously, in
 * order, before anything else can be queued, so its owner's state never lags behind the file.
 */
export type Settled = (error?: unknown) => void;

export interface JsonlLogOptions {
  openFile?: OpenLogFile;
  /** Longest line, newline not counted. */
  maxLineBytes?: number;
  /** Most bytes in one write. */
  maxBatchBytes?: number;
  /** Most bytes that wait to be written. */
  maxQueuedBytes?: number;
}

export interface OpenedLog<T> {
  log: JsonlLog;
  lines: LogLineAt<T>[];
  report: RecoveryReport;
}

interface Job {
  /** A line to write, or something to do between two writes. */
  readonly work: string | (() => Promise<void>);
  readonly bytes: number;
  readonly settled: Settled;
}

const mebibyte = 1024 * 1024;

/**
 * An append-only file of lines. Work is done in the order in which it was asked for; lines asked
 * for together are one write and one sync. A failure fails everything queued behind it as well,
 * because that may build on what was lost, and leaves nothing of it in the file.
 */
export class JsonlLog {
  readonly #file: LogFile;
  readonly #limits: { maxLineBytes: number; maxBatchBytes: number; maxQueuedBytes: number };
  readonly #queue: Job[] = [];
  #queuedBytes = 0;
  #length: number;
  /** True when bytes past `#length` may be in the file. */
  #dirty = false;
  #running: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  private constructor(file: LogFile, length: number, options: JsonlLogOptions) {
    this.#file = file;
    this.#length = length;
    this.#limits = {
      maxLineBytes: options.maxLineBytes ?? 8 * mebibyte,
      maxBatchBytes: options.maxBatchBytes ?? 16 * mebibyte,
      maxQueuedBytes: options.maxQueuedBytes ?? 64 * mebibyte,
    };
  }

  /** Opens or creates the file and repairs its end, as `recoverLog` describes. */
  static async open<T>(
    path: string,
    parse: (line: Buffer) => T | undefined,
    nowMs: number,
    options: JsonlLogOptions = {},
  ): Promise<OpenedLog<T>> {
    const file = await (options.openFile ?? openLogFile)(path);
    try {
      const { lines, length, report } = await recoverLog(file, path, parse, nowMs);
      return { log: new JsonlLog(file, length, options), lines, report };
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Bytes that are durable. */
  get length(): number {
    return this.#length;
  }

  /**
   * Queues one line, newline included. Throws at once `session.entry_too_large`, `session.busy`
   * or `session.closed`; fails through `settled` with `session.write_failed`.
   */
  append(line: string, settled: Settled): void {
    const bytes = Buffer.byteLength(line);
    const { maxLineBytes, maxQueuedBytes } = this.#limits;
    if (bytes - 1 > maxLineBytes) throw new EntryTooLarge(bytes - 1, maxLineBytes);
    if (this.#queuedBytes + bytes > maxQueuedBytes) {
      throw new SessionError('session.busy', `${this.#queuedBytes} bytes wait for the disk`);
    }
    this.#enqueue({ work: line, bytes, settled });
  }

  /** Queues `action`: every earlier line is durable when it runs, no later one is written yet. */
  inOrder(action: () => Promise<void>, settled: Settled): void {
    this.#enqueue({ work: action, bytes: 0, settled });
  }

  /** Finishes what is queued, then closes the file. Safe to call twice. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #enqueue(job: Job): void {
    if (this.#closing !== undefined)
      throw new SessionError('session.closed', 'the session is closed');
    this.#queue.push(job);
    this.#queuedBytes += job.bytes;
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    // One turn of the event loop before each write: appends made together share it, and so do
    // those of callers that append again as soon as the write before is settled.
    await nextTurn();
    while (this.#queue.length > 0) {
      const jobs = this.#takeJobs();
      const failure = await this.#perform(jobs).then(
        () => undefined,
        (cause) => new SessionError('session.write_failed', 'the disk refused it', { cause }),
      );
      if (failure) jobs.push(...this.#queue.splice(0));
      for (const { bytes, settled } of jobs) {
        this.#queuedBytes -= bytes;
        settled(failure);
      }
      await nextTurn();
    }
    this.#running = undefined;
  }

  /** The next action alone, or as many lines as one write may hold; at least one. */
  #takeJobs(): Job[] {
    let bytes = 0;
    const end = this.#queue.findIndex((job, index) => {
      bytes += job.bytes;
      return index > 0 && (typeof job.work !== 'string' || bytes > this.#limits.maxBatchBytes);
    });
    const isAction = typeof this.#queue[0]?.work !== 'string';
    return this.#queue.splice(0, isAction ? 1 : end === -1 ? this.#queue.length : end);
  }

  async #perform(jobs: readonly Job[]): Promise<void> {
    await this.#restore();
    let lines = '';
    for (const { work } of jobs) {
      if (typeof work === 'string') lines += work;
      else return work();
    }
    const bytes = Buffer.from(lines);
    try {
      this.#dirty = true;
      await this.#file.write(bytes, this.#length);
      this.#dirty = false;
      this.#length += bytes.length;
    } catch (error) {
      // Cut before anybody hears of the failure: a line that was refused must not come back. If
      // this fails too, the next write and `close` try again.
      await this.#restore().catch(() => undefined);
      throw error;
    }
  }

  /** Cuts off what a failed write may have left. */
  async #restore(): Promise<void> {
    if (!this.#dirty) return;
    await this.#file.truncate(this.#length);
    this.#dirty = false;
  }

  async #close(): Promise<void> {
    await this.#running;
    try {
      await this.#restore();
    } finally {
      await this.#file.close();
    }
  }
}
