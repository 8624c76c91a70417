import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { type Broker, defaultLimits, startBroker } from '#nexus/app/broker';
import { systemClock } from '#shared/sys/clock';
import { silentLog } from '#shared/sys/log';
import { RawClient } from './raw-client.ts';

// Every kind with literal frames, as a client in another language would send and expect them.
suite('frames on the wire', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'nexus-wire-'));
  let broker: Broker;
  let operator: RawClient;
  let wren: RawClient;
  let anvil: RawClient;

  const register = (name: string, more: object = {}) => ({
    name,
    session_id: `${name}-1`,
    context_mode: 'thread',
    provider: 'loopback',
    capabilities: null,
    ...more,
  });

  before(async () => {
    broker = await startBroker({
      listen: { host: '127.0.0.1', port: 0 },
      dataDir,
      limits: defaultLimits,
      clock: systemClock,
      openLog: () => silentLog,
    });
    const token = readFileSync(join(dataDir, 'operator.token'), 'utf8').trim();
    operator = await RawClient.connect(broker.url, token);
    wren = await RawClient.connect(broker.url, await broker.issueToken('wren'));
    anvil = await RawClient.connect(broker.url, await broker.issueToken('anvil'));
  });

  after(async () => {
    await Promise.all([operator, wren, anvil].map((client) => client?.close()));
    await broker.close();
    rmSync(dataDir, { recursive: true });
  });

  test('an envelope has a kind, a time, and the id it answers', async () => {
    const { ts, ...rest } = await operator.request('subscribe.chat', {}, 'q1');
    assert.deepEqual(rest, {
      kind: 'subscribe.ack',
      in_reply_to: 'q1',
      payload: { kind: 'subscribe.chat' },
    });
    assert.match(String(ts), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  test('subscriptions are acknowledged by the kind of their request', async () => {
    for (const kind of ['subscribe.roster', 'unsubscribe.roster', 'subscribe.roster']) {
      const { kind: answer, payload } = await operator.request(kind, null);
      assert.deepEqual([answer, payload], ['subscribe.ack', { kind }]);
    }
  });

  test('register is acked, with or without an id, and pushed to operators', async () => {
    const ack = await wren.request('register', register('wren'));
    assert.equal(ack.kind, 'register.ack');
    assert.deepEqual(ack.payload, {
      heartbeat_interval_s: 10,
      stale_after_s: 30,
      nexus_id: broker.nexusId,
      head_id: 0,
    });

    const { last_seen, ...update } = (await operator.kind('roster.update')).payload ?? {};
    assert.deepEqual(update, {
      aspect: 'wren',
      status: 'live',
      provider: 'loopback',
      context_mode: 'thread',
      reason: 'connect',
    });
    assert.ok(Date.parse(String(last_seen)) > 0);

    anvil.send({ kind: 'register', payload: register('anvil') });
    const idless = await anvil.kind('register.ack');
    assert.equal('in_reply_to' in idless, false);
    await operator.kind('roster.update');
  });

  test('register.error says what is wrong, and the socket stays open', async () => {
    const bad = await wren.request('register', { name: 'wren' });
    assert.equal(bad.kind, 'register.error');
    assert.equal(bad.payload?.['code'], 'bad_request');
    const forged = await wren.request('register', register('anvil'));
    assert.deepEqual([forged.kind, forged.payload?.['code']], ['register.error', 'forbidden']);
    assert.equal((await wren.request('chat.read', {})).kind, 'chat.read.result');
  });

  test('roster.list gives every aspect by name', async () => {
    const { kind, payload } = await operator.request('roster.list', undefined);
    assert.equal(kind, 'roster.list.result');
    const rows = payload?.['aspects'] as Record<string, unknown>[];
    assert.deepEqual(
      rows.map(({ name, status }) => [name, status]),
      [
        ['anvil', 'live'],
        ['wren', 'live'],
      ],
    );
  });

  test('chat.send without an id is delivered and not answered', async () => {
    operator.send({ kind: 'chat.send', payload: { from: 'operator', content: 'hello @wren' } });
    const { payload } = await wren.kind('chat.deliver');
    const id = payload?.['id'] as number;
    assert.ok(id > 0);
    assert.match(String(payload?.['received_at']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    const { received_at, ...rest } = payload ?? {};
    assert.deepEqual(rest, {
      id,
      from: 'operator',
      content: 'hello @wren',
      reason: 'mention',
      thread_root: id,
    });
    assert.deepEqual((await operator.kind('chat.deliver')).payload, { ...rest, received_at });
    assert.ok(await operator.silent('chat.send.result'));
    assert.ok(await anvil.silent('chat.deliver'), 'anvil was not addressed');
  });

  test('chat.send with an id is answered by chat.send.result; a reply joins the thread', async () => {
    const sent = await operator.request('chat.send', { content: '@anvil ping', topic: 'games' });
    assert.equal(sent.kind, 'chat.send.result');
    const root = sent.payload?.['msg_id'];
    assert.deepEqual(sent.payload, { msg_id: root, thread_root: root });
    assert.equal((await anvil.kind('chat.deliver')).payload?.['topic'], 'games');

    const reply = await anvil.request('chat.send', { content: 'pong', reply_to: root });
    assert.equal(reply.payload?.['thread_root'], root);

    const thread = await wren.request('chat.read', { thread_id: root });
    assert.equal(thread.kind, 'chat.read.result');
    const messages = (thread.payload?.['messages'] ?? []) as Record<string, unknown>[];
    const contents = messages.map((message) => message['content']);
    assert.deepEqual(contents, ['@anvil ping', 'pong']);
  });

  test('chat.send.error has a code: forged sender, empty content', async () => {
    const forged = await wren.request('chat.send', { content: 'x', from: 'anvil' });
    assert.deepEqual([forged.kind, forged.payload?.['code']], ['chat.send.error', 'forbidden']);
    const empty = await wren.request('chat.send', { content: '' });
    assert.deepEqual([empty.kind, empty.payload?.['code']], ['chat.send.error', 'bad_request']);
  });

  test('chat.read without a usable argument succeeds with null', async () => {
    for (const payload of [{}, { msg_id: 0 }, { msg_id: 'x' }, undefined]) {
      const { kind, payload: answer } = await wren.request('chat.read', payload);
      assert.deepEqual([kind, answer], ['chat.read.result', { messages: null }]);
    }
    const unknown = await wren.request('chat.read', { msg_id: 999_999 });
    assert.deepEqual(unknown.payload, { messages: [] });
  });

  test('chat.list pages through the room, oldest first', async () => {
    const newest = await operator.request('chat.list', { limit: 1 });
    assert.equal(newest.kind, 'chat.list.result');
    assert.equal(newest.payload?.['has_more'], true);
    const both = await operator.request('chat.list', { after_id: 1, before_id: 2 });
    assert.deepEqual([both.kind, both.payload?.['code']], ['chat.list.error', 'bad_request']);
    const aspect = await wren.request('chat.list', {});
    assert.deepEqual([aspect.kind, aspect.payload?.['code']], ['chat.list.error', 'forbidden']);
  });

  test('chat.reaction is added, replaced and taken back', async () => {
    const sent = await operator.request('chat.send', { content: 'react to this' });
    const msg_id = sent.payload?.['msg_id'];
    const react = async (emoji: string) => {
      wren.send({ kind: 'chat.reaction', payload: { msg_id, emoji } });
      return (await operator.kind('chat.reaction.update')).payload;
    };
    const base = { msg_id, reactor: 'wren' };
    assert.deepEqual(await react('👀'), {
      ...base,
      emoji: '👀',
      op: 'added',
      reactions: [{ aspect: 'wren', emoji: '👀' }],
    });
    assert.deepEqual(await react('👍'), {
      ...base,
      emoji: '👍',
      op: 'added',
      reactions: [{ aspect: 'wren', emoji: '👍' }],
    });
    assert.deepEqual(await react('👍'), { ...base, emoji: '👍', op: 'removed', reactions: [] });
  });

  test('a replay sends what was missed, then chat.replay.end, then what is new', async () => {
    const cursor = (await operator.request('chat.send', { content: 'before' })).payload?.['msg_id'];
    await wren.close();
    const missed = await operator.request('chat.send', { content: '@wren while you were away' });
    wren = await RawClient.connect(broker.url, await broker.issueToken('wren'));
    wren.send({
      kind: 'register',
      id: 'again',
      payload: register('wren', { since_msg_id: cursor, request_replay: true }),
    });
    assert.equal((await wren.next(() => true)).kind, 'register.ack');
    const { payload } = await wren.next(() => true);
    assert.equal(payload?.['id'], missed.payload?.['msg_id']);
    assert.deepEqual([payload?.['reason'], payload?.['replay']], ['replay', true]);
    const end = await wren.next(() => true);
    assert.equal(end.kind, 'chat.replay.end');
    assert.deepEqual(end.payload, { aspect: 'wren', up_to_id: missed.payload?.['msg_id'] });
  });

  test('deregister is answered by its own kind, without a payload', async () => {
    const { ts: _, ...answer } = await anvil.request(
      'deregister',
      { name: 'anvil', session_id: 'anvil-1', reason: 'done' },
      'bye',
    );
    assert.deepEqual(answer, { kind: 'deregister', in_reply_to: 'bye' });
    const other = await anvil.request('deregister', { name: 'wren', session_id: 'wren-1' });
    assert.deepEqual([other.kind, other.payload?.['code']], ['deregister.error', 'forbidden']);
  });

  test('an unknown kind is told so when it carries an id, and else dropped', async () => {
    const known = await wren.request('no.such.kind', {});
    assert.deepEqual([known.kind, known.payload?.['code']], ['no.such.kind.error', 'unsupported']);
    wren.send({ kind: 'no.such.kind', payload: {} });
    assert.ok(await wren.silent('no.such.kind.error'));
  });

  test('unsubscribe.chat ends the pushes', async () => {
    await operator.request('unsubscribe.chat', {});
    while (!(await operator.silent('chat.deliver'))) await operator.kind('chat.deliver');
    await operator.request('chat.send', { content: 'unseen' });
    assert.ok(await operator.silent('chat.deliver'));
  });
});
