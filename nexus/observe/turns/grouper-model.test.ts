import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { applyTurnDelta, type TurnEvent, type TurnSnapshot } from '#shared/frames/observed-turn';
import { Grouper, type TurnChange } from './grouper.ts';
import { defaultTurnLimits, headRoom } from './open-turn.ts';
import type { TurnInput } from './turn-input.ts';

type Action =
  | { readonly do: 'begin'; readonly turnId: string }
  | { readonly do: 'take'; readonly input: TurnInput }
  | { readonly do: 'close'; readonly note: string | undefined };

const ids = fc.constantFrom('a', 'b', 'c');
const texts = (maxLength: number) => fc.string({ unit: 'binary', maxLength });

const inputs = (maxLength: number): fc.Arbitrary<TurnInput> =>
  fc.oneof(
    fc.record({ kind: fc.constant('text' as const), text: texts(maxLength) }),
    fc.record({
      kind: fc.constant('tool_call' as const),
      id: ids,
      name: fc.constantFrom('Read', 'Write', 'MultiEdit'),
      args: fc.oneof(fc.jsonValue(), fc.record({ content: texts(maxLength) })),
    }),
    fc.record({
      kind: fc.constant('tool_result' as const),
      id: ids,
      text: texts(maxLength),
      isError: fc.boolean(),
    }),
    fc.record({ kind: fc.constant('step' as const), step: fc.nat() }),
    fc.record({
      kind: fc.constant('done' as const),
      usage: fc.record({ InputTokens: fc.nat(), OutputTokens: fc.nat() }),
    }),
    fc.record({ kind: fc.constant('error' as const), text: texts(maxLength) }),
  );

const actions = (maxLength: number): fc.Arbitrary<Action[]> =>
  fc.array(
    fc.oneof(
      { weight: 1, arbitrary: fc.record({ do: fc.constant('begin' as const), turnId: ids }) },
      {
        weight: 8,
        arbitrary: fc.record({ do: fc.constant('take' as const), input: inputs(maxLength) }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          do: fc.constant('close' as const),
          note: fc.constantFrom(undefined, 'connection lost'),
        }),
      },
    ),
    { maxLength: 60 },
  );

function run(grouper: Grouper, action: Action, now: number): TurnChange[] {
  if (action.do === 'begin') return grouper.begin({ turnId: action.turnId }, now);
  if (action.do === 'take') return grouper.take(action.input, now);
  return grouper.close(now, action.note);
}

/** The rules of §1.3 as they are written: whole turns, searched from the end, no bounds. */
class Model {
  #open: TurnSnapshot | undefined;
  #failed = false;

  run(action: Action): TurnSnapshot[] {
    if (action.do === 'begin') {
      const interrupted = this.#close('interrupted by new turn');
      const { turnId: turn_id } = action;
      this.#open = { turn_id, label: 'main', status: 'in_flight', started: '', events: [] };
      this.#failed = false;
      return [...interrupted, this.#open];
    }
    if (action.do === 'close') return this.#close(action.note);
    if (!this.#open) return [];
    this.#take(this.#open, action.input);
    return [this.#open];
  }

  #take(turn: TurnSnapshot, input: TurnInput): void {
    const last = turn.events.at(-1);
    if (input.kind === 'text') {
      if (last?.kind === 'text') last.text += input.text;
      else if (input.text !== '') turn.events.push({ kind: 'text', text: input.text });
    } else if (input.kind === 'tool_call') {
      const tool = { id: input.id, name: input.name, input: null };
      turn.events.push({ kind: 'tool_call', tool });
    } else if (input.kind === 'tool_result') {
      const result = { preview: '', is_error: input.isError };
      const call = turn.events.findLast(
        ({ kind, tool }) => kind === 'tool_call' && tool?.id === input.id && !tool.result,
      );
      const orphan = { id: input.id, name: '', input: null, result };
      if (call?.tool) call.tool.result = result;
      else turn.events.push({ kind: 'tool_result_orphan', tool: orphan });
    } else if (input.kind === 'step') {
      turn.events.push({ kind: 'step', step: input.step });
    } else if (input.kind === 'done') {
      const { InputTokens = 0, OutputTokens = 0 } = input.usage;
      turn.usage = { input_tokens: InputTokens, output_tokens: OutputTokens, duration_ns: 0 };
    } else {
      this.#failed = true;
      turn.error = turn.error ? `${turn.error}; ${input.text}` : input.text;
    }
  }

  #close(note: string | undefined): TurnSnapshot[] {
    const turn = this.#open;
    this.#open = undefined;
    if (!turn) return [];
    turn.status = this.#failed || note !== undefined ? 'errored' : 'complete';
    turn.ended = '';
    if (note !== undefined) turn.error = turn.error ? `${turn.error}; ${note}` : note;
    return [turn];
  }
}

/** Without what the model does not know: times, and how tools' inputs and results are shown. */
function comparable(turn: TurnSnapshot): unknown {
  const { usage, ended, events, ...rest } = structuredClone(turn);
  return {
    ...rest,
    started: '',
    ended: ended !== undefined,
    usage: usage && { ...usage, duration_ns: 0 },
    events: events.map(withoutDetail),
  };
}

function withoutDetail({ tool, ...event }: TurnEvent): unknown {
  if (!tool) return event;
  const { id, name, result } = tool;
  return { ...event, tool: { id, name, result: result?.is_error } };
}

const overTheWire = <Value>(value: Value): Value => JSON.parse(JSON.stringify(value)) as Value;

suite('Grouper, whatever happens', () => {
  test('shows what the rules say, and the sum of the deltas is the snapshot', () => {
    fc.assert(
      fc.property(actions(20), (list) => {
        const [grouper, model] = [new Grouper(), new Model()];
        let folded: TurnSnapshot | undefined;
        for (const [now, action] of list.entries()) {
          const expected = model.run(action).map(comparable);
          const changes = run(grouper, action, now);
          assert.deepEqual(changes.length, expected.length);
          // What is encoded when a change is emitted: the last one of an action is the state now.
          const shown = changes.at(-1);
          if (shown) assert.deepEqual(comparable(shown.turn), expected.at(-1));
          for (const { delta, turn } of changes) {
            folded = applyTurnDelta(folded, overTheWire(delta));
            assert.deepEqual(folded, overTheWire(turn));
          }
        }
      }),
    );
  });

  test('stays within its bounds, and the sum of the deltas is the snapshot', () => {
    const limits = {
      maxEvents: 12,
      maxBytes: headRoom + 4_000,
      maxInputBytes: 300,
      maxArtifactBytes: 500,
    };
    assert.ok(limits.maxBytes < defaultTurnLimits.maxBytes);
    fc.assert(
      fc.property(actions(1_500), (list) => {
        const grouper = new Grouper(limits);
        let folded: TurnSnapshot | undefined;
        for (const [now, action] of list.entries()) {
          for (const { delta, turn, bytes } of run(grouper, action, now)) {
            folded = applyTurnDelta(folded, overTheWire(delta));
            assert.deepEqual(folded, overTheWire(turn));
            const real = Buffer.byteLength(JSON.stringify(turn));
            assert.ok(real <= bytes, `${real} bytes, not ${bytes}`);
            assert.ok(bytes <= limits.maxBytes, `${bytes} bytes`);
            assert.ok(turn.events.length <= limits.maxEvents);
          }
        }
      }),
    );
  });
});
