import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { RawSocket, RequestShape } from './raw-socket.ts';
import { text } from './raw-socket.ts';
import { startVictim, transports, type Victim } from './transports.ts';

const header = (name: string, value?: string): RequestShape => ({ headers: { [name]: value } });
const extra = (...lines: string[]): RequestShape => ({ extra: lines });
const times = (count: number, line: (i: number) => string): string[] =>
  Array.from({ length: count }, (_, i) => line(i));

/** What comes instead of a good request, and the statuses that may answer it. */
const refused: Readonly<Record<string, [RequestShape | string, ...number[]]>> = {
  'no Host': [header('Host'), 400, 403],
  'an empty Host': [header('Host', ''), 400, 403],
  'a Host elsewhere': [header('Host', 'evil.example'), 403],
  'no version': [header('Sec-WebSocket-Version'), 400, 426],
  'a version to come': [header('Sec-WebSocket-Version', '12'), 400, 426],
  'two versions': [extra('Sec-WebSocket-Version: 13'), 400, 426],
  'no key': [header('Sec-WebSocket-Key'), 400],
  'a key that is none': [header('Sec-WebSocket-Key', 'x'), 400],
  'two keys': [extra('Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='), 400],
  'no Upgrade': [header('Upgrade'), 426],
  'an Upgrade to something else': [header('Upgrade', 'h2c'), 400, 426],
  'no Connection': [header('Connection'), 426],
  'no token': [header('Authorization'), 401],
  'a token that is none': [header('Authorization', 'Bearer nobody'), 401],
  'a token that is no header value': [
    { path: '/connect?token=%ff%zz', ...header('Authorization') },
    401,
  ],
  'another path': [{ path: '/' }, 404],
  'a path that climbs': [{ path: '/x/../../connect/..' }, 404],
  'a path with an empty part': [{ path: '//connect' }, 404],
  'another method': [{ method: 'POST' }, 405],
  'a method that is none': [{ method: 'G ET' }, 400],
  'a target that is none': [{ path: 'connect' }, 400],
  'an origin elsewhere': [extra('Origin: http://evil.example'), 403],
  'a header of 20 KB': [extra(`X: ${'x'.repeat(20_000)}`), 431],
  'a token of 20 KB': [{ path: `/connect?token=${'x'.repeat(20_000)}` }, 414, 431],
  '3,000 headers': [extra(...times(3_000, (i) => `X${i}: 1`)), 431],
  '6,000 times one header': [extra(...times(6_000, () => 'A:')), 431],
  'a NUL in a header': [extra('X: a\u0000b'), 400],
  'a folded header': [extra('X: a', ' b'), 400],
  'a header without a name': [extra(': x'), 400],
  'a space in a name': [extra('X Y: 1'), 400],
  'two ways to tell the length': [extra('Content-Length: 5', 'Transfer-Encoding: chunked'), 400],
  'two lengths': [extra('Content-Length: 5', 'Content-Length: 6'), 400],
  'a negative length': [extra('Content-Length: -1'), 400],
  'protocols that are none': [extra('Sec-WebSocket-Protocol: x,,x'), 400],
  'the hello of TLS': ['\u0016\u0003\u0001\u0000\u00a5\u0001', 400],
  'no HTTP at all': ['hello\r\n\r\n', 400],
  'only an empty line and then nonsense': ['\r\n\r\nx\r\n\r\n', 400],
};

/** What is odd and yet understood; the connection works. */
const taken: Readonly<Record<string, RequestShape>> = {
  'a body that is announced': extra('Content-Length: 5'),
  'an expectation': extra('Expect: 100-continue'),
  'a subprotocol': extra('Sec-WebSocket-Protocol: chat'),
  'an extension': extra('Sec-WebSocket-Extensions: permessage-deflate'),
  'lower case': { headers: { Upgrade: 'WEBSOCKET', Connection: 'keep-alive, upgrade' } },
  'a hundred headers': extra(...times(100, (i) => `X-${i}: 1`)),
};

for (const { name, options } of transports) {
  suite(`handshakes over ${name}`, { concurrency: true }, () => {
    let victim: Victim;
    const ends: (() => unknown)[] = [];
    before(async () => {
      victim = await startVictim({ after: (end) => void ends.push(end as () => unknown) }, options);
    });
    after(async () => {
      await victim.assertUnharmed();
      for (const end of ends.reverse()) await end();
    });

    for (const [what, [request, ...statuses]] of Object.entries(refused)) {
      test(`${what}: ${statuses.join(' or ')}`, async () => {
        const socket = await victim.connect();
        socket.write(typeof request === 'string' ? request : socket.request(request));
        assert.ok(statuses.includes(await statusOf(socket)), `answered ${socket.status}`);
      });
    }

    for (const [what, request] of Object.entries(taken)) {
      test(`${what} is taken`, async () => {
        const socket = await victim.connect();
        socket.write(socket.request(request));
        assert.match(await socket.ask('chat.read', 'q'), /"chat\.read\.result"/);
      });
    }

    test('frames that come with the handshake are read after it', async () => {
      const socket = await victim.connect();
      const first = text({ kind: 'chat.read', id: 'first', payload: {} });
      socket.write(Buffer.concat([Buffer.from(socket.request()), first]));
      assert.match(await socket.answerTo('first'), /"chat\.read\.result"/);
      assert.match(await socket.ask('chat.read', 'second'), /"chat\.read\.result"/);
    });

    test('a handshake may come byte by byte', async () => {
      const socket = await victim.connect();
      for (const byte of socket.request()) socket.write(byte);
      assert.match(await socket.ask('chat.read', 'q'), /"chat\.read\.result"/);
    });

    test('a request behind a refused one is not read', async () => {
      const socket = await victim.connect();
      socket.write(socket.request(header('Authorization')) + socket.request());
      assert.deepEqual(await socket.ended(), { status: 401 });
    });

    test('a reset in the middle leaves nothing', async () => {
      for (const length of [0, 1, 40, 200]) {
        const socket = await victim.connect();
        socket.write(socket.request().slice(0, length));
        socket.reset();
      }
    });
  });
}

async function statusOf(socket: RawSocket): Promise<number> {
  await socket.answered();
  return socket.status ?? 0;
}
