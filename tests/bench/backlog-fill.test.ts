import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { fillBacklog } from './backlog-fill.ts';

suite('fillBacklog', () => {
  test('publishes exactly so many, never more than may be in flight, and waits for all', async () => {
    let published = 0;
    let acknowledged = 0;
    let most = 0;
    const open = (acked: (messages: number) => void) =>
      Promise.resolve((messages: number) => {
        published += messages;
        most = Math.max(most, published - acknowledged);
        for (const part of [Math.floor(messages / 2), Math.ceil(messages / 2)]) {
          setImmediate(() => {
            acknowledged += part;
            acked(part);
          });
        }
      });
    await fillBacklog({ messages: 1003, inFlight: 64 }, open);
    assert.deepEqual(
      { published, acknowledged, most },
      { published: 1003, acknowledged: 1003, most: 64 },
    );
  });
});
