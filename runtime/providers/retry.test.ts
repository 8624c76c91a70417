import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { FakeClock } from '#shared/sys/fake-clock';
import {
  type Delta,
  type Provider,
  ProviderError,
  type ProviderErrorCode,
  type ProviderRequest,
} from './provider.ts';
import { type AnswerDelta, type RetryNotice, streamWithRetry } from './retry.ts';

const USAGE = { tokens: { in: 1, out: 1, cacheHit: 0, cacheFill: 0 } };
const DONE: Delta = { type: 'done', stopReason: 'end_turn', usage: USAGE, model: 'm' };
const HELLO: Delta = { type: 'text', text: 'hello' };

const overloaded = new ProviderError('rate_limit', 'busy', { retryable: true });
const patient = new ProviderError('rate_limit', 'busy', { retryable: true, retryAfterMs: 9000 });
const reset = new ProviderError('provider', 'reset', { retryable: true });
const refused = new ProviderError('provider', 'bad request', { retryable: false });
const stalled = new ProviderError('timeout', 'stalled', { retryable: true });

suite('streamWithRetry', () => {
  test('passes a good answer through', async () => {
    const run = start([[HELLO, DONE]]);
    assert.deepEqual(await run.deltas, [HELLO, DONE]);
    assert.deepEqual(run.notices, []);
  });

  test('waits 2, 4 and 8 seconds when the provider names no time, then gives up', async () => {
    const run = start([[overloaded], [overloaded], [overloaded], [overloaded], [HELLO, DONE]]);
    await assert.rejects(run.deltas, overloaded);
    assert.deepEqual(
      run.notices.map(({ retry, delayMs }) => [retry, delayMs]),
      [
        [1, 2000],
        [2, 4000],
        [3, 8000],
      ],
    );
    assert.equal(run.calls(), 4);
  });

  test('stretches its own waits by up to a quarter', async () => {
    const run = start([[reset], [HELLO, DONE]], { random: () => 0.5 });
    await run.deltas;
    assert.equal(run.notices[0]?.delayMs, 2250);
  });

  test('waits as long as the provider asked', async () => {
    const run = start([[patient], [HELLO, DONE]], { random: () => 0.9 });
    assert.deepEqual(await run.deltas, [HELLO, DONE]);
    assert.deepEqual(run.notices, [{ retry: 1, delayMs: 9000, error: patient }]);
  });

  const retries: [ProviderErrorCode, number][] = [
    ['rate_limit', 3],
    ['provider', 3],
    ['timeout', 1],
    ['auth', 0],
    ['context_window', 0],
    ['unsupported', 0],
  ];
  for (const [code, expected] of retries) {
    test(`tries again ${expected} times on ${code}`, async () => {
      const error = new ProviderError(code, 'no', { retryable: true });
      const run = start(Array.from({ length: 9 }, () => [error]));
      await assert.rejects(run.deltas, error);
      assert.equal(run.notices.length, expected);
    });
  }

  test('counts each kind of failure, and all of them together', async () => {
    const run = start([[stalled], [reset], [overloaded], [reset], [HELLO, DONE]]);
    await assert.rejects(run.deltas, reset);
    assert.equal(run.notices.length, 3);

    const twice = start([[stalled], [reset], [stalled], [HELLO, DONE]]);
    await assert.rejects(twice.deltas, stalled);
    assert.equal(twice.notices.length, 2);
  });

  test('does not retry what cannot get better', async () => {
    const run = start([[refused], [HELLO, DONE]]);
    await assert.rejects(run.deltas, refused);
    assert.equal(run.calls(), 1);
  });

  test('begins no wait that would not end before the deadline', async () => {
    const tooLate = start([[patient], [HELLO, DONE]], { deadlineMs: 9000 });
    await assert.rejects(tooLate.deltas, patient);
    assert.deepEqual(tooLate.notices, []);

    const inTime = start([[patient], [HELLO, DONE]], { deadlineMs: 9001 });
    assert.deepEqual(await inTime.deltas, [HELLO, DONE]);
  });

  test('finishes as an error, keeping the text, when an answer breaks off', async () => {
    const run = start([
      [HELLO, reset],
      [HELLO, DONE],
    ]);
    const [text, done, ...more] = await run.deltas;
    assert.deepEqual(text, HELLO);
    assert.ok(done?.type === 'done');
    assert.equal(done.stopReason, 'error');
    assert.equal(done.error, reset);
    assert.equal(done.model, 'scripted-default');
    assert.deepEqual(more, []);
    assert.equal(run.calls(), 1, 'what was said is not said again');
  });

  test('does not take an empty text for an answer', async () => {
    const run = start([
      [{ type: 'text', text: '' }, reset],
      [HELLO, DONE],
    ]);
    assert.deepEqual(await run.deltas, [HELLO, DONE]);
  });

  test('throws the reason of an abort, also while it waits', async () => {
    const clock = new FakeClock();
    const abort = new AbortController();
    const reason = new Error('enough');
    const provider = scripted([[reset], [HELLO, DONE]]);
    const stream = streamWithRetry(provider, request(abort.signal), {
      clock,
      onRetry: () => queueMicrotask(() => abort.abort(reason)),
    });
    await assert.rejects(stream.next(), (thrown) => thrown === reason);
    assert.equal(clock.pending, 0);
    assert.equal(provider.calls, 1);
  });

  test('lets an abort win over the failure it caused', async () => {
    const reason = new Error('enough');
    const abort = new AbortController();
    const provider = scripted([[HELLO, reset]]);
    const stream = streamWithRetry(provider, request(abort.signal), { clock: new FakeClock() });
    await stream.next();
    abort.abort(reason);
    await assert.rejects(stream.next(), (thrown) => thrown === reason);
  });

  test('does not swallow a bug', async () => {
    const bug = new TypeError('not a function');
    await assert.rejects(start([[bug], [HELLO, DONE]]).deltas, bug);
  });
});

type Step = Delta | Error;

interface ScriptedProvider extends Provider {
  calls: number;
}

/** Each call plays one script: deltas are yielded, an error is thrown. */
function scripted(scripts: readonly (readonly Step[])[]): ScriptedProvider {
  return {
    name: 'scripted',
    defaultModel: 'scripted-default',
    calls: 0,
    async *stream() {
      for (const step of scripts[this.calls++] ?? []) {
        if (step instanceof Error) throw step;
        yield step;
      }
    },
  };
}

function request(signal = new AbortController().signal): ProviderRequest {
  return { system: '', messages: [], signal };
}

/** Runs to the end; every wait passes at once on a fake clock. */
function start(
  scripts: readonly (readonly Step[])[],
  options: { random?: () => number; deadlineMs?: number } = {},
): { deltas: Promise<AnswerDelta[]>; notices: RetryNotice[]; calls(): number } {
  const clock = new FakeClock();
  const notices: RetryNotice[] = [];
  const provider = scripted(scripts);
  const stream = streamWithRetry(provider, request(), {
    clock,
    random: () => 0,
    ...options,
    onRetry: (notice) => {
      notices.push(notice);
      // The wait begins right after this notice.
      queueMicrotask(() => clock.advance(notice.delayMs));
    },
  });
  const collect = async () => {
    const deltas: AnswerDelta[] = [];
    for await (const delta of stream) deltas.push(delta);
    return deltas;
  };
  return { deltas: collect(), notices, calls: () => provider.calls };
}
