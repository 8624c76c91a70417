import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import { noDocuments } from '#shared/config/personality';
import { FakeClock } from '#shared/sys/fake-clock';
import { rebuildProjections } from '../journal/maintenance.ts';
import { journalMigration, SqliteJournal } from '../journal/sqlite-journal.ts';
import { openDatabase } from '../storage/database.ts';
import { maxPersonalityBytes, PersonalityService } from './personality-service.ts';
import { maxVersions, PersonalityStore, personalityMigration } from './personality-store.ts';

function setUp(t: TestContext) {
  const database = openDatabase(':memory:', [journalMigration, personalityMigration]);
  const clock = new FakeClock(Date.UTC(2026, 4, 1));
  const store = new PersonalityStore(database);
  const journal = new SqliteJournal({ database, projections: [store], clock });
  t.after(async () => {
    await journal.close();
    database.close();
  });
  const findName = (name: string) => (name.toLowerCase() === 'wren' ? 'wren' : undefined);
  const service = new PersonalityService({ journal, store, findName });
  const dump = () =>
    store.tables.map((table) => database.reader.prepare(`SELECT * FROM ${table}`).all());
  return { database, clock, store, journal, service, dump };
}

const refused = (code: string, message: RegExp) => ({ code, message });

suite('PersonalityService', () => {
  test('counts real changes, and only those', async (t) => {
    const { service, journal } = setUp(t);
    assert.deepEqual(service.personality('wren'), { documents: noDocuments, version: 0 });
    const changes = [
      { soulMd: '' },
      { soulMd: 'Kind.' },
      { soulMd: 'Kind.' },
      { nexusMd: 'Review.' },
    ];
    const versions: [number, number][] = [];
    for (const change of changes) {
      const { oldVersion, newVersion } = await service.change('operator', 'wren', change);
      versions.push([oldVersion, newVersion]);
    }
    assert.deepEqual(versions, [
      [0, 0],
      [0, 1],
      [1, 1],
      [1, 2],
    ]);
    assert.deepEqual(service.personality('wren'), {
      documents: { nexusMd: 'Review.', soulMd: 'Kind.', primerMd: '' },
      version: 2,
      updatedAt: '2026-05-01 00:00:00',
    });
    assert.deepEqual(
      journal.read(0, 9).map(({ kind, actor, body }) => [kind, actor, body]),
      [
        ['personality.changed', 'operator', { aspect: 'wren', version: 1, soulMd: 'Kind.' }],
        ['personality.changed', 'operator', { aspect: 'wren', version: 2, nexusMd: 'Review.' }],
      ],
    );
  });

  test('has one central document with a version of its own', async (t) => {
    const { service } = setUp(t);
    assert.deepEqual(service.central(), { nexusMd: '', version: 0 });
    const first = { oldVersion: 0, newVersion: 1 };
    assert.deepEqual(await service.changeCentral('operator', 'All of us.'), first);
    const same = { oldVersion: 1, newVersion: 1 };
    assert.deepEqual(await service.changeCentral('operator', 'All of us.'), same);
    await service.changeCentral('operator', '', 1);
    assert.equal(service.central().version, 2);
    assert.equal(service.central(1).nexusMd, 'All of us.');
    await assert.rejects(
      service.changeCentral('operator', 'x', 1),
      refused('conflict', /version 2/),
    );
  });

  test('refuses a change to what has changed meanwhile', async (t) => {
    const { service } = setUp(t);
    await service.change('operator', 'wren', { soulMd: 'Kind.' }, 0);
    const late = service.change('operator', 'wren', { soulMd: 'Exact.' }, 0);
    await assert.rejects(late, refused('conflict', /wren is at version 1, not 0; read it again/));
    assert.equal(service.personality('wren').documents.soulMd, 'Kind.');
  });

  test('builds on what is not on disk yet', async (t) => {
    const { service } = setUp(t);
    const changes = await Promise.allSettled([
      service.change('operator', 'wren', { soulMd: 'Kind.' }),
      service.change('operator', 'wren', { soulMd: 'Kind.' }),
      service.change('operator', 'wren', { nexusMd: 'Review.' }, 1),
      service.change('operator', 'wren', { nexusMd: 'Late.' }, 1),
    ]);
    assert.deepEqual(
      changes.map((change) =>
        change.status === 'fulfilled' ? change.value.newVersion : change.reason.code,
      ),
      [1, 1, 2, 'conflict'],
    );
    const { documents, version } = service.personality('wren');
    assert.deepEqual([documents.soulMd, documents.nexusMd, version], ['Kind.', 'Review.', 2]);
  });

  test('takes as much as fits a request, all documents together', async (t) => {
    const { service } = setUp(t);
    const room = maxPersonalityBytes - JSON.stringify(['', '', '']).length;
    const half = 'x'.repeat(room / 2);
    await service.change('operator', 'wren', { soulMd: half, primerMd: half.slice(room % 2) });
    const rest = room - half.length * 2 + (room % 2);
    await service.change('operator', 'wren', { nexusMd: 'x'.repeat(rest) });
    const over = service.change('operator', 'wren', { nexusMd: 'x'.repeat(rest + 1) });
    await assert.rejects(over, refused('too_large', /262145 bytes as JSON; 262144 are allowed/));
    const quotes = service.changeCentral('operator', '"'.repeat(maxPersonalityBytes / 2));
    await assert.rejects(quotes, { code: 'too_large' });
  });

  test('keeps the last versions, and no more', async (t) => {
    const { service } = setUp(t);
    const newest = maxVersions + 2;
    for (let version = 1; version <= newest; version++) {
      await service.change('operator', 'wren', { soulMd: `soul ${version}` });
      await service.changeCentral('operator', `central ${version}`);
    }
    for (const version of [newest, newest - 1, 2]) {
      assert.equal(service.personality('wren', version).documents.soulMd, `soul ${version}`);
      assert.equal(service.central(version).nexusMd, `central ${version}`);
    }
    for (const version of [1, newest + 1]) {
      const notKept = refused('not_found', /version \d+ of (wren|nexus-md) is not kept/);
      assert.throws(() => service.personality('wren', version), notKept);
      assert.throws(() => service.central(version), notKept);
    }
  });

  test('knows aspects by any spelling of their name, and no others', (t) => {
    const { service } = setUp(t);
    assert.equal(service.knownName('WREN'), 'wren');
    assert.throws(() => service.knownName('anvil'), refused('not_found', /^unknown aspect$/));
  });

  test('is rebuilt from the journal to the same tables', async (t) => {
    const { service, database, store, clock, dump } = setUp(t);
    for (let i = 1; i <= maxVersions + 5; i++) {
      await service.change(
        'operator',
        'wren',
        i % 3 === 0 ? { nexusMd: `n${i}` } : { soulMd: `s${i}` },
      );
      await service.changeCentral('wren', `c${i}`);
      clock.advance(1_500);
    }
    const before = dump();
    rebuildProjections(database, [store]);
    assert.deepEqual(dump(), before);
    assert.equal(before[1]?.length, maxVersions);
  });
});
