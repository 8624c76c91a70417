import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { defaultFileLimits } from '#nexus/files/file-service';
import { startNexus, type TestNexus, temporaryFolder } from './start-nexus.ts';
import type { TestClient } from './test-client.ts';

interface Listed {
  readonly id: number;
  readonly path: string;
  readonly shared_by: string;
}

const base64 = (bytes: Buffer | string): string => Buffer.from(bytes).toString('base64');
const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');

async function announce(client: TestClient, more: object = {}): Promise<number> {
  const payload = { path: 'a.md', description: 'look', ...more };
  const { msg_id } = await client.request('announce_file', payload, 'file.result');
  return msg_id as number;
}

async function share(client: TestClient, recipients: string[], more: object = {}): Promise<number> {
  const payload = { path: 'a.md', recipients, ...more };
  const { share_id } = await client.request('share_file', payload, 'file.result');
  return share_id as number;
}

async function list(client: TestClient, more: object = {}): Promise<number[]> {
  const { files } = await client.request('shared.list', more);
  return (files as Listed[]).map(({ id }) => id);
}

/** Names of what a broker has stored, whole or half written. */
const blobsOf = ({ dataDir }: TestNexus): string[] =>
  ['files', 'files.incoming'].flatMap((folder) => readdirSync(join(dataDir, folder)));

suite('announce_file', () => {
  test('posts a message like any other: routed, replayed, listed, the root of its thread', async (t) => {
    const nexus = await startNexus(t);
    const operator = await nexus.operator();
    await operator.ask('subscribe.chat');
    const wren = await nexus.aspect('wren');
    const anvil = await nexus.aspect('anvil');
    const plumb = await nexus.aspect('plumb');
    const id = await announce(wren, { path: './plans//q3.md', description: 'plans for @anvil' });
    await anvil.until(() => anvil.delivered().length > 0, 'the message');
    const { received_at, ...message } = anvil.payloadsOf('chat.deliver')[0] ?? {};
    assert.deepEqual(message, {
      id,
      from: 'wren',
      content: 'plans for @anvil',
      thread_root: id,
      file: { id, path: 'plans/q3.md' },
      reason: 'mention',
    });
    assert.ok(received_at);
    await plumb.settled();
    assert.deepEqual(plumb.delivered(), [], 'plumb was not addressed');
    await operator.until(() => operator.delivered().length > 0, 'the subscription');

    const reply = await anvil.post('thanks', { reply_to: id });
    const { messages } = await plumb.request('chat.read', { thread_id: id });
    assert.deepEqual(
      (messages as Record<string, unknown>[]).map((row) => [
        row['id'],
        row['thread_root'],
        row['file'],
      ]),
      [
        [id, id, { id, path: 'plans/q3.md' }],
        [reply, id, undefined],
      ],
    );

    await anvil.leave();
    const back = await nexus.aspect('anvil', { with: { since_msg_id: 0, request_replay: true } });
    await back.nextOf('chat.replay.end');
    assert.deepEqual(back.payloadsOf('chat.deliver')[0]?.['file'], { id, path: 'plans/q3.md' });
  });

  test('speaks for its connection, whatever it claims', async (t) => {
    const nexus = await startNexus(t);
    const wren = await nexus.aspect('wren');
    await nexus.token('anvil');
    const forged = { path: 'a', description: 'd', from: 'anvil', recipients: ['wren'] };
    assert.equal(await wren.refused('announce_file', forged), 'forbidden');
    assert.equal(await wren.refused('share_file', forged), 'forbidden');
    assert.equal(await wren.refused('shared.list', { from: 'anvil' }), 'forbidden');
    assert.equal(await wren.refused('shared.get', { from: 'anvil', id: 1 }), 'forbidden');
    assert.equal(await wren.refused('shared.delete', { from: 'anvil', id: 1 }), 'forbidden');
    const id = await announce(wren, { from: 'WREN' });
    assert.equal((await wren.request('shared.get', { id }))['shared_by'], 'wren');
    assert.deepEqual(await list(wren), [id]);
  });

  test('keeps an absolute path as a label and says so, and refuses what could mislead', async (t) => {
    const nexus = await startNexus(t);
    const wren = await nexus.aspect('wren');
    const payload = { path: '/tmp/x', description: 'd' };
    const { msg_id: id, note } = await wren.request('announce_file', payload, 'file.result');
    assert.match(String(note), /\/tmp\/x is kept as a label/);
    const got = await wren.request('shared.get', { id });
    assert.deepEqual([got['path'], got['home_relative']], ['/tmp/x', false]);
    for (const path of ['', '../x', 'a\0b', 'con', 'x'.repeat(1_025)]) {
      assert.equal(await wren.refused('announce_file', { path, description: 'd' }), 'bad_request');
      assert.equal(await wren.refused('share_file', { path, recipients: ['x'] }), 'bad_request');
    }
    assert.equal(
      await wren.refused('announce_file', { path: 'a', description: '' }),
      'bad_request',
    );
    const long = 'x'.repeat(256 * 1024 + 1);
    const refusal = wren.refused('announce_file', { path: 'a', description: long });
    assert.equal(await refusal, 'too_large');
    assert.deepEqual(await list(wren), [id], 'what was refused left nothing');
  });

  test('keeps its place among the frames of its connection', async (t) => {
    const nexus = await startNexus(t);
    const wren = await nexus.aspect('wren');
    const content_base64 = base64('x'.repeat(100_000));
    const before = wren.post('before');
    const announced = announce(wren, { content_base64 });
    const after = wren.post('after');
    const ids = await Promise.all([before, announced, after]);
    assert.deepEqual(
      ids,
      [...ids].sort((a, b) => a - b),
    );
  });
});

suite('share_file', () => {
  test('is told to connected recipients and subscribed operators, and to nobody else', async (t) => {
    const nexus = await startNexus(t);
    const operator = await nexus.operator();
    await operator.ask('subscribe.chat');
    const wren = await nexus.aspect('wren');
    const anvil = await nexus.aspect('anvil');
    const plumb = await nexus.aspect('plumb');
    const payload = {
      path: 'a.md',
      recipients: ['ANVIL', 'anvil', 'ghost'],
      description: 'for you',
    };
    const result = await wren.request('share_file', payload, 'file.result');
    assert.equal('msg_id' in result, false);
    assert.equal(result['note'], 'nobody is called ghost yet');
    const { created_at, ...notice } = (await anvil.nextOf('shared.notify')).payload ?? {};
    assert.deepEqual(notice, {
      id: result['share_id'],
      path: 'a.md',
      home_relative: true,
      shared_by: 'wren',
      description: 'for you',
      recipients: ['anvil', 'ghost'],
    });
    assert.match(String(created_at), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.deepEqual((await operator.nextOf('shared.notify')).payload, { ...notice, created_at });
    for (const client of [wren, anvil, plumb, operator]) await client.settled();
    assert.equal(anvil.payloadsOf('shared.notify').length, 1);
    assert.equal(plumb.payloadsOf('shared.notify').length, 0);
    assert.deepEqual(anvil.delivered(), [], 'a share is no chat message');
  });

  test('only its owner, its recipients and the operator see it', async (t) => {
    const nexus = await startNexus(t);
    const [operator, wren, anvil, plumb] = [
      await nexus.operator(),
      await nexus.aspect('wren'),
      await nexus.aspect('anvil'),
      await nexus.aspect('plumb'),
    ];
    const open = await announce(wren);
    const id = await share(wren, ['anvil'], { content_base64: base64('secret') });
    for (const client of [operator, wren, anvil]) {
      assert.deepEqual(await list(client), [id, open]);
      const got = await client.request('shared.get', { id });
      assert.equal(got['content_base64'], base64('secret'));
    }
    assert.deepEqual(await list(plumb), [open]);
    assert.deepEqual(await list(plumb, { owner: 'wren' }), [open]);
    assert.equal(await plumb.refused('shared.get', { id }), 'not_found');
    assert.equal(await plumb.refused('shared.delete', { id }), 'not_found');
    assert.equal((await plumb.request('shared.get', { id: open }))['id'], open);
  });

  test('takes 64 recipients, and refuses none, more, and what is no name', async (t) => {
    const nexus = await startNexus(t);
    const wren = await nexus.aspect('wren');
    const names = Array.from({ length: 64 }, (_, i) => `aspect-${i}`);
    const id = await share(wren, names);
    assert.deepEqual((await wren.request('shared.get', { id }))['recipients'], names);
    for (const recipients of [[], [...names, 'more'], [''], ['x'.repeat(65)], 'anvil', undefined]) {
      assert.equal(await wren.refused('share_file', { path: 'a', recipients }), 'bad_request');
    }
  });
});

suite('bytes in frames', () => {
  test('travel with the announcement, are checked, and are on disk under a name of our own', async (t) => {
    const nexus = await startNexus(t);
    const wren = await nexus.aspect('wren');
    const anvil = await nexus.aspect('anvil');
    const bytes = 'hello';
    const id = await announce(wren, {
      path: 'greet.txt',
      content_base64: base64(bytes),
      sha256: sha256(bytes),
      mime_type: 'text/plain; charset=utf-8',
    });
    const { created_at: _, ...got } = await anvil.request('shared.get', { id });
    assert.deepEqual(got, {
      id,
      path: 'greet.txt',
      home_relative: true,
      shared_by: 'wren',
      description: 'look',
      mime_type: 'text/plain; charset=utf-8',
      size: 5,
      sha256: sha256(bytes),
      content_base64: base64(bytes),
    });
    assert.equal(blobsOf(nexus).length, 1);
    assert.match(String(blobsOf(nexus)[0]), /^[0-9A-Z]{26}$/);

    const payload = { path: 'a', description: 'd', content_base64: base64(bytes) };
    const wrong = { ...payload, sha256: sha256('other') };
    assert.equal(await wren.refused('announce_file', wrong), 'bad_request');
    for (const more of [
      { content_base64: 'aGVsbG8' },
      { content_base64: 'aGV-bG8=' },
      { content_base64: 'a b' },
      { sha256: 'ABC' },
      { mime_type: 'text' },
      { mime_type: 'text/html\r\nx: y' },
    ]) {
      assert.equal(await wren.refused('announce_file', { ...payload, ...more }), 'bad_request');
    }
    assert.equal(blobsOf(nexus).length, 1, 'what was refused left nothing');
    assert.deepEqual(await list(wren), [id]);
  });

  test('may be 512 KiB and no more', async (t) => {
    const nexus = await startNexus(t);
    const wren = await nexus.aspect('wren');
    const most = Buffer.alloc(512 * 1024, 7);
    const id = await announce(wren, { content_base64: base64(most) });
    assert.equal((await wren.request('shared.get', { id }))['content_base64'], base64(most));
    const more = {
      path: 'a',
      description: 'd',
      content_base64: base64(Buffer.alloc(512 * 1024 + 1)),
    };
    assert.equal(await wren.refused('announce_file', more), 'too_large');
  });

  test('count towards the quotas of their owner and of all', async (t) => {
    const fileLimits = { ...defaultFileLimits, ownerBytes: 20_000, totalBytes: 30_000 };
    const nexus = await startNexus(t, { fileLimits });
    const wren = await nexus.aspect('wren');
    const anvil = await nexus.aspect('anvil');
    const of = (bytes: number) => ({
      path: 'a',
      description: 'd',
      content_base64: base64(Buffer.alloc(bytes)),
    });
    const id = await announce(wren, of(15_000));
    assert.equal(await wren.refused('announce_file', of(5_001)), 'too_large');
    await announce(wren, of(5_000));
    assert.equal(await wren.refused('announce_file', of(1)), 'too_large');
    assert.equal(await anvil.refused('announce_file', of(10_001)), 'too_large');
    await announce(anvil, of(10_000));
    await announce(wren);
    await wren.request('shared.delete', { id });
    await announce(anvil, of(10_000));
    assert.equal(blobsOf(nexus).length, 3);
  });
});

suite('shared.list', () => {
  test('gives 50 files, newest first, at most 200, and goes on below before_id', async (t) => {
    const nexus = await startNexus(t);
    const wren = await nexus.aspect('wren');
    const ids: number[] = [];
    for (let i = 0; i < 210; i++) ids.unshift(await share(wren, ['anvil']));
    assert.deepEqual(await list(wren), ids.slice(0, 50));
    assert.deepEqual(await list(wren, { limit: 0 }), ids.slice(0, 50));
    assert.deepEqual(await list(wren, { limit: 999 }), ids.slice(0, 200));
    const page = await wren.request('shared.list', { limit: 200, before_id: ids[9] });
    assert.equal((page['files'] as unknown[]).length, 200);
    assert.equal(page['has_more'], false);
    assert.equal((await wren.request('shared.list', { limit: 209 }))['has_more'], true);
    assert.deepEqual(await list(wren, { owner: 'anvil' }), []);
    assert.equal(await wren.refused('shared.list', { limit: -1 }), 'bad_request');
  });

  test('ends a page early where it would exceed a frame', async (t) => {
    const nexus = await startNexus(t);
    const wren = await nexus.aspect('wren');
    const ids: number[] = [];
    const description = '\u0001'.repeat(50_000);
    for (let i = 0; i < 6; i++) ids.unshift(await announce(wren, { description }));
    const found: number[] = [];
    for (let more = true; more; ) {
      const page = await wren.request('shared.list', { before_id: found.at(-1) ?? 0 });
      assert.ok(JSON.stringify(page).length < 1_000_000);
      found.push(...(page['files'] as Listed[]).map(({ id }) => id));
      more = page['has_more'] === true;
    }
    assert.deepEqual(found, ids);
  });
});

suite('shared.delete', () => {
  test('is for the owner and the operator, and takes the bytes, not the message', async (t) => {
    const nexus = await startNexus(t);
    const operator = await nexus.operator();
    const wren = await nexus.aspect('wren');
    const anvil = await nexus.aspect('anvil');
    const first = await announce(wren, { content_base64: base64('1') });
    const second = await share(wren, ['anvil'], { content_base64: base64('2') });
    assert.equal(await anvil.refused('shared.delete', { id: second }), 'forbidden');
    assert.deepEqual(await wren.request('shared.delete', { id: first }), { id: first });
    assert.deepEqual(await operator.request('shared.delete', { id: second }), { id: second });
    assert.deepEqual(blobsOf(nexus), []);
    assert.deepEqual(await list(operator), []);
    assert.equal(await wren.refused('shared.get', { id: first }), 'not_found');
    assert.equal(await wren.refused('shared.delete', { id: first }), 'not_found');
    const { messages } = await wren.request('chat.read', { msg_id: first });
    assert.equal((messages as unknown[]).length, 1);
  });
});

suite('files after a restart', () => {
  test('are all there, and so are their readers', async (t) => {
    const dataDir = temporaryFolder(t);
    const first = await startNexus(t, { dataDir });
    const token = await first.token('wren');
    const other = await first.token('plumb');
    const wren = await first.connect(token);
    const open = await announce(wren);
    const id = await share(wren, ['anvil'], { content_base64: base64('kept'), path: 'k.md' });
    const before = await wren.request('shared.get', { id });
    await first.close();

    const second = await startNexus(t, { dataDir });
    const back = await second.connect(token);
    assert.deepEqual(await back.request('shared.get', { id }), before);
    assert.deepEqual(await list(back), [id, open]);
    assert.deepEqual(await list(await second.connect(other)), [open]);
    const { messages } = await back.request('chat.read', { msg_id: open });
    assert.deepEqual((messages as Record<string, unknown>[])[0]?.['file'], {
      id: open,
      path: 'a.md',
    });
  });
});
