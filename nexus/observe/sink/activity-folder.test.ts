import assert from 'node:assert/strict';
import {
  chmodSync,
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
import { suite, type TestContext, test } from 'node:test';
import { ActivityFolder, defaultActivityLimits } from './activity-folder.ts';

function temporaryFolder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'nexus-activity-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

const now = Date.UTC(2026, 0, 20);
const day = '2026-01-20';

async function setUp(t: TestContext, limits = {}) {
  const root = join(temporaryFolder(t), 'activity');
  const folder = new ActivityFolder(root, { ...defaultActivityLimits, ...limits });
  await folder.prepare();
  const list = () => readdirSync(root, { recursive: true }).map(String).sort();
  return { root, folder, list };
}

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

suite('ActivityFolder', () => {
  test('appends to one file for each aspect and day, for our eyes only', async (t) => {
    const { root, folder } = await setUp(t);
    await folder.append('Iris', day, 'a\n');
    await folder.append('iris', day, 'b\n');
    await folder.append('iris', '2026-01-21', 'c\n');
    const path = join(root, 'iris', `${day}.jsonl`);
    assert.equal(readFileSync(path, 'utf8'), 'a\nb\n');
    assert.equal(readFileSync(join(root, 'iris', '2026-01-21.jsonl'), 'utf8'), 'c\n');
    assert.deepEqual(
      [modeOf(root), modeOf(join(root, 'iris')), modeOf(path)],
      ['700', '700', '600'],
    );
  });

  test('makes folders private that are there already', async (t) => {
    const { root, folder } = await setUp(t);
    mkdirSync(join(root, 'iris'));
    chmodSync(join(root, 'iris'), 0o755);
    chmodSync(root, 0o755);
    await folder.prepare();
    await folder.append('iris', day, 'a\n');
    assert.deepEqual([modeOf(root), modeOf(join(root, 'iris'))], ['700', '700']);
  });

  test('keeps every name inside, and different names apart', async (t) => {
    const { root, folder } = await setUp(t);
    const names = ['..', '../x', '/etc', '.', 'a/b', 'a%2fb', 'é', 'x'.repeat(500), '\0', '~'];
    const folders = names.map((name) => folder.folderOf(name));
    for (const path of folders) {
      assert.equal(path.startsWith(`${root}/`), true, path);
      assert.match(path.slice(root.length + 1), /^[a-z0-9_%-]{1,128}$/);
    }
    assert.equal(new Set(folders).size, names.length);
    assert.equal(folder.folderOf('Iris'), folder.folderOf('iris'));
    assert.throws(() => folder.folderOf(''));
  });

  test('begins a new file of the day when one is full, also after a restart', async (t) => {
    const { root, folder, list } = await setUp(t, { maxFileBytes: 10 });
    await folder.append('iris', day, '12345678\n');
    await folder.append('iris', day, '1\n');
    await folder.append('iris', day, 'longer than a file by itself\n');
    const next = new ActivityFolder(root, { ...defaultActivityLimits, maxFileBytes: 40 });
    await next.append('iris', day, '1234567890\n');
    await next.append('iris', day, '1\n');
    assert.deepEqual(list(), [
      'iris',
      `iris/${day}.1.jsonl`,
      `iris/${day}.2.jsonl`,
      `iris/${day}.3.jsonl`,
      `iris/${day}.jsonl`,
    ]);
    const sizes = ['', '.1', '.2', '.3'].map(
      (part) => statSync(join(root, 'iris', `${day}${part}.jsonl`)).size,
    );
    assert.deepEqual(sizes, [9, 2, 40, 2]);
  });

  test('removes what is too old, and leaves alone what is not its own', async (t) => {
    const { root, folder, list } = await setUp(t, { retainDays: 14 });
    mkdirSync(join(root, 'iris'));
    const files = ['2026-01-05.jsonl', '2026-01-05.1.jsonl', '2026-01-06.jsonl', 'notes.txt'];
    for (const file of files) writeFileSync(join(root, 'iris', file), 'x');
    writeFileSync(join(root, '2020-01-01.jsonl'), 'x');
    assert.equal(await folder.sweep(now), 1);
    assert.deepEqual(list(), [
      '2020-01-01.jsonl',
      'iris',
      'iris/2026-01-06.jsonl',
      'iris/notes.txt',
    ]);
  });

  test('removes the oldest beyond the bound of all, but not what is being written', async (t) => {
    const { root, folder, list } = await setUp(t, { maxTotalBytes: 10 });
    mkdirSync(join(root, 'wren'));
    for (const each of ['2026-01-18', '2026-01-19']) {
      writeFileSync(join(root, 'wren', `${each}.jsonl`), '12345');
    }
    await folder.append('iris', day, '12345');
    assert.equal(await folder.sweep(now), 10);
    assert.deepEqual(list(), ['iris', `iris/${day}.jsonl`, 'wren', 'wren/2026-01-19.jsonl']);
    await folder.append('iris', day, '1234567890');
    assert.equal(await folder.sweep(now), 15);
    assert.deepEqual(list(), ['iris', `iris/${day}.jsonl`, 'wren']);
    assert.equal(await folder.sweep(now + 86_400_000), 0, 'yesterday’s file can go');
  });
});
