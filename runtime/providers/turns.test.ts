import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Message } from './provider.ts';
import { toTurns } from './turns.ts';

suite('a conversation on its way to a remote API', () => {
  test('loses blank texts, and neighbours of one role become one turn', () => {
    const messages = [
      says('user', 'one'),
      says('assistant', ' \n'),
      says('user', '', 'two'),
      says('assistant', 'three'),
      says('user', 'four', 'five'),
    ];
    assert.deepEqual(toTurns(messages), [
      { role: 'user', texts: ['one', 'two'] },
      { role: 'assistant', texts: ['three'] },
      { role: 'user', texts: ['four', 'five'] },
    ]);
  });
});

function says(role: Message['role'], ...texts: string[]): Message {
  return { role, content: texts.map((text) => ({ type: 'text', text })) };
}
