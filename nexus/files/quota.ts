import { nameKey } from '#shared/config/names';
import { FrameRefused } from '#shared/frames/errors';
import { blockBytes } from './file-store.ts';

export interface QuotaLimits {
  /** Bytes of one file. */
  readonly fileBytes: number;
  /** Bytes of all files of one owner. */
  readonly ownerBytes: number;
  /** Bytes of all files. */
  readonly totalBytes: number;
}

/** Room for bytes that are on their way. */
export interface Reservation {
  /** How many may come. */
  readonly bytes: number;
  /** Call it once: when they are recorded, or will not be. */
  release(): void;
}

/** Sees to it that files on their way and files that are here stay within the limits together. */
export class Quota {
  readonly #limits: QuotaLimits;
  readonly #usage: (owner: string) => { owner: number; total: number };
  readonly #reserved = new Map<string, number>();
  #reservedTotal = 0;

  /** `usage` tells what recorded files take. */
  constructor(limits: QuotaLimits, usage: Quota['usage']) {
    this.#limits = limits;
    this.#usage = usage;
  }

  /** Bytes taken by an owner and by all, those on their way among them. */
  usage(owner: string): { owner: number; total: number } {
    const recorded = this.#usage(owner);
    return {
      owner: recorded.owner + (this.#reserved.get(nameKey(owner)) ?? 0),
      total: recorded.total + this.#reservedTotal,
    };
  }

  /**
   * Makes room for a file; without a length, for as much as it may have. Throws `FrameRefused`
   * when there is none.
   */
  reserve(owner: string, length?: number): Reservation {
    const { fileBytes, ownerBytes, totalBytes } = this.#limits;
    if (length !== undefined && length > fileBytes) {
      throw new FrameRefused('too_large', `a file may have ${fileBytes} bytes`);
    }
    const used = this.usage(owner);
    const left = { owner: ownerBytes - used.owner, total: totalBytes - used.total };
    const bytes = length ?? Math.max(0, Math.min(fileBytes, left.owner, left.total));
    const charge = Math.max(bytes, blockBytes);
    if (charge > left.owner) {
      const room = `${used.owner} of ${ownerBytes} bytes are taken`;
      throw new FrameRefused('too_large', `${owner} has no room: ${room}; delete some files`);
    }
    if (charge > left.total) {
      throw new FrameRefused('too_large', 'the broker has no room for more files; delete some');
    }
    this.#take(nameKey(owner), charge);
    return { bytes, release: () => this.#take(nameKey(owner), -charge) };
  }

  #take(key: string, bytes: number): void {
    this.#reservedTotal += bytes;
    const reserved = (this.#reserved.get(key) ?? 0) + bytes;
    if (reserved === 0) this.#reserved.delete(key);
    else this.#reserved.set(key, reserved);
  }
}
