import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import {
  AnthropicProvider,
  DEFAULT_ANTHROPIC_MAX_TOKENS,
  DEFAULT_ANTHROPIC_MODEL,
} from '#runtime/providers/anthropic/anthropic-provider';
import type { Delta, ProviderErrorCode, StopReason } from '#runtime/providers/provider';
import { selectProvider } from '#runtime/providers/select';
import { FAKE_MODEL, FakeAnthropic } from '../fakes/fake-anthropic.ts';
import { collect, doneOf, failureOf, plainRequest, textOf } from './stream-reading.ts';

suite('the Messages API as we speak it', () => {
  test('sends what the API documents', async (t) => {
    const { api, provider } = await open(t);
    await collect(
      provider.stream({
        ...plainRequest(),
        messages: [
          { role: 'user', content: [text('one')] },
          { role: 'assistant', content: [text('')] },
          { role: 'user', content: [text('two')] },
        ],
      }),
    );
    const [request] = api.server.requests;
    assert.equal(request?.path, '/v1/messages');
    // Since its version 1.0 the SDK sends keys as bearer tokens and speaks this API version. A
    // change here is a change of contract, so an upgrade of the SDK has to pass by.
    assert.equal(request.headers.authorization, 'Bearer sk-test');
    assert.equal(request.headers['anthropic-version'], '2026-10-21');
    assert.deepEqual(request.body, {
      model: DEFAULT_ANTHROPIC_MODEL,
      max_tokens: DEFAULT_ANTHROPIC_MAX_TOKENS,
      system: [text('You are wren, the reviewer.')],
      messages: [{ role: 'user', content: [text('one'), text('two')] }],
      stream: true,
    });
  });

  test('sends the model and the limit of the request, and no blank system prompt', async (t) => {
    const { api, provider } = await open(t);
    const request = { ...plainRequest(), system: ' ', model: 'claude-x[1m]', maxTokens: 9 };
    await collect(provider.stream(request));
    const body = api.server.requests[0]?.body as Record<string, unknown>;
    assert.equal(body['model'], 'claude-x');
    assert.equal(body['max_tokens'], 9);
    assert.equal('system' in body, false);
  });

  test('takes key and address from the environment it is given', async (t) => {
    const { api } = await open(t);
    const { provider } = await selectProvider({
      env: { ANTHROPIC_API_KEY: 'sk-env', ANTHROPIC_BASE_URL: api.server.url },
      home: 'no-such-home',
    });
    await collect(provider.stream(plainRequest()));
    assert.equal(api.server.requests[0]?.headers.authorization, 'Bearer sk-env');
  });

  test('reports all four token counts and the model that answered', async (t) => {
    const { provider } = await open(t);
    const done = doneOf(await collect(provider.stream(plainRequest())));
    assert.deepEqual(done.usage.tokens, { in: 11, out: 42, cacheHit: 7, cacheFill: 5 });
    assert.equal(done.model, FAKE_MODEL);
  });

  const stopReasons: [string, StopReason][] = [
    ['end_turn', 'end_turn'],
    ['max_tokens', 'max_tokens'],
    ['model_context_window_exceeded', 'max_tokens'],
    ['stop_sequence', 'stop_sequence'],
    ['tool_use', 'tool_use'],
    ['pause_turn', 'pause'],
    ['refusal', 'refusal'],
    ['something_new', 'error'],
  ];
  for (const [wire, ours] of stopReasons) {
    test(`reads the stop reason ${wire} as ${ours}`, async (t) => {
      const { api, provider } = await open(t);
      api.answers({ texts: ['x'], stopReason: wire });
      assert.equal(doneOf(await collect(provider.stream(plainRequest()))).stopReason, ours);
    });
  }

  const errorEvents: [string, string, ProviderErrorCode, boolean][] = [
    ['overloaded_error', 'Overloaded', 'rate_limit', true],
    ['rate_limit_error', 'slow down', 'rate_limit', true],
    ['api_error', 'Internal server error', 'provider', true],
    ['timeout_error', 'too slow', 'timeout', true],
    ['authentication_error', 'revoked', 'auth', false],
    ['invalid_request_error', 'prompt is too long: 2 > 1', 'context_window', false],
    ['invalid_request_error', 'no', 'provider', false],
    ['a_new_error', 'no', 'provider', true],
  ];
  for (const [type, message, code, retryable] of errorEvents) {
    test(`turns the event ${type} "${message}" into ${code}`, async (t) => {
      const { api, provider } = await open(t);
      api.failsInStream(['so far'], type, message);
      const deltas: Delta[] = [];
      const error = await failureOf(provider.stream(plainRequest()), deltas);
      assert.deepEqual([error.code, error.retryable], [code, retryable]);
      assert.equal(textOf(deltas), 'so far');
    });
  }
});

async function open(t: TestContext): Promise<{ api: FakeAnthropic; provider: AnthropicProvider }> {
  const api = await FakeAnthropic.start();
  t.after(() => api.server.close());
  api.answers({ texts: ['hello'] });
  return { api, provider: new AnthropicProvider({ apiKey: 'sk-test', baseUrl: api.server.url }) };
}

function text(content: string): { type: 'text'; text: string } {
  return { type: 'text', text: content };
}
