import assert from 'node:assert/strict';
import { registerHooks } from 'node:module';
import { test } from 'node:test';

// In a file of its own and with a late import: a module is loaded only once in a process.
test('loads an SDK only when its adapter is chosen', async (t) => {
  const loaded: string[] = [];
  const hooks = registerHooks({
    resolve: (specifier, context, next) => {
      loaded.push(specifier);
      return next(specifier, context);
    },
  });
  t.after(() => hooks.deregister());
  const sdks = () => loaded.filter((name) => /^(@anthropic-ai\/sdk|ollama)$/.test(name));
  const { selectProvider } = await import('./select.ts');
  // Nothing can listen on port 0, so no Ollama of this machine gets in the way.
  const env = { OLLAMA_URL: 'http://127.0.0.1:0' };

  await selectProvider({ env, home: 'no-such-home' });
  assert.deepEqual(sdks(), []);
  const keyed = { ANTHROPIC_API_KEY: 'sk-test' };
  await selectProvider({ provider: 'anthropic', env: keyed, home: 'no-such-home' });
  assert.deepEqual([...new Set(sdks())], ['@anthropic-ai/sdk']);
});
