import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { FakeClock } from '#shared/sys/fake-clock';
import type { OutboundFrame } from '#shared/transport/frame-batch';
import { Connection } from '../broker/connection.ts';
import { Hub } from '../broker/hub.ts';
import { nowhere } from '../broker/test-kit.ts';
import { announcedFileMigration, chatMigration } from '../chat/chat-store.ts';
import { aspectIdentity } from '../credentials/identity.ts';
import { journalMigration, SqliteJournal } from '../journal/sqlite-journal.ts';
import { openDatabase } from '../storage/database.ts';
import { FileStore, fileMigration } from './file-store.ts';
import { sendNotices } from './notices.ts';

suite('sendNotices', () => {
  test('says behind an Outpost for whom a notice is, and only there', async (t) => {
    const migrations = [journalMigration, chatMigration, announcedFileMigration, fileMigration];
    const database = openDatabase(':memory:', migrations);
    t.after(() => database.close());
    const store = new FileStore(database);
    const journal = new SqliteJournal({ database, projections: [store], clock: new FakeClock() });
    const hub = new Hub();
    const sent: Record<string, unknown>[] = [];
    const push = ({ text }: OutboundFrame) => void sent.push(JSON.parse(text));
    const connect = (name: string) => new Connection(1, aspectIdentity(name), { ...nowhere, push });
    const outpost = connect('outpost');
    outpost.outpostId = 'attic';
    hub.bind('anvil', outpost, true);
    hub.bind('plumb', outpost, true);
    hub.bind('flint', connect('flint'), false);
    sendNotices({ journal, store, hub });
    const body = { path: 'a', recipients: ['anvil', 'plumb', 'flint', 'ghost'] };
    await journal.append({ kind: 'file.shared', actor: 'wren', body });
    assert.deepEqual(
      sent.map(({ kind, target_aspect }) => [kind, target_aspect]),
      [
        ['shared.notify', 'anvil'],
        ['shared.notify', 'plumb'],
        ['shared.notify', undefined],
      ],
    );
  });
});
