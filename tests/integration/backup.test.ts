import assert from 'node:assert/strict';
import {
  appendFileSync,
  cpSync,
  existsSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { migrations } from '#nexus/app/broker';
import { AuditJournal } from '#nexus/audit/audit-journal';
import { makeBackup, restoreBackup } from '#nexus/storage/backup';
import { openDatabase, openToRead } from '#nexus/storage/database';
import { startNexus, temporaryFolder } from './start-nexus.ts';

/** Reads everything, as the command does before it puts anything in place. */
function verify(path: string): void {
  const database = openDatabase(path, migrations);
  try {
    new AuditJournal(database.reader).verify();
  } finally {
    database.close();
  }
}

async function backedUp(t: TestContext) {
  const nexus = await startNexus(t);
  const wren = await nexus.aspect('wren');
  const before = await wren.post('before the backup');
  const folder = join(temporaryFolder(t), 'backup');
  const db = openToRead(join(nexus.dataDir, 'nexus.db'), migrations);
  // While it is being made the broker goes on.
  const sends = Array.from({ length: 50 }, (_, i) => wren.post(`meanwhile ${i}`));
  const facts = { nexusId: nexus.broker.nexusId, now: Date.now() };
  const made = await makeBackup(db, nexus.dataDir, folder, facts);
  await Promise.all(sends);
  db.close();
  return { nexus, folder, made, before };
}

suite('a backup', () => {
  test('of a running instance starts elsewhere as the same one', async (t) => {
    const { nexus, folder, before } = await backedUp(t);
    const dataDir = temporaryFolder(t);
    const operatorToken = nexus.operatorToken();
    await nexus.close();
    const { nexusId } = await restoreBackup(folder, dataDir, verify);
    assert.equal(nexusId, nexus.broker.nexusId);
    const again = await startNexus(t, { dataDir });
    assert.equal(again.broker.nexusId, nexusId);
    assert.equal(again.operatorToken(), operatorToken);
    const { messages } = await (await again.operator()).request('chat.read', { msg_id: before });
    assert.equal((messages as { content: string }[])[0]?.content, 'before the backup');
  });

  test('is for this user only, and never overwrites', async (t) => {
    const { nexus, folder, made } = await backedUp(t);
    assert.ok(made.bytes > 0 && made.files >= 2);
    for (const name of ['.', 'nexus.db', 'manifest.json', 'operator.token']) {
      assert.equal(statSync(join(folder, name)).mode & 0o077, 0, name);
    }
    const db = openToRead(join(nexus.dataDir, 'nexus.db'), migrations);
    t.after(() => db.close());
    const facts = { nexusId: nexus.broker.nexusId, now: 0 };
    await assert.rejects(makeBackup(db, nexus.dataDir, folder, facts), { code: 'storage.backup' });
    assert.ok(existsSync(join(folder, 'nexus.db')), 'the older one is unharmed');
  });

  test('is refused when it is not whole, and the data directory stays empty', async (t) => {
    const { folder } = await backedUp(t);
    const spoil: Record<string, (copy: string) => void> = {
      'a byte changed': (copy) => appendFileSync(join(copy, 'nexus.db'), 'x'),
      'a file is missing': (copy) => rmSync(join(copy, 'operator.token')),
      'no manifest': (copy) => rmSync(join(copy, 'manifest.json')),
      'a manifest that is none': (copy) => writeFileSync(join(copy, 'manifest.json'), '{}'),
      'a path that leads out': (copy) => {
        const path = join(copy, 'manifest.json');
        writeFileSync(
          path,
          readFileSync(path, 'utf8').replace('operator.token', '../operator.token'),
        );
      },
    };
    for (const [what, act] of Object.entries(spoil)) {
      const copy = join(temporaryFolder(t), 'copy');
      cpSync(folder, copy, { recursive: true });
      act(copy);
      const dataDir = temporaryFolder(t);
      const refusal = restoreBackup(copy, dataDir, verify);
      await assert.rejects(refusal, { code: 'storage.backup' }, what);
      assert.ok(!existsSync(join(dataDir, 'nexus.db')), what);
    }
  });

  test('is refused when its record was altered, though the manifest was made to fit', async (t) => {
    const { folder } = await backedUp(t);
    const database = openDatabase(join(folder, 'nexus.db'), migrations);
    database.writer.exec(`UPDATE journal SET actor = 'mallory' WHERE position = 1`);
    const facts = { nexusId: 'n', now: 0 };
    const forged = join(temporaryFolder(t), 'forged');
    await makeBackup(database.reader, folder, forged, facts);
    database.close();
    const dataDir = temporaryFolder(t);
    await assert.rejects(restoreBackup(forged, dataDir, verify), { code: 'audit.altered' });
    assert.ok(!existsSync(join(dataDir, 'nexus.db')));
  });

  test('is never put over an instance', async (t) => {
    const { nexus, folder } = await backedUp(t);
    const refusal = restoreBackup(folder, nexus.dataDir, verify);
    await assert.rejects(refusal, { code: 'storage.backup' });
  });
});
