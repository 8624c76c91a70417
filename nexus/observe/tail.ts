import { ObservedKind } from '#shared/frames/observe';
import { isOpenTurn, type StreamFrame } from './stream-frame.ts';

export interface TailLimits {
  readonly maxFrames: number;
  readonly maxBytes: number;
}

/** Room in front of the frames before they are moved together. */
const maxGap = 256;

/**
 * The newest frames of one stream, for those who subscribe later. A turn has one place, whatever
 * happened in it: that of its newest frame. The open turn is never given up.
 */
export class Tail {
  readonly #limits: TailLimits;
  /** In order; those before `#first` are gone. */
  #closed: (StreamFrame | undefined)[] = [];
  #first = 0;
  #open: StreamFrame | undefined;
  #bytes = 0;

  constructor(limits: TailLimits) {
    this.#limits = limits;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** What `halve` could give up in the end. */
  get spareBytes(): number {
    return this.#bytes - (this.#open?.bytes ?? 0);
  }

  get length(): number {
    return this.#closed.length - this.#first + (this.#open ? 1 : 0);
  }

  /** Takes the stream's next frame. A turn takes the place of the open turn. */
  put(frame: StreamFrame): void {
    if (frame.observed.kind === ObservedKind.turn) {
      this.#bytes -= this.#open?.bytes ?? 0;
      this.#open = undefined;
    }
    this.#bytes += frame.bytes;
    if (isOpenTurn(frame)) this.#open = frame;
    else this.#closed.push(frame);
    const { maxFrames, maxBytes } = this.#limits;
    while (this.length > maxFrames || this.#bytes > maxBytes) {
      if (!this.#dropOldest()) break;
    }
  }

  /** Frames above a position, oldest first. */
  since(seq: number): StreamFrame[] {
    const frames = this.#closed.flatMap((frame) => (frame && frame.seq > seq ? [frame] : []));
    const open = this.#open;
    if (!open || open.seq <= seq) return frames;
    const place = frames.findIndex((frame) => frame.seq > open.seq);
    return frames.toSpliced(place < 0 ? frames.length : place, 0, open);
  }

  /** Gives up the older half of what has ended. */
  halve(): void {
    const count = Math.ceil((this.#closed.length - this.#first) / 2);
    for (let i = 0; i < count; i++) this.#dropOldest();
  }

  #dropOldest(): boolean {
    const oldest = this.#closed[this.#first];
    if (!oldest) return false;
    this.#bytes -= oldest.bytes;
    this.#closed[this.#first++] = undefined;
    if (this.#first >= maxGap) {
      this.#closed = this.#closed.slice(this.#first);
      this.#first = 0;
    }
    return true;
  }
}
