import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { AppendQueue, type AppendQueueOptions } from './append-queue.ts';

const event = { kind: 'said', actor: 'wren', body: {} };

/** A queue that settles everything, and the sizes of its groups. */
function openQueue(options: Omit<AppendQueueOptions, 'commit'>) {
  const groups: number[] = [];
  const queue = new AppendQueue({
    ...options,
    commit(group) {
      groups.push(group.length);
      for (const each of group) each.resolve({ ...each.event, position: 1, at: 0 });
    },
  });
  return { queue, groups, append: () => queue.append(event) };
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

suite('AppendQueue', () => {
  test('hands over what one turn brought, without a delay', async () => {
    const { groups, append } = openQueue({});
    await Promise.all([append(), append()]);
    await Promise.all([append(), nextTurn().then(append)]);
    assert.deepEqual(groups, [2, 1, 1]);
  });

  test('with a delay, a group grows for as long as each turn brings something', async () => {
    const { groups, append } = openQueue({ maxDelayMs: 60_000 });
    const appends = [append()];
    for (let turn = 0; turn < 5; turn++) {
      await nextTurn();
      appends.push(append());
    }
    assert.deepEqual(groups, []);
    await Promise.all(appends);
    assert.deepEqual(groups, [6]);
    await append();
    assert.deepEqual(groups, [6, 1], 'nobody is made to wait for a quiet queue');
  });

  test('a group stops growing when its time is up, however busy the turns are', async () => {
    const { groups, append } = openQueue({ maxDelayMs: 5 });
    const start = performance.now();
    while (groups.length === 0) {
      void append();
      await nextTurn();
    }
    assert.ok(performance.now() - start >= 5);
  });

  test('a full group is handed over at the end of its turn', async () => {
    const { groups, append } = openQueue({ maxDelayMs: 60_000, maxGroup: 2 });
    await Promise.all([append(), append(), append(), append(), append()]);
    assert.deepEqual(groups, [2, 2, 1]);
  });

  test('closing hands over what is growing, and refuses more', async () => {
    const { queue, groups, append } = openQueue({ maxDelayMs: 60_000, maxGroup: 2 });
    const appends = [append(), append(), append()];
    queue.close();
    await Promise.all(appends);
    assert.deepEqual(groups, [2, 1]);
    await assert.rejects(append(), { code: 'journal.closed' });
  });
});
