import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { takePage } from './page.ts';

suite('takePage', () => {
  test('ends at the limit and knows whether there is more', () => {
    assert.deepEqual(takePage([1, 2, 3], 2), { rows: [1, 2], hasMore: true });
    assert.deepEqual(takePage([1, 2], 2), { rows: [1, 2], hasMore: false });
    assert.deepEqual(takePage([], 2), { rows: [], hasMore: false });
  });

  test('ends early at 768 KiB of JSON, but never before the first row', () => {
    const half = 'x'.repeat(384 * 1024 - 2);
    assert.equal(takePage([half, half], 9).rows.length, 2, 'exactly at the bound');
    assert.deepEqual(takePage([half, `${half}x`, half], 9), { rows: [half], hasMore: true });
    const huge = 'x'.repeat(1024 * 1024);
    assert.deepEqual(takePage([huge, half], 9), { rows: [huge], hasMore: true });
  });

  test('takes no more rows than it needs', () => {
    let taken = 0;
    const endless = (function* () {
      for (;;) yield ++taken;
    })();
    takePage(endless, 3);
    assert.equal(taken, 4);
  });
});
