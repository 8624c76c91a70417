import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { keyFolder, sessionSecret } from '../test-kit.ts';
import { KeyFile } from './key-file.ts';
import { KeyRing } from './key-ring.ts';
import { newDataKey, seal } from './seal.ts';

const mail = { name: 'mail', kind: 'imap' };
const hex = () => newDataKey().bytes.toString('hex');

function ringsOn(t: TestContext) {
  const path = join(keyFolder(t), 'vault.key');
  const open = (given?: string) => new KeyRing({ file: new KeyFile(path), given, sessionSecret });
  const lines = () => (existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n') : []);
  return { path, open, lines };
}

suite('the keys of the vault', () => {
  test('are made at first use, 64 hex digits for this user only, and found again', (t) => {
    const { path, open, lines } = ringsOn(t);
    const ring = open();
    assert.ok(ring.isEmpty && !existsSync(path), 'nothing needs one yet');
    const sealed = ring.seal('text', mail);
    assert.match(readFileSync(path, 'utf8'), /^[0-9a-f]{64}\n$/);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(open().unseal(sealed, mail), 'text');
    assert.equal(ring.seal('more', mail).keyId, sealed.keyId);
    assert.equal(lines().length, 1);
  });

  test('are refused when they are none, and nothing of them is told', (t) => {
    const { path, open } = ringsOn(t);
    const bad = [
      '',
      'abc',
      `${hex()}0`,
      `${hex()}\nxyz`,
      Array.from({ length: 9 }, hex).join('\n'),
    ];
    for (const text of bad) {
      writeFileSync(path, text);
      assert.throws(() => open(), { code: 'vault.bad_key', message: /vault\.key/ });
    }
    writeFileSync(path, hex());
    assert.throws(() => open('hunter2'), {
      code: 'vault.bad_key',
      message: 'NEXUS_VAULT_KEY holds something that is not 64 hex digits',
    });
  });

  test('of a copy that others can read are closed to them', (t) => {
    const { path, open } = ringsOn(t);
    writeFileSync(path, `${hex().toUpperCase()}\r\n`, { mode: 0o644 });
    assert.ok(!open().isEmpty);
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  test('say which one is missing', (t) => {
    const { open } = ringsOn(t);
    const sealed = ringsOn(t).open().seal('text', mail);
    assert.throws(() => open().unseal(sealed, mail), {
      code: 'vault.no_key',
      message: `"mail" is sealed with key ${sealed.keyId}, which is not here`,
    });
  });

  test('change so that a crash at any moment leaves the one that is needed', (t) => {
    for (const crash of ['before the commit', 'after the commit'] as const) {
      const { open, lines } = ringsOn(t);
      const ring = open();
      const before = ring.seal('text', mail);
      const key = ring.next();
      assert.equal(
        lines().length,
        2,
        'both are on disk before anything is sealed with the new one',
      );
      assert.equal(ring.seal('x', mail).keyId, before.keyId, 'which begins when everything is');
      const committed = crash === 'before the commit' ? before : seal('text', key, mail);

      const again = open();
      again.settle(new Set([committed.keyId ?? '']));
      assert.equal(lines().length, 1, crash);
      assert.equal(again.unseal(committed, mail), 'text', crash);
      assert.equal(again.seal('x', mail).keyId, committed.keyId, crash);
    }
  });

  test('end with the new one alone', (t) => {
    const { open, lines } = ringsOn(t);
    const ring = open();
    const old = ring.seal('text', mail);
    const key = ring.next();
    ring.retireAllBut(key);
    assert.deepEqual(lines(), [key.bytes.toString('hex')]);
    assert.throws(() => ring.unseal(old, mail), { code: 'vault.no_key' });
    assert.equal(ring.seal('x', mail).keyId, key.id);
  });

  test('that broken attempts left are bounded, and the next start drops them', (t) => {
    const { open, lines } = ringsOn(t);
    const ring = open();
    const { keyId = '' } = ring.seal('text', mail);
    for (let i = 0; i < 7; i++) ring.next();
    assert.throws(() => ring.next(), { code: 'conflict', message: /restart the broker/ });
    const again = open();
    again.settle(new Set([keyId]));
    assert.equal(lines().length, 1);
    again.settle(new Set());
    assert.equal(lines().length, 1, 'a sole key stays, used or not');
  });

  test('that somebody put together stay as long as something is sealed with them', (t) => {
    const { path, open, lines } = ringsOn(t);
    const other = ringsOn(t);
    const [mine, theirs] = [open().seal('mine', mail), other.open().seal('theirs', mail)];
    writeFileSync(path, `${readFileSync(path, 'utf8')}${readFileSync(other.path, 'utf8')}`);
    const ring = open();
    ring.settle(new Set([mine.keyId ?? '', theirs.keyId ?? '']));
    assert.equal(lines().length, 2);
    assert.equal(ring.unseal(theirs, mail), 'theirs');
    assert.equal(ring.seal('x', mail).keyId, mine.keyId, 'the first one seals');
  });

  test('of the environment come first, take over from the file, and are not written', (t) => {
    const { path, open, lines } = ringsOn(t);
    const sealed = open().seal('text', mail);
    const [first, second] = [hex(), hex()];
    const ring = open(`${first},${second}`);
    assert.equal(ring.unseal(sealed, mail), 'text');
    const key = ring.next();
    assert.equal(key.bytes.toString('hex'), first);
    assert.equal(lines().length, 1);
    ring.retireAllBut(key);
    assert.ok(!existsSync(path));

    const alone = open(first);
    assert.throws(() => alone.next(), { code: 'conflict', message: /NEXUS_VAULT_KEY=NEW,OLD/ });
    alone.seal('text', mail);
    assert.ok(!existsSync(path));
  });
});
