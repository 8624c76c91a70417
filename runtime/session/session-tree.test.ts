import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { SessionTree } from './session-tree.ts';
import {
  assistantTurn,
  FaultyDisk,
  openTree,
  temporaryFolder,
  texts,
  treeDeps,
  userTurn,
} from './test-kit.ts';

suite('SessionTree', () => {
  test('writes a header, then entries that continue each other', async (t) => {
    const path = join(temporaryFolder(t), 'session', 'threads', '412.jsonl');
    const tree = await openTree(path, { key: 'thread:412' });
    const [a, b] = await Promise.all([tree.append(userTurn('a')), tree.append(assistantTurn('b'))]);
    await tree.close();

    const lines = readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      lines.map(({ kind, parentId }) => [kind, parentId]),
      [
        ['session', null],
        ['turn.user', lines[0].id],
        ['turn.assistant', a.id],
      ],
    );
    const { sessionId } = tree;
    const createdAt = '2026-01-01T00:00:00.000Z';
    const header = { version: 1, sessionId, aspect: 'wren', key: 'thread:412', createdAt };
    assert.deepEqual(lines[0].payload, header);
    assert.deepEqual(lines[2], b);

    const again = await openTree(path);
    assert.deepEqual(again.path(), tree.path());
    assert.equal(again.sessionId, sessionId);
    await again.close();
  });

  test('shows an entry only once it is durable', async (t) => {
    const tree = await openTree(join(temporaryFolder(t), 'global.jsonl'));
    const before = tree.head;
    const appended = tree.append(userTurn('a'));
    assert.equal(tree.head, before);
    const { id } = await appended;
    assert.equal(tree.head, id);
    assert.equal(tree.find(id)?.id, id);
    await tree.close();
  });

  test('branches where the head was set, in the order of the calls', async (t) => {
    const path = join(temporaryFolder(t), 'global.jsonl');
    const tree = await openTree(path);
    const a = await tree.append(userTurn('a'));
    void tree.append(userTurn('b'));
    void tree.setHead(a.id);
    await tree.append(userTurn('c'));
    assert.deepEqual(texts(tree), ['a', 'c']);
    await assert.rejects(tree.setHead('nobody'), { code: 'session.unknown_entry' });
    await tree.append(userTurn('d'));
    await tree.close();
    const again = await openTree(path);
    assert.deepEqual(texts(again), ['a', 'c', 'd']);
    await again.close();
  });

  test('stays where it was rewound to after a restart, clean or not', async (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, 'global.jsonl');
    const tree = await openTree(path);
    const a = await tree.append(userTurn('a'));
    await tree.append(userTurn('b'));
    await tree.setHead(a.id);
    for (const name of ['global.jsonl', 'global.head.json']) {
      copyFileSync(join(folder, name), join(folder, name.replace('global', 'killed')));
    }
    await tree.close();
    for (const each of [path, join(folder, 'killed.jsonl')]) {
      const again = await openTree(each);
      assert.equal(again.head, a.id);
      await again.close();
    }
  });

  test('finds the head again when it was killed between append and head write', async (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, 'global.jsonl');
    const head = join(folder, 'global.head.json');
    const tree = await openTree(path);
    const a = await tree.append(userTurn('a'));
    await tree.append(userTurn('left'));
    await tree.setHead(a.id);
    const older = readFileSync(head);
    await tree.append(userTurn('b'));
    await tree.append(userTurn('c'));
    await tree.close();
    const size = readFileSync(path).length;
    assert.deepEqual(JSON.parse(readFileSync(head, 'utf8')), { head: tree.head, size });

    for (const sidecar of [older, Buffer.from('{"head":"01J'), Buffer.from('null'), undefined]) {
      if (sidecar) writeFileSync(head, sidecar);
      else rmSync(head);
      const again = await openTree(path);
      assert.deepEqual(texts(again), ['a', 'b', 'c'], `${sidecar}`);
      await again.close();
    }
    writeFileSync(head, '{"head":"nobody","size":10}');
    const again = await openTree(path);
    assert.deepEqual(texts(again), ['a', 'b', 'c']);
    await again.close();
  });

  test('loses no branch when a sidecar claims more than the log holds', async (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, 'global.jsonl');
    const tree = await openTree(path);
    const a = await tree.append(userTurn('a'));
    await tree.close();
    for (const claim of [{ head: a.id, size: 1e9 }, { head: a.id }]) {
      writeFileSync(join(folder, 'global.head.json'), JSON.stringify(claim));
      const open = await openTree(path);
      await open.append(userTurn('b'));
      // Killed here: only what is on disk now counts.
      copyFileSync(path, join(folder, 'killed.jsonl'));
      copyFileSync(join(folder, 'global.head.json'), join(folder, 'killed.head.json'));
      const killed = await openTree(join(folder, 'killed.jsonl'));
      assert.equal(killed.head, open.head);
      await killed.close();
      await open.setHead(a.id);
      await open.close();
    }
  });

  test('goes back to the last durable entry when the disk refuses', async (t) => {
    const path = join(temporaryFolder(t), 'global.jsonl');
    const disk = new FaultyDisk();
    const tree = await openTree(path, { storage: { openFile: disk.openFile } });
    const a = await tree.append(userTurn('a'));
    disk.writeFaults.push({ code: 'ENOSPC', after: 5 });
    const lost = [tree.append(userTurn('b')), tree.setHead(a.id), tree.append(userTurn('c'))];
    for (const each of lost) await assert.rejects(each, { code: 'session.write_failed' });
    assert.equal(tree.head, a.id);
    await tree.append(userTurn('d'));
    assert.deepEqual(texts(tree), ['a', 'd']);
    await tree.close();
    const again = await openTree(path);
    assert.deepEqual(texts(again), ['a', 'd']);
    await again.close();
  });

  test('stands where it stood when the head cannot be saved', async (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, 'global.jsonl');
    const tree = await openTree(path);
    const a = await tree.append(userTurn('a'));
    await tree.append(userTurn('b'));
    // A folder in the way makes the rename fail.
    mkdirSync(join(folder, 'global.head.json'));
    const lost = [tree.setHead(a.id), tree.append(userTurn('c'))];
    for (const each of lost) await assert.rejects(each, { code: 'session.write_failed' });
    // What the sidecar says is now in doubt, so nothing is acknowledged before it is in step.
    await assert.rejects(tree.append(userTurn('d')), { code: 'session.write_failed' });
    assert.deepEqual(texts(tree), ['a', 'b']);
    rmdirSync(join(folder, 'global.head.json'));
    await tree.append(userTurn('e'));
    assert.deepEqual(texts(tree), ['a', 'b', 'e']);
    await tree.close();
  });

  test('refuses an entry that is too large and goes on', async (t) => {
    const tree = await openTree(join(temporaryFolder(t), 'global.jsonl'), {
      storage: { maxLineBytes: 1000 },
    });
    const lost = tree.append(userTurn('x'.repeat(1000)));
    const next = tree.append(userTurn('a'));
    await assert.rejects(lost, { code: 'session.entry_too_large' });
    await next;
    assert.deepEqual(texts(tree), ['a']);
    await tree.close();
  });

  test('knows which messages have been answered, after a restart too', async (t) => {
    const path = join(temporaryFolder(t), 'global.jsonl');
    const tree = await openTree(path);
    const start = tree.head;
    await tree.append(userTurn('q', 7, 't1'));
    await tree.append(
      assistantTurn('', { stopReason: 'error', errorCode: 'timeout', turnId: 't1' }),
    );
    await tree.append(assistantTurn('ha', { partial: true, turnId: 't1' }));
    await tree.append(assistantTurn('looking', { stopReason: 'tool_use', turnId: 't1' }));
    assert.equal(tree.findByTrigger(7), undefined, 'failed, cut off or half way is not answered');
    await tree.append(userTurn('q', 7, 't2'));
    const answer = await tree.append(assistantTurn('42', { turnId: 't2' }));
    await tree.setHead(start);
    await tree.append(userTurn('other', 8, 't3'));
    await tree.close();
    const again = await openTree(path);
    assert.equal(again.findByTrigger(7)?.id, answer.id, 'on an abandoned branch too');
    assert.equal(again.findByTrigger(8), undefined);
    assert.equal(again.findByTrigger(9), undefined);
    await again.close();
  });

  test('finishes its queue on close, may be closed twice, then refuses', async (t) => {
    const tree = await openTree(join(temporaryFolder(t), 'global.jsonl'));
    const last = tree.append(userTurn('last'));
    await Promise.all([tree.close(), tree.close(), last]);
    await assert.rejects(tree.append(userTurn('late')), { code: 'session.closed' });
    await assert.rejects(tree.setHead(tree.head), { code: 'session.closed' });
    assert.deepEqual(texts(tree), ['last']);
  });

  test('lives in memory with the same behaviour', async () => {
    const tree = await SessionTree.inMemory(treeDeps({ key: 'stateless' }));
    const [a] = await Promise.all([tree.append(userTurn('a')), tree.append(userTurn('b'))]);
    await tree.setHead(a.id);
    await tree.append(userTurn('c'));
    assert.deepEqual(texts(tree), ['a', 'c']);
    await tree.close();
    await assert.rejects(tree.append(userTurn('late')), { code: 'session.closed' });
  });
});
