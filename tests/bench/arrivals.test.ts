import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Arrivals } from './arrivals.ts';

suite('Arrivals', () => {
  test('tells when the first and the last message came', async () => {
    const arrivals = new Arrivals(10);
    for (const [now, messages] of [3, 4, 3, 5].entries()) arrivals.arrived(messages, now);
    assert.deepEqual(await arrivals.all, { first: 0, last: 2 });
    assert.equal(arrivals.count, 15);
  });

  test('passes over what comes before', async () => {
    const arrivals = new Arrivals(3, 2);
    for (const [now, messages] of [1, 1, 2, 1].entries()) arrivals.arrived(messages, now);
    assert.deepEqual(await arrivals.all, { first: 2, last: 3 });
  });

  test('counts a message that came together with those before it', async () => {
    const arrivals = new Arrivals(1, 1);
    arrivals.arrived(2, 7);
    assert.deepEqual(await arrivals.all, { first: 7, last: 7 });
    assert.equal(arrivals.count, 1);
  });
});
