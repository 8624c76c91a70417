import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { WindowedLoad } from './windowed-load.ts';

suite('WindowedLoad', () => {
  test('keeps at most so many in flight, and ends when all that was published is complete', async () => {
    let published = 0;
    let completed = 0;
    let most = 0;
    const load = new WindowedLoad({
      inFlight: 8,
      publish(messages) {
        published += messages;
        most = Math.max(most, published - completed);
        // Answers come two at a time, each in a turn of its own.
        setImmediate(function answer() {
          completed = Math.min(published, completed + 2);
          load.arrived();
          if (completed < published) setImmediate(answer);
        });
      },
      completed: () => completed,
    });

    const messages = await load.run(20);

    assert.equal(messages, published);
    assert.equal(completed, published);
    assert.equal(most, 8);
  });
});
