import { nameKey } from '#shared/config/names';
import type { Connection } from '../broker/connection.ts';
import type { Observed, StreamFrame } from './stream-frame.ts';
import { Tail, type TailLimits } from './tail.ts';
import { Grouper } from './turns/grouper.ts';
import { defaultTurnLimits, type TurnLimits } from './turns/open-turn.ts';

/** How much is kept in memory of what was observed. */
export interface StreamLimits {
  readonly turn: TurnLimits;
  readonly tail: TailLimits;
  /** Aspects with a stream. */
  readonly maxStreams: number;
  /** Bytes of all tails. */
  readonly maxBytes: number;
}

export const defaultStreamLimits: StreamLimits = {
  turn: defaultTurnLimits,
  tail: { maxFrames: 500, maxBytes: 2 * 1024 * 1024 },
  maxStreams: 1_024,
  maxBytes: 64 * 1024 * 1024,
};

/** One aspect's stream. */
export class AspectStream {
  /** As its owner spells it. */
  readonly aspect: string;
  /** As streams are found by. */
  readonly key: string;
  readonly grouper: Grouper;
  readonly tail: Tail;
  /** The connection that told of the open turn last. */
  owner: Connection | undefined;
  /** When it got its newest frame, in frames of all streams. */
  usedAt = 0;
  #seq: number;

  constructor(aspect: string, afterSeq: number, limits: StreamLimits) {
    this.aspect = aspect;
    this.key = nameKey(aspect);
    this.#seq = afterSeq;
    this.grouper = new Grouper(limits.turn);
    this.tail = new Tail(limits.tail);
  }

  /** Position of the newest frame; 0 before the first. */
  get seq(): number {
    return this.#seq;
  }

  /** Gives something observed the next position. */
  next(observed: Observed, ts: string, bytes: number): StreamFrame {
    return { aspect: this.aspect, seq: ++this.#seq, ts, bytes, observed };
  }
}

export interface StreamsDeps {
  readonly limits: StreamLimits;
  /** A known aspect's name as its owner spells it. Others get no stream. */
  known(name: string): string | undefined;
  /** Whether somebody observes a stream, which is then kept. */
  isObserved(key: string): boolean;
}

/** The streams of known names, and what they retain in all. */
export class Streams {
  readonly #deps: StreamsDeps;
  readonly #byKey = new Map<string, AspectStream>();
  #bytes = 0;
  #frames = 0;
  /** Where new streams begin to count: above everything that was forgotten. */
  #floor = 0;

  constructor(deps: StreamsDeps) {
    this.#deps = deps;
  }

  /** Bytes retained in all. */
  get bytes(): number {
    return this.#bytes;
  }

  get all(): Iterable<AspectStream> {
    return this.#byKey.values();
  }

  find(name: string): AspectStream | undefined {
    return this.#byKey.get(nameKey(name));
  }

  /**
   * The stream of a known name; `aspect` is that name where the caller knows it. Undefined for
   * others, and when every stream is in use.
   */
  open(name: string, aspect = this.#deps.known(name)): AspectStream | undefined {
    const present = this.find(name);
    if (present) return present;
    const { limits } = this.#deps;
    if (!aspect || (this.#byKey.size >= limits.maxStreams && !this.#forgetOne())) return undefined;
    const stream = new AspectStream(aspect, this.#floor, limits);
    this.#byKey.set(stream.key, stream);
    return stream;
  }

  /**
   * Retains a frame. Returns false when there is too much in memory and nothing to give up: open
   * turns have it all, and should not grow.
   */
  retain(stream: AspectStream, frame: StreamFrame): boolean {
    stream.usedAt = ++this.#frames;
    this.#bytes -= stream.tail.bytes;
    stream.tail.put(frame);
    this.#bytes += stream.tail.bytes;
    while (this.#bytes > this.#deps.limits.maxBytes) {
      const largest = this.#largest();
      if (!largest) return false;
      this.#bytes -= largest.tail.bytes;
      largest.tail.halve();
      this.#bytes += largest.tail.bytes;
    }
    return true;
  }

  /** Forgets the stream that was silent for longest, among those that nobody needs now. */
  #forgetOne(): boolean {
    const [idlest] = [...this.#byKey]
      .filter(([key, { grouper }]) => !grouper.hasOpenTurn && !this.#deps.isObserved(key))
      .sort(([, a], [, b]) => a.usedAt - b.usedAt);
    if (!idlest) return false;
    const [key, stream] = idlest;
    this.#byKey.delete(key);
    this.#bytes -= stream.tail.bytes;
    this.#floor = Math.max(this.#floor, stream.seq);
    return true;
  }

  /** The stream that can give up most. */
  #largest(): AspectStream | undefined {
    let largest: AspectStream | undefined;
    for (const stream of this.#byKey.values()) {
      if (stream.tail.spareBytes > (largest?.tail.spareBytes ?? 0)) largest = stream;
    }
    return largest;
  }
}
