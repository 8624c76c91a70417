import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite, test } from 'node:test';
import { FileLock } from './file-lock.ts';
import { processMark } from './process-mark.ts';
import { temporaryFolder } from './test-kit.ts';

const lockPath = (t: Parameters<typeof temporaryFolder>[0]) => join(temporaryFolder(t), 'lock');

async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
  await once(child, 'exit');
  assert.ok(child.pid);
  return child.pid;
}

suite('FileLock', () => {
  test('refuses a second holder by name, until it is released', async (t) => {
    const path = lockPath(t);
    const lock = await FileLock.acquire(path);
    const refusal = {
      code: 'session.locked',
      pid: process.pid,
      message: new RegExp(`${process.pid}`),
    };
    await assert.rejects(FileLock.acquire(path), refusal);
    await Promise.all([lock.release(), lock.release()]);
    assert.equal(existsSync(path), false);
    await (await FileLock.acquire(path)).release();
    assert.deepEqual(readdirSync(dirname(path)), []);
  });

  test('takes over from a dead process', async (t) => {
    const path = lockPath(t);
    writeFileSync(path, JSON.stringify({ pid: await deadPid(), startedAt: 'boot:1', nonce: 'x' }));
    await (await FileLock.acquire(path)).release();
  });

  test('takes over when the pid belongs to another process by now', {
    skip: process.platform !== 'linux',
  }, async (t) => {
    const path = lockPath(t);
    const { startedAt = '' } = await processMark(process.pid);
    const holder = { pid: process.pid, startedAt: `${startedAt}0`, nonce: 'x' };
    writeFileSync(path, JSON.stringify(holder));
    const lock = await FileLock.acquire(path);
    assert.equal(JSON.parse(readFileSync(path, 'utf8')).startedAt, startedAt);
    await lock.release();
  });

  test('believes the pid alone where start times are unknown', async (t) => {
    const path = lockPath(t);
    writeFileSync(path, JSON.stringify({ pid: process.pid, nonce: 'x' }));
    await assert.rejects(FileLock.acquire(path), { code: 'session.locked' });
  });

  test('takes over a lock that does not read', async (t) => {
    for (const text of ['', '{"pid":', 'null', '{"pid":-1,"nonce":"x"}']) {
      const path = lockPath(t);
      writeFileSync(path, text);
      await (await FileLock.acquire(path)).release();
    }
  });

  test('lets one of many take a stale lock over', async (t) => {
    const dead = await deadPid();
    for (let round = 0; round < 20; round++) {
      const path = lockPath(t);
      writeFileSync(path, JSON.stringify({ pid: dead, nonce: 'x' }));
      const tries = await Promise.allSettled(
        Array.from({ length: 8 }, () => FileLock.acquire(path)),
      );
      const won = tries.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
      assert.equal(won.length, 1);
      await won[0]?.release();
      assert.deepEqual(readdirSync(dirname(path)), []);
    }
  });

  test('succeeds one who died while taking over', async (t) => {
    const path = lockPath(t);
    const pid = await deadPid();
    writeFileSync(path, JSON.stringify({ pid, nonce: 'x' }));
    writeFileSync(`${path}.after-x`, JSON.stringify({ pid, nonce: 'y' }));
    const lock = await FileLock.acquire(path);
    await assert.rejects(FileLock.acquire(path), { code: 'session.locked' });
    await lock.release();
    assert.deepEqual(readdirSync(dirname(path)), []);
  });

  test('leaves a lock alone that is not its own any more', async (t) => {
    const path = lockPath(t);
    const lock = await FileLock.acquire(path);
    writeFileSync(path, JSON.stringify({ pid: process.pid, nonce: 'another' }));
    await lock.release();
    assert.ok(existsSync(path));
  });
});
