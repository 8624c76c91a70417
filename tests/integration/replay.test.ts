import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { startNexus } from './start-nexus.ts';
import type { Delivered, TestClient } from './test-client.ts';

const again = (since: number, session = 'second') => ({
  session_id: session,
  request_replay: true,
  since_msg_id: since,
});

const idsOf = (messages: readonly Delivered[]) => messages.map(({ id }) => id);

suite('replay', () => {
  test('brings exactly what was missed and addressed, oldest first, and then its end', async (t) => {
    const nexus = await startNexus(t);
    const operator = await nexus.operator();
    const wren = await nexus.aspect('wren');
    const seen = await operator.post('@wren seen live');
    await wren.until(() => wren.delivered().length === 1);
    const own = await wren.post('my own words');
    await wren.leave();

    const first = await operator.post('@wren one');
    await operator.post('nobody is meant');
    await operator.post('@anvil for another');
    const all = await operator.post('@all everybody');
    const reply = await operator.post('in answer', { reply_to: own });
    const back = await nexus.aspect('wren', { with: again(seen) });
    const end = await back.nextOf('chat.replay.end');

    assert.deepEqual(idsOf(back.delivered()), [first, all, reply]);
    for (const message of back.delivered()) {
      assert.equal(message.replay, true);
      assert.equal(message.reason, 'replay');
    }
    assert.ok(Number(end.payload?.['up_to_id']) >= reply);
    assert.deepEqual(
      back.frames.map(({ kind }) => kind),
      ['register.ack', 'chat.deliver', 'chat.deliver', 'chat.deliver', 'chat.replay.end'],
      'the ack comes first',
    );

    const live = await operator.post('@wren live again');
    await back.until(() => back.delivered().length === 4);
    const last = back.delivered().at(-1);
    assert.equal(last?.id, live);
    assert.equal(last?.replay, undefined);
    assert.equal(last?.reason, 'mention');
  });

  test('without request_replay nothing old is sent', async (t) => {
    const nexus = await startNexus(t);
    const operator = await nexus.operator();
    const token = await nexus.token('wren');
    await operator.post('@wren early');
    const wren = await nexus.connect(token);
    await wren.register('wren', { since_msg_id: 1 });
    await wren.settled();
    assert.deepEqual(wren.contents(), []);
  });

  test('a reader without a cursor gets what was said since its first token', async (t) => {
    const nexus = await startNexus(t);
    const operator = await nexus.operator();
    await operator.post('@wren before you were born');
    const token = await nexus.token('wren');
    await operator.post('@wren while you start');
    const wren = await nexus.connect(token);
    await wren.register('wren', { request_replay: true });
    await wren.nextOf('chat.replay.end');
    assert.deepEqual(wren.contents(), ['@wren while you start']);
  });

  test('nothing is missed or doubled while messages are posted during the replay', async (t) => {
    const nexus = await startNexus(t);
    const operator = await nexus.operator();
    await nexus.token('wren');
    const posted: Promise<number>[] = [];
    for (let i = 0; i < 700; i++) posted.push(operator.post(i % 3 === 0 ? '@wren' : 'noise'));
    await Promise.all(posted);

    // Keeps posting until the last of several readers has caught up.
    let running = true;
    const poster = (async () => {
      const mine: Promise<number>[] = [];
      for (let i = 0; running; i++) {
        const sent = operator.post(i % 2 === 0 ? '@wren more' : 'more noise');
        mine.push(sent);
        if (i % 8 === 7) await sent;
      }
      return Promise.all(mine);
    })();

    const readings: Delivered[] = [];
    let cursor = 1;
    for (let round = 0; round < 12; round++) {
      const reader = await nexus.aspect('wren', { with: again(cursor, `round-${round}`) });
      await reader.nextOf('chat.replay.end');
      // Some rounds leave at once, others read on live for a while.
      const enough = reader.delivered().length + (round % 3) * 5;
      await reader.until(() => reader.delivered().length >= enough);
      await reader.leave();
      readings.push(...reader.delivered());
      cursor = readings.at(-1)?.id ?? cursor;
    }
    running = false;
    await poster;
    const last = await nexus.aspect('wren', { with: again(cursor, 'last') });
    await last.nextOf('chat.replay.end');
    readings.push(...last.delivered());

    const everything = await allMessages(operator);
    const addressed = everything.filter(({ content }) => content.startsWith('@wren'));
    assert.deepEqual(idsOf(readings), idsOf(addressed));
  });

  test('registering again during a replay does not double it', async (t) => {
    const nexus = await startNexus(t);
    const operator = await nexus.operator();
    await nexus.token('wren');
    const posted = Array.from({ length: 500 }, (_, i) => operator.post(`@wren ${i}`));
    const ids = await Promise.all(posted);
    const wren = await nexus.aspect('wren', { register: false });
    void wren.register('wren', again(1));
    void wren.register('wren', again(1));
    await wren.until(() => wren.payloadsOf('chat.replay.end').length > 0);
    await wren.settled();
    const ends = wren.payloadsOf('chat.replay.end');
    assert.equal(ends.length, 1, 'the replay of the replaced registration ended silently');
    const received = idsOf(wren.delivered());
    const newest = received.slice(received.lastIndexOf(ids[0] ?? 0));
    assert.deepEqual(newest, ids, 'the replay that counts is complete');
  });

  test('long messages are replayed at the pace of the reader, whole, within the outbox', async (t) => {
    const nexus = await startNexus(t);
    const operator = await nexus.operator();
    await nexus.token('wren');
    const content = `@wren ${'x'.repeat(200_000)}`;
    const ids: number[] = [];
    for (let i = 0; i < 120; i++) ids.push(await operator.post(content));

    const wren = await nexus.aspect('wren', { register: false });
    wren.send('register', {
      name: 'wren',
      context_mode: 'thread',
      provider: 'test',
      ...again(1),
    });
    await wren.nextOf('register.ack');
    wren.ws.pause();
    // The broker may fill the kernel's buffers and its own bound, and then waits.
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 20; i++) await operator.settled();
    const grown = process.memoryUsage().arrayBuffers - before;
    assert.ok(grown < 16 * 1024 * 1024, `${grown} bytes wait for a reader that does not read`);

    wren.ws.resume();
    await wren.nextOf('chat.replay.end');
    assert.deepEqual(idsOf(wren.delivered()), ids);
  });
});

/** The whole room, read page by page. */
async function allMessages(operator: TestClient): Promise<Delivered[]> {
  const messages: Delivered[] = [];
  for (;;) {
    const page = await operator.request('chat.list', {
      after_id: messages.at(-1)?.id ?? 0,
      limit: 500,
    });
    messages.push(...(page['messages'] as Delivered[]));
    if (page['has_more'] !== true) return messages;
  }
}
