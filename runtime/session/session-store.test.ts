import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { FakeClock } from '#shared/sys/fake-clock';
import { type SessionKey, threadKey } from './session-key.ts';
import { SessionStore, type SessionStoreDeps } from './session-store.ts';
import type { SessionTree } from './session-tree.ts';
import { temporaryFolder, texts, treeDeps, userTurn } from './test-kit.ts';

async function openStore(t: TestContext, over: Partial<SessionStoreDeps> = {}) {
  const home = temporaryFolder(t);
  const store = await SessionStore.open(home, { ...treeDeps(), ...over });
  t.after(() => store.close());
  return { home, store };
}

/** A turn that says when it started and ends when it is told to. */
function heldTurn(store: SessionStore, key: SessionKey, started: string[], name = `${key}`) {
  const gate = Promise.withResolvers<void>();
  const done = store.withSession(key, async () => {
    started.push(name);
    await gate.promise;
  });
  return { end: gate.resolve, done };
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 5000;
  while (!condition()) {
    assert.ok(performance.now() < deadline, 'the condition never held');
    await nextTurn();
  }
}

const say = (text: string) => async (tree: SessionTree) => {
  await tree.append(userTurn(text));
  return texts(tree);
};

suite('SessionStore', () => {
  test('keeps threads apart, in files of their own', async (t) => {
    const { home, store } = await openStore(t);
    await Promise.all([
      store.withSession(threadKey(1), say('one')),
      store.withSession(threadKey(2), say('two')),
      store.withSession('global', say('all')),
    ]);
    assert.deepEqual(await store.withSession(threadKey(1), say('more')), ['one', 'more']);
    assert.deepEqual(await store.withSession('global', say('more')), ['all', 'more']);
    assert.deepEqual(readdirSync(join(home, 'session', 'threads')).sort(), ['1.jsonl', '2.jsonl']);
    assert.ok(existsSync(join(home, 'session', 'global.jsonl')));
    await store.close();
    await assert.rejects(store.withSession('global', say('late')), { code: 'session.closed' });

    const again = await SessionStore.open(home, treeDeps());
    assert.deepEqual(await again.withSession(threadKey(2), say('more')), ['two', 'more']);
    await again.close();
  });

  test('refuses keys that would name other files', async (t) => {
    const { store } = await openStore(t);
    for (const root of [0, -1, 1.5, Number.NaN, 2 ** 60]) {
      assert.throws(() => threadKey(root), RangeError);
      await assert.rejects(store.withSession(`thread:${root}`, say('x')), RangeError);
    }
  });

  test('gives each stateless call a fresh tree and leaves no trace', async (t) => {
    const { home, store } = await openStore(t);
    assert.deepEqual(await store.withSession('stateless', say('a')), ['a']);
    assert.deepEqual(await store.withSession('stateless', say('b')), ['b']);
    assert.deepEqual(readdirSync(join(home, 'session')), ['lock']);
  });

  test('runs one session serially and others in parallel, up to the limit', async (t) => {
    const { store } = await openStore(t, { limits: { parallelSessions: 2 } });
    const started: string[] = [];
    const a1 = heldTurn(store, threadKey(1), started, 'a1');
    const a2 = heldTurn(store, threadKey(1), started, 'a2');
    const b = heldTurn(store, threadKey(2), started, 'b');
    const c = heldTurn(store, threadKey(3), started, 'c');
    await until(() => started.length === 2);
    assert.deepEqual(started.toSorted(), ['a1', 'b']);
    b.end();
    await until(() => started.length === 3);
    assert.equal(started[2], 'c', 'a2 came first, but its session is taken');
    a1.end();
    await until(() => started.length === 4);
    a2.end();
    c.end();
    await Promise.all([a1.done, a2.done, b.done, c.done]);
  });

  test('admits in the order of arrival', async (t) => {
    const { store } = await openStore(t, { limits: { parallelSessions: 1 } });
    const order: number[] = [];
    const roots = [5, 3, 5, 9, 3, 1];
    await Promise.all(
      roots.map((root) => store.withSession(threadKey(root), async () => void order.push(root))),
    );
    assert.deepEqual(order, roots);
  });

  test('frees the place of a turn that failed', async (t) => {
    const { store } = await openStore(t, { limits: { parallelSessions: 1 } });
    const fail = () => Promise.reject(new Error('boom'));
    await assert.rejects(store.withSession(threadKey(1), fail), /boom/);
    assert.deepEqual(await store.withSession(threadKey(1), say('a')), ['a']);
  });

  test('bounds the turns that wait', async (t) => {
    const { store } = await openStore(t, { limits: { parallelSessions: 1, maxWaiting: 1 } });
    const turns = [heldTurn(store, threadKey(1), []), heldTurn(store, threadKey(2), [])];
    await assert.rejects(store.withSession(threadKey(3), say('x')), { code: 'session.busy' });
    for (const { end, done } of turns) {
      end();
      await done;
    }
  });

  test('bounds the open trees and reopens what it closed', async (t) => {
    const { store } = await openStore(t, { limits: { parallelSessions: 2, maxOpenSessions: 2 } });
    const roots = [1, 2, 3, 4, 5, 6];
    for (const text of ['a', 'b']) {
      await Promise.all(roots.map((root) => store.withSession(threadKey(root), say(text))));
      assert.ok(store.openSessions <= 2);
    }
    for (const root of roots) {
      assert.deepEqual(await store.withSession(threadKey(root), say('c')), ['a', 'b', 'c']);
    }
  });

  test('reaps a thread that was idle long enough, never a busy or the global one', async (t) => {
    const clock = new FakeClock();
    const reaped: SessionKey[] = [];
    const onReaped = (key: SessionKey) => void reaped.push(key);
    const limits = { sweepMs: 1_000_000_000, idleReapMs: 1_800_000 };
    const { store } = await openStore(t, { clock, onReaped, limits });
    await store.withSession('global', say('g'));
    await store.withSession(threadKey(1), say('a'));
    const started: string[] = [];
    const busy = heldTurn(store, threadKey(2), started);
    await until(() => started.length === 1);
    clock.advance(1_799_000);
    await store.sweep();
    assert.deepEqual(reaped, []);
    clock.advance(1000);
    await store.sweep();
    assert.deepEqual(reaped, ['thread:1']);
    assert.equal(store.openSessions, 2);
    busy.end();
    await busy.done;
    await store.sweep();
    assert.deepEqual(reaped, ['thread:1'], 'the end of a turn is activity');
    assert.deepEqual(await store.withSession(threadKey(1), say('b')), ['a', 'b']);
  });

  test('sweeps by itself', async (t) => {
    const clock = new FakeClock();
    const { store } = await openStore(t, { clock });
    await store.withSession(threadKey(1), say('a'));
    clock.advance(1_800_000);
    await until(() => store.openSessions === 0);
    await store.close();
    assert.equal(clock.pending, 0);
  });

  test('lets running turns finish on close and refuses those that wait', async (t) => {
    const { home, store } = await openStore(t);
    const started: string[] = [];
    const running = heldTurn(store, threadKey(1), started);
    const waiting = store.withSession(threadKey(1), say('x'));
    await until(() => started.length === 1);
    const closed = store.close();
    await assert.rejects(waiting, { code: 'session.closed' });
    await assert.rejects(SessionStore.open(home, treeDeps()), { code: 'session.locked' });
    running.end();
    await Promise.all([closed, store.close(), running.done]);
    await (await SessionStore.open(home, treeDeps())).close();
  });
});
