import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { ProviderError } from '../provider.ts';
import { ollamaUrl } from './ollama-url.ts';

suite('the address of Ollama', () => {
  const cases: [string, string][] = [
    ['http://gpu:11434/', 'http://gpu:11434'],
    ['https://ollama.example/base/', 'https://ollama.example/base'],
    ['gpu', 'http://gpu:11434'],
    ['gpu:8080', 'http://gpu:8080'],
    [':8080', 'http://localhost:8080'],
    ['0.0.0.0', 'http://localhost:11434'],
    ['[::]:8080', 'http://localhost:8080'],
    [' 127.0.0.1 ', 'http://127.0.0.1:11434'],
  ];
  for (const [written, url] of cases) {
    test(`"${written}" means ${url}`, () => {
      assert.equal(ollamaUrl(undefined, { OLLAMA_HOST: written }), url);
    });
  }

  test('comes from the configuration, then OLLAMA_URL, then OLLAMA_HOST, then the default', () => {
    const env = { OLLAMA_URL: 'http://b', OLLAMA_HOST: 'http://c' };
    assert.equal(ollamaUrl('http://a', env), 'http://a');
    assert.equal(ollamaUrl(undefined, env), 'http://b');
    assert.equal(ollamaUrl(undefined, { ...env, OLLAMA_URL: '' }), 'http://c');
    assert.equal(ollamaUrl(undefined, {}), 'http://localhost:11434');
  });

  test('is refused when it is none', () => {
    assert.throws(() => ollamaUrl('http://', {}), ProviderError);
    assert.throws(() => ollamaUrl('unix:///run/ollama', {}), ProviderError);
  });
});
