import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { JsonlLog, type JsonlLogOptions } from './jsonl-log.ts';
import { FaultyDisk, temporaryFolder } from './test-kit.ts';

const asText = (line: Buffer) => line.toString();
const open = (path: string, options?: JsonlLogOptions) => JsonlLog.open(path, asText, 0, options);

function append(log: JsonlLog, line: string): Promise<void> {
  return new Promise((resolve, reject) => {
    log.append(`${line}\n`, (error) => (error ? reject(error) : resolve()));
  });
}

const refusedWrite = { code: 'session.write_failed' };

suite('JsonlLog', () => {
  test('writes lines that are asked for together at once, in order', async (t) => {
    const path = join(temporaryFolder(t), 'log.jsonl');
    const disk = new FaultyDisk();
    const { log } = await open(path, { openFile: disk.openFile });
    const names = Array.from({ length: 64 }, (_, index) => `line ${index}`);
    await Promise.all(names.map((name) => append(log, name)));
    assert.equal(disk.writes, 1);
    assert.equal(readFileSync(path, 'utf8'), `${names.join('\n')}\n`);
    assert.equal(log.length, readFileSync(path).length);
    await log.close();
  });

  test('bounds one write, and what waits', async (t) => {
    const path = join(temporaryFolder(t), 'log.jsonl');
    const disk = new FaultyDisk();
    const limits = { maxBatchBytes: 20, maxQueuedBytes: 50 };
    const { log } = await open(path, { openFile: disk.openFile, ...limits });
    const queued = Array.from({ length: 5 }, () => append(log, '123456789'));
    await assert.rejects(append(log, '1'), { code: 'session.busy' });
    await Promise.all(queued);
    assert.equal(disk.writes, 3);
    await append(log, '1');
    await log.close();
  });

  test('takes a line of 8 MiB and refuses one byte more', async (t) => {
    const path = join(temporaryFolder(t), 'log.jsonl');
    const { log } = await open(path);
    const limit = 8 * 1024 * 1024;
    await append(log, 'é'.repeat(limit / 2));
    const over = { code: 'session.entry_too_large', bytes: limit + 1, maxBytes: limit };
    await assert.rejects(append(log, 'x'.repeat(limit + 1)), over);
    await append(log, 'after');
    await log.close();
    const { log: again, lines } = await open(path);
    assert.deepEqual(
      lines.map(({ value }) => value.length),
      [limit / 2, 5],
    );
    await again.close();
  });

  for (const { code, after } of [
    { code: 'ENOSPC', after: 0 },
    { code: 'ENOSPC', after: 7 },
    { code: 'EIO', after: 16 },
  ]) {
    test(`keeps nothing of a write that failed with ${code} after ${after} bytes`, async (t) => {
      const path = join(temporaryFolder(t), 'log.jsonl');
      const disk = new FaultyDisk();
      const { log } = await open(path, { openFile: disk.openFile });
      await append(log, 'kept');
      disk.writeFaults.push({ code, after });
      const together = [append(log, 'lost 1'), append(log, 'lost 22')];
      for (const each of together) await assert.rejects(each, refusedWrite);
      assert.equal(readFileSync(path, 'utf8'), 'kept\n', 'cut before the callers hear of it');
      await append(log, 'next');
      assert.equal(readFileSync(path, 'utf8'), 'kept\nnext\n');
      await log.close();
    });
  }

  test('writes nothing until a failed cut has been made up for', async (t) => {
    const path = join(temporaryFolder(t), 'log.jsonl');
    const disk = new FaultyDisk();
    const { log } = await open(path, { openFile: disk.openFile });
    disk.writeFaults.push({ code: 'EIO', after: 3 });
    disk.truncateFaults.push('EIO', 'EIO');
    await assert.rejects(append(log, 'lost'), refusedWrite);
    await assert.rejects(append(log, 'lost too'), refusedWrite);
    await append(log, 'x');
    assert.equal(readFileSync(path, 'utf8'), 'x\n');
    await log.close();
  });

  test('fails what is queued behind a failure, actions included', async (t) => {
    const path = join(temporaryFolder(t), 'log.jsonl');
    const disk = new FaultyDisk();
    const { log } = await open(path, { openFile: disk.openFile });
    disk.writeFaults.push({ code: 'ENOSPC', after: 1 });
    const heard: string[] = [];
    const hear = (name: string) => (error?: unknown) =>
      heard.push(`${name} ${error ? 'no' : 'yes'}`);
    log.append('a\n', hear('a'));
    log.inOrder(async () => assert.fail('must not run'), hear('action'));
    log.append('b\n', hear('b'));
    await assert.rejects(append(log, 'c'), refusedWrite);
    assert.deepEqual(heard, ['a no', 'action no', 'b no']);
    await log.close();
  });

  test('runs an action between the lines before and behind it', async (t) => {
    const path = join(temporaryFolder(t), 'log.jsonl');
    const { log } = await open(path);
    const seen: string[] = [];
    void append(log, 'a');
    void append(log, 'b');
    const look = async () => void seen.push(readFileSync(path, 'utf8'));
    log.inOrder(look, () => undefined);
    await append(log, 'c');
    assert.deepEqual(seen, ['a\nb\n']);
    await log.close();
  });

  test('finishes its queue on close, then refuses', async (t) => {
    const path = join(temporaryFolder(t), 'log.jsonl');
    const { log } = await open(path);
    const last = append(log, 'last');
    await Promise.all([log.close(), log.close(), last]);
    assert.equal(readFileSync(path, 'utf8'), 'last\n');
    await assert.rejects(append(log, 'late'), { code: 'session.closed' });
  });
});
