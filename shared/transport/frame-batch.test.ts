import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { FrameBatch, OutboundFrame } from './frame-batch.ts';

/** Reads unmasked, final text frames by RFC 6455 §5.2, by hand. */
function decode(bytes: Buffer): string[] {
  const texts: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    assert.equal(bytes.readUInt8(at), 0x81, 'a final text frame');
    const short = bytes.readUInt8(at + 1);
    assert.ok(short < 128, 'unmasked');
    let start = at + 2;
    let length = short;
    if (short === 126) {
      length = bytes.readUInt16BE(start);
      assert.ok(length > 125, 'the shortest form');
      start += 2;
    } else if (short === 127) {
      length = Number(bytes.readBigUInt64BE(start));
      assert.ok(length > 65_535, 'the shortest form');
      start += 8;
    }
    assert.ok(start + length <= bytes.length, 'complete');
    texts.push(bytes.toString('utf8', start, start + length));
    at = start + length;
  }
  return texts;
}

/** The bytes of texts that leave together. */
const framed = (...texts: string[]): Buffer =>
  new FrameBatch(texts.map((text) => new OutboundFrame(text))).webSocketForm;

suite('FrameBatch', () => {
  const headers: [number, number][] = [
    [0, 2],
    [1, 2],
    [125, 2],
    [126, 4],
    [65_535, 4],
    [65_536, 10],
    [1_000_000, 10],
  ];
  for (const [length, header] of headers) {
    test(`frames ${length} bytes behind a header of ${header}`, () => {
      const text = 'x'.repeat(length);
      const bytes = framed(text);
      assert.equal(bytes.length, header + length);
      assert.deepEqual(decode(bytes), [text]);
    });
  }

  test('counts bytes and not characters', () => {
    assert.equal(new OutboundFrame('é'.repeat(63)).bytes, 126);
    assert.deepEqual(decode(framed('é'.repeat(63), '\ud800', 'x')), [
      'é'.repeat(63),
      '\ufffd',
      'x',
    ]);
  });

  test('is framed once, a frame encoded once', () => {
    const frame = new OutboundFrame('é');
    const batch = new FrameBatch([frame]);
    assert.equal(batch.webSocketForm, batch.webSocketForm);
    assert.equal(frame.utf8, frame.utf8);
    assert.deepEqual(frame.utf8, Buffer.from([0xc3, 0xa9]));
    assert.equal(frame.utf8.length, frame.bytes);
  });

  test('holds any texts, one after another, as they were', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 300 });
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 8 }), (texts) => {
        assert.deepEqual(decode(framed(...texts)), texts);
      }),
    );
  });

  test('knows exactly its own frames', () => {
    const [a, b] = [new OutboundFrame('x'), new OutboundFrame('x')];
    const batch = new FrameBatch([a, b]);
    assert.equal(batch.holds([a, b]), true);
    assert.equal(batch.holds([b, a]), false);
    assert.equal(batch.holds([a]), false);
    assert.equal(batch.holds([a, b, a]), false);
  });
});
