import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Copies, NumberedCopies, numberPlace } from './copies.ts';
import { clientHeaderBytes, textFrame } from './ws-frames.ts';

suite('copies', () => {
  test('a batch is the message as often as asked', () => {
    assert.equal(new Copies(Buffer.from('ab;'), 8).take(3).toString(), 'ab;ab;ab;');
  });

  test('numbers go on from batch to batch', () => {
    const copies = new NumberedCopies(Buffer.from(`n${numberPlace};`), 1);
    assert.equal(copies.take(2).toString(), 'n000000001;n000000002;');
    for (let i = 2; i < 1233; i++) copies.take(1);
    assert.equal(copies.take(1).toString(), 'n000001234;');
  });

  test('numbers are right below a WebSocket mask', () => {
    const text = `{"id":"${numberPlace}"}`;
    const headerBytes = clientHeaderBytes(text.length);
    const numberAt = headerBytes + text.indexOf(numberPlace);
    const frame = new NumberedCopies(textFrame(text), numberAt).take(42).subarray(-text.length);
    const whole = new NumberedCopies(textFrame(text), numberAt);
    whole.take(41);
    const last = whole.take(1);
    const mask = last.subarray(headerBytes - 4, headerBytes);
    const unmasked = last.subarray(headerBytes).map((byte, i) => byte ^ (mask[i % 4] ?? 0));
    assert.equal(Buffer.from(unmasked).toString(), '{"id":"000000042"}');
    assert.equal(frame.length, text.length);
  });
});
