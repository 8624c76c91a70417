import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { suite, test } from 'node:test';
import { FakeClock } from '#shared/sys/fake-clock';
import { endIfSlow, isUpload } from './request-time.ts';

function setUp(method: string, url: string) {
  const clock = new FakeClock();
  const calls: string[] = [];
  const destroy = () => calls.push('destroy');
  const request = Object.assign(new EventEmitter(), { method, url, complete: false, destroy });
  endIfSlow(request as unknown as IncomingMessage, clock);
  return { clock, calls, request };
}

suite('endIfSlow', () => {
  test('breaks off a request that has not arrived after 15 s', () => {
    const { clock, calls } = setUp('POST', '/aspects/register');
    clock.advance(14_999);
    assert.deepEqual(calls, []);
    clock.advance(1);
    assert.deepEqual(calls, ['destroy']);
  });

  test('leaves one alone that has arrived, however long its answer takes', () => {
    const { clock, calls, request } = setUp('GET', '/api/files/1/content');
    request.complete = true;
    clock.advance(60_000);
    assert.deepEqual(calls, []);
  });

  test('leaves uploads to the time of the server, and no timer behind', () => {
    assert.equal(setUp('PUT', '/api/files/1/content?x').clock.pending, 0);
    const { clock, request } = setUp('POST', '/');
    request.emit('close');
    assert.equal(clock.pending, 0);
  });
});

suite('isUpload', () => {
  test('is true for a PUT of a file’s bytes and for nothing else', () => {
    assert.equal(isUpload('PUT', '/api/files/41/content'), true);
    for (const [method, path] of [
      ['POST', '/api/files/41/content'],
      ['GET', '/api/files/41/content'],
      [undefined, '/api/files/41/content'],
      ['PUT', '/api/files/41/content/'],
      ['PUT', '/api/files//content'],
      ['PUT', '/api/files/1234567890123456/content'],
      ['PUT', '/x/api/files/41/content'],
      ['PUT', '/api/files/41'],
    ] as const) {
      assert.equal(isUpload(method, path), false, `${method} ${path}`);
    }
  });
});
