import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { heard, requestTo } from '../../../tests/fakes/loopback-team.ts';
import type { Delta } from '../provider.ts';
import { LoopbackProvider } from './loopback-provider.ts';

suite('LoopbackProvider', () => {
  test('streams its answer in a few pieces that end between words', async () => {
    const deltas = await collect({});
    const texts = deltas.flatMap((delta) => (delta.type === 'text' ? [delta.text] : []));
    assert.ok(texts.length >= 2 && texts.length <= 6);
    assert.ok(texts.slice(0, -1).every((text) => /\s$/.test(text)));
  });

  test('stops at the token limit and says so', async () => {
    const deltas = await collect({ maxTokens: 2 });
    assert.equal(
      deltas.map((delta) => (delta.type === 'text' ? delta.text : '')).join(''),
      'Hello. I',
    );
    const done = deltas.at(-1);
    assert.ok(done?.type === 'done');
    assert.equal(done.stopReason, 'max_tokens');
    assert.equal(done.usage.tokens.out, 2);
  });

  test('counts the system prompt and the conversation as input', async () => {
    const done = (await collect({})).at(-1);
    const longer = (await collect({ system: 'x'.repeat(4000) })).at(-1);
    assert.ok(done?.type === 'done' && longer?.type === 'done');
    assert.ok(longer.usage.tokens.in > done.usage.tokens.in);
  });

  test('stays silent when there is nothing to answer', async () => {
    assert.deepEqual(
      (await collect({ messages: [] })).map((delta) => delta.type),
      ['done'],
    );
  });
});

async function collect(overrides: object): Promise<Delta[]> {
  const request = { ...requestTo('wren', [heard('operator', 'hello')]), ...overrides };
  const deltas: Delta[] = [];
  for await (const delta of new LoopbackProvider().stream(request)) deltas.push(delta);
  return deltas;
}
