import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { FakeClock } from '#shared/sys/fake-clock';
import { silentLog } from '#shared/sys/log';
import type { Connection } from '../broker/connection.ts';
import { deafConnection } from '../broker/test-kit.ts';
import { aspectIdentity, operatorIdentity } from '../credentials/identity.ts';
import { MemoryJournal } from '../journal/memory-journal.ts';
import { openDatabase } from '../storage/database.ts';
import { KnowledgeService } from './knowledge-service.ts';
import { KnowledgeStore, knowledgeMigration } from './knowledge-store.ts';

const wren = deafConnection(aspectIdentity('wren'), 'wren');
const anvil = deafConnection(aspectIdentity('anvil'), 'anvil');
const operator = deafConnection(operatorIdentity);

function setUp({ maxEntries = 3, maxWaiting = 1_000 } = {}) {
  const store = new KnowledgeStore(openDatabase(':memory:', [knowledgeMigration]));
  const journal = new MemoryJournal({ clock: new FakeClock(), projections: [store], maxWaiting });
  const findName = () => undefined;
  const deps = { journal, store, log: silentLog, frameName: 'keel', findName, maxEntries };
  const knowledge = new KnowledgeService(deps);
  const write = (topic: string, more: object = {}, as = wren) =>
    knowledge.store(as, { topic, content: 'fact', ...more });
  return { knowledge, store, write };
}

/** Errors of either kind: thrown at once, or by the promise. */
async function outcome(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
    return 'done';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

suite('KnowledgeService', () => {
  test('one owner has so many entries, in one burst too; older ones can still be written', async () => {
    const { write, store } = setUp();
    const burst = ['a', 'b', 'a', 'c', 'b', 'd', 'e'].map((topic) => outcome(() => write(topic)));
    assert.deepEqual(await Promise.all(burst), [
      ...Array(5).fill('done'),
      'too_large',
      'too_large',
    ]);
    assert.equal(store.count('wren'), 3);
    assert.equal(await outcome(() => write('d')), 'too_large');
    assert.equal(await outcome(() => write(' a ')), 'done');
    assert.equal(await outcome(() => write('d', {}, anvil)), 'done');
  });

  test('what the journal did not take holds no place and no conflict', async () => {
    const { write, store } = setUp({ maxWaiting: 1 });
    const burst = ['a', 'b', 'c'].map((topic) => outcome(() => write(topic)));
    assert.deepEqual(await Promise.all(burst), ['done', 'journal.busy', 'journal.busy']);
    assert.equal(await outcome(() => write('b')), 'done');
    const if_updated_at = store.find('wren', 'b')?.updatedAt ?? '';
    assert.equal(await outcome(() => write('b', { if_updated_at })), 'done');
    assert.equal(await outcome(() => write('c')), 'done');
  });

  test('a write under way is a change: nothing that compares gets past it', async () => {
    const { write, store } = setUp();
    await write('a');
    const if_updated_at = store.find('wren', 'a')?.updatedAt ?? '';
    const racing = [
      outcome(() => write('a')),
      outcome(() => write('a', { if_updated_at })),
      outcome(() => write('a', { if_updated_at }, anvil)),
    ];
    assert.deepEqual(await Promise.all(racing), ['done', 'conflict', 'conflict']);
    assert.equal(await outcome(() => write('a', { if_updated_at })), 'conflict');
  });

  test('behind an Outpost a frame says who speaks, and the Outpost’s token shares nothing', async () => {
    const { knowledge, write } = setUp();
    const host = deafConnection(aspectIdentity('host', { admin: true }), 'wren', 'anvil');
    host.outpostId = 'host-1';
    assert.equal(await outcome(() => write('a', {}, host)), 'bad_request');
    assert.equal(await outcome(() => write('a', { from: 'flint' }, host)), 'forbidden');
    const { entry, note } = await write('a', { from: 'anvil', shared: true }, host);
    assert.deepEqual([entry.owner, entry.shared], ['anvil', false]);
    assert.match(note ?? '', /unshared/);
    const { id } = entry;
    const share = (as: Connection, from?: string) =>
      outcome(() => knowledge.share(as, { id, shared: true, ...(from && { from }) }));
    assert.equal(await share(host, 'anvil'), 'forbidden');
    const own = knowledge.search(host, { text: 'fact', from: 'anvil' });
    assert.deepEqual(
      own.map(({ owner }) => owner),
      ['anvil'],
    );
    assert.deepEqual(knowledge.search(host, { text: 'fact', from: 'wren' }), []);
    assert.equal(await share(deafConnection(aspectIdentity('boss', { admin: true }))), 'done');
    assert.equal(knowledge.search(host, { text: 'fact', from: 'wren' }).length, 1);
  });

  test('an entry is found once, though it fits the phrase, all words and any', async () => {
    const { knowledge, write } = setUp();
    await write('one', { content: 'restart the broker' });
    await write('two', { content: 'the broker' });
    const found = knowledge.search(wren, { text: 'restart the broker', top_k: 50 });
    assert.deepEqual(
      found.map(({ topic }) => topic),
      ['one', 'two'],
    );
    assert.deepEqual(knowledge.search(operator, { text: 'broker', peers: ['wren'] }).length, 2);
    assert.deepEqual(knowledge.search(operator, { text: 'broker' }), []);
  });
});
