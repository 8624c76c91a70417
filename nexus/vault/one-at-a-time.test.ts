import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OneAtATime } from './one-at-a-time.ts';

test('work runs in order, one at a time, goes on after a failure, and at most 256 wait', async () => {
  const turns = new OneAtATime();
  const order: number[] = [];
  let running = 0;
  const work = (n: number) => async () => {
    running += 1;
    assert.equal(running, 1);
    await Promise.resolve();
    order.push(n);
    running -= 1;
    if (n === 1) throw new Error('one that fails');
    return n;
  };
  const results = Array.from({ length: 256 }, (_, n) => turns.run(work(n)));
  await assert.rejects(turns.run(work(256)), { code: 'busy' });
  const settled = await Promise.allSettled(results);
  assert.deepEqual(
    settled.flatMap(({ status }, n) => (status === 'rejected' ? [n] : [])),
    [1],
  );
  assert.deepEqual(
    order,
    Array.from({ length: 256 }, (_, n) => n),
  );
  assert.equal(await turns.run(work(300)), 300);
});
