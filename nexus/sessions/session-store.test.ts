import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import { FakeClock } from '#shared/sys/fake-clock';
import { rebuildProjections } from '../journal/maintenance.ts';
import { journalMigration, SqliteJournal } from '../journal/sqlite-journal.ts';
import { openDatabase } from '../storage/database.ts';
import { type SessionKey, SessionStore, sessionMigration } from './session-store.ts';

const wren: SessionKey = { aspect: 'wren', sessionId: 's1' };

function setUp(t: TestContext) {
  const database = openDatabase(':memory:', [journalMigration, sessionMigration]);
  t.after(() => database.close());
  const clock = new FakeClock();
  const store = new SessionStore(database);
  const journal = new SqliteJournal({ database, projections: [store], clock });
  const add = (entryId: string, parentId?: string, { aspect, sessionId } = wren, more = {}) =>
    journal.append({
      kind: 'session.entry_mirrored',
      actor: aspect,
      body: { sessionId, entryId, ...(parentId && { parentId }), entryKind: 'note', ...more },
    });
  const move = (headId: string, op = 'rewind', fromId = '') =>
    journal.append({
      kind: 'session.head_moved',
      actor: 'wren',
      body: { sessionId: 's1', op, headId, fromId },
    });
  const prune = (before: string, upTo: number) =>
    journal.append({ kind: 'session.pruned', actor: 'nexus', body: { before, upTo } });
  const ids = (key = wren) => [...store.entries(key, 0)].map(({ entry_id }) => entry_id);
  const dump = () =>
    JSON.stringify(
      store.tables.map((table) =>
        database.reader.prepare(`SELECT * FROM ${table} ORDER BY 1, 2`).all(),
      ),
    );
  return { database, clock, store, add, move, prune, ids, dump };
}

suite('SessionStore', () => {
  test('keeps an entry once per aspect and session, the first of its id', async (t) => {
    const { store, add, ids } = setUp(t);
    await add('e1', undefined, wren, { entryTs: '2026-01-01T00:00:00.123456789Z', payload: [1] });
    await add('e1', undefined, wren, { payload: [2] });
    await add('e1', undefined, { aspect: 'anvil', sessionId: 's1' });
    await add('e1', undefined, { aspect: 'wren', sessionId: 's2' });
    assert.deepEqual(ids(), ['e1']);
    assert.deepEqual(
      [...store.entries(wren, 0)],
      [
        {
          seq: 1,
          entry_id: 'e1',
          entry_kind: 'note',
          ts: '2026-01-01T00:00:00.123456789Z',
          payload: [1],
          received_at: '2026-01-01T00:00:00Z',
        },
      ],
    );
    assert.equal([...store.sessions(undefined)].length, 3);
    assert.deepEqual(
      [...store.sessions('wren')].map(({ session_id, entries }) => [session_id, entries]),
      [
        ['s2', 1],
        ['s1', 1],
      ],
    );
  });

  test('an entry becomes the head, unless it comes behind its own child', async (t) => {
    const { store, add } = setUp(t);
    assert.equal(store.headOf(wren), undefined);
    await add('e1');
    assert.equal(store.headOf(wren), 'e1');
    await add('e3', 'e2');
    await add('e2', 'e1');
    assert.equal(store.headOf(wren), 'e3');
    await add('e3', 'e2');
    await add('e4', 'e3');
    assert.equal(store.headOf(wren), 'e4');
  });

  test('rewinds and forks move the head and are kept', async (t) => {
    const { store, add, move } = setUp(t);
    for (const [id, parent] of [['e1'], ['e2', 'e1'], ['e3', 'e2']] as const) await add(id, parent);
    await move('e1', 'rewind', 'e3');
    assert.equal(store.headOf(wren), 'e1');
    await add('e4', 'e1');
    assert.equal(store.headOf(wren), 'e4');
    await move('e9', 'fork', 'e2');
    assert.equal(store.headOf(wren), 'e9');
    const received_at = '2026-01-01T00:00:00Z';
    assert.deepEqual(
      [...store.moves(wren, 0)],
      [
        { seq: 4, op: 'rewind', head_id: 'e1', from_id: 'e3', received_at },
        { seq: 6, op: 'fork', head_id: 'e9', from_id: 'e2', received_at },
      ],
    );
    assert.equal([...store.sessions('wren')][0]?.entries, 4, 'a move is no entry');
  });

  test('a session that only moved is there too', async (t) => {
    const { store, move } = setUp(t);
    await move('e7');
    assert.equal(store.headOf(wren), 'e7');
    assert.equal([...store.sessions(undefined)][0]?.entries, 0);
  });

  test('pruning drops what is old, its counts and the sessions that are empty by then', async (t) => {
    const { clock, store, add, move, prune, ids } = setUp(t);
    const other: SessionKey = { aspect: 'anvil', sessionId: '' };
    await add('e1');
    await move('e1');
    await add('a1', undefined, other);
    clock.advance(1_000);
    await add('e2', 'e1');
    assert.equal(store.findPrunable('2026-01-01 00:00:00', 9), undefined, 'exactly as old');
    assert.equal(store.findPrunable('2026-01-01 00:00:01', 9), 3);
    assert.equal(store.findPrunable('2026-01-01 00:00:01', 1), 1);

    await prune('2026-01-01 00:00:01', 1);
    assert.deepEqual(ids(), ['e2']);
    assert.equal([...store.moves(wren, 0)].length, 1);
    await prune('2026-01-01 00:00:01', 3);
    assert.deepEqual([...store.moves(wren, 0)], []);
    assert.equal(store.headOf(other), undefined);
    assert.deepEqual(
      [...store.sessions(undefined)].map(({ session_id, entries }) => [session_id, entries]),
      [['s1', 1]],
    );
    assert.equal(store.findPrunable('2026-01-01 00:00:01', 9), undefined);
  });

  test('finds old moves once no entries are old', async (t) => {
    const { clock, store, move, prune } = setUp(t);
    await move('e1');
    clock.advance(5_000);
    assert.equal(store.findPrunable('2026-01-01 00:00:03', 9), 1);
    await prune('2026-01-01 00:00:03', 1);
    assert.equal(store.headOf(wren), undefined);
  });

  test('a rebuild from the journal gives the same tables', async (t) => {
    const { database, clock, store, add, move, prune, dump } = setUp(t);
    for (let i = 0; i < 400; i++) {
      const key = { aspect: i % 3 ? 'wren' : 'anvil', sessionId: i % 5 ? 's1' : '' };
      const payload = { text: `entry ${i} "ünïcode" \u0001 \ud800`, 7: 1, nested: { a: null } };
      await add(`e${i % 90}`, `e${(i * 7) % 90}`, key, i % 4 ? { payload } : {});
      if (i % 11 === 0) await move(`e${i}`, i % 2 ? 'fork' : 'rewind', 'e1');
      if (i === 200) await prune('2026-01-01 00:01:00', 150);
      clock.advance(700);
    }
    const before = dump();
    assert.ok(before.length > 10_000);
    rebuildProjections(database, [store]);
    assert.equal(dump(), before);
  });
});
