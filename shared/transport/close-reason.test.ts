import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { closeReason } from './close-reason.ts';

suite('closeReason', () => {
  test('leaves 123 bytes alone, cuts the 124th', () => {
    assert.equal(closeReason('x'.repeat(123)), 'x'.repeat(123));
    assert.equal(closeReason('x'.repeat(124)), 'x'.repeat(123));
    assert.equal(closeReason(''), '');
  });

  test('counts bytes and never cuts a character in two', () => {
    assert.equal(closeReason('é'.repeat(62)), 'é'.repeat(61));
    assert.equal(closeReason(`x${'é'.repeat(61)}`), `x${'é'.repeat(61)}`);
    assert.equal(closeReason('漢'.repeat(42)), '漢'.repeat(41));
    for (let pad = 0; pad < 4; pad++) {
      const cut = closeReason('x'.repeat(pad) + '👀'.repeat(31));
      assert.equal(cut, 'x'.repeat(pad) + '👀'.repeat(30));
    }
  });
});
