import assert from 'node:assert/strict';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { migrations } from '#nexus/app/broker';
import { AspectStore } from '#nexus/aspects/aspect-store';
import { AspectRegistry } from '#nexus/aspects/registry';
import { ChatStore } from '#nexus/chat/chat-store';
import { TokenStore } from '#nexus/credentials/token-store';
import { rebuildProjections, verifyChain } from '#nexus/journal/maintenance';
import { MemoryJournal } from '#nexus/journal/memory-journal';
import { SqliteJournal } from '#nexus/journal/sqlite-journal';
import { type Database, openDatabase } from '#nexus/storage/database';
import { FakeClock } from '#shared/sys/fake-clock';
import { temporaryFolder } from '../integration/start-nexus.ts';
import { type JournalOptions, journalContract, said } from './journal-contract.ts';

function openSqlite(t: TestContext, options: JournalOptions & { maxGroup?: number } = {}) {
  const database = openDatabase(join(temporaryFolder(t), 'nexus.db'), migrations);
  const journal = journalOf(database, options);
  t.after(async () => {
    await journal.close();
    database.close();
  });
  return { database, journal };
}

function journalOf(
  database: Database,
  options: JournalOptions & { maxGroup?: number } = {},
  clock = new FakeClock(),
): SqliteJournal {
  return new SqliteJournal({ database, projections: [], clock, ...options });
}

journalContract('SqliteJournal', (t, options) => openSqlite(t, options).journal);
journalContract(
  'MemoryJournal',
  (_, options) => new MemoryJournal({ clock: new FakeClock(), ...options }),
);

/** Every row of the derived tables. */
function dump({ reader }: Database): string {
  const tables = ['chat_messages', 'chat_reactions', 'chat_send_keys', 'agent_tokens', 'aspects'];
  return JSON.stringify(
    tables.map((table) => [table, reader.prepare(`SELECT * FROM ${table} ORDER BY 1, 2`).all()]),
  );
}

/** A day in the life of a team: posts, replies, reactions that come and go, tokens, keys. */
async function liveThrough(journal: SqliteJournal, tokens: TokenStore, clock: FakeClock) {
  const messages: { id: number; root: number; from: string }[] = [];
  for (let i = 0; i < 2_500; i++) {
    const actor = ['wren', 'anvil', 'operator'][i % 3] ?? '';
    const target = i % 4 === 0 ? undefined : messages[(i * 7) % Math.max(1, messages.length)];
    if (i % 11 === 5 && target) {
      const op = i % 2 === 0 ? 'added' : 'removed';
      const body = { msgId: target.id, emoji: i % 3 === 0 ? '👍' : '👀', op };
      await journal.append({ kind: 'chat.reacted', actor, body });
    } else if (i % 97 === 0) {
      await tokens.issue(journal, i % 2 === 0 ? 'wren' : `aspect-${i}`, 'operator');
    } else {
      const body = {
        content: `message ${i} "ünïcode" \u0001`,
        ...(target && { replyTo: target.id, replyAuthor: target.from, threadRoot: target.root }),
        ...(i % 5 === 0 && { topic: `topic ${i}` }),
        ...(i % 6 === 0 && { key: `key-${i}` }),
      };
      const { position } = await journal.append({ kind: 'chat.posted', actor, body });
      messages.push({ id: position, root: target?.root ?? position, from: actor });
    }
    clock.advance(137);
  }
}

suite('SqliteJournal', () => {
  test('a rebuild from the journal gives the same tables, to the byte', async (t) => {
    const database = openDatabase(join(temporaryFolder(t), 'nexus.db'), migrations);
    t.after(() => database.close());
    const clock = new FakeClock();
    const tokens = new TokenStore(database);
    const aspects = new AspectStore(database);
    const projections = [tokens, new ChatStore(database), aspects];
    const journal = journalOf(database, { projections }, clock);
    await liveThrough(journal, tokens, clock);
    const registry = new AspectRegistry({ journal, store: aspects });
    const key = () => Buffer.alloc(32, registry.list().length);
    for (const name of ['wren', 'aspect-97', 'wren', 'anvil']) {
      await registry.mint({ name, publicKey: key(), model: 'm' }, 'operator');
    }
    await registry.retire('wren', 'operator');
    await registry.retire('anvil', 'operator');
    await registry.resurrect('anvil', 'operator');
    await tokens.issue(journal, 'anvil', 'operator');
    await journal.close();
    const before = dump(database);
    assert.match(before, /"void:wren"/, 'a retired aspect loses its token');
    assert.ok(before.length > 100_000);

    rebuildProjections(database, projections);
    assert.equal(dump(database), before);
    database.writer.exec('DELETE FROM chat_reactions; DELETE FROM chat_messages');
    database.writer.exec('DELETE FROM agent_tokens; DELETE FROM chat_send_keys');
    rebuildProjections(database, projections);
    assert.equal(dump(database), before);
    assert.deepEqual(database.reader.pragma('foreign_key_check'), []);
  });

  test('the chain of hashes holds, and goes on after a restart', async (t) => {
    const { database, journal } = openSqlite(t);
    await Promise.all([1, 2, 3].map((n) => journal.append(said(n))));
    await journal.close();
    const again = journalOf(database);
    assert.equal(again.head, 3);
    assert.equal((await again.append(said(4))).position, 4);
    const { events, head } = verifyChain(database);
    assert.equal(events, 4);
    assert.match(head, /^[A-Za-z0-9+/]{43}=$/);
  });

  const alterations = {
    'a body': `UPDATE journal SET body = '{"n":9}' WHERE position = 2`,
    'an actor': `UPDATE journal SET actor = 'anvil' WHERE position = 2`,
    'a kind': `UPDATE journal SET kind = 'unsaid' WHERE position = 2`,
    'a time': 'UPDATE journal SET at = at + 1 WHERE position = 2',
    'a hash': `UPDATE journal SET hash = 'x' WHERE position = 2`,
    'a position': 'UPDATE journal SET position = 9 WHERE position = 3',
    'a missing row': 'DELETE FROM journal WHERE position = 2',
    'a missing first row': 'DELETE FROM journal WHERE position = 1',
    'two rows exchanged': `UPDATE journal SET position = CASE position WHEN 1 THEN -2 ELSE -1 END
       WHERE position < 3; UPDATE journal SET position = -position WHERE position < 0`,
  };
  for (const [what, sql] of Object.entries(alterations)) {
    test(`the chain shows that ${what} was altered`, async (t) => {
      const { database, journal } = openSqlite(t);
      await Promise.all([1, 2, 3].map((n) => journal.append(said(n))));
      database.writer.exec(sql);
      assert.throws(() => verifyChain(database), { code: 'journal.broken' });
    });
  }

  test('a listener that fails does not make the group be written twice', async (t) => {
    const { database, journal } = openSqlite(t);
    const failures: unknown[] = [];
    const handlers = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.once('uncaughtException', (error) => failures.push(error));
    const stop = journal.onCommit(() => {
      throw new Error('a listener with a bug');
    });
    const pending = [1, 2].map((n) => journal.append(said(n)));
    for (const each of pending) each.catch(() => undefined);
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    stop();
    for (const handler of handlers) process.on('uncaughtException', handler);
    assert.equal((failures[0] as Error).message, 'a listener with a bug');
    assert.equal(verifyChain(database).events, 2);
    assert.equal((await journal.append(said(3))).position, 3);
  });

  test('a full disk refuses with journal.full, acknowledges nothing, and heals', async (t) => {
    const { database, journal } = openSqlite(t);
    await journal.append(said(1));
    const told: number[] = [];
    journal.onCommit((events) => told.push(...events.map(({ position }) => position)));

    const pages = database.writer.pragma('page_count', { simple: true }) as number;
    database.writer.pragma(`max_page_count = ${pages + 4}`);
    const long = 'x'.repeat(3_000);
    const results = await Promise.allSettled(
      Array.from({ length: 50 }, () => journal.append(said(long))),
    );
    assert.ok(results.every((result) => result.status === 'rejected'));
    assert.equal((results[0] as PromiseRejectedResult).reason.code, 'journal.full');
    assert.deepEqual(told, []);
    assert.equal(journal.head, 1);
    assert.equal((await journal.append(said(2))).position, 2, 'what fits is still taken');

    database.writer.pragma('max_page_count = 1000000');
    const after = await Promise.all(Array.from({ length: 50 }, () => journal.append(said(long))));
    assert.deepEqual(after.map(({ position }) => position).slice(0, 2), [3, 4]);
    assert.equal(verifyChain(database).events, 52);
  });

  test('more than one group in a turn is written in groups of the bound', async (t) => {
    const { journal } = openSqlite(t, { maxGroup: 2 });
    const groups: number[] = [];
    journal.onCommit((events) => groups.push(events.length));
    await Promise.all([1, 2, 3, 4, 5].map((n) => journal.append(said(n))));
    assert.deepEqual(groups, [2, 2, 1]);
  });
});
