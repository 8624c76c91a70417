import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { serveProcess } from './serve-process.ts';
import { startNexus, temporaryFolder } from './start-nexus.ts';
import { TestClient } from './test-client.ts';

suite('restart', () => {
  test('messages, reactions, keys, tokens and identity survive', async (t) => {
    const dataDir = temporaryFolder(t);
    const first = await startNexus(t, { dataDir });
    assert.equal(first.broker.isNew, true);
    const token = await first.token('wren');
    const operatorToken = first.operatorToken();
    const wren = await first.connect(token);
    const root = await wren.post('root', { idempotency_key: 'k', topic: 'plans' });
    const reply = await wren.post('reply', { reply_to: root });
    await wren.ask('register', {
      name: 'wren',
      session_id: 's',
      context_mode: 'thread',
      provider: 'p',
    });
    wren.send('chat.reaction', { msg_id: root, emoji: '👍' });
    const before = await wren.request('chat.read', { thread_id: root });
    await first.close();

    const second = await startNexus(t, { dataDir });
    assert.equal(second.broker.isNew, false);
    assert.equal(second.broker.nexusId, first.broker.nexusId);
    assert.equal(second.operatorToken(), operatorToken);
    const back = await second.connect(token);
    assert.deepEqual(await back.request('chat.read', { thread_id: root }), before);
    assert.equal(await back.post('root', { idempotency_key: 'k' }), root);
    const next = await back.post('next');
    assert.ok(next > reply, 'ids go on');
    const operator = await second.operator();
    await operator.ask('subscribe.chat');
    back.send('chat.reaction', { msg_id: root, emoji: '👍' });
    const { payload } = await operator.nextOf('chat.reaction.update');
    assert.equal(payload?.['op'], 'removed', 'the reaction was still there');
    assert.deepEqual(await operator.request('roster.list'), { aspects: [] });
  });

  test('a second broker on the same data directory is refused, in this process and in another', async (t) => {
    const dataDir = temporaryFolder(t);
    const first = await startNexus(t, { dataDir });
    await assert.rejects(startNexus(t, { dataDir }), { code: 'storage.locked' });
    await assert.rejects(serveProcess(t, dataDir), /another broker is using/);
    const wren = await first.aspect('wren');
    await wren.post('the first is unharmed');
  });

  test('after SIGKILL the directory is free at once', async (t) => {
    const dataDir = temporaryFolder(t);
    const killed = await serveProcess(t, dataDir);
    const operatorToken = readFileSync(join(dataDir, 'operator.token'), 'utf8').trim();
    const operator = await TestClient.open(killed.url, operatorToken);
    const id = await operator.post('before the kill');
    await killed.kill();
    const nexus = await startNexus(t, { dataDir });
    const { messages } = await (await nexus.operator()).request('chat.list');
    assert.deepEqual(
      (messages as { id: number }[]).map((message) => message.id),
      [id],
    );
  });

  test('secrets are for this user only, and the address goes with the broker', async (t) => {
    const nexus = await startNexus(t);
    const file = (name: string) => join(nexus.dataDir, name);
    for (const name of ['operator.token', 'nexus.db', 'broker.json']) {
      assert.equal(statSync(file(name)).mode & 0o077, 0, name);
    }
    const token = await nexus.token('wren');
    assert.equal(readFileSync(file('nexus.db')).includes(token), false, 'hashed at rest');
    assert.equal(readFileSync(file('nexus.db-wal')).includes(token), false, 'hashed at rest');
    assert.deepEqual(JSON.parse(readFileSync(file('broker.json'), 'utf8')), {
      url: nexus.url,
      pid: process.pid,
    });
    await nexus.close();
    assert.equal(existsSync(file('broker.json')), false);
  });

  test('a start that fails leaves nothing behind', async (t) => {
    const dataDir = temporaryFolder(t);
    const other = await startNexus(t);
    const taken = { host: '127.0.0.1', port: Number(new URL(other.url).port) };
    await assert.rejects(startNexus(t, { dataDir, listen: taken }), { code: 'start.port_in_use' });
    const outside = { host: '0.0.0.0', port: 0 };
    await assert.rejects(startNexus(t, { dataDir, listen: outside }), { code: 'start.no_tls' });
    const missing = { cert: '/nowhere/cert.pem', key: '/nowhere/key.pem' };
    await assert.rejects(startNexus(t, { dataDir, tls: missing }), { code: 'start.tls_files' });
    await startNexus(t, { dataDir });
  });
});
