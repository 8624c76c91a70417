import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import { newSigningPair } from '#shared/crypto/ed25519-keys';
import { FakeClock } from '#shared/sys/fake-clock';
import { rebuildProjections } from '../journal/maintenance.ts';
import { journalMigration, SqliteJournal } from '../journal/sqlite-journal.ts';
import { openDatabase } from '../storage/database.ts';
import { AspectStore, aspectMigration } from './aspect-store.ts';
import { AspectRegistry } from './registry.ts';

function open(t: TestContext, { limit = 10, spelt = '' } = {}) {
  const database = openDatabase(':memory:', [journalMigration, aspectMigration]);
  const store = new AspectStore(database);
  const clock = new FakeClock();
  const journal = new SqliteJournal({ database, projections: [store], clock });
  t.after(async () => {
    await journal.close();
    database.close();
  });
  const findName = (name: string) =>
    name.toLowerCase() === spelt.toLowerCase() ? spelt : undefined;
  const registry = new AspectRegistry({ journal, store, limit, findName });
  return { database, store, journal, clock, registry };
}

const key = () => newSigningPair().publicKey;

suite('AspectRegistry', () => {
  test('counts keyfile versions, and keeps provider and model of the first mint', async (t) => {
    const { registry } = open(t);
    const [first, second] = [key(), key()];
    const minted = await registry.mint(
      { name: 'wren', publicKey: first, provider: 'anthropic', model: 'm1' },
      'operator',
    );
    assert.equal(minted.existed, false);
    const again = await registry.mint(
      { name: 'WREN', publicKey: second, provider: 'ollama', model: 'm2' },
      'operator',
    );
    assert.equal(again.existed, true);
    const { name, status, version, provider, model, hasKeyfile } = again.record;
    assert.deepEqual(
      { name, status, version, provider, model, hasKeyfile },
      {
        name: 'wren',
        status: 'active',
        version: 2,
        provider: 'anthropic',
        model: 'm1',
        hasKeyfile: true,
      },
    );
    assert.deepEqual(Buffer.from(again.record.publicKey), Buffer.from(second));
    assert.equal(registry.list().length, 1);
  });

  test('gives mints that come at once a version each', async (t) => {
    const { registry } = open(t);
    const mints = ['wren', 'Wren', 'wREN'].map((name) =>
      registry.mint({ name, publicKey: key() }, 'operator'),
    );
    const versions = (await Promise.all(mints)).map(({ record }) => record.version);
    assert.deepEqual(versions, [1, 2, 3]);
  });

  test('retires, refuses to mint for the retired, and takes them back without a key', async (t) => {
    const { registry } = open(t);
    const original = key();
    await registry.mint({ name: 'wren', publicKey: original }, 'operator');
    const retired = await registry.retire('Wren', 'operator');
    assert.equal(retired.status, 'retired');
    assert.equal(registry.isRetired('wren'), true);
    assert.equal((await registry.retire('wren', 'operator')).updatedAt, retired.updatedAt);
    await assert.rejects(registry.mint({ name: 'wren', publicKey: key() }, 'operator'), {
      code: 'conflict',
      message: /resurrect/,
    });

    const back = await registry.resurrect('wren', 'operator');
    assert.deepEqual([back.status, back.version, back.hasKeyfile], ['active', 2, false]);
    assert.notDeepEqual(Buffer.from(back.publicKey), Buffer.from(original));
    await assert.rejects(registry.resurrect('wren', 'operator'), { code: 'conflict' });
    const { record } = await registry.mint({ name: 'wren', publicKey: original }, 'operator');
    assert.deepEqual([record.version, record.hasKeyfile], [3, true]);
  });

  test('refuses names and keys that cannot be, and names that it does not know', async (t) => {
    const { registry } = open(t, { limit: 1 });
    for (const name of ['operator', 'frame', '../up', '', 'x'.repeat(33)]) {
      const mint = registry.mint({ name, publicKey: key() }, 'operator');
      await assert.rejects(mint, { code: 'bad_request' }, name);
    }
    const short = registry.mint({ name: 'wren', publicKey: key().subarray(1) }, 'operator');
    await assert.rejects(short, { code: 'bad_request', message: /32 bytes/ });
    await assert.rejects(registry.retire('wren', 'operator'), { code: 'not_found' });
    await assert.rejects(registry.resurrect('wren', 'operator'), { code: 'not_found' });
    await registry.mint({ name: 'wren', publicKey: key() }, 'operator');
    await registry.mint({ name: 'wren', publicKey: key() }, 'operator');
    const over = registry.mint({ name: 'anvil', publicKey: key() }, 'operator');
    await assert.rejects(over, { code: 'conflict', message: /1 aspects/ });
  });

  test('spells a name as the instance already does', async (t) => {
    const { registry } = open(t, { spelt: 'Wren' });
    const { record } = await registry.mint({ name: 'wren', publicKey: key() }, 'operator');
    assert.equal(record.name, 'Wren');
  });

  test('retires a name that has only tokens, and counts on from there', async (t) => {
    const { registry } = open(t, { spelt: 'Wren' });
    const retired = await registry.retire('wren', 'operator');
    assert.deepEqual(
      [retired.name, retired.status, retired.version, retired.hasKeyfile],
      ['Wren', 'retired', 0, false],
    );
    await registry.resurrect('wren', 'operator');
    const { record } = await registry.mint({ name: 'wren', publicKey: key() }, 'operator');
    assert.deepEqual([record.status, record.version], ['active', 2]);
  });

  test('tells its listeners once a change is on disk', async (t) => {
    const { registry, store } = open(t);
    const seen: string[] = [];
    const stop = registry.onChange(() => seen.push(store.all()[0]?.status ?? 'nobody'));
    await registry.mint({ name: 'wren', publicKey: key() }, 'operator');
    await registry.retire('wren', 'operator');
    stop();
    await registry.resurrect('wren', 'operator');
    assert.deepEqual(seen, ['active', 'retired']);
  });

  test('can be rebuilt from the journal, which holds no private key', async (t) => {
    const { registry, database, store, journal, clock } = open(t);
    const pair = newSigningPair();
    await registry.mint({ name: 'wren', publicKey: pair.publicKey, model: 'm' }, 'operator');
    clock.advance(5_000);
    await registry.mint({ name: 'anvil', publicKey: key() }, 'operator');
    await registry.retire('wren', 'operator');
    await registry.resurrect('wren', 'operator');
    const before = store.all();
    rebuildProjections(database, [store]);
    assert.deepEqual(store.all(), before);
    const recorded = JSON.stringify(journal.read(0, 100));
    assert.ok(recorded.includes(Buffer.from(pair.publicKey).toString('base64')));
    assert.ok(!recorded.includes(Buffer.from(pair.seed).toString('base64')));
    assert.deepEqual(new AspectRegistry({ journal, store }).list(), before);
  });
});
