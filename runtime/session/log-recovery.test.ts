import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { openTree, temporaryFolder, texts, userTurn } from './test-kit.ts';

const header =
  '{"id":"h","parentId":null,"kind":"session","ts":"2026-01-01T00:00:00Z","payload":' +
  '{"version":1,"sessionId":"s1","aspect":"wren","key":"global","createdAt":"2026-01-01T00:00:00Z"}}\n';
const note = (id: string, parentId: string, text: string) =>
  `{"id":"${id}","parentId":"${parentId}","kind":"note","ts":"2026-01-01T00:00:00Z","payload":{"text":"${text}"}}\n`;
const threeNotes = header + note('a', 'h', 'A') + note('b', 'a', 'B') + note('c', 'b', 'Zoë 😀');

const tornFiles = (folder: string) => readdirSync(folder).filter((name) => name.includes('.torn-'));

suite('log recovery', () => {
  test('survives a tear of the last line at every byte', async (t) => {
    const folder = temporaryFolder(t);
    const bytes = Buffer.from(threeNotes);
    const lastLine = Buffer.from(header + note('a', 'h', 'A') + note('b', 'a', 'B')).length;
    for (let cut = lastLine; cut <= bytes.length; cut++) {
      const path = join(folder, `${cut}.jsonl`);
      writeFileSync(path, bytes.subarray(0, cut));
      const whole = cut >= bytes.length - 1;

      const tree = await openTree(path);
      await tree.append(userTurn('next'));
      await tree.close();

      const again = await openTree(path);
      assert.deepEqual(texts(again), ['A', 'B', ...(whole ? ['Zoë 😀'] : []), 'next'], `${cut}`);
      assert.deepEqual(again.recovery, { badLines: 0, tornBytes: 0 });
      assert.equal(again.sessionId, 's1');
      await again.close();
      const saved = tornFiles(folder).filter((name) => name.startsWith(`${cut}.torn-`));
      assert.equal(saved.length, whole || cut === lastLine ? 0 : 1);
      for (const name of saved) {
        assert.deepEqual(readFileSync(join(folder, name)), bytes.subarray(lastLine, cut));
      }
    }
  });

  test('starts a tree anew when its very first line was torn', async (t) => {
    const path = join(temporaryFolder(t), 'global.jsonl');
    writeFileSync(path, header.slice(0, 40));
    const tree = await openTree(path);
    await tree.append(userTurn('first'));
    assert.deepEqual(texts(tree), ['first']);
    assert.equal(tree.recovery.tornBytes, 40);
    await tree.close();
  });

  test('cuts off a block of NULs', async (t) => {
    const path = join(temporaryFolder(t), 'global.jsonl');
    writeFileSync(path, Buffer.concat([Buffer.from(threeNotes), Buffer.alloc(4096)]));
    const tree = await openTree(path);
    await tree.close();
    assert.equal(tree.recovery.tornBytes, 4096);
    assert.equal(statSync(path).size, Buffer.byteLength(threeNotes));
    assert.deepEqual(texts(tree), ['A', 'B', 'Zoë 😀']);
  });

  test('takes no line that is not UTF-8', async (t) => {
    const path = join(temporaryFolder(t), 'global.jsonl');
    const half = Buffer.from(note('d', 'c', '€'));
    const broken = Buffer.concat([half.subarray(0, half.indexOf(0xe2) + 2), Buffer.from('"}}')]);
    writeFileSync(path, Buffer.concat([Buffer.from(threeNotes), broken]));
    const tree = await openTree(path);
    await tree.close();
    assert.equal(tree.recovery.tornBytes, broken.length);
    assert.deepEqual(texts(tree), ['A', 'B', 'Zoë 😀']);
  });

  test('skips and counts fused and bad lines inside, and keeps the file as it is', async (t) => {
    const path = join(temporaryFolder(t), 'global.jsonl');
    const fused = note('x', 'c', 'X').slice(0, 30) + note('y', 'c', 'Y');
    const bad = ['not json\n', '[]\n', '{"id":"z"}\n', '\n', fused];
    const text = threeNotes + bad.join('') + note('d', 'c', 'D');
    writeFileSync(path, text);
    const tree = await openTree(path);
    await tree.close();
    assert.deepEqual(tree.recovery, { badLines: bad.length, tornBytes: 0 });
    assert.deepEqual(texts(tree), ['A', 'B', 'Zoë 😀', 'D']);
    assert.equal(readFileSync(path, 'utf8'), text);
  });

  test('makes an entry whose parent is lost a root of its own', async (t) => {
    const path = join(temporaryFolder(t), 'global.jsonl');
    writeFileSync(path, header + note('a', 'h', 'A').replace('"id"', '"ID"') + note('b', 'a', 'B'));
    const tree = await openTree(path);
    await tree.append(userTurn('next'));
    assert.deepEqual(texts(tree), ['B', 'next']);
    await tree.close();
  });

  test('runs in no circle when parents are forged', async (t) => {
    const path = join(temporaryFolder(t), 'global.jsonl');
    writeFileSync(path, header + note('a', 'b', 'A') + note('b', 'a', 'B') + note('b', 'h', 'B2'));
    const tree = await openTree(path);
    assert.deepEqual(texts(tree), ['A', 'B']);
    assert.equal(tree.recovery.badLines, 1, 'an id that is taken counts as a bad line');
    await tree.close();
  });

  test('keeps unknown kinds and payloads in the tree', async (t) => {
    const path = join(temporaryFolder(t), 'global.jsonl');
    const later = note('d', 'c', 'later').replace('"note"', '"custom.digest"');
    writeFileSync(path, threeNotes + later + note('e', 'd', 'E').replace('"text"', '"words"'));
    const tree = await openTree(path);
    await tree.append(userTurn('next'));
    assert.deepEqual(texts(tree), ['A', 'B', 'Zoë 😀', '?', '?', 'next']);
    const found = tree.find('d');
    assert.equal(found?.kind === 'unknown' && found.kindOnDisk, 'custom.digest');
    await tree.close();
  });

  test('reads a root without parentId, as the reference writes it', async (t) => {
    const path = join(temporaryFolder(t), 'global.jsonl');
    writeFileSync(path, note('a', 'h', 'A').replace('"parentId":"h",', ''));
    writeFileSync(path.replace('.jsonl', '.head.json'), '{"head":"a"}');
    const tree = await openTree(path);
    await tree.append(userTurn('next'));
    assert.deepEqual(texts(tree), ['A', 'next']);
    assert.equal(tree.sessionId, 'a');
    await tree.close();
  });

  test('refuses a newer file, and one that is no session at all', async (t) => {
    const folder = temporaryFolder(t);
    writeFileSync(join(folder, 'new.jsonl'), header.replace('"version":1', '"version":2'));
    await assert.rejects(openTree(join(folder, 'new.jsonl')), { code: 'session.newer' });
    writeFileSync(join(folder, 'alien.jsonl'), 'id,name\n1,wren\n');
    await assert.rejects(openTree(join(folder, 'alien.jsonl')), { code: 'session.corrupt' });
    assert.equal(readFileSync(join(folder, 'alien.jsonl'), 'utf8'), 'id,name\n1,wren\n');
  });
});
