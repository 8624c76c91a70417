import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Quota } from './quota.ts';

function setUp() {
  const recorded = { owner: 0, total: 0 };
  const quota = new Quota(
    { fileBytes: 100_000, ownerBytes: 250_000, totalBytes: 400_000 },
    () => recorded,
  );
  return { quota, recorded };
}

suite('Quota', () => {
  test('lets a file be as long as the limit, and no longer', () => {
    const { quota } = setUp();
    assert.equal(quota.reserve('wren', 100_000).bytes, 100_000);
    assert.throws(() => quota.reserve('wren', 100_001), { code: 'too_large', message: /100000/ });
  });

  test('counts what is on its way, until it is released', () => {
    const { quota } = setUp();
    const first = quota.reserve('wren', 100_000);
    quota.reserve('Wren', 100_000);
    assert.throws(() => quota.reserve('WREN', 50_001), { code: 'too_large', message: /no room/ });
    quota.reserve('anvil', 100_000);
    quota.reserve('anvil', 100_000);
    assert.throws(() => quota.reserve('plumb', 1), { message: /the broker has no room/ });
    first.release();
    assert.equal(quota.reserve('wren', 50_001).bytes, 50_001);
    assert.deepEqual(quota.usage('wren'), { owner: 150_001, total: 350_001 });
  });

  test('counts what is recorded too', () => {
    const { quota, recorded } = setUp();
    recorded.owner = 200_000;
    recorded.total = 399_000;
    assert.throws(() => quota.reserve('wren', 50_001), { message: /200000 of 250000/ });
    assert.throws(() => quota.reserve('wren', 4_096), { message: /the broker has no room/ });
  });

  test('an empty file takes a block', () => {
    const { quota } = setUp();
    assert.equal(quota.reserve('wren', 0).bytes, 0);
    assert.deepEqual(quota.usage('wren'), { owner: 4_096, total: 4_096 });
  });

  test('without a length there is room for what is left, up to the longest file', () => {
    const { quota, recorded } = setUp();
    const first = quota.reserve('wren');
    assert.equal(first.bytes, 100_000);
    first.release();
    recorded.owner = 200_000;
    assert.equal(quota.reserve('wren').bytes, 50_000);
    assert.throws(() => quota.reserve('wren'), { code: 'too_large' });
  });

  test('remembers no owner for whom nothing is on its way', () => {
    const { quota } = setUp();
    for (let i = 0; i < 100; i++) quota.reserve(`aspect-${i}`, 1).release();
    assert.deepEqual(quota.usage('aspect-1'), { owner: 0, total: 0 });
  });
});
