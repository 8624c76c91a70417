import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { sleep } from './clock.ts';
import { FakeClock } from './fake-clock.ts';

suite('FakeClock', () => {
  test('runs what falls due in order, each at its own time', () => {
    const clock = new FakeClock(1_000);
    const log: string[] = [];
    const note = (what: string) => () => log.push(`${what} at ${clock.now()}`);
    clock.after(20, note('b'));
    clock.after(10, note('a'));
    clock.after(20, note('c'));
    clock.after(31, note('d'));
    clock.advance(30);
    assert.deepEqual(log, ['a at 1010', 'b at 1020', 'c at 1020']);
    assert.equal(clock.now(), 1_030);
    assert.equal(clock.monotonic(), 30);
    assert.equal(clock.pending, 1);
  });

  test('a timer may set another that falls due in the same move', () => {
    const clock = new FakeClock();
    let runs = 0;
    const again = () => {
      runs += 1;
      clock.after(10, again);
    };
    clock.after(10, again);
    clock.advance(35);
    assert.equal(runs, 3);
  });

  test('cancelling twice is fine, and nothing runs', () => {
    const clock = new FakeClock();
    const cancel = clock.after(10, () => assert.fail('cancelled'));
    cancel();
    cancel();
    clock.advance(100);
    assert.equal(clock.pending, 0);
  });
});

suite('sleep', () => {
  test('resolves when its time has passed', async () => {
    const clock = new FakeClock();
    const slept = sleep(clock, 50);
    clock.advance(50);
    await slept;
  });

  test('rejects with the reason of an abort, before or while it sleeps', async () => {
    const clock = new FakeClock();
    const reason = new Error('stop');
    const controller = new AbortController();
    const slept = assert.rejects(sleep(clock, 50, controller.signal), reason);
    controller.abort(reason);
    await slept;
    assert.equal(clock.pending, 0);
    await assert.rejects(sleep(clock, 50, controller.signal), reason);
  });
});
