import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { FakeClock } from '#shared/sys/fake-clock';
import { silentLog } from '#shared/sys/log';
import { ensureInstanceIdentity, identityMigration } from '../credentials/instance-identity.ts';
import { journalMigration, SqliteJournal } from '../journal/sqlite-journal.ts';
import { openDatabase } from '../storage/database.ts';
import { AuditJournal } from './audit-journal.ts';
import { exportJournal, verifyExport } from './export-file.ts';
import { HeadSigner, headsMigration } from './head-signer.ts';

/** A journal of some administration and some chat, signed once in the middle. */
async function setUp(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'nexus-audit-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const clock = new FakeClock();
  const database = openDatabase(join(folder, 'nexus.db'), [
    identityMigration,
    journalMigration,
    headsMigration,
  ]);
  const instance = ensureInstanceIdentity(database, clock.now());
  const journal = new SqliteJournal({ database, projections: [], clock });
  const signer = new HeadSigner({ database, journal, instance, clock, log: silentLog });
  t.after(async () => {
    await journal.close();
    signer.close();
    database.close();
  });
  const append = (kind: string, actor: string, body: object = {}) =>
    journal.append({ kind, actor, body });
  await append('token.issued', 'operator', { agentId: 'wren' });
  await append('chat.posted', 'wren', { content: 'hello\nthere' });
  clock.advance(1_000);
  await append('token.issued', 'nexus', { agentId: 'anvil' });
  const audit = new AuditJournal(database.reader);
  return { folder, clock, database, instance, journal, append, audit };
}

const altered = { code: 'audit.altered' };
const unreadable = { code: 'audit.unreadable' };

suite('the record', () => {
  test('lists administration, and chat only when it is asked for', async (t) => {
    const { audit } = await setUp(t);
    const kinds = (query: object) =>
      audit.list({ limit: 10, ...query }).map(({ kind, actor }) => `${kind} ${actor}`);
    assert.deepEqual(kinds({}), ['token.issued operator', 'token.issued nexus']);
    assert.deepEqual(kinds({ kind: 'chat.' }), ['chat.posted wren']);
    assert.deepEqual(kinds({ actor: 'nexus' }), ['token.issued nexus']);
    assert.deepEqual(kinds({ limit: 1 }), ['token.issued nexus'], 'the newest');
    assert.deepEqual(kinds({ above: 3 }), []);
  });

  test('holds, and is signed a second after it moved', async (t) => {
    const { audit, clock } = await setUp(t);
    const { head, signedUpTo } = audit.verify();
    assert.deepEqual([head.position, signedUpTo], [3, 2]);
    clock.advance(1_000);
    assert.equal(audit.verify().signedUpTo, 3);
  });

  for (const column of ['at', 'kind', 'actor', 'body', 'hash']) {
    test(`does not hold once a row’s ${column} was altered`, async (t) => {
      const { audit, database } = await setUp(t);
      const value = column === 'at' ? 1 : 'x';
      database.writer.prepare(`UPDATE journal SET ${column} = ? WHERE position = 2`).run(value);
      assert.throws(() => audit.verify(), altered);
    });
  }

  test('does not hold when rows are missing, at the start, between, or at its signed end', async (t) => {
    for (const where of ['position = 1', 'position = 2', 'position > 1']) {
      const { audit, database } = await setUp(t);
      database.writer.exec(`DELETE FROM journal WHERE ${where}`);
      assert.throws(() => audit.verify(), altered, where);
    }
  });

  test('does not hold with another’s signature, or one over another hash', async (t) => {
    for (const change of [`signature = 'AAAA'`, `hash = 'x'`, 'at = at + 1']) {
      const { audit, database } = await setUp(t);
      database.writer.exec(`UPDATE journal_heads SET ${change}`);
      assert.throws(() => audit.verify(), altered, change);
    }
  });
});

test('of the signatures a thousand are kept', async (t) => {
  const { append, audit, clock } = await setUp(t);
  for (let i = 0; i < 1_005; i++) {
    await append('token.issued', 'nexus');
    clock.advance(1_000);
  }
  const heads = audit.signedHeads();
  assert.equal(heads.length, 1_000);
  assert.equal(heads.at(-1)?.position, audit.verify().head.position);
});

suite('an export', () => {
  test('is checked without the database', async (t) => {
    const { audit, folder, instance, clock } = await setUp(t);
    clock.advance(1_000);
    const path = join(folder, 'export.jsonl');
    assert.equal(await exportJournal(audit, path), 3);
    const key = instance.publicKey.toString('hex');
    const found = await verifyExport(path, key.toUpperCase());
    assert.deepEqual([found.events, found.nexusId, found.publicKey], [3, instance.nexusId, key]);
    await assert.rejects(verifyExport(path, '0'.repeat(64)), altered);
    await assert.rejects(exportJournal(audit, path), { code: 'EEXIST' }, 'never overwrites');
  });

  test('ends at the newest signature and may begin later', async (t) => {
    const { audit, folder } = await setUp(t);
    const path = join(folder, 'part.jsonl');
    assert.equal(await exportJournal(audit, path, 1), 1);
    assert.equal((await verifyExport(path)).head.position, 2);
    await assert.rejects(exportJournal(audit, join(folder, 'none'), 2), unreadable);
  });

  test('does not hold once anything in it was changed', async (t) => {
    const { audit, folder, clock } = await setUp(t);
    clock.advance(1_000);
    const path = join(folder, 'export.jsonl');
    await exportJournal(audit, path);
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    const write = (changed: readonly string[]) => writeFileSync(path, `${changed.join('\n')}\n`);
    const [opening = '', first = '', second = '', third = '', closing = ''] = lines;
    const wrong: [readonly string[], object][] = [
      [[opening, first.replace('wren', 'wrex'), second, third, closing], altered],
      [[opening, first, third, closing], altered],
      [[opening, first, second, closing], unreadable],
      [[opening, first, second, third], unreadable],
      [[opening, first, second, third, closing.replace(/"at":\d+/, '"at":1')], altered],
      [[first, second], unreadable],
      [[opening, 'not JSON', closing], unreadable],
      [[], unreadable],
    ];
    for (const [changed, error] of wrong) {
      write(changed);
      await assert.rejects(verifyExport(path), error, changed.join('\n'));
    }
  });
});
