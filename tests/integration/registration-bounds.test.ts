import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { startNexus, type TestNexus } from './start-nexus.ts';
import { registration } from './test-client.ts';

async function listed(nexus: TestNexus, token: string): Promise<Record<string, unknown>[]> {
  const response = await fetch(`${nexus.url}/api/aspects`, {
    headers: { authorization: `Bearer ${token}` },
  });
  assert.equal(response.status, 200);
  return ((await response.json()) as { aspects: Record<string, unknown>[] }).aspects;
}

suite('what a registration leaves behind', () => {
  test('is what is defined: unknown members are ignored and not kept', async (t) => {
    const nexus = await startNexus(t);
    const unknown = JSON.parse(
      `{"colour":"${'x'.repeat(500_000)}","status":"down","constructor":1,"__proto__":{"a":1}}`,
    );
    await nexus.aspect('wren', { with: { ...unknown, metadata: { team: 'blue' } } });
    const [wren = {}] = await listed(nexus, nexus.operatorToken());
    assert.deepEqual(Object.keys(wren).sort(), [
      'capabilities',
      'context_mode',
      'home',
      'last_heartbeat',
      'metadata',
      'name',
      'pid',
      'port',
      'provider',
      'session_id',
      'started_at',
      'status',
    ]);
    assert.equal(wren['status'], 'live');
    assert.deepEqual(wren['metadata'], { team: 'blue' });
  });

  test('is bounded, over the socket and over REST', async (t) => {
    const nexus = await startNexus(t);
    const token = await nexus.token('wren');
    const wren = await nexus.connect(token);
    const tooMuch: readonly [object, string, number][] = [
      [{ session_id: 's'.repeat(201) }, 'bad_request', 400],
      [{ home: 'h'.repeat(4_097) }, 'bad_request', 400],
      [{ started_at: '0'.repeat(65) }, 'bad_request', 400],
      [{ primary_surface: 'p'.repeat(201) }, 'bad_request', 400],
      [{ metadata: { x: 'x'.repeat(16_384) } }, 'too_large', 413],
    ];
    for (const [more, code, status] of tooMuch) {
      assert.equal(await wren.refused('register', registration('wren', more)), code);
      const response = await fetch(`${nexus.url}/aspects/register`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
        body: JSON.stringify(registration('wren', more)),
      });
      assert.equal(response.status, status);
    }
    assert.deepEqual(await listed(nexus, token), []);
    const most = { session_id: 's'.repeat(200), metadata: { x: 'x'.repeat(16_376) } };
    assert.equal((await wren.register('wren', most)).kind, 'register.ack');
  });

  test('can be listed: metadata that nests too deep to be written again is refused', async (t) => {
    const nexus = await startNexus(t);
    const wren = await nexus.aspect('wren');
    const payload = (levels: number) =>
      `{"name":"wren","session_id":"s","context_mode":"thread","provider":"p","metadata":` +
      `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}}`;
    wren.ws.send(`{"kind":"register","id":"deep","payload":${payload(100_000)}}`);
    const answer = await wren.next(({ in_reply_to }) => in_reply_to === 'deep');
    assert.equal(answer.payload?.['code'], 'bad_request');
    const response = await fetch(`${nexus.url}/aspects/register`, {
      method: 'POST',
      headers: { authorization: `Bearer ${nexus.operatorToken()}` },
      body: payload(10_000),
    });
    assert.equal(response.status, 400);
    assert.equal((await listed(nexus, nexus.operatorToken())).length, 1);
  });
});
