import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { FrameBatch, OutboundFrame } from '#shared/transport/frame-batch';
import { WsWalker } from './ws-walker.ts';

const texts = ['', 'short', 'x'.repeat(125), 'y'.repeat(126), 'z'.repeat(70_000), 'é'];
const stream = Buffer.concat([
  new FrameBatch(texts.map((text) => new OutboundFrame(text))).webSocketForm,
  Buffer.from([0x89, 2, 0x68, 0x69]),
  Buffer.from([0x88, 2, 0x03, 0xf5]),
]);

/** Walks the stream in pieces of a size. */
function walk(walker: WsWalker, size: number): number {
  let messages = 0;
  for (let at = 0; at < stream.length; at += size) {
    messages += walker.walk(stream.subarray(at, at + size));
  }
  return messages;
}

suite('WsWalker', () => {
  test('counts messages wherever the stream is cut', () => {
    for (const size of [1, 2, 3, 7, 11, 1000, stream.length]) {
      assert.equal(walk(new WsWalker(), size), texts.length, `pieces of ${size}`);
    }
  });

  test('hands over texts, pings and the close code', () => {
    const seen: unknown[] = [];
    const walker = new WsWalker({
      text: (message) => seen.push(message),
      ping: (payload) => seen.push(['ping', payload.toString()]),
      closing: (code) => seen.push(['close', code]),
    });
    walk(walker, 5);
    assert.deepEqual(seen, [...texts, ['ping', 'hi'], ['close', 1013]]);
  });
});
