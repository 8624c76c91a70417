import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { FakeClock } from '#shared/sys/fake-clock';
import { Operations } from './operations.ts';

function setUp(maxRecords: number) {
  const clock = new FakeClock(1_000);
  let ids = 0;
  const operations = new Operations({ clock, newId: () => `op-${++ids}`, maxRecords });
  return { clock, operations };
}

suite('Operations', () => {
  test('remember how each went, and its end only once', () => {
    const { clock, operations } = setUp(8);
    const [good, bad] = [operations.start('compact'), operations.start('shutdown')];
    assert.deepEqual(operations.find(good.id), {
      id: 'op-1',
      action: 'compact',
      status: 'running',
      startedAt: 1_000,
    });
    clock.advance(500);
    operations.end(good.id);
    operations.end(good.id, 'too late');
    operations.end(bad.id, 'no disk');
    operations.end('op-9');
    assert.deepEqual(
      [good, bad].map(({ id }) => {
        const { status, error, endedAt } = operations.find(id) ?? {};
        return [status, error, endedAt];
      }),
      [
        ['ok', undefined, 1_500],
        ['error', 'no disk', 1_500],
      ],
    );
  });

  test('keep as many records as they may, the newest', () => {
    const { operations } = setUp(2);
    const ids = [1, 2, 3].map(() => operations.start('compact').id);
    assert.deepEqual(
      ids.map((id) => operations.find(id) !== undefined),
      [false, true, true],
    );
  });
});
