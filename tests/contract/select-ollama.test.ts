import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import { ProviderError } from '#runtime/providers/provider';
import type { ProviderConfig } from '#runtime/providers/provider-config';
import { selectProvider } from '#runtime/providers/select';
import { FakeOllama } from '../fakes/fake-ollama.ts';

const QWEN = { name: 'qwen3:latest', details: { family: 'qwen3' } };
const LLAMA = { name: 'llama3.2:3b', details: { family: 'llama' } };
const NOMIC = { name: 'nomic-embed-text:latest', details: { family: 'nomic-bert' } };

suite('choosing Ollama', () => {
  test('auto takes the first chat model of a server that runs', async (t) => {
    const { provider, reason } = await choose(t, [NOMIC, QWEN, LLAMA], {});
    assert.equal(provider.name, 'ollama');
    assert.equal(provider.defaultModel, 'qwen3:latest');
    assert.match(reason, /^Ollama at http:\/\/127\.0\.0\.1:\d+ has qwen3:latest$/);
  });

  test('auto takes the configured model when it is installed', async (t) => {
    const exact = await choose(t, [QWEN, LLAMA], { config: { model: 'llama3.2:3b' } });
    assert.equal(exact.provider.defaultModel, 'llama3.2:3b');
    const short = await choose(t, [LLAMA, QWEN], { config: { model: 'qwen3' } });
    assert.equal(short.provider.defaultModel, 'qwen3:latest');
  });

  test('auto passes over a server without a suitable model', async (t) => {
    const none = await choose(t, [NOMIC], {});
    assert.equal(none.reason, 'no key and Ollama has no chat model');
    const other = await choose(t, [QWEN], { config: { model: 'phi9' } });
    assert.equal(other.reason, 'no key and Ollama has no phi9');
    assert.equal(other.provider.name, 'loopback');
  });

  test('believes what a newer server says about its models', async (t) => {
    const models = [
      { name: 'plain-name', capabilities: ['embedding'] },
      { name: 'chat-embedded', capabilities: ['completion', 'tools'] },
    ];
    assert.equal((await choose(t, models, {})).provider.defaultModel, 'chat-embedded');
  });

  test('auto does not wait for a server that does not answer', async (t) => {
    const api = await start(t);
    api.isStuck();
    const { provider, reason } = await selectProvider({ env: env(api), home: 'no-such-home' });
    assert.equal(provider.name, 'loopback');
    assert.equal(reason, 'no key and no Ollama found');
  });

  test('by name, it fails with advice when a model is missing', async (t) => {
    const named = { provider: 'ollama-local' };
    await assert.rejects(choose(t, [NOMIC], named), advice(/no model for chat; run: ollama pull/));
    await assert.rejects(
      choose(t, [QWEN], { ...named, config: { model: 'phi9' } }),
      advice(/has no model phi9; run: ollama pull phi9$/),
    );
  });
});

async function choose(
  t: TestContext,
  models: readonly object[],
  options: { provider?: string; config?: ProviderConfig },
): ReturnType<typeof selectProvider> {
  const api = await start(t);
  api.has(models);
  return selectProvider({ ...options, env: env(api), home: 'no-such-home' });
}

async function start(t: TestContext): Promise<FakeOllama> {
  const api = await FakeOllama.start();
  t.after(() => api.server.close());
  return api;
}

function env(api: FakeOllama): Record<string, string> {
  return { OLLAMA_URL: api.server.url };
}

function advice(message: RegExp): (thrown: unknown) => boolean {
  return (thrown) => thrown instanceof ProviderError && message.test(thrown.message);
}
