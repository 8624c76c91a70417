import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import { OllamaProvider } from '#runtime/providers/ollama/ollama-provider';
import type { Delta } from '#runtime/providers/provider';
import { FAKE_MODEL, FakeOllama } from '../fakes/fake-ollama.ts';
import { collect, doneOf, failureOf, plainRequest, textOf } from './stream-reading.ts';

suite('the Ollama chat API as we speak it', () => {
  test('sends what the API documents', async (t) => {
    const { api, provider } = await open(t);
    await collect(
      provider.stream({
        ...plainRequest(),
        maxTokens: 9,
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'one' },
              { type: 'text', text: 'two' },
            ],
          },
        ],
      }),
    );
    const [request] = api.server.requests;
    assert.equal(request?.path, '/api/chat');
    assert.deepEqual(request.body, {
      model: FAKE_MODEL,
      messages: [
        { role: 'system', content: 'You are wren, the reviewer.' },
        { role: 'user', content: 'one\n\ntwo' },
      ],
      stream: true,
      options: { num_predict: 9 },
    });
  });

  test('leaves the length to the model when nobody limits it', async (t) => {
    const { api, provider } = await open(t);
    await collect(provider.stream({ ...plainRequest(), system: '', model: 'other' }));
    assert.deepEqual(api.server.requests[0]?.body, {
      model: 'other',
      messages: [{ role: 'user', content: 'hello' }],
      stream: true,
    });
  });

  test('reports the token counts and the model', async (t) => {
    const { provider } = await open(t);
    const done = doneOf(await collect(provider.stream(plainRequest())));
    assert.deepEqual(done.usage.tokens, { in: 11, out: 42, cacheHit: 0, cacheFill: 0 });
    assert.equal(done.model, FAKE_MODEL);
  });

  test('tells how to get a model that is not installed', async (t) => {
    const { api, provider } = await open(t);
    api.refuses(404, `model '${FAKE_MODEL}' not found`);
    const error = await failureOf(provider.stream(plainRequest()));
    assert.deepEqual([error.code, error.retryable], ['provider', false]);
    assert.match(error.message, /run: ollama pull fake:latest$/);
  });

  test('fails on an error line in the middle of an answer', async (t) => {
    const { api, provider } = await open(t);
    api.failsInStream(['so far'], 'model runner has unexpectedly stopped');
    const deltas: Delta[] = [];
    const error = await failureOf(provider.stream(plainRequest()), deltas);
    assert.deepEqual([error.code, error.retryable], ['provider', true]);
    assert.match(error.message, /runner has unexpectedly stopped/);
    assert.equal(textOf(deltas), 'so far');
  });

  test('tells a full context from other failures', async (t) => {
    const { api, provider } = await open(t);
    api.failsInStream([], 'the input length exceeds the context length');
    assert.equal((await failureOf(provider.stream(plainRequest()))).code, 'context_window');
  });
});

async function open(t: TestContext): Promise<{ api: FakeOllama; provider: OllamaProvider }> {
  const api = await FakeOllama.start();
  t.after(() => api.server.close());
  api.answers({ texts: ['hello'] });
  return { api, provider: new OllamaProvider({ baseUrl: api.server.url, model: FAKE_MODEL }) };
}
