import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { isLoopback } from './loopback.ts';

suite('isLoopback', () => {
  test('knows this machine’s names and no others', () => {
    for (const name of ['localhost', 'LOCALHOST', '127.0.0.1', '127.9.8.7', '[::1]']) {
      assert.equal(isLoopback(name), true, name);
    }
    for (const name of [
      '',
      '0.0.0.0',
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      '10.0.0.1',
    ]) {
      assert.equal(isLoopback(name), false, name);
    }
  });
});
