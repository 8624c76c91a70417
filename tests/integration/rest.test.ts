import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { FakeClock } from '#shared/sys/fake-clock';
import { type Answer, restCaller as caller } from './rest-caller.ts';
import { startNexus } from './start-nexus.ts';
import { registration, TestClient } from './test-client.ts';

suite('REST', () => {
  test('health is open to anyone, nothing else is', async (t) => {
    const nexus = await startNexus(t);
    const anyone = caller(nexus);
    assert.deepEqual(await anyone('GET', '/health'), { status: 200, body: { status: 'ok' } });
    const stranger = caller(nexus, 'f'.repeat(64));
    for (const [method, path] of [
      ['GET', '/aspects'],
      ['GET', '/api/aspects'],
      ['POST', '/aspects/register'],
      ['POST', '/aspects/heartbeat'],
      ['POST', '/aspects/deregister'],
      ['POST', '/api/admin/tokens'],
      ['GET', '/nowhere'],
    ] as const) {
      const missing = { status: 401, body: { error: 'missing bearer token' } };
      assert.deepEqual(await anyone(method, path), missing, path);
      const invalid = { status: 401, body: { error: 'invalid bearer token' } };
      assert.deepEqual(await stranger(method, path), invalid, path);
    }
  });

  test('an aspect registers, sends heartbeats, is listed, and leaves', async (t) => {
    const clock = new FakeClock(Date.UTC(2026, 4, 1));
    const nexus = await startNexus(t, { clock });
    const call = caller(nexus, await nexus.token('wren'));
    assert.deepEqual(await call('POST', '/aspects/register', registration('wren', { port: 0 })), {
      status: 201,
      body: { status: 'registered', heartbeat_interval_s: 10, stale_after_s: 30 },
    });
    const listed = {
      status: 200,
      body: {
        aspects: [
          {
            name: 'wren',
            session_id: 'session-wren',
            context_mode: 'thread',
            provider: 'test',
            port: 0,
            pid: 0,
            started_at: '0001-01-01T00:00:00Z',
            capabilities: [],
            home: '',
            last_heartbeat: '2026-05-01T00:00:00.000Z',
            status: 'live',
          },
        ],
      },
    };
    assert.deepEqual(await call('GET', '/aspects'), listed);
    assert.deepEqual(await call('GET', '/api/aspects'), listed);

    const who = { name: 'wren', session_id: 'session-wren' };
    const ok = { status: 200, body: { status: 'ok' } };
    assert.deepEqual(await call('POST', '/aspects/heartbeat', { ...who, at: 'whenever' }), ok);
    assert.deepEqual(await call('POST', '/aspects/deregister', { ...who, reason: 'done' }), ok);
    assert.deepEqual(await call('POST', '/aspects/deregister', who), ok, 'also when absent');
    assert.equal((await call('POST', '/aspects/heartbeat', who)).status, 404);
  });

  test('a socket of the same session upgrades a registration over HTTP', async (t) => {
    const nexus = await startNexus(t);
    const token = await nexus.token('wren');
    const call = caller(nexus, token);
    await call('POST', '/aspects/register', registration('wren'));
    const socket = await nexus.connect(token);
    assert.equal((await socket.register('wren')).kind, 'register.ack');
  });

  test('reads Go’s null members as unset', async (t) => {
    const nexus = await startNexus(t);
    const call = caller(nexus, await nexus.token('wren'));
    const body = registration('wren', { capabilities: null, model: null, metadata: null });
    assert.equal((await call('POST', '/aspects/register', body)).status, 201);
  });

  test('refuses with the status that says why, in JSON', async (t) => {
    const nexus = await startNexus(t);
    const wren = caller(nexus, await nexus.token('wren'));
    const anvil = caller(nexus, await nexus.token('anvil'));
    const register = (call: typeof wren, name: string, more: object = {}) =>
      call('POST', '/aspects/register', registration(name, more));
    assert.equal((await register(wren, 'wren', { port: 7000 })).status, 201);

    const refusals: [number, Promise<Answer>][] = [
      [400, wren('POST', '/aspects/register', '{')],
      [400, wren('POST', '/aspects/register', { name: 'wren' })],
      [400, wren('POST', '/aspects/heartbeat', { name: 'wren' })],
      [400, wren('POST', '/aspects/deregister', [])],
      [403, register(anvil, 'wren')],
      [403, anvil('POST', '/aspects/heartbeat', { name: 'wren', session_id: 'session-wren' })],
      [403, anvil('POST', '/aspects/deregister', { name: 'wren', session_id: 'session-wren' })],
      [403, anvil('POST', '/api/admin/tokens', { name: 'flint' })],
      [404, wren('GET', '/nowhere')],
      [404, anvil('POST', '/aspects/heartbeat', { name: 'anvil', session_id: 's' })],
      [409, register(wren, 'wren', { session_id: 'another' })],
      [409, register(anvil, 'anvil', { port: 7000 })],
      [409, wren('POST', '/aspects/heartbeat', { name: 'wren', session_id: 'another' })],
      [409, wren('POST', '/aspects/deregister', { name: 'wren', session_id: 'another' })],
      [413, register(wren, 'wren', { home: 'x'.repeat(70_000) })],
      [426, wren('GET', '/connect')],
      [405, wren('POST', '/connect')],
    ];
    for (const [status, answer] of refusals) {
      const { status: given, body } = await answer;
      assert.equal(given, status, JSON.stringify(body));
      assert.equal(typeof body['error'], 'string');
    }
  });

  test('a body that does not tell its length is bounded too', async (t) => {
    const nexus = await startNexus(t);
    const chunk = new TextEncoder().encode('x'.repeat(20_000));
    const response = await fetch(`${nexus.url}/aspects/register`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await nexus.token('wren')}` },
      body: new ReadableStream({
        start(controller) {
          for (let i = 0; i < 5; i++) controller.enqueue(chunk);
          controller.close();
        },
      }),
      duplex: 'half',
    });
    assert.equal(response.status, 413);
  });

  test('the operator issues tokens, each voids the one before', async (t) => {
    const nexus = await startNexus(t);
    const operator = caller(nexus, nexus.operatorToken());
    const issue = (name: unknown) => operator('POST', '/api/admin/tokens', { name });
    const first = await issue('wren');
    assert.equal(first.status, 201);
    assert.equal(first.body['name'], 'wren');
    assert.match(String(first.body['token']), /^[0-9a-f]{64}$/);
    const second = await issue('WREN');
    assert.equal(second.body['name'], 'wren', 'as it was first spelled');
    assert.equal((await caller(nexus, String(first.body['token']))('GET', '/aspects')).status, 401);
    assert.equal(
      (await caller(nexus, String(second.body['token']))('GET', '/aspects')).status,
      200,
    );
    for (const name of ['', 'all', 'Operator', 'frame', 'a b', '../x', 'x'.repeat(33), 7]) {
      assert.equal((await issue(name)).status, 400, String(name));
    }
  });

  test('a new token ends what came in with the one before, and nothing else', async (t) => {
    const nexus = await startNexus(t);
    const token = await nexus.token('wren');
    const wren = await nexus.connect(token);
    const anvil = await nexus.aspect('anvil');
    await nexus.token('wren');
    assert.equal((await wren.closed).code, 4401);
    await anvil.settled();
    await assert.rejects(TestClient.open(nexus.url, token), /401/);
  });
});
