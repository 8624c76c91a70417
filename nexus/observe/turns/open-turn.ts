import {
  applyTurnDelta,
  type TurnDelta,
  type TurnEvent,
  type TurnSnapshot,
  type TurnUsage,
} from '#shared/frames/observed-turn';
import { artifactOf } from './artifact.ts';
import { boundedJson } from './bounded-json.ts';
import { cutText, cutWithMark, encodedBytes } from './cut-text.ts';
import { maxEncodedPreviewBytes, previewOf } from './preview.ts';
import type { TurnInput } from './turn-input.ts';

/** Bounds of one turn, so that its snapshot fits a frame (1 MiB). Bytes are those of its JSON. */
export interface TurnLimits {
  /** Events, the mark of a cut among them. */
  readonly maxEvents: number;
  /** The whole turn. At least twice `headRoom`. */
  readonly maxBytes: number;
  /** One tool call's input. */
  readonly maxInputBytes: number;
  /** The texts of one tool call's artifact. */
  readonly maxArtifactBytes: number;
}

export const defaultTurnLimits: TurnLimits = {
  maxEvents: 1_000,
  maxBytes: 512 * 1024,
  maxInputBytes: 16 * 1024,
  maxArtifactBytes: 64 * 1024,
};

/** Kept free for what a turn has besides its events. */
export const headRoom = 16 * 1024;
/** What the end of a turn adds to its head, the mark of a cut included, but without an error. */
const outcomeBytes = 512;
/** Kept free for the result of each call that has none yet. */
const resultRoom = maxEncodedPreviewBytes + 64;
const maxErrorBytes = 4 * 1024;
const maxIdBytes = 256;
/** What an event takes besides its text. */
const eventBytes = 48;
/** Texts of so many pieces are made one again: pieces take many times the room of their letters. */
const maxPieces = 1_024;

export const cutMark = '… [the rest of this turn is not shown: it is too long]';

/** How a turn begins. */
export interface TurnHead {
  readonly turnId: string;
  readonly label?: string | undefined;
  readonly model?: string | undefined;
  readonly provider?: string | undefined;
  readonly triggerMsg?: number | undefined;
}

/**
 * One turn while it is going on. Everything that happens in it becomes a delta, and the snapshot is
 * the sum of its deltas.
 */
export class OpenTurn {
  /** The turn so far; changes with every delta. */
  readonly snapshot: TurnSnapshot;
  /** The delta that opened it. */
  readonly opening: TurnDelta;
  readonly #startedAt: number;
  readonly #limits: TurnLimits;
  /** Places in `events` of calls without a result, by the call's id, the newest last. */
  readonly #unanswered = new Map<string, number[]>();
  readonly #headBytes: number;
  /** What the events take. */
  #bytes = 0;
  #pieces = 0;
  #isCut = false;
  #failed = false;

  constructor(
    { turnId, label, model, provider, triggerMsg }: TurnHead,
    now: number,
    limits: TurnLimits,
  ) {
    this.#startedAt = now;
    this.#limits = limits;
    const begin = {
      label: label || 'main',
      started: new Date(now).toISOString(),
      ...(triggerMsg && { trigger_msg: triggerMsg }),
      ...(model && { model }),
      ...(provider && { provider }),
    };
    this.opening = { turn_id: turnId, begin };
    this.snapshot = { turn_id: turnId, ...begin, status: 'in_flight', events: [] };
    this.#headBytes = jsonBytes(this.snapshot) + outcomeBytes;
  }

  /** An upper bound of the snapshot's bytes as JSON. */
  get bytes(): number {
    const { error = '' } = this.snapshot;
    return this.#headBytes + this.#bytes + encodedBytes(error);
  }

  /** What something changes; undefined when the turn is already cut there. */
  take(input: TurnInput, now: number): TurnDelta | undefined {
    switch (input.kind) {
      case 'text':
        return this.#addText(input.text);
      case 'tool_call':
        return this.#addCall(input);
      case 'tool_result':
        return this.#addResult(input);
      case 'step':
        return this.#addEvent({ kind: 'step', step: input.step }, eventBytes);
      case 'done':
        return this.#change({ set: { usage: usageOf(input, this.#durationNs(now)) } });
      case 'error':
        this.#failed = true;
        return this.#change({ set: { error: this.#errorWith(input.text) } });
    }
  }

  /** Shows no more of the turn than it has now. Undefined when it was cut before. */
  cut(): TurnDelta | undefined {
    return this.#isCut ? undefined : this.#cutWithin('');
  }

  /** Ends the turn: as errored with a note or after an error, else as complete. */
  close(now: number, note?: string): TurnDelta {
    const { usage } = this.snapshot;
    return this.#change({
      set: {
        status: this.#failed || note !== undefined ? 'errored' : 'complete',
        ended: new Date(now).toISOString(),
        ...(usage && { usage: { ...usage, duration_ns: this.#durationNs(now) } }),
        ...(note !== undefined && { error: this.#errorWith(note) }),
      },
    });
  }

  #addText(text: string): TurnDelta | undefined {
    if (this.#isCut) return undefined;
    if (text === '') return this.#change({});
    const extendsLast = this.#endsWithText();
    const bytes = encodedBytes(text) + (extendsLast ? 0 : eventBytes);
    if (this.#hasRoomFor(bytes) && (extendsLast || this.#hasRoomForEvent())) {
      this.#bytes += bytes;
      return this.#change(extendsLast ? { append_text: text } : newText(text));
    }
    return this.#cutWithin(text);
  }

  #addCall(input: TurnInput & { kind: 'tool_call' }): TurnDelta | undefined {
    const { maxInputBytes, maxArtifactBytes } = this.#limits;
    const id = cutText(input.id, maxIdBytes);
    const event: TurnEvent = {
      kind: 'tool_call',
      tool: {
        id,
        name: cutWithMark(input.name, maxIdBytes),
        input: boundedJson(input.args, maxInputBytes),
        ...artifactOf(input.name, input.args, maxArtifactBytes),
      },
    };
    const place = this.snapshot.events.length;
    const delta = this.#addEvent(event, jsonBytes(event) + resultRoom);
    if (delta?.append_event === event) {
      const places = this.#unanswered.get(id);
      if (places) places.push(place);
      else this.#unanswered.set(id, [place]);
    }
    return delta;
  }

  #addResult({ id, text, isError }: TurnInput & { kind: 'tool_result' }): TurnDelta | undefined {
    const key = cutText(id, maxIdBytes);
    const result = { preview: previewOf(text), is_error: isError };
    const place = this.#takeUnanswered(key);
    if (place !== undefined) {
      this.#bytes += jsonBytes({ result }) - resultRoom;
      return this.#change({ result: { event: place, result } });
    }
    const tool = { id: key, name: '', input: null, result };
    const event: TurnEvent = { kind: 'tool_result_orphan', tool };
    return this.#addEvent(event, jsonBytes(event));
  }

  #takeUnanswered(id: string): number | undefined {
    const places = this.#unanswered.get(id);
    const newest = places?.pop();
    if (places?.length === 0) this.#unanswered.delete(id);
    return newest;
  }

  #addEvent(event: TurnEvent, bytes: number): TurnDelta | undefined {
    if (this.#isCut) return undefined;
    if (!this.#hasRoomFor(bytes) || !this.#hasRoomForEvent()) return this.#cutWithin('');
    this.#bytes += bytes;
    return this.#change({ append_event: event });
  }

  /** Shows as much of a text as there is room for, and that nothing follows. */
  #cutWithin(text: string): TurnDelta {
    this.#isCut = true;
    const extra = this.#endsWithText() ? 0 : eventBytes;
    const kept = cutText(text, this.#limits.maxBytes - headRoom - this.#bytes - extra);
    this.#bytes += encodedBytes(kept) + extra;
    const shown = kept + cutMark;
    return this.#change(this.#endsWithText() ? { append_text: shown } : newText(shown));
  }

  #hasRoomFor(bytes: number): boolean {
    return this.#bytes + bytes <= this.#limits.maxBytes - headRoom;
  }

  /** The last place is for the mark of a cut. */
  #hasRoomForEvent(): boolean {
    return this.snapshot.events.length < this.#limits.maxEvents - 1;
  }

  #endsWithText(): boolean {
    return this.snapshot.events.at(-1)?.kind === 'text';
  }

  #change(change: Omit<TurnDelta, 'turn_id'>): TurnDelta {
    const delta = { turn_id: this.snapshot.turn_id, ...change };
    applyTurnDelta(this.snapshot, delta);
    if (change.append_text !== undefined) this.#keepFlat();
    return delta;
  }

  #keepFlat(): void {
    this.#pieces += 1;
    if (this.#pieces % maxPieces !== 0) return;
    // Measuring a text joins its pieces, in V8.
    Buffer.byteLength(this.snapshot.events.at(-1)?.text ?? '');
  }

  #errorWith(note: string): string {
    const { error } = this.snapshot;
    return cutWithMark(error ? `${error}; ${note}` : note, maxErrorBytes);
  }

  #durationNs(now: number): number {
    return Math.max(0, Math.round((now - this.#startedAt) * 1e6));
  }
}

const jsonBytes = (value: object): number => Buffer.byteLength(JSON.stringify(value));

const newText = (text: string) => ({ append_event: { kind: 'text', text } }) as const;

function usageOf({ usage }: TurnInput & { kind: 'done' }, durationNs: number): TurnUsage {
  const {
    InputTokens = 0,
    OutputTokens = 0,
    CacheReadInputTokens,
    CacheCreationInputTokens,
    CostUSD,
  } = usage;
  return {
    input_tokens: InputTokens,
    output_tokens: OutputTokens,
    ...(CacheReadInputTokens && { cache_read: CacheReadInputTokens }),
    ...(CacheCreationInputTokens && { cache_create: CacheCreationInputTokens }),
    duration_ns: durationNs,
    ...(CostUSD && { cost_usd: CostUSD }),
  };
}
