import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { maxDetailLength, maxPhaseLength, pulseOf } from './pulse.ts';

suite('pulseOf', () => {
  const known: [string, unknown, object][] = [
    ['turn.start', { turn_id: 't1', round: 1, context_tokens: 900 }, { phase: 'thinking' }],
    ['turn.tool_call', { name: 'read_file' }, { phase: 'tool', detail: 'read_file' }],
    ['turn.end', { stop_reason: 'end' }, { phase: 'idle', detail: 'end' }],
    [
      'turn.end',
      { stop_reason: 'error', error_class: 'rate_limit' },
      { phase: 'idle', detail: 'rate_limit' },
    ],
    ['compact.start', { reason: 'threshold' }, { phase: 'compacting', detail: 'threshold' }],
    ['compact.end', { tokens_before: 9, tokens_after: 3 }, { phase: 'idle' }],
    ['filter.judging', undefined, { phase: 'judging' }],
    ['filter.judged', { should_post: false, reason: 'noise' }, { phase: 'idle', detail: 'noise' }],
    ['provider.retry', { error_class: 'overloaded' }, { phase: 'retrying', detail: 'overloaded' }],
    ['goal_loop.continue', {}, { phase: 'thinking' }],
    ['goal_loop.blocked', { reason: 'no key' }, { phase: 'blocked', detail: 'no key' }],
    ['goal_loop.cap', null, { phase: 'idle' }],
  ];
  for (const [type, payload, expected] of known) {
    test(`${type} with ${JSON.stringify(payload)} is ${JSON.stringify(expected)}`, () => {
      assert.deepEqual(pulseOf(type, payload), expected);
    });
  }

  test('a type that we do not know is its own phase', () => {
    assert.deepEqual(pulseOf('queued', { detail: '3 before it' }), {
      phase: 'queued',
      detail: '3 before it',
    });
    assert.deepEqual(pulseOf('\n', 'no object'), { phase: 'unknown' });
  });

  test('a detail of the aspect’s own goes before ours', () => {
    const { detail } = pulseOf('turn.tool_call', { name: 'bash', detail: 'running the tests' });
    assert.equal(detail, 'running the tests');
  });

  test('keeps to its bounds, on one line, without half characters', () => {
    const atBound = 'x'.repeat(maxDetailLength);
    assert.equal(pulseOf('busy', { detail: atBound }).detail, atBound);
    const cut = pulseOf('y'.repeat(maxPhaseLength + 1), { detail: `${atBound}x` });
    assert.equal(cut.phase, `${'y'.repeat(maxPhaseLength - 1)}…`);
    assert.equal(cut.detail, `${'x'.repeat(maxDetailLength - 1)}…`);

    const emoji = `${'x'.repeat(maxDetailLength - 2)}🦉🦉`;
    assert.equal(pulseOf('busy', { detail: emoji }).detail, `${'x'.repeat(maxDetailLength - 2)}…`);
    assert.equal(pulseOf('busy', { detail: 'one\r\n\u001b[31mtwo' }).detail, 'one [31mtwo');
  });

  test('what is no text is no detail', () => {
    for (const detail of [7, {}, [], true, '', '  ']) {
      assert.equal('detail' in pulseOf('busy', { detail }), false, JSON.stringify(detail));
    }
  });
});
