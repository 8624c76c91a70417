import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { FakeClock } from '#shared/sys/fake-clock';
import { newUlid } from '#shared/sys/ids';
import { silentLog } from '#shared/sys/log';
import { type Provider, ProviderError } from '../providers/provider.ts';
import { SessionTree } from '../session/session-tree.ts';
import { openTree, temporaryFolder, treeDeps } from '../session/test-kit.ts';
import { deliberate, passOver } from './deliberation.ts';
import { messageOf, ScriptedProvider } from './test-kit.ts';

const promptOf = (text: string) => ({ text, sha256: `hash of ${text}` });
const refused = new ProviderError('auth', 'your key sk-secret is wrong', { retryable: false });

function depsOf(provider: Provider, clock = new FakeClock()) {
  return { provider, turnTimeoutMs: 600_000, clock, newId: newUlid, log: silentLog };
}

function think(
  tree: SessionTree,
  provider: Provider,
  id: number,
  { prompt = 'Be wren.', signal = new AbortController().signal } = {},
) {
  return deliberate(messageOf(id), tree, promptOf(prompt), depsOf(provider), signal);
}

const kinds = (tree: SessionTree): string[] => tree.path().map(({ kind }) => kind);

suite('deliberate', () => {
  test('records the prompt, the message and the answer, and gives the answer', async () => {
    const tree = await SessionTree.inMemory(treeDeps());
    const provider = new ScriptedProvider('Fine.');
    assert.deepEqual(await think(tree, provider, 7), { text: 'Fine.' });
    assert.deepEqual(kinds(tree), ['session', 'system.prompt', 'turn.user', 'turn.assistant']);
    assert.equal(provider.requests[0]?.system, 'Be wren.');
    assert.deepEqual(provider.conversations(), [
      ['user: [message 7 from operator in thread 7]\nquestion 7'],
    ]);
  });

  test('records the prompt again only when its hash has changed', async () => {
    const tree = await SessionTree.inMemory(treeDeps());
    const provider = new ScriptedProvider('Fine.');
    for (const [id, prompt] of [
      [1, 'Be wren.'],
      [2, 'Be wren.'],
      [3, 'Be kind.'],
    ] as const) {
      await think(tree, provider, id, { prompt });
    }
    const prompts = tree.path().filter((entry) => entry.kind === 'system.prompt');
    assert.deepEqual(
      prompts.map(({ payload: { text, reason } }) => `${reason}: ${text}`),
      ['first: Be wren.', 'changed: Be kind.'],
    );
    assert.deepEqual(
      provider.requests.map(({ system }) => system),
      ['Be wren.', 'Be wren.', 'Be kind.'],
    );
  });

  test('does not ask about a message that is finished: its answer is the one it had', async (t) => {
    const path = `${temporaryFolder(t)}/a.jsonl`;
    const before = await openTree(path);
    await think(before, new ScriptedProvider('The first answer.'), 7);
    await before.close();
    const tree = await openTree(path);
    const provider = new ScriptedProvider('Another answer.');
    assert.deepEqual(await think(tree, provider, 7), { text: 'The first answer.' });
    assert.equal(provider.requests.length, 0);
    await tree.close();
  });

  test('goes on with a message that was begun, without a second entry for it', async (t) => {
    const path = `${temporaryFolder(t)}/a.jsonl`;
    const before = await openTree(path);
    const stop = new AbortController();
    const held = new ScriptedProvider(new Promise<string>(() => undefined));
    const thinking = think(before, held, 7, { signal: stop.signal });
    while (held.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    stop.abort(new Error('stopping'));
    await assert.rejects(thinking, /stopping/);
    await before.close();

    const tree = await openTree(path);
    const provider = new ScriptedProvider('At last.');
    assert.deepEqual(await think(tree, provider, 7), { text: 'At last.' });
    assert.deepEqual(kinds(tree), ['session', 'system.prompt', 'turn.user', 'turn.assistant']);
    assert.equal(provider.conversations()[0]?.length, 1);
    await tree.close();
  });

  test('records a failure by its code only, and the next try does not see it', async () => {
    const tree = await SessionTree.inMemory(treeDeps());
    const provider = new ScriptedProvider(refused, 'Now it works.');
    await assert.rejects(think(tree, provider, 7), refused);
    const failed = tree.path().at(-1);
    assert.ok(failed?.kind === 'turn.assistant');
    const { stopReason, errorCode, text } = failed.payload;
    assert.deepEqual(
      { stopReason, errorCode, text },
      {
        stopReason: 'error',
        errorCode: 'auth',
        text: '',
      },
    );
    assert.ok(!JSON.stringify(tree.path()).includes('sk-secret'));
    assert.deepEqual(await think(tree, provider, 7), { text: 'Now it works.' });
    assert.deepEqual(kinds(tree), ['session', 'system.prompt', 'turn.user', 'turn.assistant']);
  });

  test('keeps a partial answer aside, and the next try begins without it', async () => {
    const tree = await SessionTree.inMemory(treeDeps());
    const broken = new ProviderError('provider', 'connection lost', { retryable: true });
    const provider = new ScriptedProvider(['Half an ans', broken], 'A whole answer.');
    await assert.rejects(think(tree, provider, 7), broken);
    const partial = tree.path().at(-1);
    assert.ok(partial?.kind === 'turn.assistant');
    assert.equal(partial.payload.text, 'Half an ans');
    assert.equal(partial.payload.partial, true);
    assert.deepEqual(await think(tree, provider, 7), { text: 'A whole answer.' });
    assert.deepEqual(provider.conversations()[1], provider.conversations()[0]);
    assert.ok(tree.find(partial.id), 'it stays in the tree, on a branch of its own');
  });

  test('fails with timeout when the answer takes too long', async () => {
    const tree = await SessionTree.inMemory(treeDeps());
    const clock = new FakeClock();
    const provider = new ScriptedProvider(new Promise<string>(() => undefined));
    const deps = { ...depsOf(provider, clock), turnTimeoutMs: 5_000 };
    const { signal } = new AbortController();
    const thinking = deliberate(messageOf(7), tree, promptOf('x'), deps, signal);
    while (provider.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(5_000);
    await assert.rejects(thinking, { code: 'timeout', message: 'no answer within 5 s' });
    assert.equal(clock.pending, 0, 'no timer is left');
  });

  test('takes a message that was passed over for finished, in silence', async () => {
    const tree = await SessionTree.inMemory(treeDeps());
    const provider = new ScriptedProvider('Never said.');
    await passOver(messageOf(7), tree, depsOf(provider));
    assert.deepEqual(await think(tree, provider, 7), { text: '' });
    assert.equal(provider.requests.length, 0);
  });
});
