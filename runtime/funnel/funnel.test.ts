import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { RequestRefused } from '#shared/transport/errors';
import { ProviderError } from '../providers/provider.ts';
import { temporaryFolder } from '../session/test-kit.ts';
import { type FunnelKit, messageOf, openFunnel, ScriptedProvider } from './test-kit.ts';

const secret = 'invalid key sk-secret for org-17';
/** Fails at once: the provider layer itself does not try `auth` again. */
const passing = new ProviderError('auth', secret, { retryable: true });
const lasting = new ProviderError('auth', secret, { retryable: false });

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!condition()) {
    assert.ok(performance.now() < deadline, 'it happens in time');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Lets time pass until the promise settles. */
async function untilSettled(kit: FunnelKit, promise: Promise<void>): Promise<void> {
  let isSettled = false;
  const settled = promise.finally(() => {
    isSettled = true;
  });
  settled.catch(() => undefined);
  while (!isSettled) {
    kit.clock.advance(250);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await settled;
}

suite('Funnel', () => {
  test('posts the answer as a reply, under a key of its own, and takes its 👀 back', async (t) => {
    const kit = await openFunnel(temporaryFolder(t), new ScriptedProvider('Fine.'));
    t.after(kit.close);
    await kit.funnel.handle(messageOf(7));
    assert.deepEqual(kit.room.posts, [
      { content: 'Fine.', reply_to: 7, idempotency_key: 'reply:7' },
    ]);
    assert.deepEqual(kit.room.reactions, ['👀 7', '👀 7']);
  });

  test('leaves 👍 and posts nothing when the answer is blank', async (t) => {
    const kit = await openFunnel(temporaryFolder(t), new ScriptedProvider(' \n '));
    t.after(kit.close);
    await kit.funnel.handle(messageOf(7));
    assert.deepEqual(kit.room.posts, []);
    assert.deepEqual(kit.room.reactions, ['👀 7', '👍 7']);
  });

  test('asks again 2 s, 8 s and 30 s after a failure, then says so once, by the code', async (t) => {
    const provider = new ScriptedProvider(passing);
    const kit = await openFunnel(temporaryFolder(t), provider);
    t.after(kit.close);
    const handled = kit.funnel.handle(messageOf(7));
    const failures = () => kit.logged.filter((line) => line === 'turn failed').length;
    for (const [index, waitMs] of [2_000, 8_000, 30_000].entries()) {
      await until(() => failures() === index + 1);
      kit.clock.advance(waitMs - 1);
      for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
      assert.equal(provider.requests.length, index + 1, `not before ${waitMs} ms`);
      kit.clock.advance(1);
      await until(() => provider.requests.length === index + 2);
    }
    await handled;
    assert.equal(provider.requests.length, 4);
    assert.deepEqual(
      kit.room.posts.map(({ idempotency_key, reply_to }) => [idempotency_key, reply_to]),
      [['failed:7', 7]],
    );
    assert.match(kit.room.posts[0]?.content ?? '', /my model failed \(auth\)/);
    assert.ok(!JSON.stringify(kit.room.posts).includes('sk-secret'));
    assert.deepEqual(kit.room.reactions, ['👀 7', '🙊 7']);
  });

  test('answers in the end when a later try succeeds', async (t) => {
    const provider = new ScriptedProvider(passing, ['Half', passing], 'Whole.');
    const kit = await openFunnel(temporaryFolder(t), provider);
    t.after(kit.close);
    await untilSettled(kit, kit.funnel.handle(messageOf(7)));
    assert.deepEqual(
      kit.room.posts.map(({ content }) => content),
      ['Whole.'],
    );
    assert.equal(provider.conversations()[2]?.length, 1, 'one entry for the message');
  });

  test('gives up at once on what trying again cannot help', async (t) => {
    const provider = new ScriptedProvider(lasting);
    const kit = await openFunnel(temporaryFolder(t), provider);
    t.after(kit.close);
    await kit.funnel.handle(messageOf(7));
    assert.equal(provider.requests.length, 1);
    assert.equal(kit.room.posts.length, 1);
  });

  test('says so when the room refuses the answer, but tries again when the room failed', async (t) => {
    const kit = await openFunnel(temporaryFolder(t), new ScriptedProvider('Long.'));
    t.after(kit.close);
    kit.room.refusals.push(new RequestRefused('too_large', 'a message may have 10 bytes'));
    await kit.funnel.handle(messageOf(7));
    assert.match(kit.room.posts[0]?.content ?? '', /something in me failed \(too_large\)/);
    kit.room.refusals.push(new RequestRefused('internal', 'the disk is full'));
    await untilSettled(kit, kit.funnel.handle(messageOf(8)));
    assert.equal(kit.room.posts[1]?.content, 'Long.');
  });

  test('posts the answer of before a crash again, under the same key, without asking', async (t) => {
    const home = temporaryFolder(t);
    const before = await openFunnel(home, new ScriptedProvider('The first answer.'));
    await before.funnel.handle(messageOf(7));
    await before.close();
    const provider = new ScriptedProvider('Another answer.');
    const after = await openFunnel(home, provider);
    t.after(after.close);
    await after.funnel.handle(messageOf(7));
    assert.deepEqual(after.room.posts, before.room.posts);
    assert.equal(provider.requests.length, 0);
  });

  test('goes on after a crash in the middle, without a second 👀 or entry', async (t) => {
    const home = temporaryFolder(t);
    const held = new ScriptedProvider(new Promise<string>(() => undefined));
    const before = await openFunnel(home, held);
    const handling = assert.rejects(before.funnel.handle(messageOf(7)));
    await until(() => held.requests.length === 1);
    await before.close();
    await handling;
    assert.deepEqual(before.room.posts, [], 'stopping is no failure to tell about');
    const provider = new ScriptedProvider('At last.');
    const after = await openFunnel(home, provider);
    t.after(after.close);
    await after.funnel.handle(messageOf(7));
    assert.deepEqual(after.room.reactions, ['👀 7'], 'which takes the first one back');
    assert.equal(provider.conversations()[0]?.length, 1);
  });

  test('stops waiting for the next try when the aspect stops', async (t) => {
    const kit = await openFunnel(temporaryFolder(t), new ScriptedProvider(passing));
    const handling = assert.rejects(kit.funnel.handle(messageOf(7)), /the test stops it/);
    await until(() => kit.logged.includes('turn failed'));
    await kit.close();
    await handling;
    assert.deepEqual(kit.room.posts, []);
  });
});

suite('Funnel with several messages', () => {
  test('two threads think at the same time and share no text', async (t) => {
    const first = Promise.withResolvers<string>();
    const provider = new ScriptedProvider(first.promise, 'Second.', 'Again.');
    const home = temporaryFolder(t);
    const kit = await openFunnel(home, provider);
    t.after(kit.close);
    const one = kit.funnel.handle(messageOf(1, { content: 'about apples' }));
    await until(() => provider.requests.length === 1);
    await kit.funnel.handle(messageOf(2, { content: 'about pears' }));
    assert.equal(kit.room.posts.length, 1, 'the second does not wait for the first');
    first.resolve('First.');
    await one;
    await kit.funnel.handle(messageOf(3, { content: 'more apples', thread_root: 1 }));
    const [, , again] = provider.conversations();
    assert.deepEqual(
      again?.map((line) => line.split('\n').at(-1)),
      ['about apples', 'assistant: First.', 'more apples'],
    );
    const pears = readFileSync(join(home, 'session', 'threads', '2.jsonl'), 'utf8');
    assert.ok(!pears.includes('apples'));
  });

  test('a message waits for the one before it in its thread, through its failures too', async (t) => {
    const provider = new ScriptedProvider(passing, 'First.', 'Second.');
    const kit = await openFunnel(temporaryFolder(t), provider);
    t.after(kit.close);
    const one = kit.funnel.handle(messageOf(1));
    const two = kit.funnel.handle(messageOf(2, { thread_root: 1 }));
    await untilSettled(
      kit,
      Promise.all([one, two]).then(() => undefined),
    );
    assert.deepEqual(
      kit.room.posts.map(({ content, reply_to }) => [reply_to, content]),
      [
        [1, 'First.'],
        [2, 'Second.'],
      ],
    );
    const [, , last] = provider.conversations();
    assert.deepEqual(
      last?.map((line) => line.split('\n').at(-1)),
      ['question 1', 'assistant: First.', 'question 2'],
    );
  });

  test('global mode keeps one conversation over all threads', async (t) => {
    const provider = new ScriptedProvider('One.', 'Two.');
    const kit = await openFunnel(temporaryFolder(t), provider, { context_mode: 'global' });
    t.after(kit.close);
    await kit.funnel.handle(messageOf(1));
    await kit.funnel.handle(messageOf(2));
    assert.equal(provider.conversations()[1]?.length, 3);
  });

  test('stateless mode remembers nothing, and tries again without a second 👀', async (t) => {
    const provider = new ScriptedProvider('One.', passing, 'Two.');
    const home = temporaryFolder(t);
    const kit = await openFunnel(home, provider, { context_mode: 'stateless' });
    t.after(kit.close);
    await kit.funnel.handle(messageOf(1));
    await untilSettled(kit, kit.funnel.handle(messageOf(2, { thread_root: 1 })));
    assert.deepEqual(
      provider.conversations().map((lines) => lines.length),
      [1, 1, 1],
    );
    assert.deepEqual(kit.room.reactions, ['👀 1', '👀 1', '👀 2', '👀 2']);
  });

  test('past the reply limit it says so once and waits for the operator', async (t) => {
    const provider = new ScriptedProvider('And another thing.');
    const kit = await openFunnel(temporaryFolder(t), provider);
    t.after(kit.close);
    const from = 'anvil';
    for (let id = 1; id <= 6; id++) {
      await kit.funnel.handle(messageOf(id, { from, thread_root: 1 }));
    }
    assert.equal(provider.requests.length, 3);
    const keys = kit.room.posts.map(({ idempotency_key }) => idempotency_key);
    // The room drops a second post under the same key.
    assert.deepEqual([...new Set(keys)], ['reply:1', 'reply:2', 'reply:3', 'limit:1']);
    await kit.funnel.handle(messageOf(7, { thread_root: 1 }));
    await kit.funnel.handle(messageOf(8, { from, thread_root: 1 }));
    assert.equal(provider.requests.length, 5, 'a word from the operator starts it anew');
    await kit.funnel.handle(messageOf(20, { from, thread_root: 20 }));
    assert.equal(provider.requests.length, 6, 'each thread counts for itself');
  });
});
