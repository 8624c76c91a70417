import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import { FakeClock } from '#shared/sys/fake-clock';
import { announcedFileMigration, ChatStore, chatMigration } from '../chat/chat-store.ts';
import { rebuildProjections } from '../journal/maintenance.ts';
import { journalMigration, SqliteJournal } from '../journal/sqlite-journal.ts';
import { openDatabase } from '../storage/database.ts';
import { FileStore, fileMigration } from './file-store.ts';

function setUp(t: TestContext) {
  const migrations = [journalMigration, chatMigration, announcedFileMigration, fileMigration];
  const database = openDatabase(':memory:', migrations);
  t.after(() => database.close());
  const store = new FileStore(database);
  const projections = [new ChatStore(database), store];
  const clock = new FakeClock();
  const journal = new SqliteJournal({ database, projections, clock });
  const append = async (kind: string, actor: string, body: object) =>
    (await journal.append({ kind, actor, body })).position;
  const announce = (actor: string, file: object) =>
    append('chat.posted', actor, { content: 'look', file });
  const share = (actor: string, recipients: string[], more: object = {}) =>
    append('file.shared', actor, { path: 'a.md', recipients, ...more });
  const idsFor = (reader: string, more: object = {}) =>
    store.list({ reader, limit: 100, ...more }).map(({ id }) => id);
  return { database, store, projections, append, announce, share, idsFor };
}

const content = (size: number, blob = `blob-${size}`) => ({ blob, size, sha256: 'ab'.repeat(32) });

suite('FileStore', () => {
  test('shows an announced file to everybody, a shared one to those it is for', async (t) => {
    const { store, announce, share, append, idsFor } = setUp(t);
    await append('chat.posted', 'wren', { content: 'no file' });
    const open = await announce('wren', { path: 'open.md' });
    const given = await share('wren', ['Anvil', 'plumb']);
    assert.deepEqual(idsFor('wren'), [given, open]);
    assert.deepEqual(idsFor('WREN'), [given, open]);
    assert.deepEqual(idsFor('anvil'), [given, open]);
    assert.deepEqual(idsFor('operator'), [given, open]);
    assert.deepEqual(idsFor('flint'), [open]);
    assert.equal(store.findFor('flint', given), undefined);
    assert.equal(store.findFor('flint', open)?.path, 'open.md');
    assert.deepEqual(store.findFor('ANVIL', given)?.recipients, ['Anvil', 'plumb']);
    assert.equal(store.findFor('*', given), undefined, 'no name is everybody');
  });

  test('pages downwards, of one owner too', async (t) => {
    const { announce, share, idsFor } = setUp(t);
    const ids: number[] = [];
    for (let i = 0; i < 10; i++) {
      const owner = i % 2 ? 'wren' : 'anvil';
      ids.unshift(await (i % 3 ? announce(owner, { path: `${i}` }) : share(owner, ['plumb'])));
    }
    const [a = 0, b, c, d, e] = ids;
    assert.deepEqual(idsFor('plumb'), ids);
    assert.deepEqual(idsFor('plumb', { limit: 3 }), [a, b, c]);
    assert.deepEqual(idsFor('plumb', { before: c, limit: 2 }), [d, e]);
    assert.deepEqual(idsFor('plumb', { before: ids.at(-1) }), []);
    assert.deepEqual(idsFor('plumb', { owner: 'Wren', limit: 2 }), [a, c]);
    assert.deepEqual(idsFor('plumb', { owner: 'nobody' }), []);
  });

  test('counts what files take, by owner in any case, a block at least for each', async (t) => {
    const { store, append, announce, share } = setUp(t);
    await announce('wren', { path: 'a', content: content(10_000) });
    await share('Wren', ['anvil'], { content: content(1) });
    await share('wren', ['anvil']);
    const later = await share('anvil', ['wren']);
    assert.deepEqual(store.usage('WREN'), { owner: 14_096, total: 14_096 });
    await append('file.stored', 'anvil', { fileId: later, content: content(5_000) });
    assert.deepEqual(store.usage('anvil'), { owner: 5_000, total: 19_096 });
    await append('file.deleted', 'anvil', { fileId: later });
    assert.deepEqual(store.usage('anvil'), { owner: 0, total: 14_096 });
    assert.equal(store.findFor('wren', later), undefined);
  });

  test('is the same after a rebuild from the journal', async (t) => {
    const { database, projections, append, announce, share } = setUp(t);
    const ids: number[] = [];
    for (let i = 0; i < 300; i++) {
      const actor = ['wren', 'anvil', 'operator'][i % 3] ?? '';
      if (i % 7 === 6) await append('file.deleted', actor, { fileId: ids[i % ids.length] });
      else if (i % 7 === 5) {
        const body = { fileId: ids[(i * 5) % ids.length], content: content(i) };
        await append('file.stored', actor, body);
      } else if (i % 7 === 4) await append('file.fetched', actor, { fileId: ids[0] });
      else if (i % 2) ids.push(await share(actor, ['plumb', `reader-${i}`], { description: 'ü' }));
      else ids.push(await announce(actor, { path: `p/${i}`, mimeType: 'text/plain' }));
    }
    const dump = () =>
      JSON.stringify(
        ['chat_messages', 'shared_files', 'shared_file_readers'].map((table) =>
          database.reader.prepare(`SELECT * FROM ${table} ORDER BY 1, 2, 3`).all(),
        ),
      );
    const before = dump();
    assert.ok(before.includes('reader-') && before.includes('blob-'));
    rebuildProjections(database, projections);
    assert.equal(dump(), before);
    assert.deepEqual(database.reader.pragma('foreign_key_check'), []);
  });
});
