import assert from 'node:assert/strict';
import { type Check, nexus, reference } from './check.ts';
import { flag, is, list, object, positive } from './shape.ts';
import { delivered, listed, reactions, reactionUpdate, sendResult } from './shapes.ts';
import { ask, push, refused, registerAck, registration, type Site } from './site.ts';

type Payload = Record<string, unknown>;

const says = (content: string) => (payload: Payload) => payload['content'] === content;

const messages = object({ messages: list(listed) });
const page = object({ messages: list(listed), has_more: flag });

/** Posts as the operator and returns the id, as a client of the reference learns it. */
async function posted(site: Site, more: Payload = {}): Promise<number> {
  const operator = await site.listener();
  const content = `conformance ${site.newName()}`;
  operator.send({ kind: 'chat.send', payload: { content, ...more } });
  const { id } = await push(operator, 'chat.deliver', says(content), delivered);
  return id as number;
}

export const chatChecks: readonly Check[] = [
  reference(
    'A6',
    'a post comes back to a subscribed operator, its author included',
    async (site) => {
      const operator = await site.listener();
      const content = `conformance ${site.newName()}`;
      operator.send({ kind: 'chat.send', payload: { from: 'operator', content } });
      const message = await push(operator, 'chat.deliver', says(content), delivered);
      assert.deepEqual([message['from'], message['thread_root']], ['operator', message['id']]);
    },
  ),

  reference('§4.4', 'chat.send without an id is not answered', async (site) => {
    const operator = await site.connect();
    operator.send({ kind: 'chat.send', payload: { content: site.newName() } });
    operator.send({ kind: 'chat.send', payload: { content: '' } });
    assert.ok(await operator.silent('chat.send.result'));
    assert.ok(await operator.silent('chat.send.error'));
  }),

  nexus('§4.4', 'chat.send with an id is answered once the message is kept', async (site) => {
    const operator = await site.connect();
    const content = site.newName();
    const { msg_id } = await ask(
      operator,
      'chat.send',
      { content },
      'chat.send.result',
      sendResult,
    );
    const { messages: read } = await ask(
      operator,
      'chat.read',
      { msg_id },
      'chat.read.result',
      messages,
    );
    assert.deepEqual(
      (read as Payload[]).map((each) => each['content']),
      [content],
    );
  }),

  nexus(
    'G11',
    'an empty post, one that is too long, and an unknown reply_to are told',
    async (site) => {
      const operator = await site.connect();
      await refused(operator, 'chat.send', { content: '' }, 'bad_request');
      await refused(operator, 'chat.send', { content: 'x'.repeat(262_145) }, 'too_large');
      await ask(
        operator,
        'chat.send',
        { content: 'x'.repeat(262_144) },
        'chat.send.result',
        sendResult,
      );
      const orphan = { content: 'orphan', reply_to: 900_000_000 };
      const { note } = await ask(operator, 'chat.send', orphan, 'chat.send.result', sendResult);
      assert.equal(typeof note, 'string');
    },
  ),

  nexus('storage A3', 'the same idempotency key gives back the first message', async (site) => {
    const operator = await site.connect();
    const send = { content: 'once', idempotency_key: site.newName() };
    const first = await ask(operator, 'chat.send', send, 'chat.send.result', sendResult);
    const second = await ask(operator, 'chat.send', send, 'chat.send.result', sendResult);
    assert.equal(second['msg_id'], first['msg_id']);
  }),

  reference(
    '§4.3',
    'mentions and the author of a replied-to message are addressed, the sender never',
    async (site) => {
      const [one, other] = [await site.connect(), await site.connect()];
      const [a, b] = [site.newName(), site.newName()];
      await ask(one, 'register', registration(a), 'register.ack', registerAck);
      await ask(other, 'register', registration(b), 'register.ack', registerAck);
      const operator = await site.connect();
      const content = `for @${b}, and not for x@${a}`;
      operator.send({ kind: 'chat.send', payload: { content } });
      const message = await push(other, 'chat.deliver', says(content), delivered);
      assert.equal(message['reason'], 'mention');
      assert.ok(await one.silent('chat.deliver'));
      for (const [client, name] of [
        [one, a],
        [other, b],
      ] as const) {
        client.send({ kind: 'deregister', payload: { name, session_id: `session-of-${name}` } });
      }
    },
  ),

  nexus(
    '§4.3',
    'a reply goes to the author of what it answers, with reason "reply"',
    async (site) => {
      const { client: author } = await site.aspect();
      const { client: other } = await site.aspect();
      const { msg_id } = await ask(
        author,
        'chat.send',
        { content: 'mine' },
        'chat.send.result',
        sendResult,
      );
      const answer = { content: 'yours', reply_to: msg_id };
      const { thread_root } = await ask(other, 'chat.send', answer, 'chat.send.result', sendResult);
      assert.equal(thread_root, msg_id);
      const message = await push(author, 'chat.deliver', says('yours'), delivered);
      assert.deepEqual(
        [message['reason'], message['reply_to'], message['thread_root']],
        ['reply', msg_id, msg_id],
      );
      assert.ok(await other.silent('chat.deliver'), 'not to its sender');
    },
  ),

  nexus('§4.3, G15', '@all reaches everybody who is connected, in any case', async (site) => {
    const { client, name } = await site.aspect();
    const { client: second } = await site.aspect();
    const content = `@ALL from ${name}`;
    client.send({ kind: 'chat.send', payload: { content } });
    await push(second, 'chat.deliver', says(content), delivered);
    assert.ok(await client.silent('chat.deliver'));
  }),

  nexus(
    'G15',
    'mentions need a boundary but no case, and the topic is delivered and kept',
    async (site) => {
      const { client, name } = await site.aspect();
      const operator = await site.connect();
      const content = `(@${name.toUpperCase()}) see below`;
      const { msg_id } = await ask(
        operator,
        'chat.send',
        { content, topic: 'plans' },
        'chat.send.result',
        sendResult,
      );
      const message = await push(client, 'chat.deliver', says(content), delivered);
      assert.equal(message['topic'], 'plans');
      const { messages: read } = await ask(
        client,
        'chat.read',
        { msg_id },
        'chat.read.result',
        messages,
      );
      assert.equal((read as Payload[])[0]?.['topic'], 'plans');
    },
  ),

  nexus('G1', 'nobody speaks under another name', async (site) => {
    const { client } = await site.aspect();
    const foreign = { content: 'x', from: site.newName() };
    await refused(client, 'chat.send', foreign, 'forbidden');
    await refused(client, 'chat.send', { content: 'x', from: 'operator' }, 'forbidden');
    const operator = await site.connect();
    await refused(operator, 'chat.send', foreign, 'forbidden');
  }),

  reference(
    'A8, §3.3',
    'chat.read reads a message and its descendants, and never fails',
    async (site) => {
      const root = await posted(site);
      const reply = await posted(site, { reply_to: root });
      const operator = await site.connect();
      const read = async (payload: Payload) => {
        const result = await ask(operator, 'chat.read', payload, 'chat.read.result', messages);
        return result['messages'] as Payload[] | null;
      };
      const ids = async (payload: Payload) => (await read(payload))?.map((each) => each['id']);
      assert.deepEqual(await ids({ msg_id: root }), [root, reply]);
      assert.deepEqual(await ids({ thread_id: root, msg_id: 7 }), [root, reply]);
      assert.deepEqual(await ids({ msg_id: root, since_id: root }), [reply]);
      for (const payload of [{}, { msg_id: 0 }, { msg_id: 'x' }, { thread_id: -1 }]) {
        assert.equal(await read(payload), null, JSON.stringify(payload));
      }
      assert.ok(
        [0, undefined].includes((await read({ msg_id: 900_000_000 }))?.length),
        'an unknown id',
      );
    },
  ),

  reference('A7, §4.5', 'chat.list pages in both directions, oldest first', async (site) => {
    const ids = [];
    for (let i = 0; i < 3; i++) ids.push(await posted(site));
    const [first = 0, second = 0, third = 0] = ids;
    const operator = await site.connect();
    const listOf = async (query: Payload) => {
      const result = await ask(operator, 'chat.list', query, 'chat.list.result', page);
      const found = (result['messages'] as Payload[]).map((each) => Number(each['id']));
      assert.deepEqual(
        found,
        found.toSorted((a, b) => a - b),
        'oldest first',
      );
      return { found, more: result['has_more'] };
    };
    assert.ok((await listOf({ limit: 10 })).found.includes(third));
    assert.ok((await listOf({})).found.includes(third));
    const after = await listOf({ after_id: first - 1, limit: 1 });
    assert.deepEqual([after.found, after.more], [[first], true]);
    const before = await listOf({ before_id: second, limit: 1 });
    assert.equal(before.found.length, 1);
    assert.ok((before.found[0] ?? 0) >= first);
    await refused(operator, 'chat.list', { after_id: 1, before_id: 2 });
    await refused(operator, 'chat.list', { after_id: -1 });
  }),

  reference('A9', 'chat.replies lists the subtree without its root', async (site) => {
    const root = await posted(site);
    const reply = await posted(site, { reply_to: root });
    const operator = await site.connect();
    const shape = object({ parent_id: is(root), messages: list(listed), 'has_more?': flag });
    const result = await ask(
      operator,
      'chat.replies',
      { parent_id: root },
      'chat.replies.result',
      shape,
    );
    assert.deepEqual(
      (result['messages'] as Payload[]).map((each) => each['id']),
      [reply],
    );
    await refused(operator, 'chat.replies', {});
  }),

  reference(
    'A10, §4.6',
    'a reaction is there for the next request, changes, and toggles',
    async (site) => {
      const msg_id = await posted(site);
      const operator = await site.listener();
      const react = (emoji: string) =>
        operator.send({ kind: 'chat.reaction', payload: { from: 'operator', msg_id, emoji } });
      const fetchResult = object({
        reactions: (value) => {
          for (const each of Object.values(value as Payload)) {
            const problem = reactions(each);
            if (problem) return problem;
          }
          return undefined;
        },
      });
      const fetch = async () => {
        const query = { msg_ids: [msg_id] };
        const result = await ask(
          operator,
          'chat.reactions.fetch',
          query,
          'chat.reactions.fetch.result',
          fetchResult,
        );
        return (result['reactions'] as Payload)[msg_id];
      };
      react('👍');
      assert.deepEqual(await fetch(), [{ aspect: 'operator', emoji: '👍' }]);
      react('🎉');
      assert.deepEqual(await fetch(), [{ aspect: 'operator', emoji: '🎉' }]);
      react('🎉');
      assert.equal(await fetch(), undefined);
      for (const [emoji, op] of [
        ['👍', 'added'],
        ['🎉', 'added'],
        ['🎉', 'removed'],
      ] as const) {
        const mine = (update: Payload) =>
          update['msg_id'] === msg_id && update['op'] === op && update['emoji'] === emoji;
        await push(operator, 'chat.reaction.update', mine, reactionUpdate);
      }
      await refused(operator, 'chat.reactions.fetch', {
        msg_ids: Array.from({ length: 501 }, (_, i) => i + 1),
      });
    },
  ),

  nexus('G6', 'react_to is chat.reaction with an answer', async (site) => {
    const msg_id = await posted(site);
    const operator = await site.connect();
    const shape = object({ msg_id: is(msg_id), reactions });
    await ask(operator, 'react_to', { msg_id, emoji: '👍' }, 'react_to.result', shape);
    await refused(operator, 'react_to', { msg_id: 900_000_000, emoji: '👍' }, 'not_found');
  }),

  reference('A13', 'aspect.say posts as the operator, addressed once', async (site) => {
    const client = await site.connect();
    const name = site.newName();
    await ask(client, 'register', registration(name), 'register.ack', registerAck);
    const operator = await site.listener();
    const shape = object({ msg_id: positive });
    for (const content of ['hello', `@${name} hello`]) {
      const { msg_id } = await ask(
        operator,
        'aspect.say',
        { aspect: name, content },
        'aspect.say.result',
        shape,
      );
      const said = await push(operator, 'chat.deliver', (each) => each['id'] === msg_id, delivered);
      assert.deepEqual([said['from'], said['content']], ['operator', `@${name} hello`]);
    }
    await refused(operator, 'aspect.say', { aspect: name, content: '  ' });
    client.send({ kind: 'deregister', payload: { name, session_id: `session-of-${name}` } });
  }),

  reference('A19–A20', 'an aspect may send and read', async (site) => {
    const client = await site.connect();
    const name = site.newName();
    await ask(client, 'register', registration(name), 'register.ack', registerAck);
    client.send({ kind: 'chat.send', payload: { content: 'as an aspect' } });
    await ask(client, 'chat.read', {}, 'chat.read.result', messages);
    client.send({ kind: 'deregister', payload: { name, session_id: `session-of-${name}` } });
  }),
];
