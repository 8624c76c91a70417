import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { suite, test } from 'node:test';
import { migrations } from '#nexus/app/broker';
import { openDatabase } from '#nexus/storage/database';
import { FakeClock } from '#shared/sys/fake-clock';
import { asOperator, call, mint, sessionOf } from './keyfile-aspect.ts';
import { roomyLimits, startNexus, type TestNexus } from './start-nexus.ts';
import { TestClient } from './test-client.ts';

const hourMs = 3_600_000;

/** No pings: they would run on the same clock. */
const quietLimits = {
  ...roomyLimits,
  keepAlive: { pingEveryMs: 1_000 * hourMs, pongWithinMs: 10_000 },
};

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Signs as somebody would who has the broker's secret. */
function signer(nexus: TestNexus) {
  const database = openDatabase(`${nexus.dataDir}/nexus.db`, migrations);
  const sql = 'SELECT session_signing_secret FROM nexus_identity';
  const secret = database.reader.prepare(sql).pluck().get() as Buffer;
  database.close();
  return (claims: object, { alg = 'HS256', key = secret } = {}) => {
    const exp = Math.floor(Date.now() / 1000) + 600;
    const head = `${part({ alg, typ: 'JWT' })}.${part({ exp, ...claims })}`;
    return `${head}.${createHmac('sha256', key).update(head).digest('base64url')}`;
  };
}

const refusedDial = (nexus: TestNexus, token: string) =>
  assert.rejects(TestClient.open(nexus.url, token), /401/);

suite('a session token', () => {
  test('lets its aspect in, as itself only, on the socket and over REST', async (t) => {
    const nexus = await startNexus(t);
    const { keyfile } = await mint(nexus, 'wren');
    const token = await sessionOf(nexus, keyfile);
    const wren = await nexus.connect(token);
    assert.equal((await wren.register('wren')).kind, 'register.ack');
    const foreign = await wren.register('anvil');
    assert.equal(foreign.payload?.['code'], 'forbidden');
    assert.equal((await call(nexus, 'GET', '/api/aspects', { token })).status, 200);
    const operator = await nexus.operator();
    await operator.post('@wren hello');
    await wren.until(() => wren.contents().includes('@wren hello'));
  });

  test('opens nothing when it was forged', async (t) => {
    const nexus = await startNexus(t);
    await mint(nexus, 'wren');
    const sign = signer(nexus);
    const claims = { sub: 'wren', kfv: 1 };
    (await nexus.connect(sign(claims))).drop();
    const forged = [
      sign(claims, { key: Buffer.alloc(32) }),
      sign(claims, { alg: 'none' }),
      `${sign(claims, { alg: 'none' }).split('.').slice(0, 2).join('.')}.`,
      sign({ ...claims, exp: 1 }),
      sign({ ...claims, kfv: 2 }),
      sign({ ...claims, iss: 'nexus://another' }),
      sign({ sub: 'anvil', kfv: 0 }),
      sign({ sub: 'frame', kfv: 0 }),
      sign({ sub: 'wren', kfv: 1, typ: 'operator' }),
    ];
    for (const token of forged) {
      await refusedDial(nexus, token);
      assert.equal((await call(nexus, 'GET', '/api/aspects', { token })).status, 401);
    }
    (await nexus.connect(sign({ sub: 'operator', ses: 'tester' }))).drop();
  });

  test('that may only read is refused everything else', async (t) => {
    const nexus = await startNexus(t);
    const sign = signer(nexus);
    const token = sign({ sub: 'operator', typ: 'operator', scope: 'read' });
    const reader = await nexus.connect(token);
    await (await nexus.operator()).post('hello');
    const { messages } = await reader.request('chat.list', {});
    assert.equal((messages as unknown[]).length, 1);
    await reader.request('subscribe.chat', {}, 'subscribe.ack');
    await reader.request('session.refresh', { token });
    const whole = sign({ sub: 'operator', typ: 'operator' });
    assert.equal(await reader.refused('session.refresh', { token: whole }), 'forbidden');
    assert.equal(await reader.refused('chat.send', { content: 'x' }), 'forbidden');
    assert.equal(await reader.refused('react_to', { msg_id: 1, emoji: '👍' }), 'forbidden');
    assert.equal((await reader.register('operator')).payload?.['code'], 'forbidden');
    const list = await call(nexus, 'GET', '/api/admin/aspects', { token });
    assert.equal(list.status, 200);
    const minted = await call(nexus, 'POST', '/api/admin/tokens', { token, body: { name: 'x' } });
    assert.deepEqual([minted.status, minted.body['error']], [403, 'this token may only read']);
  });

  test('brings what was said to its aspect since the first mint', async (t) => {
    const nexus = await startNexus(t);
    const operator = await nexus.operator();
    await operator.post('before @wren');
    const { keyfile } = await mint(nexus, 'wren');
    await operator.post('@WREN are you there?');
    const wren = await nexus.connect(await sessionOf(nexus, keyfile));
    await wren.register('wren', { request_replay: true });
    await wren.nextOf('chat.replay.end');
    assert.deepEqual(wren.contents(), ['@WREN are you there?']);
  });
});

suite('an open connection', () => {
  test('ends with 4401 when its aspect is retired, and cannot come back', async (t) => {
    const nexus = await startNexus(t);
    const { keyfile } = await mint(nexus, 'wren');
    const token = await sessionOf(nexus, keyfile);
    const wren = await nexus.connect(token);
    await wren.register('wren');
    const operator = await nexus.operator();
    await operator.request('subscribe.roster', {}, 'subscribe.ack');
    const retired = asOperator(nexus, 'retire', { name: 'wren' });
    assert.equal((await wren.closed).code, 4401);
    assert.equal((await retired).body['status'], 'retired');
    await refusedDial(nexus, token);
    await operator.next(
      ({ kind, payload }) => kind === 'roster.update' && payload?.['status'] === 'down',
    );
    const { aspects } = await operator.request('roster.list');
    assert.deepEqual(aspects, []);
  });

  test('ends when a newer keyfile is minted, unless it came in with an opaque token', async (t) => {
    const nexus = await startNexus(t);
    const { keyfile } = await mint(nexus, 'wren');
    const opaque = await nexus.connect(await nexus.token('wren'));
    const wren = await nexus.connect(await sessionOf(nexus, keyfile));
    const anvil = await nexus.connect(await sessionOf(nexus, (await mint(nexus, 'anvil')).keyfile));
    const next = await mint(nexus, 'wren');
    assert.equal((await wren.closed).code, 4401);
    await opaque.settled();
    await anvil.settled();
    (await nexus.connect(await sessionOf(nexus, next.keyfile))).drop();
  });

  test('with an opaque token ends too; the token does not come back with the aspect', async (t) => {
    const nexus = await startNexus(t);
    const token = await nexus.token('wren');
    const wren = await nexus.connect(token);
    await asOperator(nexus, 'retire', { name: 'wren' });
    assert.equal((await wren.closed).code, 4401);
    await refusedDial(nexus, token);
    await refusedDial(nexus, await nexus.token('wren'));
    await asOperator(nexus, 'resurrect', { name: 'wren' });
    await refusedDial(nexus, token);
    await nexus.connect(await nexus.token('wren'));
  });

  test('of an Outpost stays when one of its aspects is retired, and loses the aspect', async (t) => {
    const nexus = await startNexus(t);
    await mint(nexus, 'wren');
    const grants = { name: 'host', grants: ['wren', 'anvil'] };
    const as = { token: nexus.operatorToken(), body: grants };
    const { body } = await call(nexus, 'POST', '/api/admin/tokens', as);
    const outpost = await nexus.connect(String(body['token']));
    await outpost.ask('outpost.register', { outpost_id: 'o1' });
    for (const name of ['wren', 'anvil']) {
      assert.equal((await outpost.register(name)).kind, 'register.ack');
    }
    await asOperator(nexus, 'retire', { name: 'wren' });
    const operator = await nexus.operator();
    await operator.post('@wren @anvil hello');
    await outpost.until(() => outpost.delivered().length > 0);
    await outpost.settled();
    assert.equal(outpost.delivered().length, 1, 'for anvil only');
    assert.equal((await outpost.register('wren')).payload?.['code'], 'forbidden');
    assert.equal((await outpost.register('anvil')).kind, 'register.ack');
  });

  test('ends when its token expires, and the token opens nothing more', async (t) => {
    const clock = new FakeClock(Date.now());
    const nexus = await startNexus(t, { clock, limits: quietLimits });
    const { keyfile } = await mint(nexus, 'wren');
    const token = await sessionOf(nexus, keyfile);
    const wren = await nexus.connect(token);
    clock.advance(hourMs - 2_000);
    await wren.settled();
    clock.advance(2_000);
    assert.equal((await wren.closed).code, 4401);
    await refusedDial(nexus, token);
    await nexus.connect(await sessionOf(nexus, keyfile));
  });

  test('goes on under a token that it presents in time', async (t) => {
    const clock = new FakeClock(Date.now());
    const nexus = await startNexus(t, { clock, limits: quietLimits });
    const { keyfile } = await mint(nexus, 'wren');
    const first = await sessionOf(nexus, keyfile);
    const wren = await nexus.connect(first);
    await wren.register('wren');
    clock.advance(hourMs / 2);
    const second = await sessionOf(nexus, keyfile);
    const { expires_at } = await wren.request('session.refresh', { token: second });
    assert.equal(Date.parse(String(expires_at)), Math.floor(clock.now() / 1000) * 1000 + hourMs);
    assert.equal(await wren.refused('session.refresh', { token: first }), 'bad_request');
    clock.advance(hourMs / 2 + 1_000);
    await wren.settled();
    clock.advance(hourMs / 2);
    assert.equal((await wren.closed).code, 4401);
  });
});
