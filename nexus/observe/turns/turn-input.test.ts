import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { TurnInputReader } from './turn-input.ts';

const reader = new TurnInputReader();

suite('TurnInputReader', () => {
  test('reads what is missing or null as empty', () => {
    const usage = {};
    const empty: [eventKind: string, input: unknown][] = [
      ['model_chunk', { kind: 'text', text: '' }],
      ['tool_call_start', { kind: 'tool_call', id: '', name: '', args: undefined }],
      ['tool_call_result', { kind: 'tool_result', id: '', text: '', isError: false }],
      ['step_boundary', { kind: 'step', step: 0 }],
      ['turn_done', { kind: 'done', usage }],
      ['turn_error', { kind: 'error', text: 'the turn failed' }],
    ];
    for (const [eventKind, input] of empty) {
      assert.deepEqual(reader.read(eventKind, undefined), input);
      assert.deepEqual(reader.read(eventKind, { Text: null, Args: null, Result: null }), input);
    }
    assert.deepEqual(reader.read('turn_done', { Result: { Usage: null } }), {
      kind: 'done',
      usage,
    });
  });

  test('shows a result as JSON, and a failure in whatever form it comes', () => {
    const read = (body: object) => {
      const input = reader.read('tool_call_result', body);
      return input.kind === 'tool_result' ? [input.text, input.isError] : [];
    };
    assert.deepEqual(read({ Result: ['a', 1] }), ['["a",1]', false]);
    assert.deepEqual(read({ Result: 'a' }), ['"a"', false]);
    assert.deepEqual(read({ Result: 'a', Err: 'gone' }), ['gone', true]);
    assert.deepEqual(read({ Err: {} }), ['{}', true]);
  });

  test('refuses a body that does not fit its kind, and an unknown kind', () => {
    const bad: [eventKind: string, body: unknown][] = [
      ['model_chunk', { Text: 5 }],
      ['model_chunk', 'text'],
      ['step_boundary', { Step: 1.5 }],
      ['turn_done', { Result: { Usage: { InputTokens: -1 } } }],
      ['turn_error', []],
      ['constructor', {}],
    ];
    for (const [eventKind, body] of bad) {
      assert.throws(() => reader.read(eventKind, body), { code: 'bad_request' }, eventKind);
    }
  });
});
