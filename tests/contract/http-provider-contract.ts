import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import {
  type Delta,
  type Provider,
  ProviderError,
  type ProviderErrorCode,
} from '#runtime/providers/provider';
import { FakeClock } from '#shared/sys/fake-clock';
import type { ScriptedServer } from '../fakes/scripted-server.ts';
import { collect, failureOf, plainRequest, textOf } from './stream-reading.ts';

/** What an HTTP API can be made to do. */
export interface FakeApi {
  readonly server: ScriptedServer;
  answers(answer: { texts: readonly string[]; bytesPerPiece?: number }): void;
  breaks(texts: readonly string[], how: 'cut' | 'ended' | 'silent' | 'malformed'): void;
  refuses(status: number, message: string, headers?: Record<string, string>): void;
  staysSilent(): void;
}

/** A provider that talks to a fake API. */
export interface HttpProviderHarness<Api extends FakeApi> {
  startApi(): Promise<Api>;
  connect(url: string, options: { clock: FakeClock; stallMs: number }): Provider;
}

const STALL_MS = 200;

/** What a provider behind HTTP promises on top: every way in which a server can fail. */
export function httpProviderContract<Api extends FakeApi>(
  name: string,
  harness: HttpProviderHarness<Api>,
): void {
  const open = async (t: TestContext) => {
    const api = await harness.startApi();
    t.after(() => api.server.close());
    const clock = new FakeClock();
    return { api, clock, provider: harness.connect(api.server.url, { clock, stallMs: STALL_MS }) };
  };

  suite(`HTTP provider contract: ${name}`, () => {
    for (const bytesPerPiece of [1, 3, 7, 64]) {
      test(`reads an answer that arrives ${bytesPerPiece} bytes at a time`, async (t) => {
        const { api, provider } = await open(t);
        api.answers({ texts: ['Grüße, ', '世界 ', '👩‍🚀!\n', 'data: {"x"}'], bytesPerPiece });
        const deltas = await collect(provider.stream(plainRequest()));
        assert.equal(textOf(deltas), 'Grüße, 世界 👩‍🚀!\ndata: {"x"}');
      });
    }

    const refusals: {
      status: number;
      text?: string;
      code: ProviderErrorCode;
      retryable: boolean;
    }[] = [
      { status: 401, code: 'auth', retryable: false },
      { status: 403, code: 'auth', retryable: false },
      { status: 429, code: 'rate_limit', retryable: true },
      { status: 529, code: 'rate_limit', retryable: true },
      { status: 500, code: 'provider', retryable: true },
      { status: 503, code: 'provider', retryable: true },
      { status: 504, code: 'timeout', retryable: true },
      { status: 400, code: 'provider', retryable: false },
      { status: 404, code: 'provider', retryable: false },
      {
        status: 400,
        text: 'prompt is too long: 210000 tokens > 200000 maximum',
        code: 'context_window',
        retryable: false,
      },
    ];
    for (const { status, text = 'no', code, retryable } of refusals) {
      test(`turns ${status} "${text}" into ${code}`, async (t) => {
        const { api, provider } = await open(t);
        api.refuses(status, text);
        const error = await failureOf(provider.stream(plainRequest()));
        assert.deepEqual([error.code, error.retryable], [code, retryable]);
        assert.equal(api.server.requests.length, 1, 'the SDK does not retry on its own');
      });
    }

    test('reads retry-after as seconds and as a date', async (t) => {
      const { api, clock, provider } = await open(t);
      api.refuses(429, 'slow down', { 'retry-after': '7' });
      assert.equal((await failureOf(provider.stream(plainRequest()))).retryAfterMs, 7000);

      const inTenSeconds = new Date(clock.now() + 10_000).toUTCString();
      api.refuses(429, 'slow down', { 'retry-after': inTenSeconds });
      assert.equal((await failureOf(provider.stream(plainRequest()))).retryAfterMs, 10_000);

      api.refuses(429, 'slow down');
      assert.equal((await failureOf(provider.stream(plainRequest()))).retryAfterMs, undefined);
    });

    for (const how of ['cut', 'ended', 'malformed'] as const) {
      test(`fails when the stream is ${how} after some text`, async (t) => {
        const { api, provider } = await open(t);
        api.breaks(['so ', 'far'], how);
        const deltas: Delta[] = [];
        const error = await failureOf(provider.stream(plainRequest()), deltas);
        assert.deepEqual([error.code, error.retryable], ['provider', true]);
        // A dropped connection may take bytes with it that were still on their way.
        if (how !== 'cut') assert.equal(textOf(deltas), 'so far');
        assert.ok(deltas.every((delta) => delta.type === 'text'));
      });
    }

    test('calls silence in the middle of an answer a timeout', async (t) => {
      const { api, clock, provider } = await open(t);
      api.breaks(['thinking'], 'silent');
      const stream = provider.stream(plainRequest())[Symbol.asyncIterator]();
      assert.deepEqual((await stream.next()).value, { type: 'text', text: 'thinking' });
      const next = assert.rejects(stream.next(), isFailure('timeout'));
      clock.advance(STALL_MS);
      await next;
      await (await api.server.received(1))[0]?.connectionClosed;
    });

    test('calls silence before an answer a timeout', async (t) => {
      const { api, clock, provider } = await open(t);
      api.staysSilent();
      const failed = assert.rejects(collect(provider.stream(plainRequest())), isFailure('timeout'));
      await api.server.received(1);
      clock.advance(STALL_MS);
      await failed;
      assert.equal(clock.pending, 0, 'no timer is left behind');
    });

    test('does not call a slow reader a stall', async (t) => {
      const { api, clock, provider } = await open(t);
      api.answers({ texts: ['one ', 'two ', 'three'] });
      let text = '';
      for await (const delta of provider.stream(plainRequest())) {
        clock.advance(STALL_MS * 10);
        if (delta.type === 'text') text += delta.text;
      }
      assert.equal(text, 'one two three');
    });

    test('closes the connection when the signal aborts, and only that one', async (t) => {
      const { api, provider } = await open(t);
      api.breaks(['hello'], 'silent');
      const abort = new AbortController();
      const reason = new Error('stop');
      const doomed = provider.stream(plainRequest(abort.signal))[Symbol.asyncIterator]();
      await doomed.next();
      api.answers({ texts: ['still ', 'here'] });
      const other = provider.stream(plainRequest())[Symbol.asyncIterator]();
      assert.deepEqual((await other.next()).value, { type: 'text', text: 'still ' });

      const ended = assert.rejects(doomed.next(), (thrown) => thrown === reason);
      abort.abort(reason);
      await ended;
      await (await api.server.received(1))[0]?.connectionClosed;
      assert.deepEqual((await other.next()).value, { type: 'text', text: 'here' });
      assert.equal((await other.next()).value?.type, 'done');
      await other.next();
    });

    test('aborts a request that has no answer yet', async (t) => {
      const { api, provider } = await open(t);
      api.staysSilent();
      const abort = new AbortController();
      const reason = new Error('stop');
      const request = plainRequest(abort.signal);
      const ended = assert.rejects(
        collect(provider.stream(request)),
        (thrown) => thrown === reason,
      );
      const [seen] = await api.server.received(1);
      abort.abort(reason);
      await ended;
      await seen?.connectionClosed;
    });

    test('closes the connection when the reader walks away', async (t) => {
      const { api, provider } = await open(t);
      api.breaks(['hello'], 'silent');
      for await (const delta of provider.stream(plainRequest())) {
        assert.equal(delta.type, 'text');
        break;
      }
      await (await api.server.received(1))[0]?.connectionClosed;
    });

    test('calls a server that is not there a provider failure worth retrying', async (t) => {
      const { api, provider } = await open(t);
      await api.server.close();
      const error = await failureOf(provider.stream(plainRequest()));
      assert.deepEqual([error.code, error.retryable], ['provider', true]);
      assert.match(error.message, /ECONNREFUSED/);
    });
  });
}

function isFailure(code: ProviderErrorCode): (thrown: unknown) => boolean {
  return (thrown) => thrown instanceof ProviderError && thrown.code === code;
}
