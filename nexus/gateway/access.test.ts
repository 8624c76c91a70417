import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { bearerToken, isSameSite } from './access.ts';

suite('bearerToken', () => {
  test('reads exactly one form of the header', () => {
    assert.equal(bearerToken('Bearer abc'), 'abc');
    assert.equal(bearerToken('Bearer  abc'), ' abc');
    for (const other of [undefined, '', 'Bearer', 'Bearer ', 'bearer abc', 'BEARER abc', 'abc']) {
      assert.equal(bearerToken(other), undefined, other);
    }
  });
});

suite('isSameSite', () => {
  const cases: [string, string | undefined, string | undefined, boolean][] = [
    ['127.0.0.1', '127.0.0.1:7888', undefined, true],
    ['127.0.0.1', 'localhost:7888', undefined, true],
    ['127.0.0.1', '[::1]:7888', undefined, true],
    ['127.0.0.1', 'localhost:7888', 'http://localhost:7888', true],
    ['127.0.0.1', 'LocalHost:7888', 'http://LOCALHOST:7888', true],
    ['127.0.0.1', 'localhost:7888', 'http://localhost:3000', false],
    ['127.0.0.1', 'localhost:7888', 'http://127.0.0.1:7888', false],
    ['127.0.0.1', 'localhost:7888', 'http://evil.example', false],
    ['127.0.0.1', 'localhost:7888', 'null', false],
    ['127.0.0.1', 'localhost:7888', '', false],
    ['127.0.0.1', 'evil.example:7888', undefined, false],
    ['127.0.0.1', 'evil.example:7888', 'http://evil.example:7888', false],
    ['127.0.0.1', 'localhost@evil.example', undefined, false],
    ['127.0.0.1', undefined, undefined, false],
    ['127.0.0.1', '', undefined, false],
    ['0.0.0.0', 'nexus.example', undefined, true],
    ['0.0.0.0', 'nexus.example', 'https://nexus.example', true],
    ['0.0.0.0', 'nexus.example', 'https://other.example', false],
  ];
  for (const [bound, host, origin, expected] of cases) {
    test(`bound to ${bound}, asked for ${host} by ${origin ?? 'no page'}: ${expected}`, () => {
      assert.equal(isSameSite({ host, origin }, bound), expected);
    });
  }
});
