import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { ProviderError, type ProviderErrorCode } from './provider.ts';
import { PROVIDER_NAMES, selectProvider } from './select.ts';

/** Nothing can listen on port 0, so no Ollama of this machine gets in the way. */
const NO_OLLAMA = { OLLAMA_URL: 'http://127.0.0.1:0' };
const KEY = { ANTHROPIC_API_KEY: 'sk-test' };

suite('selectProvider', () => {
  let home = '';
  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'nexus-select-'));
  });
  after(() => rm(home, { recursive: true }));

  test('falls back to loopback when nothing else is there', async () => {
    for (const provider of [undefined, '', 'auto']) {
      const { provider: chosen, reason } = await selectProvider({ provider, env: NO_OLLAMA, home });
      assert.equal(chosen.name, 'loopback');
      assert.equal(reason, 'no key and no Ollama found');
    }
  });

  test('prefers Anthropic when there is a key', async () => {
    const { provider, reason } = await selectProvider({ env: { ...KEY, ...NO_OLLAMA }, home });
    assert.equal(provider.name, 'anthropic');
    assert.equal(reason, 'ANTHROPIC_API_KEY is set');
  });

  test('takes a blank key for no key', async () => {
    const env = { ANTHROPIC_API_KEY: ' ', ...NO_OLLAMA };
    assert.equal((await selectProvider({ env, home })).provider.name, 'loopback');
  });

  test('knows the names that older configurations use', async () => {
    for (const provider of ['anthropic', 'claude-api', 'anthropic-api']) {
      assert.equal((await selectProvider({ provider, env: KEY, home })).provider.name, 'anthropic');
    }
  });

  test('uses the configured model without its command line suffix', async () => {
    const config = { model: 'claude-opus-5-5[1m]' };
    const { provider } = await selectProvider({ provider: 'anthropic', config, env: KEY, home });
    assert.equal(provider.defaultModel, 'claude-opus-5-5');
  });

  test('gives loopback when asked, whatever else is there', async () => {
    const { provider, reason } = await selectProvider({ provider: 'loopback', env: KEY, home });
    assert.equal(provider.name, 'loopback');
    assert.equal(reason, 'loopback was asked for');
  });

  const refusals: [string, object, ProviderErrorCode, RegExp][] = [
    ['anthropic', {}, 'auth', /set ANTHROPIC_API_KEY/],
    [
      'ollama',
      NO_OLLAMA,
      'provider',
      /no Ollama at http:\/\/127\.0\.0\.1:0; start it with: ollama/,
    ],
    ['ollama', { OLLAMA_HOST: 'ftp://x' }, 'provider', /not an address/],
    ['gpt', {}, 'unsupported', /no provider "gpt"; known are: .*anthropic.*ollama.*loopback/],
    ['constructor', {}, 'unsupported', /known are/],
  ];
  for (const [provider, env, code, message] of refusals) {
    test(`refuses "${provider}" with ${JSON.stringify(env)} and says what to do`, async () => {
      await assert.rejects(selectProvider({ provider, env: { ...env }, home }), (thrown) => {
        assert.ok(thrown instanceof ProviderError);
        assert.equal(thrown.code, code);
        assert.match(thrown.message, message);
        return true;
      });
    });
  }

  test('lists every name it takes', () => {
    assert.deepEqual([...PROVIDER_NAMES].sort(), [
      'anthropic',
      'anthropic-api',
      'auto',
      'claude-api',
      'loopback',
      'ollama',
      'ollama-local',
    ]);
  });
});
