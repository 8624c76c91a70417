import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { startNexus, type TestNexus } from '../integration/start-nexus.ts';
import { RawClient } from './raw-client.ts';

const registration = (name: string, more: object = {}) => ({
  name,
  session_id: `${name}-1`,
  context_mode: 'thread',
  provider: 'loopback',
  ...more,
});

async function tokenFor(nexus: TestNexus, name: string, rights: object): Promise<string> {
  const response = await fetch(`${nexus.url}/api/admin/tokens`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${nexus.operatorToken()}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ name, ...rights }),
  });
  assert.equal(response.status, 201);
  return ((await response.json()) as { token: string }).token;
}

/** A relay as the reference writes it: announces itself, then registers its aspects. */
async function outpostWith(t: TestContext, nexus: TestNexus, aspects: readonly string[]) {
  const token = await tokenFor(nexus, 'north', { grants: aspects });
  const outpost = await RawClient.connect(nexus.url, token);
  t.after(() => outpost.close());
  const ack = await outpost.request('outpost.register', { outpost_id: 'north', host: 'n1' });
  assert.deepEqual([ack.kind, ack.payload], ['outpost.register.ack', { heartbeat_interval_s: 10 }]);
  for (const name of aspects) {
    // Without an id, as on its reconnect.
    const payload = registration(name, { via_outpost: 'north' });
    outpost.send({ kind: 'register', payload });
    const answer = await outpost.kind('register.ack');
    assert.equal(answer['target_aspect'], name);
    assert.equal(answer['in_reply_to'], undefined);
  }
  return outpost;
}

test('what comes down to an Outpost names the aspect it is for', async (t) => {
  const nexus = await startNexus(t);
  const outpost = await outpostWith(t, nexus, ['wren', 'anvil']);
  const operator = await nexus.operator();
  await operator.post('@wren @anvil both of you');
  for (const name of ['anvil', 'wren']) {
    const deliver = await outpost.next((frame) => frame['target_aspect'] === name, name);
    assert.equal(deliver.kind, 'chat.deliver');
    assert.equal(deliver.payload?.['content'], '@wren @anvil both of you');
  }
  const { aspects } = await operator.request('roster.list');
  assert.deepEqual(
    (aspects as { name: string; outpost?: string }[]).map((row) => [row.name, row.outpost]),
    [
      ['anvil', 'north'],
      ['wren', 'north'],
    ],
  );
});

test('a replay through an Outpost goes to the aspect that asked', async (t) => {
  const nexus = await startNexus(t);
  const outpost = await outpostWith(t, nexus, ['wren']);
  await (await nexus.operator()).post('@wren missed');
  const again = { via_outpost: 'north', request_replay: true, since_msg_id: 0 };
  outpost.send({ kind: 'register', payload: registration('wren', again) });
  const end = await outpost.kind('chat.replay.end');
  assert.equal(end['target_aspect'], 'wren');
});

test('frames behind an Outpost speak for the registered name that they claim', async (t) => {
  const nexus = await startNexus(t);
  const outpost = await outpostWith(t, nexus, ['wren', 'anvil']);
  const operator = await nexus.operator();
  await operator.ask('subscribe.chat');
  for (const from of ['wren', 'ANVIL']) {
    const { kind } = await outpost.request('chat.send', { from, content: `I am ${from}` });
    assert.equal(kind, 'chat.send.result');
  }
  await operator.until(() => operator.delivered().length === 2);
  assert.deepEqual(
    operator.delivered().map(({ from }) => from),
    ['wren', 'anvil'],
  );
  const refusals = {
    plumb: 'forbidden',
    operator: 'forbidden',
    north: 'forbidden',
    '': 'bad_request',
  };
  for (const [from, code] of Object.entries(refusals)) {
    const { payload } = await outpost.request('chat.send', { from, content: 'x' });
    assert.equal(payload?.['code'], code, from);
  }
});

test('an Outpost registers only the names it was granted', async (t) => {
  const nexus = await startNexus(t);
  const outpost = await outpostWith(t, nexus, ['wren']);
  const foreign = registration('plumb', { via_outpost: 'north' });
  const { kind, payload } = await outpost.request('register', foreign);
  assert.deepEqual([kind, payload?.['code']], ['register.error', 'forbidden']);
});

test('outpost.deregister is not answered, and all its aspects go down with its socket', async (t) => {
  const nexus = await startNexus(t);
  const outpost = await outpostWith(t, nexus, ['wren', 'anvil']);
  const operator = await nexus.operator();
  await operator.ask('subscribe.roster');
  outpost.send({ kind: 'outpost.deregister', payload: { outpost_id: 'north', reason: 'bye' } });
  assert.ok(await outpost.silent('outpost.deregister.error'));
  await outpost.close();
  const downs = () =>
    operator.payloadsOf('roster.update').filter(({ status }) => status === 'down');
  await operator.until(() => downs().length === 2);
  assert.deepEqual(
    downs()
      .map(({ aspect }) => aspect)
      .sort(),
    ['anvil', 'wren'],
  );
});

test('one aspect that moves to a socket of its own does not take its Outpost with it', async (t) => {
  const nexus = await startNexus(t);
  const outpost = await outpostWith(t, nexus, ['wren', 'anvil']);
  const wren = await RawClient.connect(nexus.url, await nexus.token('wren'));
  t.after(() => wren.close());
  assert.equal((await wren.request('register', registration('wren'))).kind, 'register.ack');
  const operator = await nexus.operator();
  await operator.post('@wren @anvil where are you?');
  await wren.kind('chat.deliver');
  const { target_aspect } = await outpost.kind('chat.deliver');
  assert.equal(target_aspect, 'anvil');
  const late = await outpost.request('chat.send', { from: 'wren', content: 'I was here' });
  assert.equal(late.payload?.['code'], 'forbidden');
});

test('with a plain token an Outpost carries that one name', async (t) => {
  const nexus = await startNexus(t);
  const outpost = await RawClient.connect(nexus.url, await nexus.token('wren'));
  t.after(() => outpost.close());
  await outpost.request('outpost.register', { outpost_id: 'tiny' });
  const own = registration('wren', { via_outpost: 'tiny' });
  assert.equal((await outpost.request('register', own)).kind, 'register.ack');
  assert.equal((await outpost.request('chat.send', { content: 'alone' })).kind, 'chat.send.result');
});
