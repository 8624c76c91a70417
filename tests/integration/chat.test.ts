import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { startNexus } from './start-nexus.ts';

suite('chat.send', () => {
  test('with an id is answered with the message id and its thread once it is stored', async (t) => {
    const nexus = await startNexus(t);
    const wren = await nexus.aspect('wren');
    const first = await wren.request('chat.send', { content: 'hello' });
    assert.equal(first['thread_root'], first['msg_id']);
    assert.equal('note' in first, false);
    const read = await wren.request('chat.read', { msg_id: first['msg_id'] });
    assert.deepEqual(
      (read['messages'] as { content: string }[]).map(({ content }) => content),
      ['hello'],
    );
  });

  test('without an id is not answered, and is stored all the same', async (t) => {
    const nexus = await startNexus(t);
    const operator = await nexus.operator();
    const wren = await nexus.aspect('wren');
    wren.send('chat.send', { content: 'quietly' });
    wren.send('chat.send', { content: '' });
    await wren.settled();
    assert.deepEqual(
      wren.frames.map(({ kind }) => kind),
      ['register.ack', 'chat.read.result'],
    );
    const { messages } = await operator.request('chat.list');
    assert.deepEqual(
      (messages as { content: string }[]).map(({ content }) => content),
      ['quietly'],
    );
  });

  test('a delivery carries what the specification lists', async (t) => {
    const nexus = await startNexus(t);
    const wren = await nexus.aspect('wren');
    const anvil = await nexus.aspect('anvil');
    const id = await anvil.post('@wren look', { topic: 'review' });
    const { payload } = await wren.nextOf('chat.deliver');
    assert.match(String(payload?.['received_at']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    const { received_at: _, ...rest } = payload ?? {};
    assert.deepEqual(rest, {
      id,
      from: 'anvil',
      content: '@wren look',
      thread_root: id,
      topic: 'review',
      reason: 'mention',
    });
  });

  test('a reply inherits the thread and reaches the author it answers', async (t) => {
    const nexus = await startNexus(t);
    const wren = await nexus.aspect('wren');
    const anvil = await nexus.aspect('anvil');
    const root = await wren.post('a question');
    const answer = await anvil.request('chat.send', { content: 'an answer', reply_to: root });
    assert.equal(answer['thread_root'], root);
    const { payload } = await wren.nextOf('chat.deliver');
    assert.equal(payload?.['reason'], 'reply');
    assert.equal(payload?.['reply_to'], root);
    assert.equal(payload?.['thread_root'], root);

    const deeper = await wren.request('chat.send', {
      content: 'thanks',
      reply_to: answer['msg_id'],
    });
    assert.equal(deeper['thread_root'], root);
    const { messages } = await wren.request('chat.read', { thread_id: root });
    assert.deepEqual(
      (messages as { id: number }[]).map(({ id }) => id),
      [root, answer['msg_id'], deeper['msg_id']],
    );
  });

  test('an unknown reply_to is posted at top level, with a note', async (t) => {
    const nexus = await startNexus(t);
    const wren = await nexus.aspect('wren');
    const { msg_id, thread_root, note } = await wren.request('chat.send', {
      content: 'where did it go',
      reply_to: 999_999,
    });
    assert.equal(thread_root, msg_id);
    assert.equal(note, 'there is no message 999999; posted at top level');
    const { messages } = await wren.request('chat.read', { msg_id });
    const [stored] = messages as { reply_to?: number }[];
    assert.equal(stored?.reply_to, undefined);
  });

  test('reaches whom it mentions in any case, never its sender', async (t) => {
    const nexus = await startNexus(t);
    const wren = await nexus.aspect('wren');
    const anvil = await nexus.aspect('anvil');
    const flint = await nexus.aspect('flint');
    await wren.post('(@ANVIL) and @wren, not flint@home');
    await wren.settled();
    await anvil.settled();
    await flint.settled();
    assert.equal(anvil.contents().length, 1);
    assert.deepEqual(wren.contents(), []);
    assert.deepEqual(flint.contents(), []);
  });

  test('an aspect that registers in another case does not hear itself', async (t) => {
    const nexus = await startNexus(t);
    const operator = await nexus.operator();
    const wren = await nexus.aspect('wren', { register: false });
    assert.equal((await wren.register('WREN')).kind, 'register.ack');
    await wren.post('@all and @wren and @WREN');
    const heard = await operator.post('@wren you');
    await wren.until(() => wren.delivered().length > 0);
    assert.deepEqual(
      wren.delivered().map(({ id }) => id),
      [heard],
    );
    const { aspects } = await operator.request('roster.list');
    assert.equal((aspects as { name: string }[])[0]?.name, 'wren');
  });

  test('a forged sender is refused, its own name in any case is not', async (t) => {
    const nexus = await startNexus(t);
    const operator = await nexus.operator();
    const wren = await nexus.aspect('wren');
    assert.equal(await wren.refused('chat.send', { content: 'x', from: 'anvil' }), 'forbidden');
    assert.equal(await wren.refused('chat.send', { content: 'x', from: 'operator' }), 'forbidden');
    assert.equal(await operator.refused('chat.send', { content: 'x', from: 'wren' }), 'forbidden');
    const id = await wren.post('me', { from: 'WREN' });
    const { messages } = await operator.request('chat.list');
    assert.deepEqual(
      (messages as { id: number; from: string }[]).map(({ id, from }) => ({ id, from })),
      [{ id, from: 'wren' }],
    );
  });

  test('content may have 262144 bytes and not one more', async (t) => {
    const nexus = await startNexus(t);
    const anvil = await nexus.aspect('anvil');
    const wren = await nexus.aspect('wren');
    const most = '@anvil '.padEnd(262_144, 'x');
    await wren.post(most);
    assert.equal(await wren.refused('chat.send', { content: `${most}x` }), 'too_large');
    const twoBytesEach = `@anvil ${'é'.repeat(131_069)}`;
    assert.equal(Buffer.byteLength(twoBytesEach), 262_145);
    assert.equal(await wren.refused('chat.send', { content: twoBytesEach }), 'too_large');
    await anvil.until(() => anvil.delivered().length === 1);
    assert.equal(anvil.contents()[0]?.length, 262_144);
  });

  test('content that swells when it is encoded is refused before it can exceed a frame', async (t) => {
    const nexus = await startNexus(t);
    const wren = await nexus.aspect('wren');
    const content = '\u0001'.repeat(174_700);
    assert.ok(Buffer.byteLength(JSON.stringify(content)) < 1_048_576);
    assert.equal(await wren.refused('chat.send', { content }), 'too_large');
    await wren.post('\u0001'.repeat(80_000));
  });

  test('the same key posts once and answers with the same id', async (t) => {
    const nexus = await startNexus(t);
    const wren = await nexus.aspect('wren');
    const anvil = await nexus.aspect('anvil');
    const send = { content: '@anvil once', idempotency_key: 'k1' };
    // Two that race into the same commit, and one long after.
    const racing = await Promise.all([
      wren.request('chat.send', send),
      wren.request('chat.send', send),
    ]);
    const late = await wren.request('chat.send', send);
    assert.equal(racing[0]['msg_id'], racing[1]['msg_id']);
    assert.equal(late['msg_id'], racing[0]['msg_id']);
    const other = await anvil.request('chat.send', { ...send, content: '@wren mine' });
    assert.notEqual(other['msg_id'], late['msg_id'], 'a key is its sender’s own');
    await anvil.settled();
    assert.deepEqual(anvil.contents(), ['@anvil once']);
  });

  test('two sockets of one sender racing with one key post once', async (t) => {
    const nexus = await startNexus(t);
    const token = await nexus.token('wren');
    const [a, b] = [await nexus.connect(token), await nexus.connect(token)];
    const send = { content: 'once', idempotency_key: 'k' };
    const answers = await Promise.all([a.request('chat.send', send), b.request('chat.send', send)]);
    assert.equal(answers[0]['msg_id'], answers[1]['msg_id']);
  });

  test('a hundred sends in one breath keep their order', async (t) => {
    const nexus = await startNexus(t);
    const wren = await nexus.aspect('wren');
    const anvil = await nexus.aspect('anvil');
    const contents = Array.from({ length: 100 }, (_, i) => `@wren ${i}`);
    const ids = await Promise.all(contents.map((content) => anvil.post(content)));
    assert.deepEqual(
      ids,
      ids.toSorted((a, b) => a - b),
    );
    await wren.until(() => wren.delivered().length === 100);
    assert.deepEqual(wren.contents(), contents);
  });

  test('what the operator says to nobody goes to the coordinator, what an aspect says does not', async (t) => {
    const nexus = await startNexus(t, { frameName: 'keel' });
    const operator = await nexus.operator();
    const keel = await nexus.aspect('keel');
    const wren = await nexus.aspect('wren');
    await wren.post('thinking aloud');
    await operator.post('good morning');
    await keel.until(() => keel.delivered().length > 0);
    await wren.settled();
    assert.deepEqual(keel.contents(), ['good morning']);
    assert.deepEqual(wren.contents(), []);
  });
});

suite('chat.reaction', () => {
  test('the same emoji again takes it back, another replaces it', async (t) => {
    const nexus = await startNexus(t);
    const operator = await nexus.operator();
    await operator.ask('subscribe.chat');
    const wren = await nexus.aspect('wren');
    const id = await operator.post('react to this');
    // In one breath: each must see what the one before did.
    for (const emoji of ['👀', '👍', '👍', '👀']) wren.send('chat.reaction', { msg_id: id, emoji });
    await operator.until(() => operator.payloadsOf('chat.reaction.update').length === 4);
    const by = (emoji: string) => ({ aspect: 'wren', emoji });
    const update = (emoji: string, op: string, reactions: object[]) => ({
      msg_id: id,
      reactor: 'wren',
      emoji,
      op,
      reactions,
    });
    assert.deepEqual(operator.payloadsOf('chat.reaction.update'), [
      update('👀', 'added', [by('👀')]),
      update('👍', 'added', [by('👍')]),
      update('👍', 'removed', []),
      update('👀', 'added', [by('👀')]),
    ]);
  });

  test('refuses an unknown message and a forged reactor', async (t) => {
    const nexus = await startNexus(t);
    const wren = await nexus.aspect('wren');
    assert.equal(await wren.refused('chat.reaction', { msg_id: 999, emoji: '👍' }), 'not_found');
    const id = await wren.post('mine');
    const forged = { msg_id: id, emoji: '👍', from: 'anvil' };
    assert.equal(await wren.refused('chat.reaction', forged), 'forbidden');
  });
});
