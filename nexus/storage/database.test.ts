import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { openDatabase } from './database.ts';

function databaseFile(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'nexus-db-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'nexus.db');
}

const first = { name: 'first', sql: 'CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (1);' };
const second = { name: 'second', sql: 'ALTER TABLE a ADD COLUMN y INTEGER DEFAULT 2;' };
const broken = { name: 'broken', sql: 'CREATE TABLE b (x); NONSENSE;' };

suite('openDatabase', () => {
  test('applies each migration once, and later ones later', (t) => {
    const path = databaseFile(t);
    openDatabase(path, [first]).close();
    openDatabase(path, [first]).close();
    const database = openDatabase(path, [first, second]);
    assert.deepEqual(database.reader.prepare('SELECT * FROM a').all(), [{ x: 1, y: 2 }]);
    assert.equal(database.reader.pragma('user_version', { simple: true }), 2);
    database.close();
    database.close();
  });

  test('refuses a database of a newer Nexus and leaves it as it is', (t) => {
    const path = databaseFile(t);
    openDatabase(path, [first, second]).close();
    assert.throws(() => openDatabase(path, [first]), {
      code: 'storage.newer',
      message: /schema 2, this one knows 1.*upgrade Nexus/s,
    });
    const database = openDatabase(path, [first, second]);
    assert.equal(database.reader.prepare('SELECT count(*) FROM a').pluck().get(), 1);
    database.close();
  });

  test('a migration that fails leaves nothing of itself', (t) => {
    const path = databaseFile(t);
    assert.throws(() => openDatabase(path, [first, broken]), /NONSENSE/);
    const database = openDatabase(path, [first]);
    const tables = database.reader.prepare("SELECT name FROM sqlite_master WHERE type = 'table'");
    assert.deepEqual(tables.pluck().all(), ['a']);
    database.close();
  });

  test('syncs every commit, and the reader sees committed rows only', (t) => {
    const path = databaseFile(t);
    const database = openDatabase(path, [first]);
    assert.equal(database.writer.pragma('journal_mode', { simple: true }), 'wal');
    assert.equal(database.writer.pragma('synchronous', { simple: true }), 2);
    assert.equal(database.writer.pragma('foreign_keys', { simple: true }), 1);
    const count = database.reader.prepare('SELECT count(*) FROM a').pluck();
    database.writer.exec('BEGIN IMMEDIATE; INSERT INTO a VALUES (2)');
    assert.equal(count.get(), 1);
    database.writer.exec('COMMIT');
    assert.equal(count.get(), 2);
    assert.throws(() => database.reader.exec('DELETE FROM a'), /readonly/);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    database.close();
  });
});
