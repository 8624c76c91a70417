import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { migrations } from '#nexus/app/broker';
import { defaultFileLimits, type FileLimits } from '#nexus/files/file-service';
import { openDatabase } from '#nexus/storage/database';
import { eventually } from '../eventually.ts';
import { startNexus, temporaryFolder } from './start-nexus.ts';

const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
  /** The body, if it is JSON. */
  readonly body: Record<string, unknown>;
}

/** A broker, aspects with their tokens, and a caller of `/api/files/ID/content`. */
async function setUp(t: TestContext, limits: Partial<FileLimits> = {}, dataDir?: string) {
  const fileLimits = { ...defaultFileLimits, ...limits };
  const nexus = await startNexus(t, { fileLimits, ...(dataDir && { dataDir }) });
  const tokens = {
    operator: nexus.operatorToken(),
    wren: await nexus.token('wren'),
    anvil: await nexus.token('anvil'),
    plumb: await nexus.token('plumb'),
  };
  const wren = await nexus.connect(tokens.wren);
  type Name = keyof typeof tokens;
  const content = async (
    method: string,
    who: Name | undefined,
    id: number | string,
    body?: Buffer | ReadableStream,
  ): Promise<Answer> => {
    const response = await fetch(`${nexus.url}/api/files/${id}/content`, {
      method,
      headers: who ? { authorization: `Bearer ${tokens[who]}` } : {},
      ...(body && { body, duplex: 'half' as const }),
    });
    const bytes = Buffer.from(await response.arrayBuffer());
    const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false;
    const { status, headers } = response;
    return { status, headers, bytes, body: isJson ? JSON.parse(bytes.toString()) : {} };
  };
  const share = async (recipients: string[], more: object = {}): Promise<number> => {
    const payload = { path: 'a.bin', recipients, ...more };
    return (await wren.request('share_file', payload, 'file.result'))['share_id'] as number;
  };
  const announce = async (more: object = {}): Promise<number> => {
    const payload = { path: 'a.bin', description: 'd', ...more };
    return (await wren.request('announce_file', payload, 'file.result'))['msg_id'] as number;
  };
  /** Names of what is stored, whole or half written. */
  const stored = () =>
    ['files', 'files.incoming'].flatMap((folder) => readdirSync(join(nexus.dataDir, folder)));
  return { nexus, tokens, wren, content, share, announce, stored };
}

/** A body in chunks, so that its length is not known beforehand. */
const streamOf = (...chunks: Buffer[]): ReadableStream =>
  new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });

/** Begins an upload by hand and leaves the rest of its bytes out. */
async function beginUpload(
  t: TestContext,
  { url, id, token, length }: { url: string; id: number; token: string; length: number },
): Promise<Socket> {
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1' });
  t.after(() => socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(
    `PUT /api/files/${id}/content HTTP/1.1\r\nHost: 127.0.0.1\r\n` +
      `Authorization: Bearer ${token}\r\nContent-Length: ${length}\r\n\r\nsome`,
  );
  return socket;
}

suite('PUT and GET /api/files/ID/content', () => {
  test('take in what its owner uploads and give it to those it was shared with', async (t) => {
    const { nexus, wren, content, share } = await setUp(t);
    const anvil = await nexus.aspect('anvil');
    const bytes = randomBytes(3_000_000);
    const id = await share(['anvil'], {
      path: 'out/Q3 "plan" ü.html',
      mime_type: 'text/html',
      sha256: sha256(bytes),
    });
    assert.equal((await content('GET', 'wren', id)).status, 404, 'the bytes are not here yet');
    const put = await content('PUT', 'wren', id, bytes);
    assert.equal(put.status, 201);
    assert.deepEqual(put.body, { id, size: bytes.length, sha256: sha256(bytes) });

    const got = await anvil.request('shared.get', { id });
    assert.equal(got['size'], bytes.length);
    assert.equal(got['content_url'], `/api/files/${id}/content`);
    assert.equal('content_base64' in got, false, 'too large for a frame');

    for (const who of ['wren', 'operator'] as const) {
      assert.ok((await content('GET', who, id)).bytes.equals(bytes), who);
    }
    const token = await nexus.token('anvil');
    const response = await fetch(`${nexus.url}/api/files/${id}/content`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const header = (name: string) => response.headers.get(name);
    assert.ok(Buffer.from(await response.arrayBuffer()).equals(bytes));
    assert.equal(header('content-type'), 'text/html');
    assert.equal(header('content-length'), String(bytes.length));
    assert.equal(header('x-content-type-options'), 'nosniff');
    assert.equal(header('content-security-policy'), 'sandbox');
    assert.equal(
      header('content-disposition'),
      `attachment; filename="Q3 _plan_ _.html"; filename*=UTF-8''Q3%20%22plan%22%20%C3%BC.html`,
    );

    const head = await content('HEAD', 'wren', id);
    assert.equal(head.headers.get('content-length'), String(bytes.length));
    assert.equal(head.bytes.length, 0);
    assert.equal((await wren.request('shared.get', { id }))['sha256'], sha256(bytes));
  });

  test('tell recipients once more when the bytes have arrived', async (t) => {
    const { nexus, content, share } = await setUp(t);
    const anvil = await nexus.aspect('anvil');
    const id = await share(['anvil']);
    await content('PUT', 'wren', id, Buffer.from('bytes'));
    const notices = () => anvil.payloadsOf('shared.notify');
    await anvil.until(() => notices().length === 2, 'the second notice');
    assert.deepEqual(
      notices().map(({ size }) => size),
      [undefined, 5],
    );
  });

  test('refuse whoever may not, and tell strangers nothing', async (t) => {
    const { content, share, announce } = await setUp(t);
    const given = await share(['anvil']);
    const open = await announce();
    const some = Buffer.from('some');
    const status = async (...call: Parameters<typeof content>) => (await content(...call)).status;
    assert.equal(await status('PUT', undefined, given, some), 401);
    assert.equal(await status('GET', undefined, given), 401);
    assert.equal(await status('PUT', 'anvil', given, some), 403);
    assert.equal(await status('PUT', 'operator', given, some), 403);
    assert.equal(await status('PUT', 'plumb', given, some), 404);
    assert.equal(await status('PUT', 'plumb', open, some), 403);
    assert.equal(await status('PUT', 'wren', 999_999, some), 404);
    for (const id of ['0x1', '1e3', '..%2f..%2foperator.token', '-1', '9'.repeat(16)]) {
      assert.equal(await status('GET', 'wren', id), 404, id);
      assert.equal(await status('PUT', 'wren', id, some), 404, id);
    }
    assert.equal(await status('PUT', 'wren', given, some), 201);
    assert.equal(await status('PUT', 'wren', open, some), 201);
    assert.equal(await status('GET', 'plumb', given), 404);
    assert.equal(await status('GET', 'plumb', open), 200, 'announced to everybody');
    assert.equal(await status('PUT', 'wren', open, some), 409, 'bytes come once');
  });

  test('refuse bytes with another hash than was promised, and keep nothing of them', async (t) => {
    const { content, share, stored } = await setUp(t);
    const id = await share(['anvil'], { sha256: sha256('right') });
    const wrong = await content('PUT', 'wren', id, Buffer.from('wrong'));
    assert.equal(wrong.status, 400);
    assert.match(String(wrong.body['error']), /hash to/);
    assert.deepEqual(stored(), []);
    assert.equal((await content('PUT', 'wren', id, Buffer.from('right'))).status, 201);
    assert.equal(stored().length, 1);
  });

  test('take a file of exactly the most bytes, with or without a known length', async (t) => {
    const { content, announce, stored } = await setUp(t, { fileBytes: 200_000 });
    const most = Buffer.alloc(200_000, 1);
    const more = Buffer.alloc(200_001, 1);
    const ids = [await announce(), await announce(), await announce(), await announce()] as const;
    assert.equal((await content('PUT', 'wren', ids[0], most)).status, 201);
    assert.equal((await content('PUT', 'wren', ids[1], streamOf(most))).status, 201);
    assert.equal((await content('PUT', 'wren', ids[2], more)).status, 413);
    assert.equal((await content('PUT', 'wren', ids[2], streamOf(most, more))).status, 413);
    assert.equal((await content('PUT', 'wren', ids[3])).status, 201, 'an empty file');
    assert.equal((await content('GET', 'wren', ids[3])).bytes.length, 0);
    assert.equal(stored().length, 3);
  });

  test('keep to the quota of the owner, uploads under way among them', async (t) => {
    const { nexus, tokens, content, announce, stored, wren } = await setUp(t, {
      ownerBytes: 100_000,
    });
    const first = await announce();
    const socket = await beginUpload(t, {
      url: nexus.url,
      id: first,
      token: tokens.wren,
      length: 60_000,
    });
    await eventually(() => stored().length === 1, 'the upload to begin');
    const second = await announce();
    const refused = await content('PUT', 'wren', second, Buffer.alloc(40_001));
    assert.equal(refused.status, 413);
    assert.match(String(refused.body['error']), /wren has no room: 60000 of 100000 bytes/);
    assert.equal((await content('PUT', 'wren', second, Buffer.alloc(40_000))).status, 201);
    const busy = await content('PUT', 'wren', first, Buffer.alloc(1));
    assert.equal(busy.status, 409, 'one upload of a file at a time');
    assert.equal(await wren.refused('shared.delete', { id: first }), 'conflict');
    socket.destroy();
    await eventually(() => stored().length === 1, 'the broken upload to be removed');
    await eventually(
      async () => (await content('PUT', 'wren', first, Buffer.alloc(60_000))).status === 201,
      'the room to be free again',
    );
  });

  test('let an owner have only so many uploads under way, and all owners together', async (t) => {
    const { nexus, tokens, content, announce, stored } = await setUp(t, {
      uploadsPerOwner: 2,
      uploads: 3,
    });
    const announceAs = async (token: string) => {
      const client = await nexus.connect(token);
      const payload = { path: 'b', description: 'd' };
      return Number((await client.request('announce_file', payload, 'file.result'))['msg_id']);
    };
    const begin = async (id: number, token: string, begun: number) => {
      await beginUpload(t, { url: nexus.url, id, token, length: 10 });
      await eventually(() => stored().length === begun, 'the upload to begin');
    };
    await begin(await announce(), tokens.wren, 1);
    await begin(await announce(), tokens.wren, 2);
    const third = await content('PUT', 'wren', await announce(), Buffer.from('x'));
    assert.equal(third.status, 503);
    await begin(await announceAs(tokens.anvil), tokens.anvil, 3);
    const id = await announceAs(tokens.plumb);
    assert.equal((await content('PUT', 'plumb', id, Buffer.from('x'))).status, 503);
  });

  test('an upload that breaks off, or that the broker’s end breaks off, leaves nothing', async (t) => {
    const dataDir = temporaryFolder(t);
    const first = await setUp(t, {}, dataDir);
    const { nexus, tokens, stored } = first;
    const id = await first.announce();
    const request = { url: nexus.url, id, token: tokens.wren, length: 1_000 };
    const socket = await beginUpload(t, request);
    await eventually(() => stored().length === 1, 'the upload to begin');
    socket.destroy();
    await eventually(() => stored().length === 0, 'the half of a file to be removed');

    await beginUpload(t, request);
    await eventually(() => stored().length === 1, 'the upload to begin');
    await nexus.close();
    assert.deepEqual(stored(), []);

    const second = await setUp(t, {}, dataDir);
    assert.equal((await second.content('GET', 'wren', id)).status, 404);
    assert.equal((await second.content('PUT', 'wren', id, Buffer.from('all of it'))).status, 201);
    await second.nexus.close();
    const third = await setUp(t, {}, dataDir);
    assert.equal((await third.content('GET', 'plumb', id)).bytes.toString(), 'all of it');
  });

  test('every fetch of bytes is in the journal, and no byte is', async (t) => {
    const { nexus, content, share, wren } = await setUp(t);
    const id = await share(['anvil']);
    const secret = 'these bytes stay out of the journal';
    await content('PUT', 'wren', id, Buffer.from(secret));
    await content('GET', 'anvil', id);
    await wren.request('shared.get', { id });
    await content('GET', 'plumb', id);
    await nexus.close();
    const database = openDatabase(join(nexus.dataDir, 'nexus.db'), migrations);
    t.after(() => database.close());
    const rows = database.reader
      .prepare(`SELECT kind, actor, body FROM journal WHERE kind LIKE 'file.%' ORDER BY position`)
      .all() as { kind: string; actor: string; body: string }[];
    assert.deepEqual(
      rows.map(({ kind, actor }) => [kind, actor]),
      [
        ['file.shared', 'wren'],
        ['file.stored', 'wren'],
        ['file.fetched', 'anvil'],
        ['file.fetched', 'wren'],
      ],
    );
    const all = JSON.stringify(rows);
    assert.equal(
      all.includes(secret) || all.includes(Buffer.from(secret).toString('base64')),
      false,
    );
  });

  test('where an answer would exceed a frame, shared.get leaves the bytes to REST', async (t) => {
    const { content, announce, wren } = await setUp(t);
    const id = await announce({ description: '\u0001'.repeat(80_000) });
    await content('PUT', 'wren', id, Buffer.alloc(512 * 1024));
    const got = await wren.request('shared.get', { id });
    assert.equal(got['content_base64'], undefined);
    assert.equal(got['content_url'], `/api/files/${id}/content`);
  });
});
