import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startNexus } from '../integration/start-nexus.ts';
import { RawClient } from './raw-client.ts';

test('session.refresh goes on under another token of the same identity only', async (t) => {
  const nexus = await startNexus(t);
  const token = await nexus.token('wren');
  const wren = await RawClient.connect(nexus.url, token);
  t.after(() => wren.close());

  const answer = await wren.request('session.refresh', { token });
  assert.equal(answer.kind, 'session.refresh.result');
  assert.deepEqual(answer.payload, {}, 'an opaque token does not expire');

  const others = [await nexus.token('anvil'), nexus.operatorToken(), 'a.b.c', 'nonsense'];
  for (const other of others) {
    const refused = await wren.request('session.refresh', { token: other });
    assert.equal(refused.kind, 'session.refresh.error');
    assert.equal(refused.payload?.['code'], 'forbidden');
  }
  for (const payload of [{}, { token: '' }, { token: 'x'.repeat(4097) }]) {
    const refused = await wren.request('session.refresh', payload);
    assert.equal(refused.payload?.['code'], 'bad_request');
  }
  assert.equal((await wren.request('chat.read', {})).kind, 'chat.read.result');
});
