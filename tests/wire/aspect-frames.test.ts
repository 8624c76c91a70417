import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { type Broker, defaultLimits, startBroker } from '#nexus/app/broker';
import { catalogue } from '#shared/frames/catalogue';
import { FrameCodec } from '#shared/frames/codec';
import { systemClock } from '#shared/sys/clock';
import { silentLog } from '#shared/sys/log';
import { RawClient } from './raw-client.ts';

// Literal frames, as a client in another language would send and expect them.
suite('aspects’ frames on the wire', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'nexus-wire-'));
  let broker: Broker;
  let operator: RawClient;
  let wren: RawClient;

  const register = {
    name: 'wren',
    session_id: 'wren-1',
    context_mode: 'global',
    provider: 'claude-code',
    capabilities: null,
    primary_surface: 'funnel',
  };

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
    await wren.request('register', register);
  });

  after(async () => {
    await Promise.all([operator, wren].map((client) => client?.close()));
    await broker.close();
    rmSync(dataDir, { recursive: true });
  });

  test('aspect.activity goes to subscribers as aspect.status_pulse', async () => {
    const ack = await operator.request('subscribe.aspect_status', null);
    const subscribed = { kind: 'subscribe.aspect_status' };
    assert.deepEqual([ack.kind, ack.payload], ['subscribe.ack', subscribed]);
    wren.send({
      kind: 'aspect.activity',
      ts: '2026-06-01T08:00:00Z',
      payload: {
        type: 'turn.tool_call',
        aspect_id: 'wren',
        emitted_at: '2026-06-01T08:00:00.5Z',
        payload: { name: 'read_file' },
      },
    });
    const { ts: _, ...frame } = await operator.kind('aspect.status_pulse');
    const { ts, ...pulse } = frame.payload ?? {};
    assert.deepEqual(pulse, { aspect: 'wren', phase: 'tool', detail: 'read_file' });
    assert.match(String(ts), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    const end = await operator.request('unsubscribe.aspect_status', {});
    const unsubscribed = { kind: 'unsubscribe.aspect_status' };
    assert.deepEqual([end.kind, end.payload], ['subscribe.ack', unsubscribed]);
  });

  test('aspect.turn sends a turn, and turn.result comes back as aspect.turn.result', async () => {
    const payload = { aspect: 'wren', prompt: 'Count to three', max_tokens: 64 };
    const answer = operator.request('aspect.turn', payload, 'q1');
    const { id, ts, ...turn } = await wren.kind('turn');
    assert.equal(String(id).length, 26);
    assert.equal(typeof ts, 'string');
    assert.deepEqual(turn, {
      kind: 'turn',
      target_aspect: 'wren',
      payload: { prompt: 'Count to three', max_tokens: 64 },
    });
    wren.send({
      kind: 'turn.result',
      in_reply_to: id,
      ts: '2026-06-01T08:00:00Z',
      payload: {
        output: 'one two three',
        stop_reason: 'end_turn',
        tokens: { input: 12, output: 5, total: 17 },
        entry_ids: null,
      },
    });
    const { ts: _, ...result } = await answer;
    assert.deepEqual(result, {
      kind: 'aspect.turn.result',
      in_reply_to: 'q1',
      payload: {
        aspect: 'wren',
        output: 'one two three',
        stop_reason: 'end_turn',
        tokens: { input: 12, output: 5, total: 17 },
        entry_ids: [],
      },
    });
  });

  test('turn.error comes back as aspect.turn.error', async () => {
    const answer = operator.request('aspect.turn', { aspect: 'wren', prompt: 'x' });
    const { id } = await wren.kind('turn');
    wren.send({ kind: 'turn.error', in_reply_to: id, payload: { error: 'no provider' } });
    const { kind, payload } = await answer;
    assert.equal(kind, 'aspect.turn.error');
    assert.deepEqual(payload, { error: 'no provider', code: 'turn_failed' });
  });

  test('turn.cancel names the turn that nobody waits for any more', async () => {
    const abort = new AbortController();
    const asked = broker.turns.send('wren', { prompt: 'x' }, { signal: abort.signal });
    const { id } = await wren.kind('turn');
    abort.abort(new Error('enough'));
    await assert.rejects(asked, { message: 'enough' });
    const { ts: _, ...cancel } = await wren.kind('turn.cancel');
    assert.deepEqual(cancel, {
      kind: 'turn.cancel',
      target_aspect: 'wren',
      payload: { request_id: id, reason: 'nobody waits for it any more' },
    });
  });

  test('dispatch is answered by dispatch.error with the codes of the reference', async () => {
    const payload = { aspect: 'wren', thread: '412', dispatch_id: 'd-91', payload: null };
    const { ts: _, ...answer } = await wren.request('dispatch', payload, 'd');
    assert.deepEqual(answer, {
      kind: 'dispatch.error',
      in_reply_to: 'd',
      payload: {
        aspect: 'wren',
        dispatch_id: 'd-91',
        reason: 'this broker runs no Hands',
        code: 'no_dispatcher',
      },
    });
    const other = await wren.request('dispatch', { aspect: 'anvil' });
    assert.equal(other.payload?.['code'], 'identity_mismatch');
    const bad = await wren.request('dispatch', {});
    assert.equal(bad.payload?.['code'], 'bad_request');
  });

  test('the shapes that nothing sends yet are those of the reference', () => {
    const codec = new FrameCodec(catalogue);
    const shapes: [string, object][] = [
      [
        'dispatch.result',
        {
          aspect: 'wren',
          thread: '412',
          dispatch_id: 'd-91',
          output: { text: '14' },
          tokens: { input: 230, output: 9, total: 239 },
        },
      ],
      [
        'dispatch.error',
        {
          dispatch_id: 'd-92',
          code: 'hard_ceiling',
          reason: 'hard_ceiling',
          active: 4,
          soft_cap: 2,
          limit: 4,
        },
      ],
      [
        'credential.fetch.result',
        {
          name: 'main',
          kind: 'provider',
          bundle: { api_shape: 'anthropic', base_url: '', key: 'k', default_model: 'm' },
        },
      ],
    ];
    for (const [kind, payload] of shapes) {
      const definition = codec.find(kind);
      assert.ok(definition, kind);
      assert.deepEqual(codec.check(definition, payload), payload);
    }
  });

  test('credential.fetch finds nothing in an empty vault', async () => {
    const { kind, payload } = await wren.request('credential.fetch', { kind: 'jira' });
    assert.equal(kind, 'credential.fetch.error');
    assert.deepEqual(payload, {
      error: 'no default jira credential is stored for wren',
      code: 'not_found',
    });
  });

  test('session.entry.appended, session.rewind and session.fork are not answered', async () => {
    wren.send({
      kind: 'session.entry.appended',
      ts: '2026-06-01T08:00:00Z',
      payload: {
        aspect: 'wren',
        session_id: '01JZ8Q4M7T9V3B5N6P1R2S4W8X',
        entry_id: 'e1',
        entry_kind: 'turn.user',
        ts: '2026-06-01T08:00:00.123456789Z',
        payload: { text: 'hello' },
      },
    });
    wren.send({
      kind: 'session.entry.appended',
      id: 'q2',
      payload: {
        aspect: 'wren',
        session_id: '01JZ8Q4M7T9V3B5N6P1R2S4W8X',
        entry_id: 'e2',
        parent_id: 'e1',
        entry_kind: 'turn.assistant',
        ts: '2026-06-01T08:00:01Z',
        payload: null,
      },
    });
    const session = { aspect: 'wren', session_id: '01JZ8Q4M7T9V3B5N6P1R2S4W8X' };
    const rewind = { ...session, new_head_id: 'e1', previous_id: 'e2' };
    wren.send({ kind: 'session.rewind', payload: rewind });
    const fork = { ...session, fork_point: 'e1', new_head_id: 'e3' };
    wren.send({ kind: 'session.fork', payload: fork });
    for (const kind of ['session.entry.appended.result', 'session.entry.appended.error']) {
      assert.ok(await wren.silent(kind));
    }
    const refused = await wren.request('session.entry.appended', { ...session, entry_id: 'e1' });
    assert.equal(refused.kind, 'session.entry.appended.error');
    assert.equal(refused.payload?.['code'], 'bad_request');
  });

  test('session.list shows where each session stands', async () => {
    const { kind, payload } = await operator.request('session.list', { aspect: 'wren' });
    assert.equal(kind, 'session.list.result');
    const rows = (payload?.['sessions'] ?? []) as Record<string, unknown>[];
    const { seq, last_at, ...rest } = rows[0] ?? {};
    assert.deepEqual(rest, {
      aspect: 'wren',
      session_id: '01JZ8Q4M7T9V3B5N6P1R2S4W8X',
      head_id: 'e3',
      entries: 2,
    });
    assert.ok(Number.isInteger(seq));
    assert.match(String(last_at), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.equal(payload?.['has_more'], false);
  });

  test('session.entries and session.moves show what happened in it', async () => {
    const session = { aspect: 'wren', session_id: '01JZ8Q4M7T9V3B5N6P1R2S4W8X' };
    const page = await operator.request('session.entries', { ...session, limit: 1 });
    assert.equal(page.kind, 'session.entries.result');
    const { entries, ...rest } = page.payload ?? {};
    assert.deepEqual(rest, { head_id: 'e3', has_more: true });
    const { seq: _, received_at: __, ...entry } = (entries as Record<string, unknown>[])[0] ?? {};
    assert.deepEqual(entry, {
      entry_id: 'e1',
      entry_kind: 'turn.user',
      ts: '2026-06-01T08:00:00.123456789Z',
      payload: { text: 'hello' },
    });

    const moved = await operator.request('session.moves', session);
    assert.equal(moved.kind, 'session.moves.result');
    const moves = (moved.payload?.['moves'] ?? []) as Record<string, unknown>[];
    assert.deepEqual(
      moves.map(({ op, head_id, from_id }) => [op, head_id, from_id]),
      [
        ['rewind', 'e1', 'e2'],
        ['fork', 'e3', 'e1'],
      ],
    );
    const missing = await operator.request('session.entries', { ...session, session_id: 'no' });
    assert.deepEqual(
      [missing.kind, missing.payload?.['code']],
      ['session.entries.error', 'not_found'],
    );
  });

  test('switch.surface is answered by switch.surface.result, then the socket closes', async () => {
    const payload = { primary_surface: 'agora' };
    const { ts: _, ...answer } = await wren.request('switch.surface', payload, 'q3');
    assert.deepEqual(answer, {
      kind: 'switch.surface.result',
      in_reply_to: 'q3',
      payload: { aspect: 'wren', primary_surface: 'agora', previous_surface: 'funnel' },
    });
  });
});
