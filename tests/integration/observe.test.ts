import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { applyTurnDelta, type TurnDelta, type TurnSnapshot } from '#shared/frames/observed-turn';
import { eventually } from '../eventually.ts';
import { startNexus, type TestNexus } from './start-nexus.ts';
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

/** A token that may act for more names than its own. */
async function tokenWith(nexus: TestNexus, name: string, rights: object): Promise<string> {
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

  const carriers: [what: string, rights: object, announce: boolean][] = [
    ['admin socket', { admin: true }, false],
    ['Outpost', { grants: ['iris', 'wren'] }, true],
  ];
  for (const [what, rights, announce] of carriers) {
    test(`two aspects behind one ${what} have a stream each`, async (t) => {
      const nexus = await startNexus(t);
      const operator = await nexus.operator();
      await follow(operator, 'iris');
      await follow(operator, 'wren');
      const carrier = await nexus.connect(await tokenWith(nexus, 'keel', rights));
      if (announce) await carrier.ask('outpost.register', { outpost_id: 'keel', host: 'h' });
      for (const name of ['iris', 'wren']) {
        assert.equal((await carrier.register(name)).kind, 'register.ack');
      }
      for (const aspect of ['iris', 'wren']) {
        carrier.send('observe.begin', { turn_id: aspect, aspect });
      }
      tell(carrier, 'model_chunk', { Text: 'from iris' }, 'iris');
      tell(carrier, 'model_chunk', { Text: 'from wren' }, 'wren');
      assert.equal(await carrier.refused('observe.begin', { turn_id: 'whose?' }), 'bad_request');
      const of = (aspect: string) => observed(operator).filter((frame) => frame.aspect === aspect);
      await operator.until(() => of('wren').length === 3);
      for (const aspect of ['iris', 'wren']) {
        assert.deepEqual(
          of(aspect).map(({ kind, payload }) => [kind, payload['events']]),
          [
            ['presence', undefined],
            ['turn', []],
            ['turn', [{ kind: 'text', text: `from ${aspect}` }]],
          ],
        );
      }
      carrier.drop();
      await operator.until(() => observed(operator).length === 10);
      for (const aspect of ['iris', 'wren']) {
        const last = of(aspect).slice(3);
        assert.deepEqual(
          last.map(({ kind, payload }) => [kind, payload['error'] ?? payload['reason']]),
          [
            ['turn', 'connection lost'],
            ['presence', 'ws_closed'],
          ],
        );
      }
    });
  }

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
