import assert from 'node:assert/strict';
import { createCipheriv } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { suite, type TestContext, test } from 'node:test';
import { rebuildProjections } from '../journal/maintenance.ts';
import { legacyKey } from './keys/seal.ts';
import { full, jira, provider, sessionSecret, vaultOn } from './test-kit.ts';

/** A row as the reference writes it: its own seal, and none of our columns. */
function referenceRow(name: string, bundle: object, { secret = sessionSecret } = {}) {
  const nonce = Buffer.alloc(12, name.length);
  const cipher = createCipheriv('aes-256-gcm', legacyKey(secret), nonce);
  const data = Buffer.concat([cipher.update(JSON.stringify(bundle)), cipher.final()]);
  return [name, 'provider', Buffer.concat([data, cipher.getAuthTag()]), nonce];
}

function insertReferenceRow(kit: ReturnType<typeof vaultOn>, ...row: unknown[]): void {
  kit.database.writer
    .prepare(
      `INSERT INTO credentials (name, kind, encrypted_bundle, encryption_nonce, mode, created_at,
         updated_at, last_used_at) VALUES (?, ?, ?, ?, 'both', '2026-01-02 03:04:05',
         '2026-01-02T03:04:05.123456789Z', '2026-02-03T04:05:06.5Z')`,
    )
    .run(...row);
}

/** Everything that is written anywhere, as text. */
const everything = ({ database }: ReturnType<typeof vaultOn>): string =>
  database.writer.serialize().toString('latin1');

async function withOne(t: TestContext) {
  const kit = vaultOn(t);
  const { vault } = await kit.start();
  await vault.set({ name: 'main', kind: 'provider', bundle: provider, mode: 'both' }, 'operator');
  return { ...kit, vault };
}

suite('the vault', () => {
  test('stores a bundle sealed, and opens it again', async (t) => {
    const kit = await withOne(t);
    const stored = kit.vault.get('main');
    assert.deepEqual(kit.vault.open(stored), provider);
    assert.equal(stored.createdAt, '2026-05-01T00:00:00.000Z');
    assert.ok(!everything(kit).includes(provider.key));
    const [event] = kit.journal.read(0, 10);
    assert.ok(event);
    assert.equal(event.actor, 'operator');
    const { sealed, ...body } = event.body as { sealed: object };
    assert.deepEqual(body, {
      name: 'main',
      kind: 'provider',
      mode: 'both',
      allowedAspects: [],
      description: '',
    });
    assert.deepEqual(Object.keys(sealed), ['keyId', 'nonce', 'data']);
  });

  test('takes the mode that makes a kind usable, and nobody on the list, unless it is told', async (t) => {
    const { vault } = await withOne(t);
    await vault.set({ name: 'j', kind: 'jira', bundle: jira }, 'operator');
    await vault.set({ name: 'p', kind: 'provider', bundle: provider }, 'operator');
    const facts = vault
      .list()
      .map(({ name, mode, allowedAspects }) => [name, mode, allowedAspects]);
    assert.deepEqual(facts, [
      ['j', 'fetch', []],
      ['main', 'both', []],
      ['p', 'proxy', []],
    ]);
    assert.deepEqual(
      vault.list('jira').map(({ name }) => name),
      ['j'],
    );
  });

  test('keeps what a change leaves out, the bundle too', async (t) => {
    const { vault, clock } = await withOne(t);
    clock.advance(1_000);
    const allowed = { name: 'main', allowedAspects: ['wren'], description: 'for reviews' };
    const changed = await vault.set(allowed, 'operator');
    assert.deepEqual(vault.open(changed), provider);
    const renewed = await vault.set({ name: 'main', bundle: { ...provider, key: 'sk-2' } }, 'keel');
    const { sealed: _, ...rest } = renewed;
    assert.deepEqual(rest, {
      name: 'main',
      kind: 'provider',
      mode: 'both',
      allowedAspects: ['wren'],
      description: 'for reviews',
      createdAt: '2026-05-01T00:00:00.000Z',
      updatedAt: '2026-05-01T00:00:01.000Z',
      lastUsedAt: undefined,
    });
    assert.equal(vault.open(renewed)['key'], 'sk-2');
  });

  test('refuses what does not tell enough, or is too much', async (t) => {
    const { vault } = await withOne(t);
    const refusals: [Parameters<typeof vault.set>[0], string, RegExp][] = [
      [{ name: 'new' }, 'bad_request', /^kind is required$/],
      [{ name: 'new', kind: 'jira' }, 'bad_request', /^bundle is required$/],
      [{ name: 'main', kind: 'jira' }, 'bad_request', /is of kind provider; .* give a bundle/],
      [{ name: 'new', kind: 'jira', bundle: {} }, 'bad_request', /needs "atlassian_email"/],
    ];
    for (const [change, code, message] of refusals) {
      await assert.rejects(vault.set(change, 'operator'), { code, message });
    }
    assert.throws(() => vault.get('new'), { code: 'not_found', message: 'credential not found' });
    await assert.rejects(vault.delete('new', 'operator'), { code: 'not_found' });
    const moved = await vault.set({ name: 'main', kind: 'jira', bundle: jira }, 'operator');
    assert.equal(moved.kind, 'jira');
  });

  test('holds at most 1,000 credentials, and 8 MiB of them', async (t) => {
    const { vault, database } = await withOne(t);
    const fill = (count: number, bytes: number) =>
      database.writer.exec(
        `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
         INSERT INTO credentials (name, kind, encrypted_bundle, encryption_nonce, created_at, updated_at)
         SELECT 'x' || i, 'jira', zeroblob(${bytes}), x'', '', '' FROM n`,
      );
    const set = (name: string) => vault.set({ name, kind: 'jira', bundle: jira }, 'operator');
    fill(998, 1);
    await set('thousandth');
    await assert.rejects(set('one more'), { code: 'too_large', message: /1000 credentials/ });
    await set('thousandth');
    database.writer.exec(`DELETE FROM credentials WHERE name LIKE 'x%'`);
    fill(1, 8 * 1024 * 1024);
    await assert.rejects(set('thousandth'), { code: 'too_large', message: /8388608 bytes/ });
  });

  test('forgets a deleted one, but not what was done with it', async (t) => {
    const { vault, secrets, store, journal } = await withOne(t);
    const entries = [{ name: 'main', details: {} }];
    await journal.append({
      kind: 'credential.accessed',
      actor: 'wren',
      body: { action: 'fetch', entries },
    });
    assert.equal(secrets.redact('"sk-main-1"'), '"[secret]"');
    await vault.delete('main', 'operator');
    assert.equal(store.find('main'), undefined);
    assert.equal(secrets.redact('"sk-main-1"'), '"sk-main-1"');
    assert.deepEqual(store.audit('main', 10), [
      {
        id: 1,
        name: 'main',
        aspect: 'wren',
        action: 'fetch',
        at: '2026-05-01T00:00:00Z',
        details: {},
      },
    ]);
  });

  test('does not open a row that was put under another name', async (t) => {
    const { vault, database } = await withOne(t);
    await vault.set({ name: 'other', kind: 'provider', bundle: provider }, 'operator');
    database.writer.exec(
      `UPDATE credentials SET (encrypted_bundle, encryption_nonce) =
         (SELECT encrypted_bundle, encryption_nonce FROM credentials WHERE name = 'main')
       WHERE name = 'other'`,
    );
    assert.throws(() => vault.open(vault.get('other')), { code: 'vault.does_not_open' });
    assert.deepEqual(vault.open(vault.get('main')), provider);
  });

  test('changes one after the other, so that none is lost', async (t) => {
    const { vault } = await withOne(t);
    await Promise.all([
      vault.set({ name: 'main', allowedAspects: ['wren'] }, 'operator'),
      vault.set({ name: 'main', mode: 'fetch' }, 'operator'),
      vault.set({ name: 'late', kind: 'jira', bundle: jira }, 'operator'),
      vault.rotateKey('operator'),
      vault.set({ name: 'later', kind: 'jira', bundle: jira }, 'operator'),
      vault.set({ name: 'main', description: 'd' }, 'operator'),
    ]);
    const { allowedAspects, mode, description } = vault.get('main');
    assert.deepEqual([allowedAspects, mode, description], [['wren'], 'fetch', 'd']);
    const ids = vault.list().map((each) => [vault.open(each) && each.sealed.keyId]);
    assert.equal(new Set(ids.flat()).size, 1);
  });

  test('is rebuilt from the journal to the byte, whatever happened', async (t) => {
    const kit = await withOne(t);
    const { vault, clock, database, projections, dump } = kit;
    insertReferenceRow(kit, ...referenceRow('imported', provider));
    const { access, defaults, profiles } = await kit.start();
    const allow = { name: 'main', allowedAspects: ['*'] };
    await vault.set(allow, 'operator');
    await vault.set({ name: 'j', kind: 'jira', bundle: jira, allowedAspects: ['*'] }, 'operator');
    await vault.set({ name: 'gone', kind: 'jira', bundle: jira }, 'operator');
    await defaults.set('wren', { jira: 'j', openai: 'main' }, 'operator');
    await defaults.set('anvil', { jira: 'gone' }, 'operator');
    await defaults.set('wren', { openai: '' }, 'operator');
    clock.advance(1_500);
    const ask = {
      aspect: 'wren',
      kind: 'jira',
      name: undefined,
      connection: 1,
      identity: 'wren',
    } as const;
    await access.fetch(ask);
    await access.fetch({ ...ask, name: 'unknown' });
    await profiles.set('wren', `{"a":"\${credential:main.key}"}`, 'operator');
    await profiles.resolve('wren');
    await vault.rotateKey('operator');
    await vault.delete('gone', 'operator');
    const before = dump();
    rebuildProjections(database, projections);
    assert.equal(dump(), before);
    assert.deepEqual(vault.open(vault.get('imported')), provider);
  });
});

suite('the vault at its start', () => {
  test('takes over what the reference sealed: seals it with its own key, and records it', async (t) => {
    const kit = vaultOn(t);
    insertReferenceRow(kit, ...referenceRow('main', provider));
    assert.equal(kit.store.find('main')?.sealed.version, 1);
    const { vault } = await kit.start();
    const { sealed, ...rest } = vault.get('main');
    assert.equal(sealed.version, 2);
    assert.deepEqual(vault.open(vault.get('main')), provider);
    assert.deepEqual(rest, {
      name: 'main',
      kind: 'provider',
      mode: 'both',
      allowedAspects: ['*'],
      description: '',
      createdAt: '2026-01-02T03:04:05Z',
      updatedAt: '2026-05-01T00:00:00.000Z',
      lastUsedAt: '2026-02-03T04:05:06.5Z',
    });
    assert.equal(kit.journal.read(0, 9)[0]?.actor, 'nexus');
    await kit.start();
    assert.equal(kit.journal.head, 1, 'once');
  });

  test('leaves alone what another session secret sealed, and serves the rest', async (t) => {
    const kit = vaultOn(t);
    insertReferenceRow(kit, ...referenceRow('foreign', provider, { secret: Buffer.alloc(32) }));
    const { vault } = await kit.start();
    await vault.set({ name: 'main', kind: 'provider', bundle: provider }, 'operator');
    assert.throws(() => vault.open(vault.get('foreign')), { code: 'vault.does_not_open' });
    await assert.rejects(vault.rotateKey('operator'), { code: 'conflict', message: /"foreign"/ });
    await vault.delete('foreign', 'operator');
    await vault.rotateKey('operator');
    assert.deepEqual(vault.open(vault.get('main')), provider);
  });

  test('without its key opens nothing, makes no other, and is whole when the key is back', async (t) => {
    const { start, keyFile } = await withOne(t);
    const key = readFileSync(keyFile);
    rmSync(keyFile);
    const { vault } = await start();
    assert.ok(!vault.canOpen(vault.get('main')));
    assert.throws(() => vault.open(vault.get('main')), { code: 'vault.no_key' });
    const bundle = { ...provider };
    const refusal = { code: 'conflict', message: /bring it back/ };
    await assert.rejects(vault.set({ name: 'new', kind: 'provider', bundle }, 'operator'), refusal);
    await assert.rejects(vault.rotateKey('operator'), { code: 'conflict' });
    await vault.set({ name: 'main', allowedAspects: ['wren'] }, 'operator');

    writeFileSync(keyFile, key);
    const again = await start();
    assert.deepEqual(again.vault.open(again.vault.get('main')), provider);
    rmSync(keyFile);
    const bereft = await start();
    await bereft.vault.delete('main', 'operator');
    await bereft.vault.set({ name: 'new', kind: 'provider', bundle }, 'operator');
  });

  test('knows the secrets that are stored, so that logs can be kept free of them', async (t) => {
    const kit = await withOne(t);
    kit.secrets.forget('main');
    await kit.start();
    assert.equal(kit.secrets.redact('"x sk-main-1 y"'), '"x [secret] y"');
  });

  test('opens with a key from the environment alone', async (t) => {
    const kit = vaultOn(t);
    const givenKeys = 'ab'.repeat(32);
    const { vault } = await kit.start({ givenKeys });
    await vault.set({ name: 'main', kind: 'provider', bundle: provider }, 'operator');
    const again = await kit.start({ givenKeys: givenKeys.toUpperCase() });
    assert.deepEqual(again.vault.open(again.vault.get('main')), provider);
    assert.throws(() => readFileSync(kit.keyFile), { code: 'ENOENT' });
  });
});

suite('changing the key', () => {
  test('seals everything anew in one event; the old key opens nothing any more', async (t) => {
    const { vault, journal, keyFile, start } = await withOne(t);
    await vault.set({ name: 'j', kind: 'jira', bundle: jira }, 'operator');
    const before = vault.list();
    const [head, oldKey] = [journal.head, readFileSync(keyFile, 'utf8')];
    const rotated = await vault.rotateKey('operator');
    assert.equal(journal.head, head + 1);
    assert.deepEqual({ ...rotated, keyId: '' }, { keyId: '', credentials: 2, oldKeyRemoved: true });
    assert.ok(!readFileSync(keyFile, 'utf8').includes(oldKey.trim()));
    for (const each of before) assert.throws(() => vault.open(each), { code: 'vault.no_key' });
    const again = await start();
    for (const each of [vault, again.vault]) {
      assert.deepEqual(each.open(each.get('main')), provider);
      assert.deepEqual(each.open(each.get('j')), jira);
      assert.equal(each.get('j').sealed.keyId, rotated.keyId);
    }
  });

  test('that is not recorded changes nothing, and the next start tidies up', async (t) => {
    const { start, journal, keyFile } = await withOne(t);
    const { vault } = await start({ journal: full(journal) });
    await assert.rejects(vault.rotateKey('operator'), /disk is full/);
    assert.deepEqual(vault.open(vault.get('main')), provider);
    assert.equal(readFileSync(keyFile, 'utf8').trim().split('\n').length, 2);
    const again = await start();
    assert.deepEqual(again.vault.open(again.vault.get('main')), provider);
    assert.equal(readFileSync(keyFile, 'utf8').trim().split('\n').length, 1);
  });

  test('of an empty vault is possible', async (t) => {
    const { vault } = await vaultOn(t).start();
    assert.equal((await vault.rotateKey('operator')).credentials, 0);
  });
});
