import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { startNexus } from './start-nexus.ts';
import type { Delivered, TestClient } from './test-client.ts';

const idsIn = (page: Record<string, unknown>) =>
  (page['messages'] as Delivered[]).map(({ id }) => id);

async function postMany(client: TestClient, contents: readonly string[]): Promise<number[]> {
  return Promise.all(contents.map((content) => client.post(content)));
}

suite('chat.list', () => {
  test('pages both ways, oldest first, and says whether more lies beyond', async (t) => {
    const nexus = await startNexus(t);
    const operator = await nexus.operator();
    const ids = await postMany(
      operator,
      Array.from({ length: 7 }, (_, i) => `${i}`),
    );
    const [a, b, c, d, e, f, g] = ids;
    const ask = (payload: object) => operator.request('chat.list', payload);

    const newest = await ask({ limit: 3 });
    assert.deepEqual(idsIn(newest), [e, f, g]);
    assert.equal(newest['has_more'], true);
    const older = await ask({ limit: 3, before_id: e });
    assert.deepEqual(idsIn(older), [b, c, d]);
    assert.equal(older['has_more'], true);
    const oldest = await ask({ limit: 3, before_id: b });
    assert.deepEqual(idsIn(oldest), [a]);
    assert.equal(oldest['has_more'], false);
    const after = await ask({ limit: 3, after_id: d });
    assert.deepEqual(idsIn(after), [e, f, g]);
    assert.equal(after['has_more'], false);
    assert.deepEqual(idsIn(await ask({ limit: 2, after_id: 0 })), [a, b]);
    assert.equal(await operator.refused('chat.list', { after_id: 1, before_id: 9 }), 'bad_request');
    assert.equal(await operator.refused('chat.list', { after_id: -1 }), 'bad_request');
    assert.equal(await operator.refused('chat.list', { limit: -1 }), 'bad_request');
  });

  test('gives 100 rows unless asked, and 500 at most', async (t) => {
    const nexus = await startNexus(t);
    const operator = await nexus.operator();
    await postMany(
      operator,
      Array.from({ length: 510 }, () => 'x'),
    );
    assert.equal(idsIn(await operator.request('chat.list')).length, 100);
    assert.equal(idsIn(await operator.request('chat.list', { limit: 0 })).length, 100);
    assert.equal(idsIn(await operator.request('chat.list', { limit: 9_999 })).length, 500);
  });

  test('long messages are paged so that no answer exceeds a frame', async (t) => {
    const nexus = await startNexus(t);
    const operator = await nexus.operator();
    // Control characters take six bytes each in JSON.
    const ids = await postMany(
      operator,
      Array.from({ length: 12 }, (_, i) => (i % 2 ? '\u0002'.repeat(80_000) : 'x'.repeat(250_000))),
    );
    const sizes: number[] = [];
    operator.ws.on('message', (data) => sizes.push(data.toString().length));

    const forward: number[] = [];
    for (let more = true; more; ) {
      const page = await operator.request('chat.list', { after_id: forward.at(-1) ?? 0 });
      assert.ok(idsIn(page).length > 0);
      forward.push(...idsIn(page));
      more = page['has_more'] === true;
    }
    assert.deepEqual(forward, ids);

    const backward: number[] = [];
    for (let more = true; more; ) {
      const before = backward[0];
      const page = await operator.request('chat.list', before ? { before_id: before } : {});
      backward.unshift(...idsIn(page));
      more = page['has_more'] === true;
    }
    assert.deepEqual(backward, ids);
    assert.ok(sizes.length > 8);
    assert.ok(Math.max(...sizes) < 1_048_576);
  });

  test('counts the replies below each message and is for operators only', async (t) => {
    const nexus = await startNexus(t);
    const operator = await nexus.operator();
    const wren = await nexus.aspect('wren');
    const root = await operator.post('root');
    const child = await operator.post('child', { reply_to: root });
    await operator.post('grandchild', { reply_to: child });
    const { messages } = await operator.request('chat.list');
    assert.deepEqual(
      (messages as Delivered[]).map(({ reply_count }) => reply_count),
      [2, 1, 0],
    );
    assert.equal(await wren.refused('chat.list', {}), 'forbidden');
  });
});

suite('chat.read', () => {
  test('reads a message and all below it, ascending, above since_id', async (t) => {
    const nexus = await startNexus(t);
    const wren = await nexus.aspect('wren');
    const root = await wren.post('root');
    const other = await wren.post('another thread');
    const left = await wren.post('left', { reply_to: root });
    const right = await wren.post('right', { reply_to: root });
    const leaf = await wren.post('leaf', { reply_to: left });
    const read = async (payload: object) => idsIn(await wren.request('chat.read', payload));
    assert.deepEqual(await read({ thread_id: root }), [root, left, right, leaf]);
    assert.deepEqual(await read({ msg_id: left }), [left, leaf]);
    assert.deepEqual(await read({ thread_id: root, since_id: left }), [right, leaf]);
    assert.deepEqual(await read({ thread_id: root, msg_id: other }), [root, left, right, leaf]);
    assert.deepEqual(await read({ msg_id: 999_999 }), []);
  });

  test('an unusable argument reads as null, never as an error', async (t) => {
    const nexus = await startNexus(t);
    const wren = await nexus.aspect('wren');
    for (const payload of [
      {},
      null,
      [],
      'x',
      { msg_id: 'seven' },
      { msg_id: -1 },
      { msg_id: 1.5 },
    ]) {
      assert.deepEqual(await wren.request('chat.read', payload), { messages: null });
    }
  });

  test('sees what the same connection sent just before', async (t) => {
    const nexus = await startNexus(t);
    const wren = await nexus.aspect('wren');
    const root = await wren.post('root');
    for (let i = 0; i < 20; i++) wren.send('chat.send', { content: `${i}`, reply_to: root });
    assert.equal(idsIn(await wren.request('chat.read', { thread_id: root })).length, 21);
  });

  test('gives 200 messages at most and continues with since_id', async (t) => {
    const nexus = await startNexus(t);
    const wren = await nexus.aspect('wren');
    const root = await wren.post('root');
    for (let i = 0; i < 230; i++) wren.send('chat.send', { content: `${i}`, reply_to: root });
    const first = idsIn(await wren.request('chat.read', { thread_id: root }));
    assert.equal(first.length, 200);
    const rest = await wren.request('chat.read', { thread_id: root, since_id: first.at(-1) });
    assert.equal(idsIn(rest).length, 31);
  });
});
