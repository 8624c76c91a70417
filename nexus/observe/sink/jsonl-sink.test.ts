import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import type { ObservedChat } from '#shared/frames/observe';
import { FakeClock } from '#shared/sys/fake-clock';
import { silentLog } from '#shared/sys/log';
import { eventually } from '../../../tests/eventually.ts';
import type { StreamFrame } from '../stream-frame.ts';
import { ActivityFolder, defaultActivityLimits } from './activity-folder.ts';
import { defaultQueueLimits, flushEveryMs, JsonlSink } from './jsonl-sink.ts';

function temporaryFolder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'nexus-activity-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

const presence = (seq: number, aspect = 'iris', ts = '2026-01-01T10:00:00.000Z'): StreamFrame => ({
  aspect,
  seq,
  ts,
  bytes: 100,
  observed: { kind: 'presence', payload: { connected: true, reason: 'registered' } },
});

const chat = (payload: ObservedChat, aspect: string): StreamFrame => ({
  ...presence(1, aspect),
  observed: { kind: 'chat', payload },
});

function setUp(t: TestContext, limits = defaultQueueLimits) {
  const root = join(temporaryFolder(t), 'activity');
  const clock = new FakeClock();
  const logged: [level: string, facts: object][] = [];
  const log = {
    ...silentLog,
    warn: (facts: object | string) => logged.push(['warn', Object(facts)]),
    error: (facts: object | string) => logged.push(['error', Object(facts)]),
  };
  const folder = new ActivityFolder(root, defaultActivityLimits);
  const sink = new JsonlSink({ folder, clock, log, limits });
  const lines = (aspect: string, day = '2026-01-01') => {
    const path = join(root, aspect, `${day}.jsonl`);
    const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  };
  const seqs = (aspect: string, day?: string) => lines(aspect, day).map(({ seq }) => seq);
  return { root, clock, logged, sink, lines, seqs };
}

suite('JsonlSink', () => {
  test('writes frames as lines, in order, some time after they came', async (t) => {
    const { clock, sink, lines, seqs } = setUp(t);
    sink.write(presence(1));
    sink.write(presence(2));
    sink.write(presence(1, 'wren'));
    assert.deepEqual(lines('iris'), []);
    clock.advance(flushEveryMs);
    await eventually(() => seqs('wren').length === 1, 'the lines');
    assert.deepEqual(lines('iris')[0], {
      kind: 'presence',
      aspect: 'iris',
      seq: 1,
      ts: '2026-01-01T10:00:00.000Z',
      payload: { connected: true, reason: 'registered' },
    });
    assert.deepEqual(seqs('iris'), [1, 2]);
    sink.write(presence(3));
    clock.advance(flushEveryMs);
    await eventually(() => seqs('iris').length === 3, 'the next line');
    await sink.close();
  });

  test('puts each frame in the file of its day', async (t) => {
    const { sink, seqs } = setUp(t);
    for (const [index, day] of ['2026-01-01', '2026-01-02', '2026-01-01'].entries()) {
      sink.write(presence(index + 1, 'iris', `${day}T23:59:59Z`));
    }
    await sink.close();
    assert.deepEqual(seqs('iris'), [1, 3]);
    assert.deepEqual(seqs('iris', '2026-01-02'), [2]);
  });

  test('leaves secrets out, in every stream of a message', async (t) => {
    const { sink, lines } = setUp(t);
    const payload: ObservedChat = {
      msg_id: 1,
      from: 'ana',
      content: 'the password: hunter22',
      direction: 'inbound',
      created_at: '2026-01-01T10:00:00Z',
    };
    for (const aspect of ['iris', 'wren']) sink.write(chat(payload, aspect));
    await sink.close();
    for (const aspect of ['iris', 'wren']) {
      const [line] = lines(aspect);
      assert.equal(line?.['aspect'], aspect);
      assert.deepEqual(line?.['payload'], { ...payload, content: 'the password: [redacted]' });
    }
  });

  test('leaves out what is over the bound of an aspect, and says so once a minute', async (t) => {
    const { clock, sink, logged, seqs } = setUp(t, { maxFrames: 3, maxBytes: 100_000 });
    for (let seq = 1; seq <= 5; seq++) sink.write(presence(seq));
    sink.write(presence(1, 'wren'));
    clock.advance(flushEveryMs);
    await eventually(() => seqs('wren').length === 1, 'the lines');
    assert.deepEqual(seqs('iris'), [1, 2, 3]);
    await eventually(() => logged.length === 1, 'a warning');
    for (let seq = 6; seq <= 9; seq++) sink.write(presence(seq));
    clock.advance(flushEveryMs);
    await eventually(() => seqs('iris').length === 6, 'the next lines');
    assert.deepEqual(logged, [['warn', { count: 2 }]]);
    await sink.close();
    assert.deepEqual(logged[1], ['warn', { count: 1 }]);
  });

  test('leaves out what is over the bound of all', async (t) => {
    const { sink, seqs } = setUp(t, { maxFrames: 100, maxBytes: 300 });
    for (const aspect of ['a', 'b', 'c', 'd']) sink.write(presence(1, aspect));
    await sink.close();
    assert.deepEqual([seqs('c'), seqs('d')], [[1], []]);
  });

  test('frees its bounds as it writes', async (t) => {
    const { clock, sink, seqs } = setUp(t, { maxFrames: 2, maxBytes: 200 });
    for (let round = 0; round < 3; round++) {
      sink.write(presence(2 * round + 1));
      sink.write(presence(2 * round + 2));
      clock.advance(flushEveryMs);
      await eventually(() => seqs('iris').length === 2 * round + 2, 'a round');
    }
    await sink.close();
    assert.deepEqual(seqs('iris'), [1, 2, 3, 4, 5, 6]);
  });

  test('writes more than fits one batch', async (t) => {
    const { sink, seqs } = setUp(t);
    const long = 'x'.repeat(100_000);
    for (let seq = 1; seq <= 10; seq++) {
      sink.write({
        ...presence(seq),
        observed: { kind: 'presence', payload: { connected: true, reason: long } },
      });
    }
    await sink.close();
    assert.deepEqual(seqs('iris'), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test('a folder that cannot be written turns it off, and nothing else', async (t) => {
    const { root, clock, sink, logged } = setUp(t);
    writeFileSync(root, 'a file is in the way');
    sink.write(presence(1));
    clock.advance(flushEveryMs);
    await eventually(() => logged.length === 1, 'the error');
    assert.equal(logged[0]?.[0], 'error');
    rmSync(root);
    sink.write(presence(2));
    await sink.close();
    assert.equal(existsSync(root), false);
    assert.equal(clock.pending, 0);
    assert.equal(logged.length, 1);
  });

  test('writes what waits when it closes, and then no more', async (t) => {
    const { clock, sink, seqs } = setUp(t);
    sink.write(presence(1));
    await Promise.all([sink.close(), sink.close()]);
    sink.write(presence(2));
    assert.deepEqual(seqs('iris'), [1]);
    assert.equal(clock.pending, 0);
  });

  test('waits no longer than five seconds when it closes', async (t) => {
    const { clock, logged } = setUp(t);
    const folder = new ActivityFolder(join(temporaryFolder(t), 'activity'), defaultActivityLimits);
    folder.append = () => new Promise(() => undefined);
    const log = { ...silentLog, warn: () => logged.push(['warn', {}]) };
    const sink = new JsonlSink({ folder, clock, log });
    sink.write(presence(1));
    let isClosed = false;
    const closed = sink.close().then(() => {
      isClosed = true;
    });
    clock.advance(4_999);
    assert.equal(isClosed, false);
    clock.advance(1);
    await closed;
    assert.equal(logged.length, 1);
  });
});
