import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { ProviderError } from './provider.ts';
import { parseProviderConfig } from './provider-config.ts';

suite('provider_config', () => {
  test('may be absent, empty, blank or hold keys of others', () => {
    for (const raw of [undefined, {}, { model: ' ', base_url: null }, { thinking: 'high' }]) {
      assert.deepEqual(parseProviderConfig(raw), {});
    }
  });

  test('is converted to our own names and units', () => {
    const raw = { model: 'm', base_url: 'http://x', max_tokens: 100, stall_s: 1.5 };
    const config = { model: 'm', baseUrl: 'http://x', maxTokens: 100, stallMs: 1500 };
    assert.deepEqual(parseProviderConfig(raw), config);
  });

  for (const raw of [{ model: 7 }, { base_url: [] }, { max_tokens: '9' }, { stall_s: 0 }]) {
    test(`is refused as ${JSON.stringify(raw)}`, () => {
      assert.throws(() => parseProviderConfig(raw), ProviderError);
    });
  }
});
