import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { buildContext } from './context.ts';
import type { Draft } from './entry.ts';
import { SessionTree } from './session-tree.ts';
import { assistantTurn, treeDeps, userTurn } from './test-kit.ts';

async function contextOf(...drafts: Draft[]) {
  const tree = await SessionTree.inMemory(treeDeps());
  for (const draft of drafts) await tree.append(draft);
  const { system, messages } = buildContext(tree.path());
  const said = messages.map(({ role, content }) => [role, ...content.map((block) => block.text)]);
  return { system, said };
}

const prompt = (text: string): Draft => ({
  kind: 'system.prompt',
  payload: { text, sha256: '', reason: 'start' },
});
const failed = assistantTurn('', { stopReason: 'error', errorCode: 'timeout' });

suite('buildContext', () => {
  test('gives the latest system prompt and the turns', async () => {
    const drafts = [prompt('old'), userTurn('a'), prompt('new'), assistantTurn('b'), userTurn('c')];
    assert.deepEqual(await contextOf(...drafts), {
      system: 'new',
      said: [
        ['user', 'a'],
        ['assistant', 'b'],
        ['user', 'c'],
      ],
    });
  });

  test('is empty for a new tree', async () => {
    assert.deepEqual(await contextOf(), { system: '', said: [] });
  });

  test('leaves out a turn that failed, and joins what was around it', async () => {
    const { said } = await contextOf(userTurn('a'), failed, userTurn('b'), assistantTurn('c'));
    assert.deepEqual(said, [
      ['user', 'a', 'b'],
      ['assistant', 'c'],
    ]);
  });

  test('keeps what a failed turn had said', async () => {
    const half = assistantTurn('half', { stopReason: 'error' });
    const { said } = await contextOf(userTurn('a'), half, assistantTurn('rest'));
    assert.deepEqual(said, [
      ['user', 'a'],
      ['assistant', 'half', 'rest'],
    ]);
  });

  test('starts with the user and carries no empty text', async () => {
    const { said } = await contextOf(
      assistantTurn('hello?'),
      userTurn(''),
      { kind: 'note', payload: { text: 'the host restarted' } },
      userTurn('a'),
      assistantTurn(''),
      userTurn('b'),
    );
    assert.deepEqual(said, [['user', 'the host restarted', 'a', 'b']]);
  });

  test('does not touch the entries it reads', async () => {
    const tree = await SessionTree.inMemory(treeDeps());
    await tree.append(userTurn('a'));
    await tree.append(userTurn('b'));
    const before = structuredClone(tree.path());
    buildContext(tree.path());
    assert.deepEqual(tree.path(), before);
  });
});
