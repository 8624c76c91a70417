import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { ConnectionCaps } from './connection-caps.ts';

suite('ConnectionCaps', () => {
  test('takes as many as the bounds say, per address and in total', () => {
    const caps = new ConnectionCaps({ total: 3, perAddress: 2 });
    assert.ok(caps.take('a'));
    assert.ok(caps.take('a'));
    assert.equal(caps.take('a'), undefined);
    assert.ok(caps.take('b'));
    assert.equal(caps.take('c'), undefined);
  });

  test('a place that is given back can be taken again, and only once', () => {
    const caps = new ConnectionCaps({ total: 2, perAddress: 1 });
    const giveBack = caps.take('a');
    assert.ok(giveBack);
    giveBack();
    giveBack();
    assert.ok(caps.take('a'));
    assert.ok(caps.take('b'));
    assert.equal(caps.take('c'), undefined);
  });
});
