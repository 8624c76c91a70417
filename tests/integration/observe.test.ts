import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import SqliteDatabase from 'better-sqlite3';
import { applyTurnDelta, type TurnDelta, type TurnSnapshot } from '#shared/frames/observed-turn';
import { eventually } from '../eventually.ts';
import { startNexus } from './start-nexus.ts';
import type { TestClient } from './test-client.ts';

interface Observed {
  readonly kind: string;
  readonly aspect: string;
  readonly seq: number;
  readonly payload: Record<string, unknown>;
}

const observed = (client: TestClient): Observed[] =>
  client.payloadsOf('observe.frame').map(({ frame }) => frame as Observed);

const seqs = (client: TestClient) => observed(client).map(({ seq }) => seq);

/** Subscribes, and resolves with the epoch. */
async function follow(client: TestClient, aspect: string, more: object = {}): Promise<unknown> {
  const ack = await client.request('subscribe.observe', { aspect, ...more }, 'subscribe.ack');
  return ack['epoch'];
}

/** A broker that knows `keel` as an admin, and its token: only the database can say so, today. */
async function startWithAdmin(t: TestContext) {
  const before = await startNexus(t);
  const token = await before.token('keel');
  await before.close();
  const database = new SqliteDatabase(join(before.dataDir, 'nexus.db'));
  database.exec(`UPDATE agent_tokens SET admin = 1 WHERE agent_id = 'keel'`);
  database.close();
  return { nexus: await startNexus(t, { dataDir: before.dataDir }), token };
}

function tell(client: TestClient, event_kind: string, event: object, aspect?: string): void {
  client.send('observe.event', { aspect, event_kind, event });
}

suite('observing', () => {
  test('an operator follows a turn from its beginning to its end', async (t) => {
    const nexus = await startNexus(t);
    const operator = await nexus.operator();
    await follow(operator, 'iris');
    const iris = await nexus.aspect('iris');
    iris.send('observe.begin', { turn_id: 't1', trigger_msg: 3 });
    tell(iris, 'model_chunk', { Text: 'Hello' });
    tell(iris, 'model_chunk', { Text: ', you' });
    iris.send('observe.end', {});
    await operator.until(() => observed(operator).length === 5);
    assert.deepEqual(seqs(operator), [1, 2, 3, 4, 5]);
    const last = observed(operator).at(-1)?.payload;
    assert.equal(last?.['status'], 'complete');
    assert.deepEqual(last?.['events'], [{ kind: 'text', text: 'Hello, you' }]);
  });

  test('one who comes back with the epoch and a position misses nothing and gets nothing twice', async (t) => {
    const nexus = await startNexus(t);
    const iris = await nexus.aspect('iris');
    const first = await nexus.operator();
    const epoch = await follow(first, 'iris');
    await iris.post('one');
    await first.until(() => observed(first).length === 2);
    first.drop();
    await iris.post('two');
    const second = await nexus.operator();
    await follow(second, 'iris', { since_seq: 2, epoch });
    await iris.post('three');
    await second.until(() => observed(second).length === 2);
    assert.deepEqual(seqs(second), [3, 4]);
    const kinds = second.frames.map(({ kind }) => kind);
    assert.deepEqual(kinds, ['observe.frame', 'subscribe.ack', 'observe.frame']);
  });

  test('after a restart of the broker everything retained comes, whatever the position', async (t) => {
    const before = await startNexus(t);
    await before.aspect('iris');
    const { dataDir } = before;
    const earlier = await before.operator();
    const epoch = await follow(earlier, 'iris');
    assert.deepEqual(seqs(earlier), [1]);
    await before.close();
    const nexus = await startNexus(t, { dataDir });
    const iris = await nexus.aspect('iris');
    await iris.post('hello');
    const operator = await nexus.operator();
    const next = await follow(operator, 'iris', { since_seq: 1, epoch });
    assert.notEqual(next, epoch);
    assert.deepEqual(seqs(operator), [1, 2]);
  });

  test('many observers under load see the same, without gaps, whenever they came', async (t) => {
    const nexus = await startNexus(t);
    const iris = await nexus.aspect('iris');
    iris.send('observe.begin', { turn_id: 't1' });
    const operators: TestClient[] = [];
    for (let round = 0; round < 6; round++) {
      for (let i = 0; i < 50; i++) tell(iris, 'model_chunk', { Text: `${round}.${i} ` });
      const operator = await nexus.operator();
      void follow(operator, 'iris', { form: round % 2 === 0 ? 'snapshot' : 'delta' });
      operators.push(operator);
    }
    iris.send('observe.end', {});
    const isOver = (turn: TurnSnapshot | undefined) => turn?.status === 'complete';
    const folded = (client: TestClient) => {
      let turn: TurnSnapshot | undefined;
      for (const { kind, payload } of observed(client)) {
        if (kind === 'turn') turn = structuredClone(payload) as unknown as TurnSnapshot;
        else if (kind === 'turn_delta')
          turn = applyTurnDelta(turn, payload as unknown as TurnDelta);
      }
      return turn;
    };
    for (const operator of operators) {
      await operator.until(() => isOver(folded(operator)));
      const last = folded(operator);
      assert.deepEqual(last, folded(operators[0] ?? operator));
      const [first = 0, ...rest] = seqs(operator).slice(1);
      assert.deepEqual(
        rest,
        rest.map((_, index) => first + 1 + index),
      );
    }
  });

  test('an observer that reads nothing for a while keeps its connection and catches up', async (t) => {
    const nexus = await startNexus(t);
    const iris = await nexus.aspect('iris');
    const operator = await nexus.operator();
    await follow(operator, 'iris');
    iris.send('observe.begin', { turn_id: 't1' });
    await operator.until(() => observed(operator).length === 2);
    operator.ws.pause();
    tell(iris, 'model_chunk', { Text: 'x'.repeat(60_000) });
    for (let i = 0; i < 600; i++) tell(iris, 'model_chunk', { Text: '.' });
    iris.send('observe.end', {});
    await iris.settled();
    operator.ws.resume();
    await operator.until(() => observed(operator).at(-1)?.payload['status'] === 'complete');
    const last = observed(operator).at(-1)?.payload['events'] as { text: string }[];
    assert.equal(last[0]?.text.length, 60_600);
    assert.ok(seqs(operator).length < 600, 'what it did not read was not kept for it');
    await iris.post('still there?');
    await operator.until(() => observed(operator).at(-1)?.kind === 'chat');
  });

  test('two aspects behind one admin socket have a stream each', async (t) => {
    const { nexus, token } = await startWithAdmin(t);
    const operator = await nexus.operator();
    await follow(operator, 'iris');
    await follow(operator, 'wren');
    const admin = await nexus.connect(token);
    for (const name of ['iris', 'wren']) {
      assert.equal((await admin.register(name)).kind, 'register.ack');
    }
    for (const aspect of ['iris', 'wren']) admin.send('observe.begin', { turn_id: aspect, aspect });
    tell(admin, 'model_chunk', { Text: 'from iris' }, 'iris');
    tell(admin, 'model_chunk', { Text: 'from wren' }, 'wren');
    assert.equal(await admin.refused('observe.begin', { turn_id: 'whose?' }), 'bad_request');
    const textsOf = (aspect: string) =>
      observed(operator)
        .filter((frame) => frame.aspect === aspect && frame.kind === 'turn')
        .map(({ payload }) => payload['events']);
    await operator.until(() => textsOf('wren').length === 2);
    for (const aspect of ['iris', 'wren']) {
      assert.deepEqual(textsOf(aspect), [[], [{ kind: 'text', text: `from ${aspect}` }]]);
    }
    admin.drop();
    await operator.until(() => observed(operator).length === 10);
    for (const aspect of ['iris', 'wren']) {
      const last = observed(operator)
        .filter((frame) => frame.aspect === aspect)
        .slice(-2);
      assert.deepEqual(
        last.map(({ kind, payload }) => [kind, payload['error'] ?? payload['reason']]),
        [
          ['turn', 'connection lost'],
          ['presence', 'ws_closed'],
        ],
      );
    }
  });

  test('a frame of the uplink is for nobody once its aspect deregistered', async (t) => {
    const nexus = await startNexus(t);
    const iris = await nexus.aspect('iris');
    iris.send('observe.begin', { turn_id: 't1' });
    await iris.request(
      'deregister',
      { name: 'iris', session_id: 'session-iris', reason: 'holidays' },
      'deregister',
    );
    assert.equal(await iris.refused('observe.begin', { turn_id: 't2' }), 'not_registered');
    const operator = await nexus.operator();
    await follow(operator, 'iris');
    assert.deepEqual(
      observed(operator).map(({ kind, payload }) => [kind, payload['error'] ?? payload['reason']]),
      [
        ['presence', 'registered'],
        ['turn', 'deregistered'],
        ['presence', 'holidays'],
      ],
    );
  });
});

suite('activity files', () => {
  const linesOf = (path: string) =>
    readFileSync(path, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Observed);

  test('hold what aspects did once the broker has stopped, a turn once', async (t) => {
    const nexus = await startNexus(t);
    const iris = await nexus.aspect('iris');
    iris.send('observe.begin', { turn_id: 't1' });
    tell(iris, 'model_chunk', { Text: 'my token: ' });
    tell(iris, 'model_chunk', { Text: 'hunter22' });
    iris.send('observe.end', {});
    await iris.post('done');
    await nexus.close();
    const folder = join(nexus.dataDir, 'activity', 'iris');
    const [file = ''] = readdirSync(folder);
    assert.match(file, /^\d{4}-\d\d-\d\d\.jsonl$/);
    assert.equal(statSync(join(folder, file)).mode & 0o777, 0o600);
    assert.deepEqual(
      linesOf(join(folder, file)).map(({ kind, seq }) => [kind, seq]),
      [
        ['presence', 1],
        ['turn', 5],
        ['chat', 6],
        ['presence', 7],
      ],
    );
    const turn = linesOf(join(folder, file))[1]?.payload;
    assert.deepEqual(turn?.['events'], [{ kind: 'text', text: 'my token: [redacted]' }]);
  });

  test('are written while the broker runs', async (t) => {
    const nexus = await startNexus(t);
    await nexus.aspect('iris');
    const folder = join(nexus.dataDir, 'activity', 'iris');
    await eventually(() => existsSync(folder) && readdirSync(folder).length > 0, 'a file');
  });

  test('are not made with retainDays 0', async (t) => {
    const nexus = await startNexus(t, { activity: { retainDays: 0 } });
    await nexus.aspect('iris');
    await nexus.close();
    assert.equal(existsSync(join(nexus.dataDir, 'activity')), false);
  });

  test('that cannot be written keep the broker from nothing', async (t) => {
    const nexus = await startNexus(t);
    writeFileSync(join(nexus.dataDir, 'activity'), 'in the way');
    const iris = await nexus.aspect('iris');
    await iris.post('hello');
    await nexus.close();
    assert.equal(readFileSync(join(nexus.dataDir, 'activity'), 'utf8'), 'in the way');
  });
});
