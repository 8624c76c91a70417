import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { type Broker, defaultLimits, startBroker } from '#nexus/app/broker';
import { systemClock } from '#shared/sys/clock';
import { silentLog } from '#shared/sys/log';
import { RawClient } from './raw-client.ts';

suite('file frames on the wire', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'nexus-wire-'));
  let broker: Broker;
  let operator: RawClient;
  let wren: RawClient;
  let anvil: RawClient;

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
    const registration = { name: 'anvil', session_id: 'a-1', context_mode: 'thread' };
    await anvil.request('register', { ...registration, provider: 'loopback' });
  });

  after(async () => {
    await Promise.all([operator, wren, anvil].map((client) => client?.close()));
    await broker.close();
    rmSync(dataDir, { recursive: true });
  });

  test('announce_file is answered by file.result with a msg_id that chat.read finds', async () => {
    const { ts: _, ...answer } = await operator.request(
      'announce_file',
      { from: 'operator', path: 'wstest/probe.txt', description: 'probe file for @anvil' },
      'f1',
    );
    const msg_id = (answer['payload'] as Record<string, unknown>)['msg_id'] as number;
    assert.ok(msg_id > 0);
    assert.deepEqual(answer, { kind: 'file.result', in_reply_to: 'f1', payload: { msg_id } });

    const { received_at, ...pushed } = (await anvil.kind('chat.deliver')).payload ?? {};
    const message = {
      id: msg_id,
      from: 'operator',
      content: 'probe file for @anvil',
      thread_root: msg_id,
      file: { id: msg_id, path: 'wstest/probe.txt' },
    };
    assert.deepEqual(pushed, { ...message, reason: 'mention' });
    const read = await wren.request('chat.read', { msg_id });
    assert.deepEqual(read.payload, { messages: [{ ...message, received_at }] });
  });

  test('announce_file with an absolute path is taken, with a note', async () => {
    const { kind, payload } = await operator.request('announce_file', {
      from: 'operator',
      path: '/tmp/nexus-wstest.txt',
      description: 'probe',
    });
    assert.equal(kind, 'file.result');
    assert.equal(typeof payload?.['msg_id'], 'number');
    assert.match(String(payload?.['note']), /label/);
  });

  test('without an id file.result comes as a push', async () => {
    wren.send({ kind: 'announce_file', payload: { path: 'a.md', description: 'd' } });
    const idless = await wren.kind('file.result');
    assert.equal('in_reply_to' in idless, false);
    assert.equal(typeof idless.payload?.['msg_id'], 'number');
  });

  test('share_file is answered by share_id alone, and shared.notify tells its recipients', async () => {
    const { kind, payload } = await operator.request('share_file', {
      from: 'operator',
      path: 'a.md',
      recipients: ['anvil', 'wren'],
      description: null,
    });
    const share_id = payload?.['share_id'] as number;
    assert.ok(share_id > 0);
    assert.deepEqual([kind, payload], ['file.result', { share_id }]);
    const notice = await anvil.kind('shared.notify');
    assert.equal('in_reply_to' in notice, false);
    const { created_at, ...rest } = notice.payload ?? {};
    assert.match(String(created_at), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.deepEqual(rest, {
      id: share_id,
      path: 'a.md',
      home_relative: true,
      shared_by: 'operator',
      recipients: ['anvil', 'wren'],
    });
  });

  test('announce_file.error and share_file.error have a code', async () => {
    const refusal = async (kind: string, payload: unknown) => {
      const answer = await wren.request(kind, payload);
      assert.equal(typeof answer.payload?.['error'], 'string');
      return [answer.kind, answer.payload?.['code']];
    };
    const described = { description: 'd' };
    assert.deepEqual(await refusal('announce_file', { path: '../x', ...described }), [
      'announce_file.error',
      'bad_request',
    ]);
    assert.deepEqual(await refusal('announce_file', { path: 'a', from: 'anvil', ...described }), [
      'announce_file.error',
      'forbidden',
    ]);
    assert.deepEqual(await refusal('share_file', { path: 'a', recipients: [] }), [
      'share_file.error',
      'bad_request',
    ]);
  });

  test('shared.list, shared.get and shared.delete read a file, its bytes, and take it back', async () => {
    const sha256 = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824';
    const shared = await wren.request('share_file', {
      path: 'greet.txt',
      recipients: ['anvil'],
      mime_type: 'text/plain',
      content_base64: 'aGVsbG8=',
      sha256,
    });
    const id = shared.payload?.['share_id'];
    const list = await anvil.request('shared.list', { owner: 'wren', limit: 1 });
    assert.equal(list.kind, 'shared.list.result');
    const [row = {}] = (list.payload?.['files'] ?? []) as Record<string, unknown>[];
    const file = {
      id,
      path: 'greet.txt',
      home_relative: true,
      shared_by: 'wren',
      created_at: row['created_at'],
      recipients: ['anvil'],
      mime_type: 'text/plain',
      size: 5,
      sha256,
    };
    assert.deepEqual(list.payload, { files: [file], has_more: true });

    const got = await anvil.request('shared.get', { id });
    assert.equal(got.kind, 'shared.get.result');
    assert.deepEqual(got.payload, { ...file, content_base64: 'aGVsbG8=' });

    const forbidden = await anvil.request('shared.delete', { id });
    assert.deepEqual(
      [forbidden.kind, forbidden.payload?.['code']],
      ['shared.delete.error', 'forbidden'],
    );
    const deleted = await wren.request('shared.delete', { id });
    assert.deepEqual([deleted.kind, deleted.payload], ['shared.delete.result', { id }]);
    const gone = await anvil.request('shared.get', { id });
    assert.deepEqual([gone.kind, gone.payload?.['code']], ['shared.get.error', 'not_found']);
  });
});
