import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { NatsWalker } from './nats-walker.ts';

const payloads = ['', 'short', 'MSG looks like one\r\n', 'z'.repeat(70_000)];
const stream = Buffer.from(
  `INFO {"port":4222}\r\n${payloads
    .map(
      (payload, i) =>
        `MSG room ${i}${i % 2 ? ' _INBOX.1' : ''} ${payload.length}\r\n${payload}\r\n`,
    )
    .join('')}PING\r\n`,
);

/** Walks the stream in pieces of a size. */
function walk(walker: NatsWalker, size: number): number {
  let messages = 0;
  for (let at = 0; at < stream.length; at += size) {
    messages += walker.walk(stream.subarray(at, at + size));
  }
  return messages;
}

suite('NatsWalker', () => {
  test('counts messages wherever the stream is cut', () => {
    for (const size of [1, 2, 3, 7, 1000, stream.length]) {
      assert.equal(walk(new NatsWalker(), size), payloads.length, `pieces of ${size}`);
    }
  });

  test('hands over payloads and other lines', () => {
    const seen: string[] = [];
    const walker = new NatsWalker({
      message: (payload) => seen.push(payload),
      line: (text) => seen.push(`line ${text}`),
    });
    walk(walker, 5);
    assert.deepEqual(seen, ['line INFO {"port":4222}', ...payloads, 'line PING']);
  });
});
