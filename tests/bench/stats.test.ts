import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { median, percentile, rounded } from './stats.ts';

suite('statistics', () => {
  test('the median ignores outliers and the order of its values', () => {
    assert.equal(median([3, 1000, 1, 2, 4]), 3);
  });

  test('the median of an even number of values lies between the middle two', () => {
    assert.equal(median([4, 1, 3, 2]), 2.5);
  });

  test('a percentile is one of the values', () => {
    const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
    assert.equal(percentile(hundred, 99), 99);
    assert.equal(percentile(hundred, 50), 50);
    assert.equal(percentile([7], 99), 7);
  });

  test('nothing has no median and no percentile', () => {
    assert.throws(() => median([]));
    assert.throws(() => percentile([], 99));
  });

  test('figures keep four significant digits, whatever their size', () => {
    assert.equal(rounded(1_234_567), 1_235_000);
    assert.equal(rounded(0.123456), 0.1235);
  });
});
