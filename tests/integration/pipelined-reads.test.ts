import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { startNexus } from './start-nexus.ts';

const asked = 100;

suite('one who asks for much at once', () => {
  for (const slowly of [false, true]) {
    test(`gets all of it in order, ${slowly ? 'however slowly it reads' : 'as fast as it reads'}`, async (t) => {
      const nexus = await startNexus(t);
      const operator = await nexus.operator();
      const wren = await nexus.aspect('wren');
      // Pages of 768 KiB, of which an outbox holds ten.
      for (let i = 0; i < 8; i++) await wren.post('x'.repeat(100_000));
      operator.kept = ({ payload: _, ...rest }) => rest;
      if (slowly) operator.ws.pause();
      for (let i = 0; i < asked; i++) operator.send('chat.list', {}, { id: `page-${i}` });
      operator.send('chat.send', { content: 'and then said' }, { id: 'said' });
      if (slowly) {
        // Others are served meanwhile.
        await wren.post('@wren');
        operator.ws.resume();
      }
      await operator.next(({ in_reply_to }) => in_reply_to === 'said');
      assert.deepEqual(
        operator.frames.map(({ in_reply_to }) => in_reply_to),
        [...Array.from({ length: asked }, (_, i) => `page-${i}`), 'said'],
      );
    });
  }
});
