import type { TestContext } from 'node:test';
import { AnthropicProvider } from '#runtime/providers/anthropic/anthropic-provider';
import { LoopbackProvider } from '#runtime/providers/loopback/loopback-provider';
import { OllamaProvider } from '#runtime/providers/ollama/ollama-provider';
import type { Provider } from '#runtime/providers/provider';
import { FakeAnthropic } from '../fakes/fake-anthropic.ts';
import { FAKE_MODEL, FakeOllama } from '../fakes/fake-ollama.ts';
import { type FakeApi, httpProviderContract } from './http-provider-contract.ts';
import { type ProviderHarness, providerContract } from './provider-contract.ts';
import { plainRequest } from './stream-reading.ts';

const TEXTS = ['One ', 'two ', 'three.'];

providerContract(
  'anthropic',
  scripted(FakeAnthropic.start, {
    connect: (url) => new AnthropicProvider({ apiKey: 'sk-test', baseUrl: url }),
    cutShort: (api) => api.answers({ texts: TEXTS, stopReason: 'max_tokens' }),
  }),
);
httpProviderContract('anthropic', {
  startApi: FakeAnthropic.start,
  connect: (baseUrl, options) => new AnthropicProvider({ apiKey: 'sk-test', baseUrl, ...options }),
});

providerContract(
  'ollama',
  scripted(FakeOllama.start, {
    connect: (url) => new OllamaProvider({ baseUrl: url, model: FAKE_MODEL }),
    cutShort: (api) => api.answers({ texts: TEXTS, doneReason: 'length' }),
  }),
);
httpProviderContract('ollama', {
  startApi: FakeOllama.start,
  connect: (baseUrl, options) => new OllamaProvider({ baseUrl, model: FAKE_MODEL, ...options }),
});

const loopback = async () => new LoopbackProvider();
providerContract('loopback', {
  talking: async () => ({
    provider: new LoopbackProvider(),
    expectedText:
      'Hello. I am wren, reviewer of this team. Ask me what I do, what I think of something.\n\n' +
      '(I run on the built-in loopback provider, without a language model.)',
  }),
  silent: loopback,
  cutShort: loopback,
  request: (overrides) => ({ ...plainRequest(), ...overrides }),
});

/** A harness whose provider answers what a fake API is told to. */
function scripted<Api extends FakeApi>(
  start: () => Promise<Api>,
  api: { connect(url: string): Provider; cutShort(api: Api): void },
): ProviderHarness {
  const open = async (t: TestContext, prepare: (api: Api) => void) => {
    const fake = await start();
    t.after(() => fake.server.close());
    prepare(fake);
    return api.connect(fake.server.url);
  };
  return {
    talking: async (t) => ({
      provider: await open(t, (fake) => fake.answers({ texts: TEXTS })),
      expectedText: TEXTS.join(''),
    }),
    silent: (t) => open(t, (fake) => fake.answers({ texts: [] })),
    cutShort: (t) => open(t, api.cutShort),
    request: (overrides) => ({ ...plainRequest(), ...overrides }),
  };
}
