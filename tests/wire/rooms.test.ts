import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { startNexus } from '../integration/start-nexus.ts';
import { RawClient } from './raw-client.ts';

async function operatorIn(t: TestContext) {
  const nexus = await startNexus(t);
  const operator = await RawClient.connect(nexus.url, nexus.operatorToken());
  t.after(() => operator.close());
  return { nexus, operator };
}

const messagesOf = ({ payload = {} }: { payload?: Record<string, unknown> }) =>
  payload['messages'] as { id: number }[];

const idOf = ({ payload }: { payload?: Record<string, unknown> }) => payload?.['msg_id'];

test('chat.replies lists the whole subtree without its root, ascending', async (t) => {
  const { operator } = await operatorIn(t);
  const post = async (content: string, reply_to?: unknown) =>
    idOf(await operator.request('chat.send', { content, reply_to }));
  const root = await post('root');
  const reply = await post('reply', root);
  await post('elsewhere');
  const deeper = await post('deeper', reply);

  const below = await operator.request('chat.replies', { parent_id: root });
  assert.equal(below.kind, 'chat.replies.result');
  assert.equal(below.payload?.['parent_id'], root);
  assert.deepEqual(
    messagesOf(below).map(({ id }) => id),
    [reply, deeper],
  );
  const rest = await operator.request('chat.replies', { parent_id: root, since_id: reply });
  assert.equal(messagesOf(rest).length, 1);
  const none = await operator.request('chat.replies', { parent_id: 999_999 });
  assert.deepEqual(none.payload, { parent_id: 999_999, messages: [] });
  const wrong = await operator.request('chat.replies', {});
  assert.deepEqual([wrong.kind, wrong.payload?.['code']], ['chat.replies.error', 'bad_request']);
});

test('chat.reactions.fetch has a key for each message with reactions, react_to answers', async (t) => {
  const { operator } = await operatorIn(t);
  const first = idOf(await operator.request('chat.send', { content: 'one' })) as number;
  const second = idOf(await operator.request('chat.send', { content: 'two' })) as number;
  operator.send({
    kind: 'chat.reaction',
    payload: { from: 'operator', msg_id: first, emoji: '👍' },
  });

  const fetched = await operator.request('chat.reactions.fetch', { msg_ids: [first, second, 77] });
  assert.equal(fetched.kind, 'chat.reactions.fetch.result');
  const mine = [{ aspect: 'operator', emoji: '👍' }];
  assert.deepEqual(fetched.payload, { reactions: { [first]: mine } });

  const changed = await operator.request('react_to', { msg_id: first, emoji: '🎉' });
  assert.equal(changed.kind, 'react_to.result');
  assert.deepEqual(changed.payload, {
    msg_id: first,
    reactions: [{ aspect: 'operator', emoji: '🎉' }],
  });
  const missing = await operator.request('react_to', { msg_id: 999, emoji: '🎉' });
  assert.deepEqual([missing.kind, missing.payload?.['code']], ['react_to.error', 'not_found']);
  const many = Array.from({ length: 501 }, (_, i) => i + 1);
  const refused = await operator.request('chat.reactions.fetch', { msg_ids: many });
  assert.equal(refused.kind, 'chat.reactions.fetch.error');
  await operator.request('chat.reactions.fetch', { msg_ids: many.slice(1) });
});

test('aspect.say mentions the aspect unless the text begins so', async (t) => {
  const { nexus, operator } = await operatorIn(t);
  const anvil = await nexus.aspect('anvil');
  await nexus.aspect('anvil2');
  const said: unknown[] = [];
  for (const content of [' strike ', '@anvil strike', '@ANVIL: strike', '@anvil2 is late']) {
    const { kind, payload } = await operator.request('aspect.say', { aspect: 'Anvil', content });
    assert.equal(kind, 'aspect.say.result');
    said.push(payload?.['msg_id']);
  }
  await anvil.until(() => anvil.delivered().length === said.length);
  assert.deepEqual(anvil.contents(), [
    '@anvil strike',
    '@anvil strike',
    '@ANVIL: strike',
    '@anvil @anvil2 is late',
  ]);
  assert.deepEqual(
    anvil.delivered().map(({ id, from, reply_to }) => [id, from, reply_to]),
    said.map((id) => [id, 'operator', undefined]),
  );
  const refusals = { nobody: 'not_found', anvil: 'bad_request' };
  for (const [aspect, code] of Object.entries(refusals)) {
    const { kind, payload } = await operator.request('aspect.say', { aspect, content: ' \n' });
    assert.deepEqual([kind, payload?.['code']], ['aspect.say.error', code]);
  }
});

test('shutdown comes before the close with 1001', async (t) => {
  const { nexus, operator } = await operatorIn(t);
  const wren = await nexus.aspect('wren');
  await nexus.broker.close();
  const { payload } = await operator.kind('shutdown');
  assert.deepEqual(payload, { reason: 'the broker is stopping', grace_period_s: 0 });
  assert.equal((await wren.closed).code, 1001);
});
