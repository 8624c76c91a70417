import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { eventually } from '../eventually.ts';
import { roomyLimits } from '../integration/start-nexus.ts';
import { closing, type FrameShape, frame, opcodes, text } from './raw-socket.ts';
import { startVictim, transports, type Victim } from './transports.ts';

const { continuation, binary, close, ping, pong } = opcodes;
const part = (bytes: Buffer | string, shape: FrameShape = {}, opcode: number = opcodes.text) =>
  frame(opcode, bytes, shape);
const more = { fin: false };
const fragments = (count: number, bytes: string): Buffer[] => [
  part(bytes, more),
  ...Array.from({ length: count - 1 }, () => part(bytes, more, continuation)),
];
const mebibyte = 1_048_576;
/** Not UTF-8: a lone continuation, an overlong form, half a surrogate pair, beyond the last. */
const notUtf8 = [[0x80], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80]].map((bytes) =>
  Buffer.from(bytes),
);

/** What is sent on an open connection, and the codes that it may be closed with. */
const violations: Readonly<Record<string, [readonly Buffer[], ...number[]]>> = {
  'an unmasked frame': [[part('{}', { masked: false })], 1002],
  ...Object.fromEntries(
    [0b100, 0b010, 0b001, 0b111].map((reserved) => [
      `reserved bits ${reserved.toString(2)}`,
      [[part('{}', { reserved })], 1002],
    ]),
  ),
  ...Object.fromEntries(
    [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) => [
      `opcode ${opcode}`,
      [[part('{}', {}, opcode)], 1002],
    ]),
  ),
  ...Object.fromEntries(
    Object.entries({ ping, pong, close }).flatMap(([name, opcode]) => [
      [`a ${name} in fragments`, [[part('x', more, opcode)], 1002]],
      [`a ${name} of 126 bytes`, [[part('x'.repeat(126), {}, opcode)], 1002]],
      [`a ${name} that says it is long`, [[part('', { declared: 1n << 40n }, opcode)], 1002]],
    ]),
  ),
  'a fragment that continues nothing': [[part('x', {}, continuation)], 1002],
  'a last fragment that continues nothing': [[part('x', more, continuation)], 1002],
  'a new message inside another': [[part('x', more), part('y')], 1002],
  'a binary message inside another': [[part('x', more), part('y', {}, binary)], 1002],
  ...Object.fromEntries(
    notUtf8.flatMap((bytes, i) => [
      [`text that is not UTF-8 (${i})`, [[part(bytes)], 1007]],
      [`a goodbye that is not UTF-8 (${i})`, [[closing(1000, bytes)], 1007, 1002]],
    ]),
  ),
  'half a character at the end': [[part(Buffer.from([0x61, 0xe2, 0x82]))], 1007],
  'a goodbye of one byte': [[part('x', {}, close)], 1002],
  ...Object.fromEntries(
    [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535].map((code) => [
      `goodbye with ${code}`,
      [[closing(code)], 1002],
    ]),
  ),
  ...Object.fromEntries(
    [1000, 1001, 1011, 3000, 4999].map((code) => [`goodbye with ${code}`, [[closing(code)], code]]),
  ),
  'an empty goodbye': [[part('', {}, close)], 1000, 1005],
  'a binary message': [[part('{}', {}, binary)], 1003],
  'a length with its top bit set': [[part('x', { declared: 1n << 63n })], 1002, 1009],
  'a length beyond 2^53': [[part('x', { declared: (1n << 53n) + 1n })], 1009],
  'a length over 1 MiB, without the bytes': [[part('', { declared: BigInt(mebibyte + 1) })], 1009],
  'fragments over 1 MiB together': [
    [part('x'.repeat(mebibyte), more), part('x', {}, continuation)],
    1009,
  ],
  '16,385 fragments': [fragments(16_385, 'x'), 1008],
  '16,385 empty fragments': [fragments(16_385, ''), 1008],
  '16 messages that are no frames': [Array.from({ length: 16 }, () => part('{')), 1008],
};

/** What is unusual and allowed: the connection goes on. */
const allowed: Readonly<Record<string, readonly Buffer[]>> = {
  'a length in more bytes than it needs': [part('{}', { declared: 2n })],
  'a ping between two fragments': [
    part('{"kind":"chat', more),
    part('x', {}, ping),
    part('.read"}', {}, continuation),
  ],
  'a ping of 125 bytes': [part('x'.repeat(125), {}, ping)],
  'pongs that nobody asked for': Array.from({ length: 1_000 }, () => part('x', {}, pong)),
  'a character cut in two by fragments': [
    part(Buffer.from([0x22, 0xe2]), more),
    part(Buffer.from([0x82, 0xac, 0x22]), {}, continuation),
  ],
  'an empty message': [part('')],
  'a message of NULs': [part('\u0000'.repeat(100))],
};

for (const { name, options } of transports) {
  suite(`connections over ${name}`, { concurrency: true }, () => {
    let victim: Victim;
    const ends: (() => unknown)[] = [];
    before(async () => {
      victim = await startVictim({ after: (end) => void ends.push(end as () => unknown) }, options);
    });
    after(async () => {
      await victim.assertUnharmed();
      for (const end of ends.reverse()) await end();
    });

    for (const [what, [frames, ...codes]] of Object.entries(violations)) {
      test(`${what}: ${codes.join(' or ')}`, async () => {
        const socket = await victim.open();
        socket.write(Buffer.concat(frames));
        const { code } = await socket.ended();
        assert.ok(code !== undefined && codes.includes(code), `closed with ${code}`);
      });
    }

    for (const [what, frames] of Object.entries(allowed)) {
      test(`${what} is allowed`, async () => {
        const socket = await victim.open();
        socket.write(Buffer.concat(frames));
        assert.match(await socket.ask('chat.read', 'q'), /"chat\.read\.result"/);
      });
    }

    test('nothing behind a violation is read', async () => {
      const socket = await victim.open();
      const request = text({ kind: 'chat.read', id: 'behind', payload: {} });
      socket.write(Buffer.concat([part('x', { reserved: 7 }), request, request]));
      assert.deepEqual(await socket.ended(), { code: 1002 });
      assert.equal(socket.frames().length, 1);
    });

    test('a frame may come byte by byte', async () => {
      const socket = await victim.open();
      socket.socket.setNoDelay(true);
      for (const byte of text({ kind: 'chat.read', id: 'drip', payload: {} })) {
        socket.write(Buffer.from([byte]));
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.match(await socket.answerTo('drip'), /"chat\.read\.result"/);
    });

    test('pings are answered, and too many at once end it instead of piling up', async () => {
      const calm = await victim.open();
      for (let i = 0; i < 20; i++) {
        calm.write(Buffer.concat(Array.from({ length: 50 }, () => part('x', {}, ping))));
        await calm.ask('chat.read', `calm-${i}`);
      }
      assert.equal(calm.frames().filter(({ opcode }) => opcode === pong).length, 1_000);

      const flood = await victim.open();
      flood.socket.pause();
      const pings = Buffer.concat(
        Array.from({ length: 1_000 }, () => part('x'.repeat(125), {}, ping)),
      );
      for (let i = 0; i < 100; i++) flood.write(pings);
      await flood.gone();
    });

    test('one who asks, never reads and hangs up leaves nothing', async () => {
      const socket = await victim.open();
      socket.socket.pause();
      for (let i = 0; i < 2_000; i++) socket.write(text({ kind: 'chat.read', id: `n${i}` }));
      socket.socket.end();
    });

    test('resets in the middle leave nothing', async () => {
      const bytes = text({ kind: 'chat.send', payload: { content: 'x'.repeat(70_000) } });
      for (const length of [0, 1, 7, 100, 69_000, bytes.length]) {
        const socket = await victim.open();
        socket.write(bytes.subarray(0, length));
        socket.reset();
      }
    });
  });

  suite(`silence over ${name}`, () => {
    const limits = { ...roomyLimits, keepAlive: { pingEveryMs: 50, pongWithinMs: 150 } };
    const silences: Readonly<Record<string, Buffer>> = {
      'from one who sends nothing': Buffer.alloc(0),
      'in the middle of a header': part('x'.repeat(200)).subarray(0, 3),
      'in the middle of a message': part('x'.repeat(200)).subarray(0, 100),
      'between two fragments': part('x', more),
    };
    for (const [what, bytes] of Object.entries(silences)) {
      test(`${what} ends when a ping stays unanswered`, async (t) => {
        const victim = await startVictim(t, { ...options, limits });
        const socket = await victim.open();
        socket.write(bytes);
        const { code } = await socket.ended();
        assert.ok(code === 1001 || code === 1006, `closed with ${code}`);
        await socket.gone();
        await victim.assertUnharmed();
      });
    }

    test('a drip of bytes is no answer to a ping', async (t) => {
      const victim = await startVictim(t, { ...options, limits });
      const socket = await victim.open();
      const long = part('x'.repeat(100_000));
      let sent = 0;
      await eventually(() => {
        socket.write(long.subarray(sent, ++sent));
        return socket.socket.destroyed || socket.frames().some(({ opcode }) => opcode === close);
      }, 'the end of the drip');
      await victim.assertUnharmed();
    });
  });
}
