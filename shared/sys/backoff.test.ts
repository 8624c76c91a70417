import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { backoffMs } from './backoff.ts';

const times = { firstMs: 1_000, maxMs: 60_000 };

suite('backoffMs', () => {
  test('doubles from the first wait to the longest', () => {
    const waits = [1, 2, 3, 6, 7, 8, 2_000].map((attempt) => backoffMs(attempt, times, 0));
    assert.deepEqual(waits, [1_000, 2_000, 4_000, 32_000, 60_000, 60_000, 60_000]);
  });

  test('adds up to a quarter of jitter', () => {
    assert.equal(backoffMs(1, times, 0.5), 1_125);
    assert.ok(backoffMs(9, times, 0.999_999) < 75_000);
  });
});
