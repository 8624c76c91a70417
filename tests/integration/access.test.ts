import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { suite, type TestContext, test } from 'node:test';
import { WebSocket } from 'ws';
import { roomyLimits, startNexus, type TestNexus } from './start-nexus.ts';
import { connectUrl } from './test-client.ts';

/** The HTTP status and text of a refused upgrade, or 101. */
function upgrade(
  url: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string }> {
  const ws = new WebSocket(url, { headers, perMessageDeflate: false });
  return new Promise((resolve, reject) => {
    ws.once('open', () => {
      ws.terminate();
      resolve({ status: 101, text: '' });
    });
    ws.once('unexpected-response', (_, response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += String(chunk);
      });
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    ws.once('error', reject);
  });
}

/** A socket that speaks HTTP by hand. Its server may close it, it never does. */
async function rawSocket(t: TestContext, nexus: TestNexus): Promise<Socket> {
  const { port } = new URL(nexus.url);
  const socket = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true });
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

suite('tokens', () => {
  test('are taken from the header, else from the query, for every kind of identity', async (t) => {
    const nexus = await startNexus(t);
    const url = connectUrl(nexus.url);
    const tokens = [await nexus.token('wren'), nexus.operatorToken()];
    for (const token of tokens) {
      const bearer = { authorization: `Bearer ${token}` };
      assert.equal((await upgrade(url, bearer)).status, 101);
      assert.equal((await upgrade(`${url}?token=${token}`)).status, 101);
      const malformed = { authorization: `bearer ${token}` };
      assert.equal((await upgrade(`${url}?token=${token}`, malformed)).status, 101);
      assert.equal((await upgrade(url, malformed)).status, 401);
    }
  });

  test('that are missing, wrong or void are refused before the upgrade', async (t) => {
    const nexus = await startNexus(t);
    const url = connectUrl(nexus.url);
    const old = await nexus.token('wren');
    const current = await nexus.token('wren');
    const refused = { status: 401, text: 'unauthorized' };
    assert.deepEqual(await upgrade(url), refused);
    assert.deepEqual(await upgrade(`${url}?token=`), refused);
    assert.deepEqual(await upgrade(`${url}?token=${'0'.repeat(64)}`), refused);
    assert.deepEqual(await upgrade(url, { authorization: `Bearer ${old}` }), refused);
    assert.deepEqual(
      await upgrade(`${url}?token=${current}`, { authorization: `Bearer ${old}` }),
      refused,
      'the header wins',
    );
    assert.equal((await upgrade(`${url}?token=${current}`)).status, 101);
  });
});

suite('connection caps', () => {
  test('refuse with 503 at the bound and take again once a place is free', async (t) => {
    const limits = { ...roomyLimits, connections: { total: 10, perAddress: 2 } };
    const nexus = await startNexus(t, { limits });
    const token = nexus.operatorToken();
    const url = `${connectUrl(nexus.url)}?token=${token}`;
    const first = await nexus.connect(token);
    await nexus.connect(token);
    assert.deepEqual(await upgrade(url), { status: 503, text: 'too many connections' });
    await first.leave();
    // The place is free once the socket underneath is gone, a moment after the goodbye.
    let status = 503;
    for (let i = 0; status === 503 && i < 1000; i++) ({ status } = await upgrade(url));
    assert.equal(status, 101);
  });

  test('a refused peer that never hangs up keeps neither its socket nor a place', async (t) => {
    const limits = { ...roomyLimits, connections: { total: 10, perAddress: 1 } };
    const nexus = await startNexus(t, { limits });
    const token = nexus.operatorToken();
    const { host } = new URL(nexus.url);
    const request = (extra: string) =>
      `GET /connect?token=${token} HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\n` +
      `Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n` +
      `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${extra}\r\n`;
    for (let i = 0; i < 3; i++) {
      const socket = await rawSocket(t, nexus);
      let answer = '';
      socket.on('data', (chunk) => {
        answer += String(chunk);
      });
      socket.write(request('Origin: http://evil.example\r\n'));
      await once(socket, 'end');
      assert.match(answer, /^HTTP\/1\.1 403 /);
      // Its own side stays open: writing on must fail, because the broker holds nothing any more.
      socket.on('error', () => undefined);
      const gone = new Promise((resolve) => socket.once('close', resolve));
      const nudge = setInterval(() => socket.write('x'), 10);
      await gone;
      clearInterval(nudge);
    }
    await nexus.connect(token);
  });
});

suite('origin and host', () => {
  test('a page elsewhere may not connect or call', async (t) => {
    const nexus = await startNexus(t);
    const { host } = new URL(nexus.url);
    const url = `${connectUrl(nexus.url)}?token=${nexus.operatorToken()}`;
    assert.equal((await upgrade(url, { origin: 'http://evil.example' })).status, 403);
    assert.equal((await upgrade(url, { origin: 'null' })).status, 403);
    assert.equal((await upgrade(url, { origin: `http://${host}` })).status, 101);
    assert.equal((await upgrade(url)).status, 101);
    const foreign = await fetch(`${nexus.url}/health`, { headers: { origin: 'http://a.example' } });
    assert.equal(foreign.status, 403);
  });

  test('a name that an attacker points at this machine is refused (DNS rebinding)', async (t) => {
    const nexus = await startNexus(t);
    const { port } = new URL(nexus.url);
    const url = `${connectUrl(nexus.url)}?token=${nexus.operatorToken()}`;
    const rebound = `evil.example:${port}`;
    const headers = { host: rebound, origin: `http://${rebound}` };
    assert.equal((await upgrade(url, headers)).status, 403);
    assert.equal((await upgrade(url, { host: `localhost:${port}` })).status, 101);

    const socket = await rawSocket(t, nexus);
    socket.write(`GET /health HTTP/1.1\r\nHost: ${rebound}\r\nConnection: close\r\n\r\n`);
    const [answer] = await once(socket, 'data');
    assert.match(String(answer), /^HTTP\/1\.1 403 /);
  });
});

suite('the upgrade', () => {
  test('is offered at /connect only, and needs a valid request', async (t) => {
    const nexus = await startNexus(t);
    const token = nexus.operatorToken();
    const elsewhere = `${nexus.url.replace('http', 'ws')}/other?token=${token}`;
    assert.equal((await upgrade(elsewhere)).status, 404);
    const { host } = new URL(nexus.url);
    const socket = await rawSocket(t, nexus);
    socket.write(
      `GET /connect?token=${token} HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\n` +
        'Connection: Upgrade\r\nSec-WebSocket-Version: 12\r\nSec-WebSocket-Key: x\r\n\r\n',
    );
    const [answer] = await once(socket, 'data');
    assert.match(String(answer), /^HTTP\/1\.1 400 /);
  });

  test('answers with neither a subprotocol nor compression', async (t) => {
    const nexus = await startNexus(t);
    const ws = new WebSocket(connectUrl(nexus.url), {
      headers: { authorization: `Bearer ${nexus.operatorToken()}` },
      perMessageDeflate: true,
    });
    const [response] = await once(ws, 'upgrade');
    assert.equal(response.headers['sec-websocket-extensions'], undefined);
    assert.equal(response.headers['sec-websocket-protocol'], undefined);
    ws.terminate();
  });
});

suite('messages that are no frames', () => {
  test('a binary message closes with 1003', async (t) => {
    const nexus = await startNexus(t);
    const wren = await nexus.aspect('wren');
    wren.ws.send(Buffer.from('{"kind":"chat.read"}'), { binary: true });
    assert.equal((await wren.closed).code, 1003);
  });

  test('a message of 1 MiB is read, one byte more closes with 1009', async (t) => {
    const nexus = await startNexus(t);
    const wren = await nexus.aspect('wren');
    const frame = (length: number) => {
      const empty = JSON.stringify({ kind: 'chat.read', id: 'big', payload: { x: '' } });
      return JSON.stringify({
        kind: 'chat.read',
        id: 'big',
        payload: { x: 'x'.repeat(length - empty.length) },
      });
    };
    wren.ws.send(frame(1_048_576));
    await wren.next(({ in_reply_to }) => in_reply_to === 'big');
    wren.ws.send(frame(1_048_577));
    assert.equal((await wren.closed).code, 1009);
  });

  test('16 undecodable messages in a row close with 1008, and a good one resets the count', async (t) => {
    const nexus = await startNexus(t);
    const wren = await nexus.aspect('wren');
    for (let i = 0; i < 15; i++) wren.ws.send('{');
    await wren.settled();
    for (let i = 0; i < 15; i++) wren.ws.send('no frame');
    await wren.settled();
    for (let i = 0; i < 16; i++) wren.ws.send('[]');
    assert.equal((await wren.closed).code, 1008);
  });

  test('an unanswered ping ends the connection, and answered ones do not', async (t) => {
    const limits = { ...roomyLimits, keepAlive: { pingEveryMs: 20, pongWithinMs: 2_000 } };
    const nexus = await startNexus(t, { limits });
    const quiet = await nexus.aspect('wren');
    let pings = 0;
    const pinged = new Promise<void>((resolve) => {
      quiet.ws.on('ping', () => {
        pings += 1;
        if (pings === 3) resolve();
      });
    });
    await pinged;
    await quiet.settled();

    const dead = await nexus.aspect('anvil');
    const operator = await nexus.operator();
    await operator.ask('subscribe.roster');
    dead.ws.pause();
    await operator.next(
      ({ payload }) => payload?.['aspect'] === 'anvil' && payload['status'] === 'down',
    );
  });

  test('the broker says goodbye with 1001 when it stops', async (t) => {
    const nexus = await startNexus(t);
    const wren = await nexus.aspect('wren');
    const [{ code }] = await Promise.all([wren.closed, nexus.broker.close()]);
    assert.equal(code, 1001);
  });
});
