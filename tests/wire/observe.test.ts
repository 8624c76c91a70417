import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { type Broker, defaultLimits, startBroker } from '#nexus/app/broker';
import { systemClock } from '#shared/sys/clock';
import { silentLog } from '#shared/sys/log';
import { type Frame, RawClient } from './raw-client.ts';

// What reference aspects send of their turns and what reference operators are shown, literally.
suite('observability on the wire', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'nexus-wire-observe-'));
  let broker: Broker;
  let operator: RawClient;
  let iris: RawClient;
  let epoch: unknown;

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
    iris = await RawClient.connect(broker.url, await broker.issueToken('iris'));
  });

  after(async () => {
    await Promise.all([operator, iris].map((client) => client?.close()));
    await broker.close();
    rmSync(dataDir, { recursive: true });
  });

  /** The next pushed frame, without what differs from run to run. */
  const shown = async (): Promise<Record<string, unknown>> => {
    const { payload = {} } = await operator.kind('observe.frame');
    assert.deepEqual(Object.keys(payload).sort(), ['aspect', 'epoch', 'frame']);
    assert.equal(payload['aspect'], 'iris');
    assert.equal(payload['epoch'], epoch);
    const { ts, ...frame } = payload['frame'] as Record<string, unknown>;
    assert.match(String(ts), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$/);
    return frame;
  };

  const shownTurn = async (): Promise<Record<string, unknown>> => {
    const frame = await shown();
    assert.equal(frame['kind'], 'turn');
    return frame['payload'] as Record<string, unknown>;
  };

  const tell = (event_kind: string, event: unknown) =>
    iris.send({ kind: 'observe.event', payload: { aspect: 'iris', event_kind, event } });

  test('subscribe.observe is acked with the epoch once everything retained was sent', async () => {
    const ack = await operator.request('subscribe.observe', { aspect: 'iris', since_seq: 0 });
    assert.equal(ack.kind, 'subscribe.ack');
    epoch = ack.payload?.['epoch'];
    assert.match(String(epoch), /^\w{26}$/);
    assert.deepEqual(ack.payload, { kind: 'subscribe.observe', epoch });
  });

  test('a registration is a presence frame, and right behind it a turn may begin', async () => {
    iris.send({
      kind: 'register',
      payload: { name: 'iris', session_id: 's', context_mode: 'thread', provider: 'p' },
    });
    iris.send({
      kind: 'observe.begin',
      payload: {
        aspect: 'iris',
        turn_id: 'turn-1',
        label: '',
        model: 'm-large',
        provider: 'claude-api',
        trigger_msg: 77,
      },
    });
    assert.deepEqual(await shown(), {
      kind: 'presence',
      aspect: 'iris',
      seq: 1,
      payload: { connected: true, reason: 'registered' },
    });
    const { payload, ...frame } = await shown();
    assert.deepEqual(frame, { kind: 'turn', aspect: 'iris', seq: 2 });
    const { started, ...turn } = payload as Record<string, unknown>;
    assert.ok(Date.parse(String(started)) > 0);
    assert.deepEqual(turn, {
      turn_id: 'turn-1',
      label: 'main',
      status: 'in_flight',
      trigger_msg: 77,
      model: 'm-large',
      provider: 'claude-api',
      events: [],
    });
  });

  test('observe.event takes bodies under their Go names, and each shows the whole turn', async () => {
    tell('model_chunk', { Text: 'Check' });
    tell('model_chunk', { Text: 'ing.', Extra: true });
    tell('step_boundary', { Step: 2 });
    tell('tool_call_start', {
      ID: 't1',
      Name: 'Edit',
      Args: { file_path: 'a.txt', old_string: 'x', new_string: 'y' },
    });
    tell('tool_call_start', { ID: 't2', Name: 'Read', Args: null });
    tell('tool_call_result', { ID: 't1', Result: { ok: true }, Err: '' });
    tell('tool_call_result', { ID: 't2', Result: null, Err: 'no such file\nsorry' });
    tell('tool_call_result', { ID: 't9', Result: 'late' });
    tell('unheard_of', {});
    const events = [];
    for (let i = 0; i < 8; i++) events.push((await shownTurn())['events']);
    assert.deepEqual(events[0], [{ kind: 'text', text: 'Check' }]);
    assert.deepEqual(events[1], [{ kind: 'text', text: 'Checking.' }]);
    assert.deepEqual(events[7], [
      { kind: 'text', text: 'Checking.' },
      { kind: 'step', step: 2 },
      {
        kind: 'tool_call',
        tool: {
          id: 't1',
          name: 'Edit',
          input: { file_path: 'a.txt', old_string: 'x', new_string: 'y' },
          artifact: { kind: 'file_edit', file_path: 'a.txt', old_text: 'x', new_text: 'y' },
          result: { preview: '{"ok":true}', is_error: false },
        },
      },
      {
        kind: 'tool_call',
        tool: {
          id: 't2',
          name: 'Read',
          input: null,
          result: { preview: 'no such file…', is_error: true },
        },
      },
      {
        kind: 'tool_result_orphan',
        tool: {
          id: 't9',
          name: '',
          input: null,
          result: { preview: '"late"', is_error: false },
        },
      },
    ]);
  });

  test('observe.end closes the turn with what turn_done and turn_error said', async () => {
    tell('turn_done', {
      Result: {
        FinalText: 'Checking.',
        ToolCalls: null,
        StepCount: 2,
        Usage: {
          InputTokens: 10,
          OutputTokens: 20,
          CacheReadInputTokens: 5,
          CacheCreationInputTokens: 0,
          CostUSD: 0.0012,
        },
        StopReason: 'end_turn',
      },
    });
    tell('turn_error', { err: 'overloaded', stage: 'provider' });
    iris.send({ kind: 'observe.end', payload: { aspect: 'iris' } });
    await shownTurn();
    const failing = await shownTurn();
    assert.deepEqual([failing['status'], failing['error']], ['in_flight', 'overloaded']);
    const { usage, ended, events: _, ...turn } = await shownTurn();
    assert.deepEqual([turn['status'], turn['error']], ['errored', 'overloaded']);
    assert.ok(Date.parse(String(ended)) > 0);
    const { duration_ns, ...tokens } = usage as Record<string, unknown>;
    assert.deepEqual(tokens, {
      input_tokens: 10,
      output_tokens: 20,
      cache_read: 5,
      cost_usd: 0.0012,
    });
    assert.ok(Number.isInteger(duration_ns));
  });

  test('chat is outbound for its sender and inbound for whom it is for', async () => {
    const ping = await operator.request('chat.send', { content: '@iris ping', topic: 'games' });
    const msg_id = ping.payload?.['msg_id'];
    const inbound = await shown();
    const { created_at, ...payload } = inbound['payload'] as Record<string, unknown>;
    assert.equal(inbound['kind'], 'chat');
    assert.match(String(created_at), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.deepEqual(payload, {
      msg_id,
      from: 'operator',
      content: '@iris ping',
      topic: 'games',
      direction: 'inbound',
    });

    const pong = await iris.request('chat.send', { content: 'pong', reply_to: msg_id });
    const outbound = (await shown())['payload'] as Record<string, unknown>;
    assert.deepEqual(
      [outbound['msg_id'], outbound['reply_to'], outbound['direction']],
      [pong.payload?.['msg_id'], msg_id, 'outbound'],
    );
  });

  test('form delta shows what changed, as turn_delta', async () => {
    await operator.request('subscribe.observe', { aspect: 'iris', since_seq: 13, form: 'delta' });
    assert.equal((await shown())['seq'], 14, 'retained frames come first');
    assert.equal((await shown())['seq'], 15);
    const delta = async () => {
      const { kind, payload } = await shown();
      assert.equal(kind, 'turn_delta');
      return payload as Record<string, unknown>;
    };
    iris.send({ kind: 'observe.begin', payload: { turn_id: 'turn-2', label: 'compact' } });
    const { begin, ...rest } = await delta();
    assert.deepEqual(rest, { turn_id: 'turn-2' });
    const { started: _, ...head } = begin as Record<string, unknown>;
    assert.deepEqual(head, { label: 'compact' });
    tell('model_chunk', { Text: 'a' });
    tell('model_chunk', { Text: 'b' });
    tell('tool_call_start', { ID: 't1', Name: 'Read', Args: {} });
    tell('tool_call_result', { ID: 't1', Result: 5 });
    iris.send({ kind: 'observe.end', payload: {} });
    assert.deepEqual(await delta(), {
      turn_id: 'turn-2',
      append_event: { kind: 'text', text: 'a' },
    });
    assert.deepEqual(await delta(), { turn_id: 'turn-2', append_text: 'b' });
    assert.deepEqual(await delta(), {
      turn_id: 'turn-2',
      append_event: { kind: 'tool_call', tool: { id: 't1', name: 'Read', input: {} } },
    });
    assert.deepEqual(await delta(), {
      turn_id: 'turn-2',
      result: { event: 1, result: { preview: '5', is_error: false } },
    });
    const { set } = await delta();
    assert.equal((set as Record<string, unknown>)['status'], 'complete');
  });

  test('uplink frames are refused by code, but only those that carry an id', async () => {
    const refused = async (client: RawClient, kind: string, payload: unknown) => {
      const answer: Frame = await client.request(kind, payload);
      assert.equal(answer.kind, `${kind}.error`);
      assert.equal(typeof answer.payload?.['error'], 'string');
      return answer.payload?.['code'];
    };
    const begin = { turn_id: 'turn-3' };
    assert.equal(await refused(operator, 'observe.begin', begin), 'not_registered');
    assert.equal(await refused(iris, 'observe.begin', {}), 'bad_request');
    assert.equal(await refused(iris, 'observe.end', {}), 'not_found', 'no turn is open');
    const chunk = { event_kind: 'model_chunk', event: { Text: 5 } };
    assert.equal(await refused(iris, 'observe.event', chunk), 'bad_request');
    const unknown = { event_kind: 'unheard_of', event: {} };
    assert.equal(await refused(iris, 'observe.event', unknown), 'bad_request');

    const stray = await RawClient.connect(broker.url, await broker.issueToken('stray'));
    assert.equal(await refused(stray, 'observe.begin', begin), 'not_registered');
    stray.send({ kind: 'observe.begin', payload: begin });
    assert.ok(await stray.silent('observe.begin.error'));
    await stray.close();
  });

  test('a bad subscribe.observe is answered, and unsubscribe.observe ends the frames', async () => {
    const empty = await operator.request('subscribe.observe', { aspect: '' });
    assert.deepEqual(
      [empty.kind, empty.payload?.['code']],
      ['subscribe.observe.error', 'bad_request'],
    );
    operator.send({ kind: 'subscribe.observe', payload: { aspect: 7 } });
    const idless = await operator.kind('subscribe.observe.error');
    assert.equal('in_reply_to' in idless, false);
    const aspect = await iris.request('subscribe.observe', { aspect: 'iris' });
    assert.equal(aspect.payload?.['code'], 'forbidden');

    const { kind, payload } = await operator.request('unsubscribe.observe', { aspect: 'iris' });
    assert.deepEqual([kind, payload], ['subscribe.ack', { kind: 'unsubscribe.observe' }]);
    await iris.request('chat.send', { content: 'unseen' });
    assert.ok(await operator.silent('observe.frame'));
  });
});
