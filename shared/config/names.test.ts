import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { nameKey, nameProblem } from './names.ts';

suite('nameProblem', () => {
  test('accepts letters, digits, dash and underscore, up to 32', () => {
    for (const name of ['a', '7', 'wren', 'Wren_2-b', 'x'.repeat(32), 'frames', 'allison']) {
      assert.equal(nameProblem(name), undefined, name);
    }
  });

  test('refuses what is no word, and what means something else', () => {
    const malformed = ['', '-a', '_a', 'a b', 'a.b', 'a/b', '../a', 'é', 'a\n', 'x'.repeat(33)];
    for (const name of malformed) assert.match(nameProblem(name) ?? '', /is not a name/, name);
    for (const name of ['all', 'ALL', 'Operator', 'frame', 'nexus', 'system', 'orchestrator']) {
      assert.match(nameProblem(name) ?? '', /is reserved/, name);
    }
  });

  test('names are the same in any case', () => {
    assert.equal(nameKey('WREN'), nameKey('wren'));
  });
});
