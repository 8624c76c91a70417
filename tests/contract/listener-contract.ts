import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { suite, type TestContext, test } from 'node:test';
import { WebSocket } from 'ws';
import { type Authenticate, operatorIdentity } from '#nexus/credentials/identity';
import { Admission } from '#nexus/gateway/admission';
import { ConnectionCaps } from '#nexus/gateway/connection-caps';
import type { HttpService, OpenListener } from '#nexus/gateway/listener';
import { systemCodeOf } from '#shared/errors';
import { systemClock } from '#shared/sys/clock';
import { silentLog } from '#shared/sys/log';
import type { Transport } from '#shared/transport/transport';
import { eventually } from '../eventually.ts';

const handshake = {
  Upgrade: 'websocket',
  Connection: 'Upgrade',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
};
const token = '/connect?token=good';

interface Settings {
  readonly authenticate?: Authenticate;
  readonly http?: HttpService;
  readonly places?: number;
}

/** What every listener promises: who gets in, who does not, and that the routes are served. */
export function listenerContract(
  name: string,
  open: OpenListener,
  skip: string | false = false,
): void {
  async function start(t: TestContext, settings: Settings = {}) {
    const { places = 10 } = settings;
    const accepted: Transport[] = [];
    const ends: number[] = [];
    const listener = open({
      clock: systemClock,
      admission: new Admission({
        authenticate: (text) => (text === 'good' ? operatorIdentity : undefined),
        caps: new ConnectionCaps({ total: places, perAddress: places }),
        log: silentLog,
        ...settings,
      }),
      http: settings.http ?? (() => new Response('routes')),
      accept(transport) {
        accepted.push(transport);
        transport.start({ message: () => undefined, closed: (code) => void ends.push(code) });
      },
    });
    t.after(() => listener.close());
    const port = await listener.listen('127.0.0.1', 0);

    const socket = async (): Promise<Socket> => {
      const client = connect({ port, host: '127.0.0.1' });
      client.on('error', () => undefined);
      t.after(() => client.destroy());
      await once(client, 'connect');
      return client;
    };
    /** Sends a request by hand and resolves with all that comes back until the end. */
    const raw = async (method: string, target: string, headers: object = {}): Promise<string> => {
      const client = await socket();
      const all = { Host: `127.0.0.1:${port}`, Connection: 'close', ...headers };
      const lines = Object.entries(all).map(([key, value]) => `${key}: ${value}\r\n`);
      client.write(`${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`);
      let answer = '';
      client.on('data', (chunk) => {
        answer += String(chunk);
      });
      await once(client, 'close');
      return answer;
    };
    /** The status of a request that asks for an upgrade, and is refused. */
    const refused = async (target: string, headers: object = {}, method = 'GET') => {
      const answer = await raw(method, target, { ...handshake, ...headers });
      return Number(/^HTTP\/1\.1 (\d+) /.exec(answer)?.[1]);
    };
    const dial = async (query = 'token=good'): Promise<WebSocket> => {
      const client = new WebSocket(`ws://127.0.0.1:${port}/connect?${query}`);
      client.on('error', () => undefined);
      t.after(() => client.terminate());
      await once(client, 'open');
      return client;
    };
    const url = `http://127.0.0.1:${port}`;
    return { listener, port, url, accepted, ends, socket, raw, refused, dial };
  }

  suite(`${name} as a Listener`, { skip }, () => {
    test('refuses in this order: who, how many, is it an upgrade, from where', async (t) => {
      const { refused, dial } = await start(t, { places: 1 });
      const elsewhere = { Origin: 'http://evil.example' };
      const oldVersion = { 'Sec-WebSocket-Version': '12' };
      assert.equal(await refused('/connect', elsewhere), 401);
      assert.equal(await refused('/connect?token=bad', oldVersion), 401);
      assert.equal(await refused('/connect', { Authorization: 'bearer good' }), 401);
      assert.equal(await refused(token, { Authorization: 'Bearer bad' }), 401, 'the header wins');
      assert.equal(await refused(token, elsewhere, 'POST'), 405);
      assert.equal(await refused(token, { Upgrade: 'h2c', ...elsewhere }), 426);
      assert.equal(await refused(token, { Connection: 'close', ...elsewhere }), 426);
      assert.equal(await refused(token, { ...oldVersion, ...elsewhere }), 400);
      for (const key of ['', 'x', 'dGhlIHNhbXBsZSBub25jZQ=?', 'dGhlIHNhbXBsZSBub25jZQ==x']) {
        assert.equal(await refused(token, { 'Sec-WebSocket-Key': key, ...elsewhere }), 400, key);
      }
      assert.equal(await refused(token, elsewhere), 403);
      assert.equal(await refused(token, { Host: 'evil.example' }), 403);
      assert.equal(await refused('/elsewhere?token=good', elsewhere), 404);

      await dial();
      assert.equal(await refused('/connect?token=bad'), 401, 'who comes before how many');
      for (const late of [{}, oldVersion, elsewhere]) assert.equal(await refused(token, late), 503);
      assert.equal(await refused(token, {}, 'POST'), 503);
    });

    test('says what it refuses: in words to an upgrade, in JSON to other requests', async (t) => {
      const { raw, url } = await start(t);
      const answer = await raw('GET', '/connect', handshake);
      assert.match(answer, /\r\ncontent-type: text\/plain\r\n/i);
      assert.match(answer, /\r\n\r\nunauthorized$/);
      const plain = await fetch(`${url}${token}`);
      assert.equal(plain.status, 426);
      assert.equal(plain.headers.get('upgrade'), 'websocket');
      assert.deepEqual(await plain.json(), { error: 'connect with a WebSocket client' });
      const version = await raw('GET', token, { ...handshake, 'Sec-WebSocket-Version': '8' });
      assert.match(version, /\r\nsec-websocket-version: 13\r\n/i);
    });

    test('answers an upgrade with neither a subprotocol nor an extension', async (t) => {
      const { socket, port } = await start(t);
      const client = await socket();
      const offers = {
        ...handshake,
        Host: `127.0.0.1:${port}`,
        'Sec-WebSocket-Protocol': 'chat, superchat',
        'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits',
      };
      const lines = Object.entries(offers).map(([key, value]) => `${key}: ${value}\r\n`);
      client.write(`GET ${token} HTTP/1.1\r\n${lines.join('')}\r\n`);
      const [answer] = await once(client, 'data');
      assert.match(String(answer), /^HTTP\/1\.1 101 /);
      assert.match(String(answer), /s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/);
      assert.doesNotMatch(String(answer), /sec-websocket-(protocol|extensions)/i);
    });

    test('gives a place back once whoever had it is gone', async (t) => {
      const { dial, refused, accepted } = await start(t, { places: 1 });
      for (let i = 1; i <= 3; i++) {
        const client = await dial();
        assert.equal(await refused(token), 503);
        client.close();
        await eventually(
          async () => (await refused(token, { Origin: 'http://a.b' })) === 403,
          '403',
        );
        assert.equal(accepted.length, i);
      }
    });

    test('waits for a token that takes time; whoever waits holds a place', async (t) => {
      const asked: PromiseWithResolvers<typeof operatorIdentity | undefined>[] = [];
      const { dial, refused, socket, port, accepted } = await start(t, {
        places: 1,
        authenticate() {
          const answer = Promise.withResolvers<typeof operatorIdentity | undefined>();
          asked.push(answer);
          return answer.promise;
        },
      });
      const waiting = dial();
      await eventually(() => asked.length === 1, 'the question');
      const second = refused(token);
      await eventually(() => asked.length === 2, 'the second question');
      asked[1]?.resolve(operatorIdentity);
      assert.equal(await second, 503);
      assert.equal(accepted.length, 0);
      asked[0]?.resolve(operatorIdentity);
      const client = await waiting;
      assert.equal(accepted.length, 1);
      client.terminate();

      const outcome = async (settle: (answer: (typeof asked)[number]) => void) => {
        const before = asked.length;
        const answer = refused(token, { Origin: 'http://evil.example' });
        await eventually(() => asked.length > before, 'the question');
        const question = asked.at(-1);
        if (question) settle(question);
        return answer;
      };
      // The place of the one that has just gone may take a moment.
      await eventually(
        async () => (await outcome(({ resolve }) => resolve(operatorIdentity))) === 403,
        'a place',
      );
      assert.equal(await outcome(({ resolve }) => resolve(undefined)), 401);
      assert.equal(await outcome(({ reject }) => reject(new Error('no database'))), 500);

      const before = asked.length;
      const impatient = await socket();
      const lines = Object.entries({ ...handshake, Host: `127.0.0.1:${port}` });
      const text = lines.map(([key, value]) => `${key}: ${value}\r\n`).join('');
      impatient.write(`GET ${token} HTTP/1.1\r\n${text}\r\n`);
      await eventually(() => asked.length > before, 'the question');
      impatient.resetAndDestroy();
      asked.at(-1)?.resolve(operatorIdentity);
      await eventually(
        async () => (await outcome(({ resolve }) => resolve(operatorIdentity))) === 403,
        'the place of the one that left',
      );
    });

    test('serves the routes: method, target, headers, body and origin', async (t) => {
      const { url } = await start(t, {
        async http(request, { remoteAddress }) {
          const { pathname, search } = new URL(request.url);
          const seen = {
            method: request.method,
            pathname,
            search,
            remoteAddress,
            own: request.headers.get('x-own'),
            body: await request.text(),
          };
          const headers = new Headers({ 'x-answer': 'yes' });
          headers.append('set-cookie', 'a=1');
          headers.append('set-cookie', 'b=2');
          return Response.json(seen, { status: 201, headers });
        },
      });
      const response = await fetch(`${url}/some/path?x=%20y&z`, {
        method: 'PATCH',
        headers: { 'x-own': 'mine' },
        body: 'häuser',
      });
      assert.equal(response.status, 201);
      assert.equal(response.headers.get('x-answer'), 'yes');
      assert.deepEqual(response.headers.getSetCookie(), ['a=1', 'b=2']);
      assert.deepEqual(await response.json(), {
        method: 'PATCH',
        pathname: '/some/path',
        search: '?x=%20y&z',
        remoteAddress: '127.0.0.1',
        own: 'mine',
        body: 'häuser',
      });
      const empty = await fetch(`${url}/`, { method: 'POST' });
      assert.equal(((await empty.json()) as { body: string }).body, '');
      const head = await fetch(`${url}/`, { method: 'HEAD' });
      assert.equal(head.status, 201);
      assert.equal(await head.text(), '');
      assert.ok(Number(head.headers.get('content-length')) > 0);
    });

    test('holds back a long body until it is read, and need not read it at all', async (t) => {
      const bytes = 3 * 1024 * 1024;
      const { url } = await start(t, {
        async http(request) {
          if (request.url.endsWith('/unread')) return new Response('no', { status: 413 });
          let size = 0;
          for await (const chunk of request.body ?? []) {
            size += chunk.length;
            if (request.url.endsWith('/begun')) break;
            await new Promise((resolve) => setImmediate(resolve));
          }
          return new Response(String(size));
        },
      });
      const post = (path: string, body: string | Buffer | ReadableStream) =>
        fetch(`${url}${path}`, { method: 'POST', body, duplex: 'half' });
      const chunks = () =>
        new ReadableStream({
          start(controller) {
            for (let i = 0; i < 48; i++) controller.enqueue(Buffer.alloc(bytes / 48, 'x'));
            controller.close();
          },
        });
      assert.equal(await (await post('/read', Buffer.alloc(bytes, 'x'))).text(), String(bytes));
      assert.equal(await (await post('/read', chunks())).text(), String(bytes));
      assert.equal((await post('/unread', 'short')).status, 413);
      assert.equal((await post('/unread', chunks())).status, 413);
      assert.equal((await post('/begun', Buffer.alloc(bytes, 'x'))).status, 200);
      assert.equal(await (await post('/read', 'after')).text(), '5');
    });

    test('a route hears that its caller has left, and may answer all the same', async (t) => {
      const left = Promise.withResolvers<void>();
      const arrived = Promise.withResolvers<void>();
      const { url } = await start(t, {
        async http(request) {
          if (request.url.endsWith('/quick')) return new Response('here');
          request.signal.addEventListener('abort', () => left.resolve());
          arrived.resolve();
          await left.promise;
          return new Response('too late');
        },
      });
      const impatience = new AbortController();
      const answer = fetch(url, { signal: impatience.signal });
      await arrived.promise;
      impatience.abort();
      await assert.rejects(answer);
      await left.promise;
      assert.equal(await (await fetch(`${url}/quick`)).text(), 'here');
    });

    test('a route that fails is answered with 500, one from elsewhere with 403', async (t) => {
      const { url } = await start(t, { http: () => Promise.reject(new Error('a bug')) });
      assert.equal((await fetch(url)).status, 500);
      assert.equal((await fetch(url, { headers: { origin: 'http://a.example' } })).status, 403);
    });

    test('takes a head of 12 KiB, even in two parts, and none of 64', async (t) => {
      const { socket, port, raw } = await start(t);
      const client = await socket();
      const long = `x-long: ${'x'.repeat(12 * 1024)}`;
      const text = `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${long}\r\n\r\n`;
      client.write(text.slice(0, 6_000));
      await new Promise((resolve) => setImmediate(resolve));
      client.write(text.slice(6_000));
      const [answer] = await once(client, 'data');
      assert.match(String(answer), /^HTTP\/1\.1 200 /);
      assert.match(await raw('GET', '/', { 'x-long': 'x'.repeat(65_536) }), /^HTTP\/1\.1 431 /);
    });

    test('says why it cannot listen', async (t) => {
      const { listener, port } = await start(t);
      const another = () =>
        open({
          clock: systemClock,
          admission: new Admission({
            authenticate: () => undefined,
            caps: new ConnectionCaps({ total: 1, perAddress: 1 }),
            log: silentLog,
          }),
          http: () => new Response(),
          accept: () => undefined,
        });
      const failure = async (host: string, at: number) => {
        const one = another();
        const error = await one.listen(host, at).then(
          () => undefined,
          (reason) => reason,
        );
        await one.close();
        return systemCodeOf(error);
      };
      assert.equal(await failure('127.0.0.1', port), 'EADDRINUSE');
      assert.equal(await failure('192.0.2.1', 0), 'EADDRNOTAVAIL');
      await listener.close();
      const server = createServer().listen(port, '127.0.0.1');
      await once(server, 'listening');
      server.close();
    });

    test('stop lets nobody in and leaves those who are; close drops them, and may be repeated', async (t) => {
      const { listener, url, dial, ends } = await start(t);
      const client = await dial();
      listener.stop();
      await assert.rejects(fetch(url));
      assert.equal(client.readyState, client.OPEN);
      const gone = once(client, 'close');
      await Promise.all([listener.close(), listener.close()]);
      await gone;
      await eventually(() => ends.length > 0, 'the end');
      await listener.close();
    });

    test('close does not wait for a token that takes time', async (t) => {
      let asked = false;
      const { listener, refused } = await start(t, {
        authenticate() {
          asked = true;
          return new Promise(() => undefined);
        },
      });
      const answer = refused(token);
      await eventually(() => asked, 'the question');
      await listener.close();
      assert.ok(Number.isNaN(await answer), 'hung up without an answer');
    });
  });
}
