import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { FakeClock } from '#shared/sys/fake-clock';
import { FailureDelays, forgetMs, maxFailing } from './failure-delays.ts';

function fail(delays: FailureDelays, caller: string, times: number): void {
  for (let n = 0; n < times; n += 1) delays.failed(caller);
}

suite('FailureDelays', () => {
  test('lets a few failures pass, then doubles the wait up to five minutes', () => {
    const clock = new FakeClock();
    const delays = new FailureDelays(clock);
    const waits = Array.from({ length: 16 }, () => {
      delays.failed('ana');
      return delays.waitMs('ana') / 1000;
    });
    assert.deepEqual(waits, [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
    assert.equal(delays.waitMs('ben'), 0);
  });

  test('the wait ends with time, and a success ends it at once', () => {
    const clock = new FakeClock();
    const delays = new FailureDelays(clock);
    fail(delays, 'ana', 6);
    clock.advance(1_999);
    assert.equal(delays.waitMs('ana'), 1);
    clock.advance(1);
    assert.equal(delays.waitMs('ana'), 0);
    fail(delays, 'ana', 1);
    assert.equal(delays.waitMs('ana'), 4_000);
    delays.succeeded('ana');
    assert.equal(delays.waitMs('ana'), 0);
  });

  test('old failures do not count', () => {
    const clock = new FakeClock();
    const delays = new FailureDelays(clock);
    fail(delays, 'ana', 5);
    clock.advance(forgetMs);
    delays.failed('ana');
    assert.equal(delays.waitMs('ana'), 0);
  });

  test('remembers a bounded number of callers, and forgets the stalest', () => {
    const delays = new FailureDelays(new FakeClock(), 1);
    delays.failed('first');
    delays.failed('second');
    delays.failed('first');
    for (let n = 0; n < maxFailing - 1; n += 1) delays.failed(`caller ${n}`);
    assert.notEqual(delays.waitMs('first'), 0);
    assert.equal(delays.waitMs('second'), 0);
  });
});
