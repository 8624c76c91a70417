import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import { FakeClock } from '#shared/sys/fake-clock';
import { silentLog } from '#shared/sys/log';
import { Connection } from '../broker/connection.ts';
import { nowhere } from '../broker/test-kit.ts';
import { aspectIdentity } from '../credentials/identity.ts';
import { journalMigration, SqliteJournal } from '../journal/sqlite-journal.ts';
import { openDatabase } from '../storage/database.ts';
import { SessionMirror } from './session-mirror.ts';
import { SessionStore, sessionMigration } from './session-store.ts';

const wren = { aspect: 'wren', sessionId: 's1' };

/** Long enough for a commit and what follows it. */
const committed = async () => {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
};

function setUp(t: TestContext) {
  const database = openDatabase(':memory:', [journalMigration, sessionMigration]);
  const clock = new FakeClock();
  const store = new SessionStore(database);
  const journal = new SqliteJournal({ database, projections: [store], clock });
  const mirror = new SessionMirror({
    journal,
    store,
    clock,
    log: silentLog,
    retention: { keepMs: 60_000, sweepEveryMs: 10_000, maxRows: 2 },
    maxPayloadBytes: 100,
  });
  t.after(() => {
    mirror.close();
    database.close();
  });
  const connection = new Connection(1, aspectIdentity('wren'), nowhere);
  const add = (entry_id: string, more: object = {}) =>
    mirror.append(connection, {
      aspect: 'wren',
      session_id: 's1',
      entry_id,
      entry_kind: 'note',
      ...more,
    });
  const ids = () => [...store.entries(wren, 0)].map(({ entry_id }) => entry_id);
  return { clock, journal, mirror, add, ids };
}

suite('SessionMirror', () => {
  test('records nothing for an entry that it has', async (t) => {
    const { journal, add } = setUp(t);
    await add('e1');
    await add('e1', { payload: 'changed' });
    assert.equal(journal.head, 1);
  });

  test('takes a payload at its bound and refuses one byte more', async (t) => {
    const { add, ids } = setUp(t);
    await add('e1', { payload: 'x'.repeat(98) });
    await assert.rejects(add('e2', { payload: 'x'.repeat(99) }), { code: 'too_large' });
    await assert.rejects(add('e3', { payload: 'ü'.repeat(50) }), { code: 'too_large' });
    assert.deepEqual(ids(), ['e1']);
  });

  test('forgets what is older than it keeps, a batch at a time', async (t) => {
    const { clock, add, ids } = setUp(t);
    for (const id of ['e1', 'e2', 'e3']) await add(id);
    clock.advance(30_000);
    await committed();
    await add('e4');
    clock.advance(30_000);
    await committed();
    assert.equal(ids().length, 4, 'exactly as old as what is kept');
    clock.advance(10_000);
    await committed();
    assert.deepEqual(ids(), ['e3', 'e4']);
    clock.advance(1_000);
    await committed();
    assert.deepEqual(ids(), ['e4']);
  });

  test('looks again later when the journal does not take it, and not at all once closed', async (t) => {
    const { clock, journal, mirror, add, ids } = setUp(t);
    await add('e1');
    await journal.close();
    clock.advance(70_000);
    await committed();
    assert.deepEqual(ids(), ['e1']);
    assert.equal(clock.pending, 1);
    mirror.close();
    assert.equal(clock.pending, 0);
  });
});
