import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { startNexus } from './start-nexus.ts';
import type { TestClient } from './test-client.ts';

const entry = (entry_id: string, more: object = {}) => ({
  aspect: 'wren',
  session_id: 's1',
  entry_id,
  entry_kind: 'turn.user',
  ts: '2026-06-01T08:00:00.123456789Z',
  ...more,
});

const where = { aspect: 'wren', session_id: 's1' };

interface Entry {
  readonly seq: number;
  readonly entry_id: string;
}

async function entryIds(operator: TestClient, more: object = {}): Promise<string[]> {
  const { entries } = await operator.request('session.entries', { ...where, ...more });
  return (entries as Entry[]).map(({ entry_id }) => entry_id);
}

suite('the session mirror', () => {
  test('keeps what an aspect sends, once, and answers nothing', async (t) => {
    const nexus = await startNexus(t);
    const wren = await nexus.aspect('wren');
    const operator = await nexus.operator();
    wren.send('session.entry.appended', entry('e1', { payload: { text: 'hello' } }), { id: 'q1' });
    await wren.settled();
    wren.send('session.entry.appended', entry('e1', { payload: { text: 'changed' } }));
    wren.send('session.entry.appended', entry('e2', { parent_id: 'e1', payload: null }));
    await wren.settled();
    assert.deepEqual(
      wren.frames.map(({ kind }) => kind),
      ['register.ack', 'chat.read.result', 'chat.read.result'],
    );
    const { entries, ...rest } = await operator.request('session.entries', where);
    assert.deepEqual(rest, { head_id: 'e2', has_more: false });
    const [first, second] = entries as (Entry & { received_at: string })[];
    assert.match(String(first?.received_at), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.deepEqual(first, {
      seq: first?.seq,
      entry_id: 'e1',
      entry_kind: 'turn.user',
      ts: '2026-06-01T08:00:00.123456789Z',
      payload: { text: 'hello' },
      received_at: first?.received_at,
    });
    assert.deepEqual(second, {
      seq: second?.seq,
      entry_id: 'e2',
      parent_id: 'e1',
      entry_kind: 'turn.user',
      ts: '2026-06-01T08:00:00.123456789Z',
      received_at: second?.received_at,
    });
  });

  test('refuses what is wrong, aloud when asked with an id', async (t) => {
    const nexus = await startNexus(t);
    const wren = await nexus.aspect('wren');
    await nexus.aspect('anvil');
    const append = (payload: object) => wren.refused('session.entry.appended', payload);
    for (const missing of ['aspect', 'entry_id', 'entry_kind']) {
      assert.equal(await append({ ...entry('e1'), [missing]: undefined }), 'bad_request', missing);
      assert.equal(await append({ ...entry('e1'), [missing]: '' }), 'bad_request', missing);
    }
    assert.equal(await append(entry('x'.repeat(201))), 'bad_request');
    assert.equal(await append(entry('e1', { aspect: 'anvil' })), 'forbidden');
    assert.equal(await append(entry('e1', { payload: 'x'.repeat(256 * 1024 - 1) })), 'too_large');
    const move = { ...where, new_head_id: 'e1' };
    assert.equal(await wren.refused('session.rewind', where), 'bad_request');
    assert.equal(await wren.refused('session.fork', where), 'bad_request');
    assert.equal(await wren.refused('session.fork', { ...move, aspect: 'anvil' }), 'forbidden');

    const operator = await nexus.operator();
    assert.equal(await operator.refused('session.entry.appended', entry('e1')), 'forbidden');
    assert.deepEqual(await operator.request('session.list'), { sessions: [], has_more: false });
    wren.send('session.entry.appended', entry('e1', { payload: 'x'.repeat(256 * 1024 - 2) }));
    await wren.settled();
    assert.deepEqual(await entryIds(operator), ['e1'], 'exactly at the bound');
  });

  test('follows rewinds and forks, and shows them', async (t) => {
    const nexus = await startNexus(t);
    const wren = await nexus.aspect('wren');
    const operator = await nexus.operator();
    wren.send('session.entry.appended', entry('e1'));
    wren.send('session.entry.appended', entry('e2', { parent_id: 'e1' }));
    wren.send('session.rewind', { ...where, new_head_id: 'e1', previous_id: 'e2' });
    await wren.settled();
    assert.equal((await operator.request('session.entries', where))['head_id'], 'e1');
    wren.send('session.fork', { ...where, fork_point: 'e1', new_head_id: 'e3' });
    await wren.settled();
    const { moves, has_more } = await operator.request('session.moves', where);
    assert.deepEqual(
      (moves as Record<string, unknown>[]).map(({ op, head_id, from_id }) => [
        op,
        head_id,
        from_id,
      ]),
      [
        ['rewind', 'e1', 'e2'],
        ['fork', 'e3', 'e1'],
      ],
    );
    assert.equal(has_more, false);
    const { sessions } = await operator.request('session.list');
    const [row] = sessions as Record<string, unknown>[];
    assert.deepEqual([row?.['head_id'], row?.['entries']], ['e3', 2]);
  });

  test('is read in pages, by rows and by bytes', async (t) => {
    const nexus = await startNexus(t);
    const wren = await nexus.aspect('wren');
    const operator = await nexus.operator();
    const large = 'x'.repeat(250 * 1024);
    for (let n = 1; n <= 5; n++) {
      wren.send('session.entry.appended', entry(`e${n}`, { payload: large }));
    }
    await wren.settled();
    assert.deepEqual(await entryIds(operator, { limit: 2 }), ['e1', 'e2']);
    const first = await operator.request('session.entries', where);
    assert.equal(first['has_more'], true);
    const after = (first['entries'] as Entry[]).at(-1)?.seq;
    assert.deepEqual(await entryIds(operator, { after }), ['e4', 'e5']);
  });

  test('lists sessions, the last changed first, in pages and by aspect', async (t) => {
    const nexus = await startNexus(t);
    const wren = await nexus.aspect('wren');
    const anvil = await nexus.aspect('anvil');
    const operator = await nexus.operator();
    for (const session_id of ['s1', 's2', 's3']) {
      wren.send('session.entry.appended', entry('e1', { session_id }));
    }
    await wren.settled();
    anvil.send('session.entry.appended', entry('e1', { aspect: 'anvil', session_id: undefined }));
    await anvil.settled();
    wren.send('session.entry.appended', entry('e2'));
    await wren.settled();
    const list = async (query: object) => {
      const { sessions, has_more } = await operator.request('session.list', query);
      const rows = sessions as { aspect: string; session_id: string; seq: number }[];
      const names = rows.map(({ aspect, session_id }) => `${aspect} ${session_id}`);
      return { names, has_more, last: rows.at(-1)?.seq };
    };
    const page = await list({ limit: 2 });
    assert.deepEqual(page.names, ['wren s1', 'anvil ']);
    assert.equal(page.has_more, true);
    const next = await list({ before: page.last });
    assert.deepEqual([next.names, next.has_more], [['wren s3', 'wren s2'], false]);
    assert.deepEqual((await list({ aspect: 'ANVIL' })).names, ['anvil ']);
    assert.deepEqual((await list({ aspect: 'nobody' })).names, []);
  });

  test('says so when there is no such session, and is for the operator', async (t) => {
    const nexus = await startNexus(t);
    const wren = await nexus.aspect('wren');
    const operator = await nexus.operator();
    for (const kind of ['session.entries', 'session.moves']) {
      assert.equal(await operator.refused(kind, where), 'not_found');
      assert.equal(await operator.refused(kind, {}), 'bad_request');
      assert.equal(await wren.refused(kind, where), 'forbidden');
    }
    assert.equal(await wren.refused('session.list'), 'forbidden');
  });

  test('is there after a restart', async (t) => {
    const nexus = await startNexus(t);
    const wren = await nexus.aspect('wren');
    wren.send('session.entry.appended', entry('e1'));
    await wren.settled();
    await nexus.close();
    const again = await startNexus(t, { dataDir: nexus.dataDir });
    assert.deepEqual(await entryIds(await again.operator()), ['e1']);
  });
});
