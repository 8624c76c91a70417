import assert from 'node:assert/strict';
import { once } from 'node:events';
import { suite, test } from 'node:test';
import { FakeClock } from '#shared/sys/fake-clock';
import { roomyLimits, startNexus } from './start-nexus.ts';
import { registration, type TestClient } from './test-client.ts';

/** What a roster.update says, without what differs from run to run. */
const updates = (client: TestClient) =>
  client
    .payloadsOf('roster.update')
    .map(({ aspect, status, reason }) => `${aspect} ${status} ${reason}`);

async function watcher(nexus: Awaited<ReturnType<typeof startNexus>>): Promise<TestClient> {
  const operator = await nexus.operator();
  const ack = await operator.request('subscribe.roster', {}, 'subscribe.ack');
  assert.deepEqual(ack, { kind: 'subscribe.roster' });
  return operator;
}

suite('register', () => {
  test('is acknowledged with the heartbeat times, also without an id', async (t) => {
    const nexus = await startNexus(t);
    const wren = await nexus.aspect('wren', { register: false });
    wren.send('register', {
      name: 'wren',
      session_id: 's',
      context_mode: 'global',
      provider: 'p',
      capabilities: null,
      metadata: null,
    });
    const ack = await wren.nextOf('register.ack');
    assert.equal(ack.in_reply_to, undefined);
    const { nexus_id, ...rest } = ack.payload as Record<string, unknown>;
    assert.deepEqual(rest, { heartbeat_interval_s: 10, stale_after_s: 30, head_id: 0 });
    assert.match(String(nexus_id), /^[0-9a-f-]{36}$/);
  });

  test('must name the identity of its token', async (t) => {
    const nexus = await startNexus(t);
    const wren = await nexus.aspect('wren', { register: false });
    const answer = await wren.register('anvil');
    assert.equal(answer.kind, 'register.error');
    assert.equal(answer.payload?.['code'], 'forbidden');
    assert.equal((await wren.register('wren')).kind, 'register.ack', 'the socket stays open');
  });

  test('refuses what does not validate', async (t) => {
    const nexus = await startNexus(t);
    const wren = await nexus.aspect('wren', { register: false });
    const good = { name: 'wren', session_id: 's', context_mode: 'thread', provider: 'p' };
    const bad = [
      { ...good, name: '' },
      { ...good, session_id: '' },
      { ...good, context_mode: 'other' },
      { ...good, provider: undefined },
      { ...good, port: 65_536 },
      { ...good, port: -1 },
      { ...good, port: '80' },
      { ...good, since_msg_id: -1 },
      { ...good, capabilities: Array.from({ length: 65 }, () => 'x') },
      { ...good, model: 'x'.repeat(201) },
    ];
    for (const payload of bad) {
      assert.equal(await wren.refused('register', payload), 'bad_request', JSON.stringify(payload));
    }
    assert.equal(await wren.refused('register'), 'bad_request');
  });

  test('of another session is refused while the first is live', async (t) => {
    const nexus = await startNexus(t);
    const first = await nexus.aspect('wren');
    const second = await nexus.aspect('wren', { register: false });
    const answer = await second.register('wren', { session_id: 'another' });
    assert.equal(answer.payload?.['code'], 'conflict');
    await first.post('@wren still mine');
    const operator = await nexus.operator();
    await operator.post('@wren hello');
    await first.until(() => first.delivered().length === 1);
    await second.settled();
    assert.deepEqual(second.contents(), []);
  });

  test('of the same session moves the name and closes the older socket with 4001', async (t) => {
    const nexus = await startNexus(t);
    const operator = await watcher(nexus);
    const older = await nexus.aspect('wren');
    const newer = await nexus.aspect('wren');
    const { code } = await older.closed;
    assert.equal(code, 4001);
    await operator.post('@wren to the newer');
    await newer.until(() => newer.delivered().length === 1);
    await operator.settled();
    assert.deepEqual(updates(operator), ['wren live connect', 'wren live connect']);
    const { aspects } = await operator.request('roster.list');
    assert.deepEqual(
      (aspects as { name: string; status: string }[]).map(({ name, status }) => [name, status]),
      [['wren', 'live']],
      'the late end of the older socket took nothing with it',
    );
  });

  test('of another session displaces one whose socket has ended', async (t) => {
    const nexus = await startNexus(t);
    const operator = await watcher(nexus);
    const first = await nexus.aspect('wren');
    first.drop();
    await operator.until(() => updates(operator).includes('wren down disconnect'));
    const second = await nexus.aspect('wren', { with: { session_id: 'next' } });
    await second.settled();
  });

  test('of another session evicts a holder that shows no sign of life', async (t) => {
    const clock = new FakeClock();
    const keepAlive = { pingEveryMs: 3_600_000, pongWithinMs: 10_000 };
    const nexus = await startNexus(t, { clock, limits: { ...roomyLimits, keepAlive } });
    const operator = await watcher(nexus);
    const token = await nexus.token('wren');
    const first = await nexus.connect(token, { autoPong: false });
    assert.equal((await first.register('wren')).kind, 'register.ack');
    const pinged = once(first.ws, 'ping');
    const second = await nexus.connect(token);
    const answer = second.register('wren', { session_id: 'next' });
    await pinged;
    clock.advance(3_000);
    assert.equal((await answer).kind, 'register.ack');
    assert.equal((await first.closed).code, 1006);
    await operator.until(() => updates(operator).length === 3);
    assert.deepEqual(updates(operator), [
      'wren live connect',
      'wren down disconnect',
      'wren live connect',
    ]);
    await operator.post('@wren welcome');
    await second.until(() => second.delivered().length === 1);
  });

  test('over REST of a session that has a socket leaves it connected', async (t) => {
    const nexus = await startNexus(t);
    const operator = await watcher(nexus);
    const token = await nexus.token('wren');
    const wren = await nexus.connect(token);
    await wren.register('wren');
    const response = await fetch(`${nexus.url}/aspects/register`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify(registration('wren', { model: 'm2' })),
    });
    assert.equal(response.status, 201);
    await operator.post('@wren still there?');
    await wren.until(() => wren.delivered().length === 1);
    await wren.leave();
    await operator.until(() => updates(operator).includes('wren down disconnect'));
  });

  test('by a socket that ends before the answer leaves nobody behind as live', async (t) => {
    const nexus = await startNexus(t);
    for (let i = 0; i < 20; i++) {
      const wren = await nexus.aspect('wren', { register: false });
      wren.send('register', {
        name: 'wren',
        session_id: `hasty-${i}`,
        context_mode: 'thread',
        provider: 'p',
      });
      wren.drop();
      await wren.closed;
    }
    // Once the broker has noticed the last end, the name is free for another session.
    const last = await nexus.aspect('wren', { register: false });
    let answer = await last.register('wren', { session_id: 'last' });
    for (let i = 0; answer.kind !== 'register.ack' && i < 200; i++) {
      answer = await last.register('wren', { session_id: 'last' });
    }
    assert.equal(answer.kind, 'register.ack');
  });

  test('a port belongs to one live aspect, and 0 to everybody', async (t) => {
    const nexus = await startNexus(t);
    await nexus.aspect('wren', { with: { port: 9_000 } });
    const anvil = await nexus.aspect('anvil', { register: false });
    const answer = await anvil.register('anvil', { port: 9_000 });
    assert.equal(answer.payload?.['code'], 'conflict');
    await nexus.aspect('flint', { with: { port: 0 } });
    await nexus.aspect('keel', { with: { port: 0 } });
  });
});

suite('deregister', () => {
  test('leaves the roster and the routes, and is answered in kind', async (t) => {
    const nexus = await startNexus(t);
    const operator = await watcher(nexus);
    const wren = await nexus.aspect('wren');
    const answer = await wren.ask('deregister', { name: 'wren', session_id: 'session-wren' });
    assert.equal(answer.kind, 'deregister');
    assert.equal(answer.payload, undefined);
    await operator.post('@wren gone?');
    await wren.settled();
    assert.deepEqual(wren.contents(), []);
    assert.deepEqual(await operator.request('roster.list'), { aspects: [] });
    assert.deepEqual(updates(operator), ['wren live connect', 'wren down disconnect']);
    const again = await wren.ask('deregister', { name: 'wren', session_id: 'session-wren' });
    assert.equal(again.kind, 'deregister', 'an absent name is no failure');
  });

  test('is for the own name and session, or for an operator', async (t) => {
    const nexus = await startNexus(t);
    const operator = await nexus.operator();
    const wren = await nexus.aspect('wren');
    await nexus.aspect('anvil');
    const other = { name: 'anvil', session_id: 'session-anvil' };
    assert.equal(await wren.refused('deregister', other), 'forbidden');
    const wrongSession = { name: 'wren', session_id: 'not mine' };
    assert.equal(await wren.refused('deregister', wrongSession), 'conflict');
    assert.equal((await operator.ask('deregister', other)).kind, 'deregister');
  });
});

suite('roster.update', () => {
  test('tells every transition of an aspect without a socket', async (t) => {
    const clock = new FakeClock();
    // Pings would wait for pongs in a time that never passes.
    const keepAlive = { pingEveryMs: 3_600_000, pongWithinMs: 10_000 };
    const nexus = await startNexus(t, { clock, limits: { ...roomyLimits, keepAlive } });
    const operator = await watcher(nexus);
    const headers = { authorization: `Bearer ${await nexus.token('wren')}` };
    const call = async (path: string, more: object) => {
      const body = JSON.stringify({ name: 'wren', session_id: 's', ...more });
      const response = await fetch(`${nexus.url}/aspects/${path}`, {
        method: 'POST',
        headers,
        body,
      });
      assert.ok(response.ok, `${path} ${response.status}`);
    };
    await call('register', { context_mode: 'global', provider: 'p' });
    clock.advance(30_000);
    assert.equal(nexus.broker.roster.list()[0]?.status, 'live', 'exactly at the bound');
    clock.advance(10_000);
    await operator.until(() => updates(operator).length === 2);
    await call('heartbeat', {});
    await operator.until(() => updates(operator).length === 3);
    clock.advance(40_000);
    clock.advance(30_000);
    await operator.until(() => updates(operator).length === 5);
    await call('heartbeat', {});
    await call('deregister', {});
    await operator.until(() => updates(operator).length === 7);
    assert.deepEqual(updates(operator), [
      'wren live connect',
      'wren stale status_change',
      'wren live status_change',
      'wren stale status_change',
      'wren down status_change',
      'wren live status_change',
      'wren down disconnect',
    ]);
  });

  test('ends with the subscription, and subscribing twice does not double it', async (t) => {
    const nexus = await startNexus(t);
    const operator = await watcher(nexus);
    await operator.ask('subscribe.roster');
    await nexus.aspect('wren');
    await operator.until(() => updates(operator).length > 0);
    const ack = await operator.request('unsubscribe.roster', {}, 'subscribe.ack');
    assert.deepEqual(ack, { kind: 'unsubscribe.roster' });
    await nexus.aspect('anvil');
    await operator.settled();
    assert.deepEqual(updates(operator), ['wren live connect']);
  });
});

suite('subscribe.chat', () => {
  test('brings every message, the own included, until it ends', async (t) => {
    const nexus = await startNexus(t);
    const operator = await nexus.operator();
    const wren = await nexus.aspect('wren');
    await operator.ask('subscribe.chat');
    await operator.ask('subscribe.chat');
    await wren.post('to nobody');
    await operator.post('my own');
    await operator.settled();
    assert.deepEqual(operator.contents(), ['to nobody', 'my own']);
    await operator.ask('unsubscribe.chat');
    await wren.post('unheard');
    await operator.settled();
    assert.equal(operator.contents().length, 2);
  });

  test('is for operators only', async (t) => {
    const nexus = await startNexus(t);
    const wren = await nexus.aspect('wren');
    for (const kind of ['subscribe.chat', 'subscribe.roster', 'roster.list']) {
      assert.equal(await wren.refused(kind), 'forbidden');
    }
  });
});
