import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { type Broker, defaultLimits, startBroker } from '#nexus/app/broker';
import { systemClock } from '#shared/sys/clock';
import { silentLog } from '#shared/sys/log';
import { RawClient } from './raw-client.ts';

// Literal frames, as a client in another language would send and expect them.
suite('knowledge frames on the wire', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'nexus-wire-'));
  let broker: Broker;
  let operator: RawClient;
  let wren: RawClient;
  let id: unknown;

  before(async () => {
    broker = await startBroker({
      listen: { host: '127.0.0.1', port: 0 },
      dataDir,
      limits: defaultLimits,
      clock: systemClock,
      openLog: () => silentLog,
    });
    const token = readFileSync(join(dataDir, 'operator.token'), 'utf8').trim();
    operator = await RawClient.connect(broker.url, token);
    wren = await RawClient.connect(broker.url, await broker.issueToken('wren'));
  });

  after(async () => {
    await Promise.all([operator, wren].map((client) => client?.close()));
    await broker.close();
    rmSync(dataDir, { recursive: true });
  });

  const answer = async (client: RawClient, kind: string, payload: unknown) => {
    const frame = await client.request(kind, payload);
    return [frame.kind, frame.payload];
  };
  const code = async (client: RawClient, kind: string, payload: unknown) => {
    const frame = await client.request(kind, payload);
    assert.equal(typeof frame.payload?.['error'], 'string');
    return [frame.kind, frame.payload?.['code']];
  };

  test('knowledge.store and knowledge.search are for the registered', async () => {
    assert.deepEqual(await code(wren, 'knowledge.store', { topic: 'a', content: 'b' }), [
      'knowledge.store.error',
      'not_registered',
    ]);
    assert.deepEqual(await code(wren, 'knowledge.search', { text: 'a' }), [
      'knowledge.search.error',
      'not_registered',
    ]);
    wren.send({
      kind: 'register',
      payload: {
        name: 'wren',
        session_id: 'wren-1',
        context_mode: 'thread',
        provider: 'p',
        capabilities: null,
      },
    });
    await wren.kind('register.ack');
  });

  test('knowledge.store answers with the id; what an aspect may not share it is told', async () => {
    const stored = await wren.request('knowledge.store', {
      topic: 'ports',
      content: 'the broker listens on 7888',
      shared: null,
    });
    assert.equal(stored.kind, 'knowledge.store.result');
    id = stored.payload?.['id'];
    assert.ok(Number.isInteger(id));
    assert.deepEqual(stored.payload, { id });

    const { kind, payload } = await wren.request('knowledge.store', {
      topic: 'ports',
      content: 'the broker listens on 7888',
      shared: true,
    });
    assert.equal(kind, 'knowledge.store.result');
    assert.deepEqual(payload, {
      id,
      note: 'stored unshared: only the operator or the coordinator changes that',
    });
  });

  test('knowledge.search answers with hits', async () => {
    const { kind, payload } = await wren.request('knowledge.search', {
      text: 'broker?',
      own_agent: true,
      peers: null,
      top_k: 3,
      max_rank: 0,
    });
    assert.equal(kind, 'knowledge.search.result');
    const [hit, ...others] = (payload?.['hits'] ?? []) as Record<string, unknown>[];
    assert.deepEqual(others, []);
    const { score, updated_at, ...rest } = hit ?? {};
    assert.deepEqual(rest, {
      id,
      from_agent: 'wren',
      topic: 'ports',
      content: 'the broker listens on 7888',
      shared: false,
      matched: 'fts',
    });
    assert.ok(Number(score) < 0);
    assert.match(String(updated_at), /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);

    assert.deepEqual(await answer(wren, 'knowledge.search', { text: '"*' }), [
      'knowledge.search.result',
      { hits: [] },
    ]);
    assert.deepEqual(await code(wren, 'knowledge.search', { text: ' ' }), [
      'knowledge.search.error',
      'bad_request',
    ]);
    assert.deepEqual(await code(wren, 'knowledge.search', { text: 'a', mode: 'vector' }), [
      'knowledge.search.error',
      'bad_request',
    ]);
  });

  test('knowledge.list is the operator’s, with an empty matched and no score', async () => {
    const { kind, payload } = await operator.request('knowledge.list', { agent: '', limit: 0 });
    assert.equal(kind, 'knowledge.list.result');
    const [entry, ...others] = (payload?.['entries'] ?? []) as Record<string, unknown>[];
    assert.deepEqual(others, []);
    const { updated_at: _, ...rest } = entry ?? {};
    assert.deepEqual(rest, {
      id,
      from_agent: 'wren',
      topic: 'ports',
      content: 'the broker listens on 7888',
      shared: false,
      score: 0,
      matched: '',
    });
    assert.deepEqual(await answer(operator, 'knowledge.list', { agent: 'nobody' }), [
      'knowledge.list.result',
      { entries: [] },
    ]);
    assert.deepEqual(await code(wren, 'knowledge.list', {}), ['knowledge.list.error', 'forbidden']);
  });

  test('knowledge.share is the operator’s, not an aspect’s', async () => {
    assert.deepEqual(await answer(operator, 'knowledge.share', { id, shared: true }), [
      'knowledge.share.result',
      { id, shared: true },
    ]);
    assert.deepEqual(await code(wren, 'knowledge.share', { id, shared: false }), [
      'knowledge.share.error',
      'forbidden',
    ]);
    assert.deepEqual(await code(operator, 'knowledge.share', { id: 999_999, shared: true }), [
      'knowledge.share.error',
      'not_found',
    ]);
  });

  test('if_updated_at is compared, and the new time answered', async () => {
    const { payload } = await wren.request('knowledge.search', { text: 'ports' });
    const [hit] = (payload?.['hits'] ?? []) as Record<string, unknown>[];
    const write = { topic: 'ports', content: 'on 7999', if_updated_at: hit?.['updated_at'] };
    const second = await wren.request('knowledge.store', write);
    const { updated_at, ...rest } = second.payload ?? {};
    assert.deepEqual([second.kind, rest], ['knowledge.store.result', { id }]);
    assert.ok(String(updated_at) > String(hit?.['updated_at']));
    assert.deepEqual(await code(wren, 'knowledge.store', write), [
      'knowledge.store.error',
      'conflict',
    ]);
  });
});
