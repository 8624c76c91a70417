import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { DataDir } from './data-dir.ts';

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'nexus-dir-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

/** Another process that locks a folder and holds it. */
async function holder(t: TestContext, path: string) {
  const module = JSON.stringify(new URL('./data-dir.ts', import.meta.url).href);
  const source = `const { DataDir } = await import(${module});
    globalThis.held = DataDir.open(${JSON.stringify(path)});
    console.log('locked'); setInterval(() => {}, 1000);`;
  const child = spawn(
    process.execPath,
    ['--conditions=nexus-source', '--input-type=module', '-e', source],
    {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}

suite('DataDir', () => {
  test('makes the folder, and those above it, for this user only', (t) => {
    const root = folder(t);
    const dataDir = DataDir.open(join(root, 'a', 'b'));
    assert.equal(statSync(join(root, 'a')).mode & 0o777, 0o700);
    assert.equal(statSync(dataDir.path).mode & 0o777, 0o700);
    assert.equal(dataDir.file('x'), join(root, 'a', 'b', 'x'));
    dataDir.close();
    dataDir.close();
  });

  test('is for one at a time, and free again after close', (t) => {
    const path = folder(t);
    const first = DataDir.open(path);
    assert.throws(() => DataDir.open(path), { code: 'storage.locked' });
    first.close();
    DataDir.open(path).close();
  });

  test('refuses while another process has it, and is free once that one is killed', async (t) => {
    const path = folder(t);
    const other = await holder(t, path);
    assert.throws(() => DataDir.open(path), {
      code: 'storage.locked',
      message: /another broker is using/,
    });
    const ended = once(other, 'exit');
    other.kill('SIGKILL');
    await ended;
    DataDir.open(path).close();
  });

  test('says what is wrong with a place that cannot be used', (t) => {
    const file = join(folder(t), 'file');
    writeFileSync(file, '');
    for (const path of [file, join(file, 'below'), '/proc/nexus']) {
      assert.throws(() => DataDir.open(path), {
        code: 'storage.unusable',
        message: /cannot use the data directory .* choose another --data-dir/,
      });
    }
  });
});
