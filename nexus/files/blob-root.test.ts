import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { suite, type TestContext, test } from 'node:test';
import { BlobRoot } from './blob-root.ts';

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'nexus-blobs-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'files');
}

/** Every file, whole or half written. */
const filesIn = (folder: string): string[] =>
  [folder, `${folder}.incoming`]
    .flatMap((each) => readdirSync(each, { withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map(({ name }) => name);

suite('BlobRoot', () => {
  test('keeps bytes under a name of its own, for this user only, and gives them back', async (t) => {
    const folder = folderOf(t);
    const root = BlobRoot.open(folder);
    const bytes = randomBytes(200_000);
    const chunks = [bytes.subarray(0, 70_000), bytes.subarray(70_000)];
    const content = await root.write(chunks, bytes.length);
    assert.equal(content.size, 200_000);
    assert.equal(content.sha256, createHash('sha256').update(bytes).digest('hex'));
    assert.match(content.blob, /^[0-9A-Z]{26}$/);
    assert.deepEqual(filesIn(folder), [content.blob]);
    assert.equal(statSync(folder).mode & 0o777, 0o700);
    assert.equal(statSync(`${folder}.incoming`).mode & 0o777, 0o700);
    assert.equal(statSync(join(folder, content.blob)).mode & 0o777, 0o600);
    assert.deepEqual(readFileSync(join(folder, content.blob)), bytes);
    assert.deepEqual(await root.read(content), bytes);
    await root.remove(content);
    await root.remove(content);
    assert.deepEqual(filesIn(folder), []);
    await assert.rejects(root.read(content), { code: 'ENOENT' });
    await assert.rejects(root.stream(content), { code: 'ENOENT' });
  });

  test('takes an empty file, and one of exactly the most bytes', async (t) => {
    const root = BlobRoot.open(folderOf(t));
    const empty = await root.write([], 0);
    assert.equal(await text(await root.stream(empty)), '');
    const full = await root.write([Buffer.from('1234')], 4);
    assert.equal(await text(await root.stream(full)), '1234');
  });

  test('leaves nothing of what is too long, breaks off, or cannot be written', async (t) => {
    const folder = folderOf(t);
    const root = BlobRoot.open(folder);
    await assert.rejects(root.write([Buffer.from('12'), Buffer.from('345')], 4), {
      code: 'too_large',
    });
    async function* breaking() {
      yield Buffer.from('12');
      throw new Error('the peer is gone');
    }
    await assert.rejects(root.write(breaking(), 100), /the peer is gone/);
    assert.deepEqual(filesIn(folder), []);

    const twice = BlobRoot.open(folder, () => 'SAME');
    mkdirSync(join(folder, 'SAME'));
    await assert.rejects(twice.write([Buffer.from('12')], 4), { code: 'EISDIR' });
    assert.deepEqual(filesIn(folder), []);
  });

  test('removes at its start what a crash left half written, and keeps the rest', async (t) => {
    const folder = folderOf(t);
    const kept = await BlobRoot.open(folder).write([Buffer.from('kept')], 4);
    writeFileSync(join(`${folder}.incoming`, 'half'), 'written');
    const root = BlobRoot.open(folder);
    assert.equal(existsSync(join(`${folder}.incoming`, 'half')), false);
    assert.equal((await root.read(kept)).toString(), 'kept');
  });
});
