import type { Static, TSchema } from 'typebox';
import { withoutNulls } from '#shared/frames/codec';
import { FrameRefused } from '#shared/frames/errors';
import { UplinkEvents, type UplinkUsage } from '#shared/frames/observe';
import { compileSchema } from '#shared/schema';
import { jsonText } from './bounded-json.ts';

/** Something that happened in a turn, as an aspect tells it. */
export type TurnInput =
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'tool_call';
      readonly id: string;
      readonly name: string;
      readonly args: unknown;
    }
  | {
      readonly kind: 'tool_result';
      readonly id: string;
      /** The failure's text, or the JSON text of what came back. */
      readonly text: string;
      readonly isError: boolean;
    }
  | { readonly kind: 'step'; readonly step: number }
  | { readonly kind: 'done'; readonly usage: UplinkUsage }
  | { readonly kind: 'error'; readonly text: string };

type Read = (body: unknown) => TurnInput;

/** Reads bodies of `observe.event`. Compiles its schemas when made. */
export class TurnInputReader {
  readonly #readers: ReadonlyMap<string, Read>;

  constructor() {
    const kinds = UplinkEvents;
    this.#readers = new Map([
      ['model_chunk', reader(kinds.model_chunk, ({ Text = '' }) => ({ kind: 'text', text: Text }))],
      ['tool_call_start', reader(kinds.tool_call_start, callOf)],
      ['tool_call_result', reader(kinds.tool_call_result, resultOf)],
      [
        'step_boundary',
        reader(kinds.step_boundary, ({ Step = 0 }) => ({ kind: 'step', step: Step })),
      ],
      [
        'turn_done',
        reader(kinds.turn_done, ({ Result }) => ({ kind: 'done', usage: Result?.Usage ?? {} })),
      ],
      ['turn_error', reader(kinds.turn_error, errorOf)],
    ]);
  }

  /** Throws `FrameRefused` with `bad_request` for an unknown kind or a body that does not fit it. */
  read(eventKind: string, body: unknown): TurnInput {
    const read = this.#readers.get(eventKind);
    if (read) return read(body ?? {});
    const known = [...this.#readers.keys()].join(', ');
    throw new FrameRefused('bad_request', `event_kind is none of ${known}`);
  }
}

function reader<Schema extends TSchema>(
  schema: Schema,
  convert: (body: Static<Schema>) => TurnInput,
): Read {
  const check = compileSchema(schema);
  return (body) => {
    const value = withoutNulls(body);
    if (check.accepts(value)) return convert(value);
    throw new FrameRefused('bad_request', `event: ${check.problemWith(value)}`);
  };
}

type BodyOf<Kind extends keyof typeof UplinkEvents> = Static<(typeof UplinkEvents)[Kind]>;

const callOf = ({ ID = '', Name = '', Args }: BodyOf<'tool_call_start'>): TurnInput => ({
  kind: 'tool_call',
  id: ID,
  name: Name,
  args: Args,
});

function resultOf({ ID = '', Result, Err = '' }: BodyOf<'tool_call_result'>): TurnInput {
  // Go's errors become whatever they happen to encode to, mostly text.
  const failure = typeof Err === 'string' ? Err : jsonText(Err);
  const text = failure || (Result === undefined ? '' : jsonText(Result));
  return { kind: 'tool_result', id: ID, text, isError: failure !== '' };
}

const errorOf = ({ err, stage }: BodyOf<'turn_error'>): TurnInput => ({
  kind: 'error',
  text: err || stage || 'the turn failed',
});
