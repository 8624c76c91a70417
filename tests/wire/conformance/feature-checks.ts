import assert from 'node:assert/strict';
import { type Check, nexus, reference } from './check.ts';
import { filled, flag, is, list, object, positive, text } from './shape.ts';
import { delivered, knowledgeHit, listed, observeFrame, subscribed } from './shapes.ts';
import { ask, push, refused, registerAck, registration } from './site.ts';

type Payload = Record<string, unknown>;
const messages = object({ messages: list(listed) });

const fileChecks: readonly Check[] = [
  reference('A14', 'announce_file answers with the message it made', async (site) => {
    const operator = await site.connect();
    const announce = { from: 'operator', path: '/tmp/conformance.txt', description: 'a file' };
    const result = object({ msg_id: positive, 'note?': text });
    const { msg_id } = await ask(operator, 'announce_file', announce, 'file.result', result);
    const { messages: read } = await ask(
      operator,
      'chat.read',
      { msg_id },
      'chat.read.result',
      messages,
    );
    assert.equal((read as Payload[])[0]?.['content'], 'a file');
    await refused(operator, 'announce_file', { path: '', description: 'a file' });
    await refused(operator, 'announce_file', { path: 'notes.txt', description: '' });
  }),

  reference('A15', 'share_file answers with a share, recipients known or not', async (site) => {
    const operator = await site.connect();
    const share = { from: 'operator', path: 'notes.txt', recipients: [site.newName(), 'nobody'] };
    await ask(
      operator,
      'share_file',
      share,
      'file.result',
      object({ share_id: positive, 'note?': text }),
    );
    await refused(operator, 'share_file', { path: 'notes.txt', recipients: [] });
  }),

  nexus('G8', 'an announcement is delivered like any message', async (site) => {
    const { client, name } = await site.aspect();
    const operator = await site.connect();
    const description = `@${name} see this`;
    await ask(
      operator,
      'announce_file',
      { path: 'a.txt', description },
      'file.result',
      object({ msg_id: positive, 'note?': text }),
    );
    await push(client, 'chat.deliver', (each) => each['content'] === description, delivered);
  }),
];

const knowledgeChecks: readonly Check[] = [
  reference(
    'A11',
    'knowledge.store keeps one entry a topic, knowledge.search finds it',
    async (site) => {
      const operator = await site.connect();
      const topic = site.newName();
      const word = `word${topic.replaceAll('-', '')}`;
      const stored = object({ id: positive, 'note?': text });
      const hits = object({ hits: list(knowledgeHit) });
      const store = (content: string) =>
        ask(
          operator,
          'knowledge.store',
          { topic, content, shared: true },
          'knowledge.store.result',
          stored,
        );
      const { id } = await store(`first ${word}`);
      assert.equal((await store(`second ${word}`))['id'], id);
      const { hits: found } = await ask(
        operator,
        'knowledge.search',
        { text: word },
        'knowledge.search.result',
        hits,
      );
      const [hit] = found as Payload[];
      assert.deepEqual(
        [hit?.['id'], hit?.['from_agent'], hit?.['content'], hit?.['shared'], hit?.['matched']],
        [id, 'operator', `second ${word}`, true, 'fts'],
      );
      assert.ok(Number(hit?.['score']) < 0, 'a BM25 rank is negative');
      await refused(operator, 'knowledge.store', { topic: '', content: 'x' });
      await refused(operator, 'knowledge.search', { text: ' ' });
    },
  ),

  reference('A12', 'knowledge.list lists the newest first', async (site) => {
    const operator = await site.connect();
    const topic = site.newName();
    await operator.request('knowledge.store', { topic, content: 'listed' });
    const shape = object({ entries: list(knowledgeHit), 'has_more?': flag });
    const { entries } = await ask(
      operator,
      'knowledge.list',
      { limit: 20 },
      'knowledge.list.result',
      shape,
    );
    assert.ok(
      (entries as Payload[]).some((each) => each['topic'] === topic && each['matched'] === ''),
    );
  }),

  nexus(
    '§3.4',
    'an aspect must have registered, and does not see what is not shared',
    async (site) => {
      const stranger = await site.connect(await site.tokenFor(site.newName()));
      await refused(stranger, 'knowledge.store', { topic: 't', content: 'c' }, 'not_registered');
      await refused(stranger, 'knowledge.search', { text: 't' }, 'not_registered');
      const { client: owner } = await site.aspect();
      const { client: other } = await site.aspect();
      const word = `secret${site.newName().replaceAll('-', '')}`;
      await owner.request('knowledge.store', { topic: word, content: word });
      const count = async (client: typeof owner) => {
        const { payload } = await client.request('knowledge.search', { text: word });
        return (payload?.['hits'] as unknown[] | undefined)?.length ?? 0;
      };
      assert.deepEqual([await count(owner), await count(other)], [1, 0]);
    },
  ),
];

const sessionChecks: readonly Check[] = [
  reference('A21', 'session.entry.appended is taken without an answer', async (site) => {
    const client = await site.connect();
    const name = site.newName();
    await ask(client, 'register', registration(name), 'register.ack', registerAck);
    const entry = {
      aspect: name,
      session_id: 's',
      entry_id: 'e1',
      entry_kind: 'message',
      ts: '2026-06-01T08:00:00Z',
      payload: { text: 'x' },
    };
    client.send({ kind: 'session.entry.appended', payload: entry });
    client.send({ kind: 'session.entry.appended', payload: entry });
    await ask(client, 'chat.read', {}, 'chat.read.result', messages);
    assert.ok(await client.silent('session.entry.appended.error'));
    client.send({ kind: 'deregister', payload: { name, session_id: `session-of-${name}` } });
  }),

  nexus('G6', 'switch.surface is answered, then the socket closes with 1000', async (site) => {
    const { client, name } = await site.aspect();
    const result = object({
      aspect: is(name),
      primary_surface: is('agora'),
      'previous_surface?': is('funnel', 'agora'),
    });
    await ask(
      client,
      'switch.surface',
      { primary_surface: 'agora' },
      'switch.surface.result',
      result,
    );
    assert.equal(await client.closed, 1000);
  }),

  nexus('G6', 'activity reaches operators as a status pulse', async (site) => {
    const operator = await site.connect();
    const topic = 'subscribe.aspect_status';
    await ask(operator, topic, {}, 'subscribe.ack', subscribed(topic));
    const { client, name } = await site.aspect();
    const activity = {
      type: 'turn.start',
      aspect_id: name,
      emitted_at: '2026-06-01T08:00:00Z',
      payload: {},
    };
    client.send({ kind: 'aspect.activity', payload: activity });
    const pulse = object({ aspect: is(name), phase: filled, 'detail?': text, ts: filled });
    await push(operator, 'aspect.status_pulse', (each) => each['aspect'] === name, pulse);
  }),
];

const workChecks: readonly Check[] = [
  reference(
    '§3.2',
    'dispatch for another aspect is an identity mismatch, with the reference’s fields',
    async (site) => {
      const client = await site.connect(await site.tokenFor(site.newName()));
      const { kind, payload } = await client.request('dispatch', {
        aspect: site.newName(),
        payload: {},
        dispatch_id: 'd1',
      });
      assert.equal(kind, 'dispatch.error');
      assert.deepEqual([payload?.['dispatch_id'], payload?.['code']], ['d1', 'identity_mismatch']);
      assert.equal(typeof payload?.['reason'], 'string');
    },
  ),

  reference('§3.4', 'credential.fetch refuses what is not there or not allowed', async (site) => {
    const client = await site.connect();
    await refused(client, 'credential.fetch', { kind: 'jira', name: site.newName() });
    await refused(client, 'credential.fetch', { kind: 'provider' });
    await refused(client, 'credential.fetch', { kind: 'nonsense' });
  }),
];

const observeChecks: readonly Check[] = [
  reference(
    '§3.6, §3.7',
    'a turn is folded into snapshots, for those who subscribed',
    async (site) => {
      const client = await site.connect();
      const name = site.newName();
      await ask(client, 'register', registration(name), 'register.ack', registerAck);
      const operator = await site.connect();
      const kind = 'subscribe.observe';
      await ask(operator, kind, { aspect: name }, 'subscribe.ack', subscribed(kind));
      const event = (event_kind: string, body: object) =>
        client.send({ kind: 'observe.event', payload: { event_kind, event: body } });
      client.send({
        kind: 'observe.begin',
        payload: { turn_id: 't1', label: 'main', model: 'm', trigger_msg: 7 },
      });
      event('model_chunk', { Text: 'Hel' });
      event('model_chunk', { Text: 'lo' });
      event('tool_call_start', {
        ID: 'c1',
        Name: 'Write',
        Args: { file_path: 'a.txt', content: 'x' },
      });
      event('tool_call_result', { ID: 'c1', Result: 'done', Err: '' });
      event('turn_done', { Result: { Usage: { InputTokens: 3, OutputTokens: 5 } } });
      client.send({ kind: 'observe.end', payload: {} });
      const final = (payload: Payload) => {
        const frame = payload['frame'] as Payload | undefined;
        return (frame?.['payload'] as Payload | undefined)?.['status'] === 'complete';
      };
      const { frame } = await push(operator, 'observe.frame', final, observeFrame);
      const turn = (frame as Payload)['payload'] as Payload;
      assert.deepEqual([turn['turn_id'], turn['label'], turn['trigger_msg']], ['t1', 'main', 7]);
      const [said, call] = turn['events'] as Payload[];
      assert.deepEqual(said, { kind: 'text', text: 'Hello' });
      const tool = call?.['tool'] as Payload | undefined;
      assert.deepEqual(
        [call?.['kind'], tool?.['id'], tool?.['name']],
        ['tool_call', 'c1', 'Write'],
      );
      assert.equal((tool?.['result'] as Payload | undefined)?.['is_error'], false);
      assert.equal((tool?.['artifact'] as Payload | undefined)?.['kind'], 'file_write');
      const usage = turn['usage'] as Payload | undefined;
      assert.deepEqual([usage?.['input_tokens'], usage?.['output_tokens']], [3, 5]);

      const late = await site.connect();
      late.send({ kind, id: 'tail', payload: { aspect: name, since_seq: 0 } });
      await push(late, 'observe.frame', final, observeFrame);
      await late.next((each) => each['in_reply_to'] === 'tail', 'the ack behind the tail');
      const end = 'unsubscribe.observe';
      await ask(operator, end, { aspect: name }, 'subscribe.ack', subscribed(end));
      client.send({ kind: 'deregister', payload: { name, session_id: `session-of-${name}` } });
    },
  ),
];

const errorChecks: readonly Check[] = [
  nexus('G14', 'what is unknown or not for this role is refused by name', async (site) => {
    const { client } = await site.aspect();
    await refused(client, 'no.such.kind', {}, 'unsupported');
    for (const kind of [
      'roster.list',
      'chat.list',
      'chat.replies',
      'aspect.say',
      'subscribe.chat',
      'knowledge.list',
    ]) {
      await refused(client, kind, {}, 'forbidden');
    }
    await refused(client, 'register.ack', {});
  }),

  reference(
    '§2',
    'an unknown kind without an id is dropped, and in_reply_to is never dispatched',
    async (site) => {
      const client = await site.connect();
      client.send({ kind: 'no.such.kind', payload: {} });
      client.send({ kind: 'chat.list', in_reply_to: 'x', payload: {} });
      assert.ok(await client.silent('no.such.kind.error'));
      assert.ok(await client.silent('chat.list.result'));
    },
  ),

  reference(
    '§1.5',
    '16 undecodable messages in a row close with 1008, any decodable one resets the count',
    async (site) => {
      const client = await site.connect();
      for (let i = 0; i < 15; i++) client.send('not JSON');
      await ask(client, 'chat.read', {}, 'chat.read.result', messages);
      for (let i = 0; i < 16; i++) client.send('{"kind":""}');
      assert.equal(await client.closed, 1008);
    },
  ),

  reference('§1.7', 'frames take effect in their order', async (site) => {
    const operator = await site.connect();
    const topic = site.newName();
    operator.send({ kind: 'knowledge.store', payload: { topic, content: 'now' } });
    const shape = object({ entries: list(knowledgeHit), 'has_more?': flag });
    const { entries } = await ask(
      operator,
      'knowledge.list',
      { limit: 1 },
      'knowledge.list.result',
      shape,
    );
    assert.equal((entries as Payload[])[0]?.['topic'], topic);
  }),
];

export const featureChecks: readonly Check[] = [
  ...fileChecks,
  ...knowledgeChecks,
  ...sessionChecks,
  ...workChecks,
  ...observeChecks,
  ...errorChecks,
];
