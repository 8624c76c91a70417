import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { FakeClock } from '#shared/sys/fake-clock';
import { rebuildProjections } from '../journal/maintenance.ts';
import { journalMigration, SqliteJournal } from '../journal/sqlite-journal.ts';
import { openDatabase } from '../storage/database.ts';
import type { OperatorEvent } from './events.ts';
import { OperatorStore, operatorMigration } from './operator-store.ts';

function setUp() {
  const database = openDatabase(':memory:', [journalMigration, operatorMigration]);
  const store = new OperatorStore(database);
  const clock = new FakeClock();
  const journal = new SqliteJournal({ database, projections: [store], clock });
  const record = (event: OperatorEvent) => journal.append({ ...event, actor: 'operator' });
  const tables = () =>
    store.tables.map((table) => database.writer.prepare(`SELECT * FROM ${table}`).all());
  return { database, store, clock, record, tables };
}

const passkey = (operator: string, id: string, sessionId?: string): OperatorEvent => ({
  kind: 'operator.passkey_added',
  body: {
    operator,
    label: id,
    credentialId: Buffer.from(id).toString('base64url'),
    publicKey: 'AAAA',
    credential: { id, authenticator: { signCount: 0, cloneWarning: false }, unknown: 1 },
    ...(sessionId && { sessionId }),
  },
});

const session = (operator: string, id: string, passkeyId?: number): OperatorEvent => ({
  kind: 'operator.session_opened',
  body: {
    id,
    tokenHash: `sha256:${id}`,
    operator,
    method: 'link',
    agent: '',
    address: '127.0.0.1',
    expiresAt: Date.UTC(2027, 0, 1),
    ...(passkeyId !== undefined && { passkeyId }),
  },
});

suite('OperatorStore', () => {
  test('the same tables come out when they are built again from the journal', async () => {
    const { database, store, clock, record, tables } = setUp();
    await record({ kind: 'operator.added', body: { name: 'ana', access: 'viewer' } });
    await record({ kind: 'operator.added', body: { name: 'ben', access: 'admin' } });
    const { position } = await record(passkey('ana', 'one'));
    const gone = await record(passkey('ben', 'two'));
    await record({ kind: 'operator.passkey_used', body: { passkeyId: position, signCount: 7 } });
    await record(session('ana', 's1', position));
    await record(session('ben', 's2'));
    clock.advance(3_600_000);
    await record({ kind: 'operator.session_seen', body: { id: 's1' } });
    await record({ kind: 'operator.passkey_removed', body: { passkeyId: gone.position } });
    await record({ kind: 'operator.role_changed', body: { name: 'ana', access: 'operator' } });
    await record({ kind: 'operator.removed', body: { name: 'ben' } });
    await record(passkey('operator', 'three'));
    const before = tables();
    assert.deepEqual(
      store.sessions.list().map(({ id }) => id),
      ['s1'],
    );
    rebuildProjections(database, [store]);
    assert.deepEqual(tables(), before);
  });

  test('refuses what has lost its right by the time it is recorded', async () => {
    const { record, store } = setUp();
    await record({ kind: 'operator.added', body: { name: 'ana', access: 'viewer' } });
    await record(session('ana', 's1'));
    await record({ kind: 'operator.session_ended', body: { id: 's1', why: 'logout' } });
    const rejected = { code: 'journal.rejected' };
    await assert.rejects(record(passkey('ana', 'one', 's1')), rejected);
    await assert.rejects(record(passkey('nobody', 'one')), rejected);
    await assert.rejects(record(session('nobody', 's2')), rejected);
    await assert.rejects(record(session('ana', 's2', 99)), rejected);
    await record(passkey('ana', 'one'));
    await assert.rejects(record(passkey('operator', 'one')), rejected, 'a credential is one’s own');
    assert.equal(store.passkeys.list().length, 1);
  });

  test('keeps what it does not know of a credential, and skips rows that nobody can read', async () => {
    const { database, record, store } = setUp();
    const { position } = await record(passkey('operator', 'one'));
    await record({ kind: 'operator.passkey_used', body: { passkeyId: position, signCount: 3 } });
    const json = database.writer.prepare('SELECT credential_json FROM operator_passkeys').pluck();
    assert.deepEqual(JSON.parse(String(json.get())), {
      id: 'one',
      authenticator: { signCount: 3, cloneWarning: false },
      unknown: 1,
    });
    database.writer.exec("UPDATE operator_passkeys SET credential_json = ''");
    assert.deepEqual(store.passkeys.list(), []);
    assert.equal(store.passkeys.find(position), undefined);
  });
});
