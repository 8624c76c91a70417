import assert from 'node:assert/strict';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { migrations } from '#nexus/app/broker';
import { rebuildProjections, verifyChain } from '#nexus/journal/maintenance';
import { KnowledgeStore } from '#nexus/knowledge/knowledge-store';
import { type Database, openDatabase } from '#nexus/storage/database';
import { silentLog } from '#shared/sys/log';
import { startNexus, temporaryFolder } from './start-nexus.ts';
import type { TestClient } from './test-client.ts';

interface Hit {
  readonly id: number;
  readonly from_agent: string;
  readonly topic: string;
  readonly content: string;
  readonly shared: boolean;
  readonly updated_at: string;
  readonly score: number;
}

async function store(client: TestClient, topic: string, content: string, more: object = {}) {
  const result = await client.request('knowledge.store', { topic, content, ...more });
  return result as { id: number; note?: string; updated_at?: string };
}

async function search(client: TestClient, text: string, more: object = {}): Promise<Hit[]> {
  const { hits } = await client.request('knowledge.search', { text, ...more });
  return hits as Hit[];
}

async function list(client: TestClient, asked: object = {}): Promise<Hit[]> {
  const { entries } = await client.request('knowledge.list', asked);
  return entries as Hit[];
}

const topics = (hits: readonly Hit[]) => hits.map(({ topic }) => topic).sort();

suite('knowledge.store', () => {
  test('writes over the caller’s own entry on a topic, whoever else has one', async (t) => {
    const nexus = await startNexus(t);
    const [operator, wren, anvil] = await Promise.all([
      nexus.operator(),
      nexus.aspect('wren'),
      nexus.aspect('anvil'),
    ]);
    const { id } = await store(wren, ' re\u0301sume\u0301 ', 'first');
    assert.equal((await store(wren, 'résumé', 'second')).id, id);
    assert.notEqual((await store(anvil, 'résumé', 'mine')).id, id);
    await store(operator, 'résumé', 'the operator’s');
    const rows = (await list(operator)).map((hit) => [hit.from_agent, hit.topic, hit.content]);
    assert.deepEqual(rows.sort(), [
      ['anvil', 'résumé', 'mine'],
      ['operator', 'résumé', 'the operator’s'],
      ['wren', 'résumé', 'second'],
    ]);
  });

  test('speaks for nobody else', async (t) => {
    const nexus = await startNexus(t);
    const [operator, wren] = await Promise.all([nexus.operator(), nexus.aspect('wren')]);
    const entry = { topic: 'a', content: 'b' };
    for (const from of ['anvil', 'operator']) {
      assert.equal(await wren.refused('knowledge.store', { ...entry, from }), 'forbidden');
      assert.equal(await wren.refused('knowledge.search', { text: 'a', from }), 'forbidden');
    }
    assert.equal(
      await operator.refused('knowledge.store', { ...entry, from: 'wren' }),
      'forbidden',
    );
    await store(wren, 'a', 'b', { from: 'WREN' });
    assert.deepEqual(topics(await list(operator, { agent: 'wren' })), ['a']);
    const unregistered = await nexus.aspect('flint', { register: false });
    assert.equal(await unregistered.refused('knowledge.store', entry), 'not_registered');
    assert.equal(await unregistered.refused('knowledge.search', { text: 'a' }), 'not_registered');
  });

  test('bounds topic and content, with a word on the bound', async (t) => {
    const nexus = await startNexus(t);
    const wren = await nexus.aspect('wren');
    const refused = (topic: string, content: string) =>
      wren.refused('knowledge.store', { topic, content });
    assert.equal(await refused('x'.repeat(201), 'y'), 'too_large');
    assert.equal(await refused('x', 'é'.repeat(32_769)), 'too_large');
    assert.equal(await refused(' \n', 'y'), 'bad_request');
    assert.equal(await refused('x', ''), 'bad_request');
    const { id } = await store(wren, 'x'.repeat(200), '\u0001'.repeat(65_536));
    const [hit] = await search(wren, 'x'.repeat(200));
    assert.equal(hit?.id, id);
    assert.equal(hit?.content, '\u0001'.repeat(65_536));
  });

  test('an aspect asks in vain to share or unshare, and is told; absent keeps', async (t) => {
    const nexus = await startNexus(t, { frameName: 'keel' });
    const [operator, wren] = await Promise.all([nexus.operator(), nexus.aspect('wren')]);
    const first = await store(wren, 'a', '1', { shared: true });
    assert.match(first.note ?? '', /stored unshared/);
    assert.equal((await list(operator))[0]?.shared, false);
    assert.deepEqual(await store(wren, 'a', '2', { shared: false }), { id: first.id });

    await operator.request('knowledge.share', { id: first.id, shared: true });
    assert.deepEqual(await store(wren, 'a', '3', { shared: true }), { id: first.id });
    assert.deepEqual(await store(wren, 'a', '4'), { id: first.id });
    const kept = await store(wren, 'a', '5', { shared: false });
    assert.match(kept.note ?? '', /still shared/);
    const [entry] = await list(operator);
    assert.deepEqual([entry?.content, entry?.shared], ['5', true]);
  });

  test('the operator and the coordinator share what they write', async (t) => {
    const nexus = await startNexus(t, { frameName: 'keel' });
    const [operator, keel, wren] = await Promise.all([
      nexus.operator(),
      nexus.aspect('keel'),
      nexus.aspect('wren'),
    ]);
    const byOperator = await store(operator, 'rule one', 'be kind', { shared: true });
    assert.deepEqual(Object.keys(byOperator), ['id']);
    await store(keel, 'rule two', 'be brief', { shared: true });
    assert.deepEqual(topics(await search(wren, 'rule')), ['rule one', 'rule two']);
    await store(operator, 'rule one', 'be kind');
    await store(keel, 'rule two', 'be brief', { shared: false });
    assert.deepEqual(topics(await search(wren, 'rule')), ['rule one']);
  });

  test('of two that compare with the same time one wins, however close they are', async (t) => {
    const nexus = await startNexus(t);
    const [one, two] = await Promise.all([nexus.operator(), nexus.operator()]);
    await store(one, 'plan', 'draft');
    const [draft] = await list(one);
    const write = (client: TestClient, content: string, if_updated_at: string) =>
      client.ask('knowledge.store', { topic: 'plan', content, if_updated_at });
    const racing = [one, two, one, two].map((client, i) =>
      write(client, `version ${i}`, draft?.updated_at ?? ''),
    );
    const answers = await Promise.all(racing);
    const won = answers.filter(({ kind }) => kind === 'knowledge.store.result');
    assert.equal(won.length, 1);
    for (const { kind, payload } of answers.filter((answer) => answer !== won[0])) {
      assert.deepEqual([kind, payload?.['code']], ['knowledge.store.error', 'conflict']);
    }
    const time = String(won[0]?.payload?.['updated_at']);
    assert.equal((await list(one))[0]?.updated_at, time);
    assert.equal((await write(two, 'final', time)).kind, 'knowledge.store.result');
    const absent = { topic: 'none', content: 'x', if_updated_at: time };
    assert.equal(await one.refused('knowledge.store', absent), 'conflict');
  });
});

suite('knowledge.share', () => {
  test('is for the operator, admins and the coordinator', async (t) => {
    const nexus = await startNexus(t, { frameName: 'keel' });
    const [operator, keel, wren, anvil] = await Promise.all([
      nexus.operator(),
      nexus.aspect('keel'),
      nexus.aspect('wren'),
      nexus.aspect('anvil'),
    ]);
    const { id } = await store(wren, 'ports', '7888');
    assert.deepEqual(await search(anvil, 'ports'), []);
    assert.equal(await wren.refused('knowledge.share', { id, shared: true }), 'forbidden');
    await keel.request('knowledge.share', { id, shared: true });
    assert.deepEqual(topics(await search(anvil, 'ports')), ['ports']);
    await operator.request('knowledge.share', { id, shared: false });
    assert.deepEqual(await search(anvil, 'ports'), []);
    assert.equal(
      await operator.refused('knowledge.share', { id: id + 1, shared: true }),
      'not_found',
    );
    assert.equal(await operator.refused('knowledge.share', { id }), 'bad_request');
  });
});

suite('knowledge.search', () => {
  test('an aspect sees its own and what is shared, and of peers no more than that', async (t) => {
    const nexus = await startNexus(t);
    const [operator, wren, anvil] = await Promise.all([
      nexus.operator(),
      nexus.aspect('wren'),
      nexus.aspect('anvil'),
    ]);
    await store(wren, 'wren own', 'fact');
    await store(anvil, 'anvil own', 'fact');
    const { id } = await store(anvil, 'anvil shared', 'fact');
    await operator.request('knowledge.share', { id, shared: true });
    await store(operator, 'operator own', 'fact');
    await store(operator, 'operator shared', 'fact', { shared: true });

    const seen = async (client: TestClient, scope: object) =>
      topics(await search(client, 'fact', scope));
    const allShared = ['anvil shared', 'operator shared'];
    assert.deepEqual(await seen(wren, {}), [...allShared, 'wren own']);
    assert.deepEqual(await seen(wren, { own_agent: true }), ['wren own']);
    assert.deepEqual(await seen(wren, { shared: true }), allShared);
    assert.deepEqual(await seen(wren, { peers: ['Anvil', 'nobody'] }), ['anvil shared']);
    assert.deepEqual(await seen(wren, { peers: ['operator'] }), ['operator shared']);
    assert.deepEqual(await seen(wren, { own_agent: true, peers: ['anvil'] }), [
      'anvil shared',
      'wren own',
    ]);
    const operatorSees = ['anvil shared', 'operator own', 'operator shared'];
    assert.deepEqual(await seen(operator, {}), operatorSees);
    assert.deepEqual(await seen(operator, { own_agent: true }), operatorSees);
    assert.deepEqual(await seen(operator, { peers: ['ANVIL'] }), ['anvil own', ...operatorSees]);
  });

  test('the phrase comes first, then all words, then any, until there are enough', async (t) => {
    const nexus = await startNexus(t);
    const wren = await nexus.aspect('wren');
    await store(wren, 'any', 'restart it, restart it, restart it');
    await store(wren, 'all', 'the broker needs a restart');
    await store(wren, 'phrase', `${'much else '.repeat(50)} restart broker`);
    await store(wren, 'none', 'nothing of it');
    const found = async (more: object, text = 'Restart, broker!') =>
      (await search(wren, text, more)).map(({ topic }) => topic);
    assert.deepEqual(await found({}), ['phrase', 'all', 'any']);
    assert.deepEqual(await found({ top_k: 2 }), ['phrase', 'all']);
    assert.deepEqual(await found({ top_k: 1 }), ['phrase']);
    assert.deepEqual(await found({ mode: 'phrase' }), ['phrase']);
    const inNoOrder = await found({}, 'broker restart');
    assert.deepEqual(inNoOrder.slice(0, 2).sort(), ['all', 'phrase']);
    assert.deepEqual(inNoOrder.slice(2), ['any']);
  });

  test('gives 5 hits unless asked, 50 at most, and only those below max_rank', async (t) => {
    const nexus = await startNexus(t);
    const wren = await nexus.aspect('wren');
    await Promise.all(Array.from({ length: 60 }, (_, i) => store(wren, `t${i}`, `fact ${i}`)));
    await store(wren, 'fact', 'in the topic');
    assert.equal((await search(wren, 'fact')).length, 5);
    assert.equal((await search(wren, 'fact', { top_k: 0 })).length, 5);
    assert.equal((await search(wren, 'fact', { top_k: 7 })).length, 7);
    assert.equal((await search(wren, 'fact', { top_k: 99 })).length, 50);
    assert.equal(
      await wren.refused('knowledge.search', { text: 'fact', top_k: -1 }),
      'bad_request',
    );
    const [best, next] = await search(wren, 'fact');
    assert.equal(best?.topic, 'fact');
    assert.ok(best && next && best.score < next.score && next.score < 0);
    assert.deepEqual(topics(await search(wren, 'fact', { max_rank: next.score })), ['fact']);
    assert.deepEqual(await search(wren, 'fact', { max_rank: best.score }), []);
  });

  test('a damaged index finds nothing and says so in the log', async (t) => {
    const dataDir = temporaryFolder(t);
    const warnings: string[] = [];
    const warn = (_: object | string, message?: string) => void warnings.push(message ?? '');
    const nexus = await startNexus(t, { dataDir, openLog: () => ({ ...silentLog, warn }) });
    const wren = await nexus.aspect('wren');
    await store(wren, 'a', 'fact');
    withDatabase(dataDir, ({ writer }) => {
      writer.unsafeMode();
      writer.exec(`DELETE FROM knowledge_fts_data WHERE id > 10`);
    });
    assert.deepEqual(await search(wren, 'fact'), []);
    assert.ok(warnings.includes('knowledge search failed'));
  });

  test('long entries end an answer early, so that it fits a frame', async (t) => {
    const nexus = await startNexus(t);
    const operator = await nexus.operator();
    const long = `fact ${'\u0001'.repeat(65_000)}`;
    await Promise.all(Array.from({ length: 4 }, (_, i) => store(operator, `t${i}`, long)));
    assert.equal((await search(operator, 'fact')).length, 2);
    assert.equal((await list(operator)).length, 2);
  });
});

suite('knowledge.list', () => {
  test('gives the newest 50 unless asked, and 500 at most', async (t) => {
    const nexus = await startNexus(t);
    const [operator, wren] = await Promise.all([nexus.operator(), nexus.aspect('wren')]);
    await store(operator, 'old', 'x');
    await Promise.all(Array.from({ length: 510 }, (_, i) => store(wren, `t${i}`, 'x')));
    await store(wren, 't7', 'again');
    await store(wren, 't7', 'and again');
    const first = await list(operator);
    assert.equal(first.length, 50);
    assert.equal(first[0]?.topic, 't7');
    const times = first.map(({ updated_at }) => updated_at);
    assert.deepEqual(times, times.toSorted().reverse());
    assert.equal((await list(operator, { limit: 0 })).length, 50);
    assert.equal((await list(operator, { limit: 9_999 })).length, 500);
    assert.deepEqual(topics(await list(operator, { agent: 'OPERATOR' })), ['old']);
    assert.equal((await list(operator, { agent: 'Wren', limit: 3 })).length, 3);
    assert.equal(await operator.refused('knowledge.list', { limit: -1 }), 'bad_request');
    assert.equal(await wren.refused('knowledge.list'), 'forbidden');
  });
});

function withDatabase<Result>(dataDir: string, work: (database: Database) => Result): Result {
  const database = openDatabase(join(dataDir, 'nexus.db'), migrations);
  try {
    return work(database);
  } finally {
    database.close();
  }
}

suite('knowledge over a restart', () => {
  test('entries, flags, ids and the index survive, and a rebuild changes nothing', async (t) => {
    const dataDir = temporaryFolder(t);
    const first = await startNexus(t, { dataDir });
    const token = await first.token('wren');
    const [operator, wren] = await Promise.all([first.operator(), first.connect(token)]);
    await wren.register('wren');
    const { id } = await store(wren, 'ports', 'on 7888');
    await store(operator, 'rule', 'be kind', { shared: true });
    await operator.request('knowledge.share', { id, shared: true });
    await store(wren, 'ports', 'on 7999');
    const listed = await list(operator);
    const found = await search(wren, 'kind ports');
    await first.close();

    withDatabase(dataDir, (database) => {
      const tables = ['knowledge', 'knowledge_state', 'knowledge_history'];
      const dump = () =>
        tables.map((table) => database.reader.prepare(`SELECT * FROM ${table}`).all());
      const before = dump();
      assert.deepEqual(
        before.map((rows) => rows.length),
        [2, 2, 1],
      );
      rebuildProjections(database, [new KnowledgeStore(database)]);
      assert.deepEqual(dump(), before);
      verifyChain(database);
    });

    const second = await startNexus(t, { dataDir });
    const [operatorAgain, wrenAgain] = await Promise.all([
      second.operator(),
      second.connect(token),
    ]);
    await wrenAgain.register('wren');
    assert.deepEqual(await list(operatorAgain), listed);
    assert.deepEqual(await search(wrenAgain, 'kind ports'), found);
    assert.equal((await store(wrenAgain, 'ports', 'on 8000')).id, id);
  });
});
