import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import { networkOf, RateLimit } from './rate-limit.ts';

const startTime = (t: TestContext) => t.mock.timers.enable({ apis: ['Date', 'setTimeout'] });

suite('RateLimit', () => {
  test('lets a caller do so much in a window, and says when to come back', async (t) => {
    startTime(t);
    const limit = new RateLimit({ times: 2, windowS: 60 });
    await limit.take('a');
    t.mock.timers.tick(20_000);
    await limit.take('a');
    await limit.take('b');
    await assert.rejects(limit.take('a'), { code: 'rate_limited', retryAfterS: 40 });
    t.mock.timers.tick(40_000);
    await limit.take('a');
  });
});

suite('networkOf', () => {
  test('is what one host has of IPv6, however it is written', () => {
    const written: [string, string][] = [
      ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
      ['2001:DB8:1:2::6', '2001:db8:1:2'],
      ['2001:db8::6', '2001:db8:0:0'],
      ['::1', '0:0:0:0'],
      ['fe80::1%eth0', 'fe80:0:0:0'],
    ];
    for (const [address, network] of written) assert.equal(networkOf(address), network);
  });
});
