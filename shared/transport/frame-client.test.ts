import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { ChatDeliver, ChatRead, ChatSend } from '../frames/chat.ts';
import { FrameCodec } from '../frames/codec.ts';
import { FakeClock } from '../sys/fake-clock.ts';
import { FrameClient, onPush } from './frame-client.ts';
import { MemoryTransport } from './memory-transport.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

function setUp() {
  const clock = new FakeClock();
  const [ours, theirs] = MemoryTransport.pair();
  const received: { kind: string; id?: string; payload?: unknown }[] = [];
  const closes: number[] = [];
  theirs.start({
    message: (text) => received.push(JSON.parse(text)),
    closed: (code) => closes.push(code),
  });
  const delivered: string[] = [];
  let ids = 0;
  const client = new FrameClient(
    ours,
    {
      codec: new FrameCodec([ChatSend, ChatRead, ChatDeliver]),
      clock,
      newId: () => `id-${++ids}`,
    },
    [onPush(ChatDeliver, ({ content }) => delivered.push(content))],
  );
  const give = async (frame: object) => {
    theirs.send(JSON.stringify(frame));
    await turn();
  };
  return { clock, theirs, received, closes, delivered, client, give };
}

suite('FrameClient', () => {
  test('matches answers with requests, in any order', async () => {
    const { client, received, give } = setUp();
    const first = client.request(ChatSend, { content: 'a' });
    const second = client.request(ChatSend, { content: 'b' });
    await turn();
    assert.deepEqual(
      received.map(({ kind, id, payload }) => [kind, id, payload]),
      [
        ['chat.send', 'id-1', { content: 'a' }],
        ['chat.send', 'id-2', { content: 'b' }],
      ],
    );
    const answer = (id: string, msg_id: number) =>
      give({ kind: 'chat.send.result', in_reply_to: id, payload: { msg_id, thread_root: msg_id } });
    await answer('id-2', 12);
    await answer('id-1', 11);
    await answer('id-1', 99);
    assert.deepEqual(await first, { msg_id: 11, thread_root: 11 });
    assert.deepEqual(await second, { msg_id: 12, thread_root: 12 });
  });

  test('rejects with the code of an error frame, also the reference’s without one', async () => {
    const { client, give } = setUp();
    const ours = client.request(ChatSend, { content: 'a' });
    const theirs = client.request(ChatSend, { content: 'b' });
    const checked = [
      assert.rejects(ours, { code: 'too_large', message: 'too long' }),
      assert.rejects(theirs, { code: 'refused', message: 'no' }),
    ];
    const error = { error: 'too long', code: 'too_large' };
    await give({ kind: 'chat.send.error', in_reply_to: 'id-1', payload: error });
    await give({ kind: 'chat.send.error', in_reply_to: 'id-2', payload: { error: 'no' } });
    await Promise.all(checked);
  });

  test('gives up after 10 s', async () => {
    const { client, clock } = setUp();
    const request = client.request(ChatSend, { content: 'a' });
    const rejected = assert.rejects(request, { code: 'link.timeout' });
    clock.advance(9_999);
    assert.equal(clock.pending, 1);
    clock.advance(1);
    await rejected;
    assert.equal(clock.pending, 0);
  });

  test('fails what is pending, and what comes later, when the link ends', async () => {
    const { client, theirs, clock } = setUp();
    const rejected = assert.rejects(client.request(ChatSend, { content: 'a' }), {
      code: 'link.closed',
    });
    theirs.close(1013, 'too slow');
    await rejected;
    assert.deepEqual(await client.closed, { code: 1013, reason: 'too slow' });
    await assert.rejects(client.request(ChatSend, { content: 'b' }), { code: 'link.closed' });
    assert.equal(clock.pending, 0);
  });

  test('hands pushes on and ignores those it does not know', async () => {
    const { give, delivered, closes } = setUp();
    const payload = { id: 1, from: 'wren', content: 'hi', received_at: '2026-01-01T00:00:00Z' };
    await give({ kind: 'chat.deliver', payload });
    await give({ kind: 'chat.novelty', payload });
    await give({ kind: 'chat.send.result', in_reply_to: 'unknown', payload: {} });
    assert.deepEqual(delivered, ['hi']);
    assert.deepEqual(closes, []);
  });

  test('closes with 1002 on what is no frame, or no valid one', async () => {
    for (const text of ['{', '{"kind":"chat.deliver","payload":{"id":"one"}}']) {
      const { theirs, closes, delivered } = setUp();
      theirs.send(text);
      await turn();
      assert.deepEqual(closes, [1002]);
      assert.deepEqual(delivered, []);
    }
  });
});
