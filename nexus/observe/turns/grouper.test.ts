import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Grouper, type TurnChange } from './grouper.ts';
import { cutMark, defaultTurnLimits, headRoom } from './open-turn.ts';
import type { TurnInput } from './turn-input.ts';

const at = (ms: number) => Date.UTC(2026, 5, 1, 10) + ms;
const text = (letters: string): TurnInput => ({ kind: 'text', text: letters });
const call = (id: string, name = 'Read', args: unknown = {}): TurnInput => ({
  kind: 'tool_call',
  id,
  name,
  args,
});
const result = (id: string, letters: string, isError = false): TurnInput => ({
  kind: 'tool_result',
  id,
  text: letters,
  isError,
});

/** A grouper with an open turn. */
function opened(limits = defaultTurnLimits): Grouper {
  const grouper = new Grouper(limits);
  grouper.begin({ turnId: 't1' }, at(0));
  return grouper;
}

const turnOf = (changes: readonly TurnChange[]) => changes.at(-1)?.turn;
const eventsOf = (changes: readonly TurnChange[]) => turnOf(changes)?.events ?? [];

suite('Grouper', () => {
  test('opens a turn in flight, without events', () => {
    const head = { turnId: 't1', label: '', model: 'm', provider: 'p', triggerMsg: 77 };
    const changes = new Grouper().begin(head, at(0));
    assert.deepEqual(
      changes.map(({ turn }) => turn),
      [
        {
          turn_id: 't1',
          label: 'main',
          status: 'in_flight',
          started: '2026-06-01T10:00:00.000Z',
          model: 'm',
          provider: 'p',
          trigger_msg: 77,
          events: [],
        },
      ],
    );
  });

  test('closes an open turn as errored before it opens the next', () => {
    const grouper = opened();
    grouper.take({ kind: 'error', text: 'overloaded' }, at(1));
    const changes = grouper.begin({ turnId: 't2', label: 'compact' }, at(2));
    assert.deepEqual(
      changes.map(({ turn: { turn_id, status, error, ended } }) => [turn_id, status, error, ended]),
      [
        ['t1', 'errored', 'overloaded; interrupted by new turn', '2026-06-01T10:00:00.002Z'],
        ['t2', 'in_flight', undefined, undefined],
      ],
    );
  });

  test('makes nothing of what happens outside of a turn', () => {
    const grouper = new Grouper();
    assert.deepEqual(grouper.take(text('a'), at(0)), []);
    assert.deepEqual(grouper.close(at(0)), []);
    assert.deepEqual(grouper.cut(), []);
    assert.equal(grouper.hasOpenTurn, false);
  });

  test('extends the last text, and emits for an empty chunk without a change', () => {
    const grouper = opened();
    grouper.take(text('a'), at(1));
    grouper.take(text('b'), at(2));
    grouper.take({ kind: 'step', step: 2 }, at(3));
    grouper.take(text('c'), at(4));
    const changes = grouper.take(text(''), at(5));
    assert.deepEqual(changes[0]?.delta, { turn_id: 't1' });
    assert.deepEqual(eventsOf(changes), [
      { kind: 'text', text: 'ab' },
      { kind: 'step', step: 2 },
      { kind: 'text', text: 'c' },
    ]);
  });

  test('gives a result to the newest call with its id that has none, else to an orphan', () => {
    const grouper = opened();
    grouper.take(call('x', 'A'), at(1));
    grouper.take(call('x', 'B'), at(2));
    grouper.take(result('x', 'first'), at(3));
    grouper.take(result('x', 'second', true), at(4));
    const events = eventsOf(grouper.take(result('x', 'third'), at(5)));
    assert.deepEqual(
      events.map(({ kind, tool }) => [kind, tool?.name, tool?.result]),
      [
        ['tool_call', 'A', { preview: 'second', is_error: true }],
        ['tool_call', 'B', { preview: 'first', is_error: false }],
        ['tool_result_orphan', '', { preview: 'third', is_error: false }],
      ],
    );
  });

  test('a turn that had an error ends as errored, one that had none as complete', () => {
    const failed = opened();
    failed.take({ kind: 'error', text: 'one' }, at(1));
    failed.take({ kind: 'error', text: 'two' }, at(2));
    const turn = turnOf(failed.close(at(3)));
    assert.deepEqual([turn?.status, turn?.error], ['errored', 'one; two']);
    assert.equal(turnOf(opened().close(at(3)))?.status, 'complete');
    assert.equal(turnOf(opened().close(at(3), 'connection lost'))?.error, 'connection lost');
  });

  test('the duration of a turn is by the wall clock, taken again at its end', () => {
    const grouper = opened();
    const usage = { InputTokens: 10, OutputTokens: 20, CacheReadInputTokens: 5 };
    const done = turnOf(grouper.take({ kind: 'done', usage }, at(1_500)));
    const expected = { input_tokens: 10, output_tokens: 20, cache_read: 5 };
    assert.deepEqual(done?.usage, { ...expected, duration_ns: 1_500_000_000 });
    const ended = turnOf(grouper.close(at(2_000)));
    assert.deepEqual(ended?.usage, { ...expected, duration_ns: 2_000_000_000 });
    assert.equal(turnOf(opened().close(at(2_000)))?.usage, undefined);
  });

  test('a clock that steps back makes no negative duration', () => {
    const grouper = opened();
    grouper.take({ kind: 'done', usage: {} }, at(-5));
    assert.equal(turnOf(grouper.close(at(-9)))?.usage?.duration_ns, 0);
  });
});

suite('Grouper at its bounds', () => {
  test('cuts a text where the turn is full, visibly and once', () => {
    const grouper = opened({ ...defaultTurnLimits, maxBytes: headRoom + 1_000 });
    grouper.take(text('a'.repeat(900)), at(1));
    const changes = grouper.take(text('b'.repeat(900)), at(2));
    assert.deepEqual(eventsOf(changes), [
      { kind: 'text', text: 'a'.repeat(900) + 'b'.repeat(1_000 - 900 - 48) + cutMark },
    ]);
    assert.deepEqual(grouper.take(text('more'), at(3)), []);
    assert.deepEqual(grouper.take(call('x'), at(3)), []);
    assert.deepEqual(grouper.take(text(''), at(3)), []);
    assert.equal(turnOf(grouper.close(at(4)))?.status, 'complete');
  });

  test('fits exactly at the bound', () => {
    const grouper = opened({ ...defaultTurnLimits, maxBytes: headRoom + 1_000 });
    const events = eventsOf(grouper.take(text('a'.repeat(1_000 - 48)), at(1)));
    assert.deepEqual(events, [{ kind: 'text', text: 'a'.repeat(1_000 - 48) }]);
  });

  test('shows the beginning of a first text that is too long by itself', () => {
    const grouper = opened({ ...defaultTurnLimits, maxBytes: headRoom + 1_000 });
    const [event] = eventsOf(grouper.take(text('a'.repeat(5_000)), at(1)));
    assert.equal(event?.text, 'a'.repeat(1_000 - 48) + cutMark);
  });

  test('shows so many events, the last of them saying that there were more', () => {
    const grouper = opened({ ...defaultTurnLimits, maxEvents: 3 });
    for (let step = 1; step <= 5; step++) grouper.take({ kind: 'step', step }, at(step));
    assert.deepEqual(eventsOf(grouper.close(at(6))), [
      { kind: 'step', step: 1 },
      { kind: 'step', step: 2 },
      { kind: 'text', text: cutMark },
    ]);
  });

  test('a call that is shown gets its result also after the cut', () => {
    const grouper = opened({ ...defaultTurnLimits, maxEvents: 2 });
    grouper.take(call('x'), at(1));
    grouper.take(call('y'), at(2));
    const events = eventsOf(grouper.take(result('x', '\u0001'.repeat(500)), at(3)));
    assert.equal(events[0]?.tool?.result?.preview, `${'\u0001'.repeat(74)}…`);
    assert.deepEqual(grouper.take(result('y', 'unseen'), at(4)), []);
  });

  test('shows the beginning of an input that is too large, as text', () => {
    const limits = { ...defaultTurnLimits, maxInputBytes: 20 };
    const input = (args: unknown) => {
      const [event] = eventsOf(opened(limits).take(call('x', 'Read', args), at(1)));
      return event?.tool?.input;
    };
    assert.deepEqual(input({ a: '123456789012' }), { a: '123456789012' });
    assert.equal(input({ a: '1234567890123' }), '{"a":"12345678901… [21 bytes in all]');
    assert.equal(input('é'.repeat(20)), `${'é'.repeat(10)}… [42 bytes in all]`);
    assert.equal(input(null), null);
    const deep = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000)) as unknown;
    assert.equal(input(deep), '… [nested more than 64 deep]');
  });

  test('bounds ids, names and errors', () => {
    const grouper = opened();
    const long = 'x'.repeat(100_000);
    grouper.take(call(long, long), at(1));
    grouper.take(result(long, 'found by its cut id'), at(2));
    const [event] = eventsOf(grouper.take({ kind: 'error', text: long }, at(3)));
    assert.equal(event?.tool?.id, 'x'.repeat(256));
    assert.equal(event?.tool?.name, `${'x'.repeat(256)}…`);
    assert.equal(event?.tool?.result?.preview, 'found by its cut id');
    const turn = turnOf(grouper.close(at(4), 'connection lost'));
    assert.equal(turn?.error, `${'x'.repeat(4 * 1024)}…`);
  });

  test('can be told to show no more', () => {
    const grouper = opened();
    grouper.take(text('a'), at(1));
    assert.deepEqual(eventsOf(grouper.cut()), [{ kind: 'text', text: `a${cutMark}` }]);
    assert.deepEqual(grouper.cut(), []);
  });
});
