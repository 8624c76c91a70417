import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { temporaryFolder } from '../session/test-kit.ts';
import { CursorFile } from './cursor-file.ts';

const nothing = { cursor: 0, done: [] };

suite('CursorFile', () => {
  test('starts from nothing in a new home', async (t) => {
    assert.deepEqual(await new CursorFile(temporaryFolder(t)).load(), nothing);
  });

  test('gives back what was saved last, and leaves no other file', async (t) => {
    const home = temporaryFolder(t);
    const file = new CursorFile(home);
    await file.save({ cursor: 4, done: [7] });
    await file.save({ cursor: 9, done: [] });
    assert.deepEqual(await new CursorFile(home).load(), { cursor: 9, done: [] });
    assert.deepEqual(readdirSync(home), ['cursor.json']);
  });

  test('of many saves at once the newest wins, and each resolves when it is on disk', async (t) => {
    const home = temporaryFolder(t);
    const file = new CursorFile(home);
    const onDisk = () => JSON.parse(readFileSync(join(home, 'cursor.json'), 'utf8')).cursor;
    const saves = Array.from({ length: 50 }, async (_, index) => {
      await file.save({ cursor: index, done: [] });
      assert.ok(onDisk() >= index, `${index} is on disk`);
    });
    await Promise.all(saves);
    assert.equal(onDisk(), 49);
  });

  test('a save that comes just as another ends is written too', async (t) => {
    const home = temporaryFolder(t);
    const file = new CursorFile(home);
    for (let cursor = 1; cursor <= 200; cursor += 2) {
      const first = file.save({ cursor, done: [] });
      // At each distance from the end of the first.
      const second = first.then(async () => {
        for (let i = 0; i < cursor % 5; i++) await null;
        await file.save({ cursor: cursor + 1, done: [] });
      });
      await second;
      assert.equal((await new CursorFile(home).load()).cursor, cursor + 1);
    }
  });

  for (const [what, content] of [
    ['empty', ''],
    ['torn', '{"cursor": 12, "do'],
    ['no mark', '{"cursor": -1, "done": []}'],
    ['of an old form', '412'],
  ] as const) {
    test(`a file that is ${what} reads as nothing and can be replaced`, async (t) => {
      const home = temporaryFolder(t);
      writeFileSync(join(home, 'cursor.json'), content);
      const file = new CursorFile(home);
      assert.deepEqual(await file.load(), nothing);
      await file.save({ cursor: 3, done: [] });
      assert.deepEqual(await file.load(), { cursor: 3, done: [] });
    });
  }

  test('what a killed writer left does not disturb', async (t) => {
    const home = temporaryFolder(t);
    writeFileSync(join(home, 'cursor.json.tmp'), '{"cursor":');
    chmodSync(join(home, 'cursor.json.tmp'), 0o600);
    const file = new CursorFile(home);
    await file.save({ cursor: 3, done: [5] });
    assert.deepEqual(await file.load(), { cursor: 3, done: [5] });
  });

  test('a save that fails says so, and the next one works', async (t) => {
    const home = temporaryFolder(t);
    const inTheWay = join(home, 'cursor.json.tmp');
    mkdirSync(inTheWay);
    const file = new CursorFile(home);
    await assert.rejects(file.save({ cursor: 3, done: [] }), { code: 'EISDIR' });
    rmSync(inTheWay, { recursive: true });
    await file.save({ cursor: 4, done: [] });
    assert.deepEqual(await file.load(), { cursor: 4, done: [] });
  });
});
