import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { parseSelf } from './self.ts';

suite('what an aspect reads about itself', () => {
  test('takes its name, role and team from the lines of the runtime', () => {
    const self = parseSelf(
      'You are the best.\n\nYou are wren, ...\nYour team: keel (coordinator), wren (reviewer, tests)',
    );
    assert.equal(self.name, 'wren');
    assert.equal(self.role, 'reviewer, tests');
    assert.deepEqual(self.team, [{ name: 'keel', role: 'coordinator' }]);
  });

  test('prefers a paragraph about itself to a shared document that comes first', () => {
    const self = parseSelf(
      'This network belongs to all.\n\n---\n\n# wren\n\nYou are wren, a critic of\nyour own work.\n\nMore.\n\n---\n\nYou are wren.\nYour team: wren (reviewer)',
    );
    assert.equal(self.about, 'I am wren, a critic of my own work.');
  });

  test('reads bullet points in the first person, without markup, over several lines', () => {
    const self = parseSelf(
      '- You **never** guess;\n  you `read`.\n* Do what is asked of you.\n1. Keep to [the plan](plan.md).\n\n---\nYour team: wren (reviewer)\n- Not mine.',
    );
    assert.deepEqual(self.principles, [
      'I never guess; I read.',
      'Do what is asked of me.',
      'Keep to the plan.',
    ]);
  });

  test('makes do with nothing', () => {
    const self = parseSelf('');
    assert.deepEqual(self, {
      name: 'loopback',
      role: 'team member',
      team: [],
      about: 'I am loopback, the team member.',
      principles: [],
    });
  });

  test('reads a role from its own line when no team is named', () => {
    assert.equal(parseSelf('You are wren, the reviewer.').role, 'reviewer');
  });
});
