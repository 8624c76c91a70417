import { FrameRefused } from '#shared/frames/errors';
import type { BlobRoot, ByteSource } from './blob-root.ts';
import type { FileContent } from './events.ts';
import type { Quota } from './quota.ts';

/** Bytes that somebody wants to store. */
export interface Incoming {
  readonly owner: string;
  readonly source: ByteSource;
  /** If it is known beforehand. */
  readonly length?: number | undefined;
  /** What they must hash to, if that was promised. */
  readonly sha256?: string | undefined;
}

/** The bytes of files: taken in within quotas, recorded or gone again. */
export class FileContents {
  readonly #blobs: BlobRoot;
  readonly #quota: Quota;
  readonly #underWay = new Set<Promise<unknown>>();

  constructor(blobs: BlobRoot, quota: Quota) {
    this.#blobs = blobs;
    this.#quota = quota;
  }

  /**
   * Stores bytes and then has them recorded. They stay only if `record` resolves. Throws
   * `FrameRefused` when there is no room, or when they are not what was promised.
   */
  async take<T>(incoming: Incoming, record: (content: FileContent) => Promise<T>): Promise<T> {
    const work = this.#take(incoming, record);
    this.#underWay.add(work);
    try {
      return await work;
    } finally {
      this.#underWay.delete(work);
    }
  }

  async #take<T>(incoming: Incoming, record: (content: FileContent) => Promise<T>): Promise<T> {
    const { owner, source, length, sha256 } = incoming;
    const reservation = this.#quota.reserve(owner, length);
    try {
      const content = await this.#blobs.write(source, reservation.bytes);
      try {
        if (sha256 !== undefined && sha256 !== content.sha256) {
          const message = `the bytes hash to ${content.sha256}, not to the promised ${sha256}`;
          throw new FrameRefused('bad_request', message);
        }
        return await record(content);
      } catch (error) {
        await this.#blobs.remove(content);
        throw error;
      }
    } finally {
      reservation.release();
    }
  }

  /** Resolves when nothing is under way. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#underWay);
  }
}
