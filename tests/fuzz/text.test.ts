import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { startNexus } from '../integration/start-nexus.ts';
import { runs, seed } from './fuzz-runs.ts';

/** Text as a client may write it in JSON: anything, with halves of surrogate pairs in between. */
const anyText = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary', minLength: 1, maxLength: 8 }),
      fc.constantFrom('\ud800', '\udfff', '\u0000', '\u2028', '\ufeff', '\u001b[2J', '\\ud800'),
    ),
    { minLength: 1, maxLength: 8 },
  )
  .map((parts) => parts.join(''));

suite('texts', () => {
  test('are delivered, stored and told apart as they were sent, whatever is in them', async (t) => {
    const nexus = await startNexus(t);
    const wren = await nexus.aspect('wren');
    const operator = await nexus.operator();
    await operator.ask('subscribe.chat');
    const ids = new Map<string, number>();
    const property = fc.asyncProperty(
      anyText,
      anyText.filter((key) => key.length <= 60),
      async (content, key) => {
        const id = await wren.post(content, { topic: key, idempotency_key: key });
        const known = ids.get(key.toWellFormed());
        assert.equal(id, known ?? id, 'the same key gives the first message');
        if (known !== undefined) return;
        assert.ok(![...ids.values()].includes(id), 'another key is another message');
        ids.set(key.toWellFormed(), id);
        const live = await operator.next(({ payload }) => payload?.['id'] === id);
        const { messages } = await wren.request('chat.read', { msg_id: id });
        const [stored] = messages as Record<string, unknown>[];
        for (const message of [live.payload, stored]) {
          assert.equal(message?.['content'], content.toWellFormed());
          assert.equal(message?.['topic'], key.toWellFormed());
        }
      },
    );
    await fc.assert(property, { numRuns: runs(100), seed });
  });
});
