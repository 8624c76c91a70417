import assert from 'node:assert/strict';
import { type Check, nexus, reference } from './check.ts';
import { integer, is, list, object, positive } from './shape.ts';
import { delivered, rosterRow, rosterUpdate, subscribed } from './shapes.ts';
import { ask, push, refused, registerAck, registration } from './site.ts';

const deregistered = (value: unknown) =>
  value === undefined ? undefined : `is ${JSON.stringify(value)}, but this answer has no payload`;

export const registrationChecks: readonly Check[] = [
  reference('A1', 'register is acknowledged with the heartbeat times', async (site) => {
    const client = await site.connect();
    const name = site.newName();
    await ask(client, 'register', registration(name), 'register.ack', registerAck);
    client.send({ kind: 'deregister', payload: { name, session_id: `session-of-${name}` } });
  }),

  reference('§2', 'register without an id is acknowledged without in_reply_to', async (site) => {
    const client = await site.connect();
    const name = site.newName();
    client.send({ kind: 'register', payload: registration(name) });
    await push(client, 'register.ack', () => true, registerAck);
    client.send({ kind: 'deregister', payload: { name, session_id: `session-of-${name}` } });
  }),

  reference(
    '§3.1',
    'a registration that does not validate is refused, the socket stays',
    async (site) => {
      const client = await site.connect();
      const name = site.newName();
      for (const wrong of [
        { name: '' },
        { session_id: '' },
        { provider: '' },
        { context_mode: 'x' },
        { port: 70_000 },
      ]) {
        await refused(client, 'register', registration(name, wrong));
      }
      await ask(client, 'register', registration(name), 'register.ack', registerAck);
      client.send({ kind: 'deregister', payload: { name, session_id: `session-of-${name}` } });
    },
  ),

  reference('§1.8', 'another session is refused while the first is live', async (site) => {
    const [first, second] = [await site.connect(), await site.connect()];
    const name = site.newName();
    await ask(first, 'register', registration(name), 'register.ack', registerAck);
    await refused(second, 'register', registration(name, { session_id: 'another' }));
    first.send({ kind: 'deregister', payload: { name, session_id: `session-of-${name}` } });
  }),

  reference(
    'A22',
    'deregister is answered by its own kind, without a payload, also when absent',
    async (site) => {
      const client = await site.connect();
      const name = site.newName();
      const own = { name, session_id: `session-of-${name}` };
      await ask(client, 'register', registration(name), 'register.ack', registerAck);
      await refused(client, 'deregister', { ...own, session_id: 'another' });
      await ask(client, 'deregister', { ...own, reason: 'done' }, 'deregister', deregistered);
      await ask(client, 'deregister', own, 'deregister', deregistered);
      await refused(client, 'deregister', { name: '', session_id: '' });
    },
  ),

  reference('§1.8', 'roster.update tells of coming and going', async (site) => {
    const watcher = await site.connect();
    await ask(watcher, 'subscribe.roster', {}, 'subscribe.ack', subscribed('subscribe.roster'));
    const client = await site.connect();
    const name = site.newName();
    await ask(client, 'register', registration(name), 'register.ack', registerAck);
    const of = (reason: string) => (update: Record<string, unknown>) =>
      update['aspect'] === name && update['reason'] === reason;
    const { status } = await push(watcher, 'roster.update', of('connect'), rosterUpdate);
    assert.equal(status, 'live');
    await client.close();
    const gone = await push(watcher, 'roster.update', of('disconnect'), rosterUpdate);
    assert.equal(gone['status'], 'down');
  }),

  reference('A2', 'roster.list lists who is registered', async (site) => {
    const client = await site.connect();
    const name = site.newName();
    await ask(client, 'register', registration(name, { model: 'm' }), 'register.ack', registerAck);
    const { aspects } = await ask(
      client,
      'roster.list',
      null,
      'roster.list.result',
      object({ aspects: list(rosterRow) }),
    );
    const row = (aspects as Record<string, unknown>[]).find((each) => each['name'] === name);
    assert.deepEqual(
      [row?.['status'], row?.['model'], row?.['context_mode']],
      ['live', 'm', 'stateless'],
    );
    client.send({ kind: 'deregister', payload: { name, session_id: `session-of-${name}` } });
  }),

  ...['chat', 'roster', 'aspect_status'].flatMap((topic) =>
    ['subscribe', 'unsubscribe'].map((verb) =>
      reference(
        'A3–A5, A16–A18',
        `${verb}.${topic} is acknowledged by its kind, also twice`,
        async (site) => {
          const operator = await site.connect();
          const kind = `${verb}.${topic}`;
          for (const payload of [{}, { topics: ['x'] }, null]) {
            await ask(operator, kind, payload, 'subscribe.ack', subscribed(kind));
          }
        },
      ),
    ),
  ),

  reference(
    '§1.9',
    'a replay brings what was missed, oldest first, marked as such',
    async (site) => {
      const sender = await site.connect();
      const client = await site.connect();
      const name = site.newName();
      await ask(client, 'register', registration(name), 'register.ack', registerAck);
      sender.send({ kind: 'chat.send', payload: { content: `@${name} first` } });
      const mine = (payload: Record<string, unknown>) =>
        String(payload['content']).startsWith(`@${name}`);
      const { id } = await push(client, 'chat.deliver', mine, delivered);
      await client.close();
      for (const word of ['second', 'third']) {
        sender.send({ kind: 'chat.send', payload: { content: `@${name} ${word}` } });
      }
      await sender.request('chat.read', {});
      const again = await site.connect();
      const replay = { since_msg_id: id, request_replay: true };
      await ask(again, 'register', registration(name, replay), 'register.ack', registerAck);
      for (const word of ['second', 'third']) {
        const missed = await push(again, 'chat.deliver', mine, delivered);
        assert.deepEqual(
          [missed['content'], missed['reason'], missed['replay']],
          [`@${name} ${word}`, 'replay', true],
        );
      }
      again.send({ kind: 'deregister', payload: { name, session_id: `session-of-${name}` } });
    },
  ),

  nexus('G10', 'a replay ends with a marker, and nothing new comes before it', async (site) => {
    const { client, name } = await site.aspect(site.newName(), {
      request_replay: true,
      since_msg_id: 0,
    });
    const end = object({ aspect: is(name), up_to_id: integer });
    await push(client, 'chat.replay.end', () => true, end);
  }),

  nexus('G1', 'an aspect registers under its own name only', async (site) => {
    const client = await site.connect(await site.tokenFor(site.newName()));
    await refused(client, 'register', registration(site.newName()), 'forbidden');
  }),

  nexus('G3', 'the same session on a new socket closes the older one with 4001', async (site) => {
    const name = site.newName();
    const token = await site.tokenFor(name);
    const [older, newer] = [await site.connect(token), await site.connect(token)];
    await ask(older, 'register', registration(name), 'register.ack', registerAck);
    await ask(newer, 'register', registration(name), 'register.ack', registerAck);
    assert.equal(await older.closed, 4001);
  }),

  nexus('G12', 'deregister sends roster.update', async (site) => {
    const watcher = await site.connect();
    await ask(watcher, 'subscribe.roster', {}, 'subscribe.ack', subscribed('subscribe.roster'));
    const { client, name } = await site.aspect();
    client.send({ kind: 'deregister', payload: { name, session_id: `session-of-${name}` } });
    const gone = (update: Record<string, unknown>) =>
      update['aspect'] === name && update['reason'] === 'disconnect';
    await push(watcher, 'roster.update', gone, rosterUpdate);
  }),

  reference(
    '§3.1',
    'outpost.register is acknowledged, outpost.deregister is not answered',
    async (site) => {
      const client = await site.connect();
      const payload = { outpost_id: site.newName(), host: 'h', version: '1', capabilities: null };
      const ack = object({ heartbeat_interval_s: positive });
      await ask(client, 'outpost.register', payload, 'outpost.register.ack', ack);
      client.send({ kind: 'outpost.deregister', payload });
      assert.ok(await client.silent('outpost.deregister.error'));
    },
  ),

  nexus('G7', 'frames to an aspect behind an Outpost name it in target_aspect', async (site) => {
    const name = site.newName();
    const outpost = await site.connect(await site.tokenFor(site.newName(), { grants: [name] }));
    outpost.send({ kind: 'register', payload: registration(name, { via_outpost: 'o' }) });
    const ack = await outpost.next((frame) => frame.kind === 'register.ack', 'register.ack');
    assert.equal(ack['target_aspect'], name);
    const sender = await site.connect();
    sender.send({ kind: 'chat.send', payload: { content: `@${name} hello` } });
    const deliver = await outpost.next((frame) => frame.kind === 'chat.deliver', 'chat.deliver');
    assert.equal(deliver['target_aspect'], name);
  }),
];
