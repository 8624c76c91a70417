import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { assertManySockets, openFilesLimit } from './open-files.ts';

const limits = (soft: string) =>
  `Limit                     Soft Limit           Hard Limit           Units     
Max processes             96000                96000                processes 
Max open files            ${soft.padEnd(20)} 524288               files     
Max locked memory         8388608              8388608              bytes     
`;

suite('limit of open files', () => {
  test('is the soft one', () => {
    assert.equal(openFilesLimit(limits('1024')), 1024);
    assert.equal(openFilesLimit(limits('unlimited')), Number.POSITIVE_INFINITY);
  });

  test('says how to raise it when there are to be more sockets', () => {
    assert.throws(() => assertManySockets(10_000_000_000), /ulimit -n 10000000100/);
    assertManySockets(1);
  });
});
