import { ObservedKind } from '#shared/frames/observe';
import type { Clock } from '#shared/sys/clock';
import type { Log } from '#shared/sys/log';
import type { ActivitySink } from '../observe-hub.ts';
import type { StreamFrame } from '../stream-frame.ts';
import type { ActivityFolder } from './activity-folder.ts';
import { redacting } from './redact.ts';

/** What may wait to be written. */
export interface QueueLimits {
  /** Frames of one aspect. */
  readonly maxFrames: number;
  /** Bytes of all aspects' frames. */
  readonly maxBytes: number;
}

export const defaultQueueLimits: QueueLimits = { maxFrames: 256, maxBytes: 8 * 1024 * 1024 };

export interface JsonlSinkDeps {
  readonly folder: ActivityFolder;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits?: QueueLimits;
}

/** How long frames wait, so that many are written at once. */
export const flushEveryMs = 1_000;
/** Letters written at once; between two writes others get their turn. */
const batchLength = 256 * 1024;
const warnEveryMs = 60_000;
const sweepEveryMs = 3_600_000;
const sweepEveryBytes = 16 * 1024 * 1024;
const closeWithinMs = 5_000;

/**
 * Writes what was observed to files, one JSON line for each frame and without secrets
 * (observability spec §1.6). Never holds anybody up: what comes too fast is left out and counted,
 * and a folder that cannot be written turns it off.
 */
export class JsonlSink implements ActivitySink {
  readonly #deps: JsonlSinkDeps;
  readonly #limits: QueueLimits;
  #queues = new Map<string, StreamFrame[]>();
  #bytes = 0;
  #leftOut = 0;
  #warnedAt = Number.NEGATIVE_INFINITY;
  #sweptAt = Number.NEGATIVE_INFINITY;
  #writtenSinceSweep = 0;
  #cancelTimer: (() => void) | undefined;
  #flushing: Promise<void> | undefined;
  #isOff = false;
  #closing: Promise<void> | undefined;

  constructor(deps: JsonlSinkDeps) {
    this.#deps = deps;
    this.#limits = deps.limits ?? defaultQueueLimits;
  }

  /** Takes a frame, whose payload must not change any more. */
  write(frame: StreamFrame): void {
    if (this.#isOff || this.#closing !== undefined) return;
    const queue = this.#queues.get(frame.aspect) ?? [];
    const { maxFrames, maxBytes } = this.#limits;
    if (queue.length >= maxFrames || this.#bytes + frame.bytes > maxBytes) {
      this.#leftOut += 1;
      return;
    }
    if (queue.push(frame) === 1) this.#queues.set(frame.aspect, queue);
    this.#bytes += frame.bytes;
    this.#schedule();
  }

  /** Writes what waits, for 5 s at most, and takes no more. Safe to call twice. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#cancelTimer?.();
    const { clock, log } = this.#deps;
    const { promise: late, resolve } = Promise.withResolvers<'late'>();
    const cancel = clock.after(closeWithinMs, () => resolve('late'));
    const outcome = await Promise.race([this.#drain(), late]);
    cancel();
    this.#isOff = true;
    if (outcome === 'late') log.warn('the activity files were not finished in time');
  }

  async #drain(): Promise<void> {
    await this.#flushing;
    await this.#flush();
    this.#warn();
  }

  #schedule(): void {
    if (this.#cancelTimer || this.#flushing !== undefined) return;
    this.#cancelTimer = this.#deps.clock.after(flushEveryMs, () => {
      this.#cancelTimer = undefined;
      this.#flushing = this.#flush().finally(() => {
        this.#flushing = undefined;
        if (this.#queues.size > 0 && this.#closing === undefined) this.#schedule();
      });
    });
  }

  async #flush(): Promise<void> {
    const queues = this.#queues;
    this.#queues = new Map();
    const { clock, log, folder } = this.#deps;
    try {
      if (queues.size > 0 && this.#sweptAt === Number.NEGATIVE_INFINITY) await folder.prepare();
      const texts = new Map<object, string>();
      for (const [aspect, frames] of queues) await this.#append(aspect, frames, texts);
      if (queues.size > 0) await this.#sweep();
    } catch (error) {
      this.#isOff = true;
      this.#queues.clear();
      log.error({ err: error }, 'activity files cannot be written; none are until the next start');
    }
    if (clock.monotonic() - this.#warnedAt >= warnEveryMs) this.#warn();
  }

  async #append(
    aspect: string,
    frames: readonly StreamFrame[],
    texts: Map<object, string>,
  ): Promise<void> {
    let lines = '';
    let day = '';
    const write = async () => {
      if (lines === '' || this.#isOff) return;
      await this.#deps.folder.append(aspect, day, lines);
      this.#writtenSinceSweep += lines.length;
      lines = '';
    };
    for (const frame of frames) {
      const frameDay = frame.ts.slice(0, 10);
      if (frameDay !== day || lines.length >= batchLength) await write();
      day = frameDay;
      lines += lineOf(frame, texts);
      this.#bytes -= frame.bytes;
    }
    await write();
  }

  async #sweep(): Promise<void> {
    const { clock, folder } = this.#deps;
    const isDue =
      clock.monotonic() - this.#sweptAt >= sweepEveryMs ||
      this.#writtenSinceSweep >= sweepEveryBytes;
    if (!isDue) return;
    this.#sweptAt = clock.monotonic();
    this.#writtenSinceSweep = 0;
    await folder.sweep(clock.now());
  }

  #warn(): void {
    if (this.#leftOut === 0) return;
    this.#warnedAt = this.#deps.clock.monotonic();
    const count = this.#leftOut;
    this.#leftOut = 0;
    this.#deps.log.warn({ count }, 'activity came too fast to be written; some is left out');
  }
}

/** Chat is in many streams: `texts` has what it was encoded to for the others. */
function lineOf({ aspect, seq, ts, observed }: StreamFrame, texts: Map<object, string>): string {
  const { kind, payload } = observed;
  const text = texts.get(payload) ?? JSON.stringify(payload, redacting);
  if (kind === ObservedKind.chat) texts.set(payload, text);
  const head = JSON.stringify({ kind, aspect, seq, ts });
  return `${head.slice(0, -1)},"payload":${text}}\n`;
}
