import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import type { Provider, ProviderRequest } from '#runtime/providers/provider';
import { collect, doneOf, textOf } from './stream-reading.ts';

/** A provider and what it will answer next. */
export interface Opened {
  provider: Provider;
  /** The text that the whole stream has to add up to. */
  expectedText: string;
}

/** How the suite gets at an implementation. Servers are closed through the test context. */
export interface ProviderHarness {
  /** A provider whose next answer has some text, in several pieces if it can. */
  talking(t: TestContext): Promise<Opened>;
  /** A provider whose next answer is empty. */
  silent(t: TestContext): Promise<Provider>;
  /** A provider whose next answer hits the token limit of the request. */
  cutShort(t: TestContext): Promise<Provider>;
  /** A request that `talking` answers. */
  request(overrides?: Partial<ProviderRequest>): ProviderRequest;
}

/** What every provider promises. */
export function providerContract(name: string, harness: ProviderHarness): void {
  suite(`provider contract: ${name}`, () => {
    test('streams texts, then exactly one done', async (t) => {
      const { provider, expectedText } = await harness.talking(t);
      const deltas = await collect(provider.stream(harness.request()));

      assert.ok(deltas.length > 2, 'the text comes in several pieces');
      assert.equal(textOf(deltas), expectedText);
      assert.deepEqual(
        deltas.map((delta) => delta.type),
        [...deltas.slice(1).map(() => 'text'), 'done'],
      );
      assert.ok(deltas.every((delta) => delta.type === 'done' || delta.text !== ''));
    });

    test('closes with the stop reason, the usage and the model', async (t) => {
      const { provider } = await harness.talking(t);
      const done = doneOf(await collect(provider.stream(harness.request())));

      assert.equal(done.stopReason, 'end_turn');
      assert.notEqual(done.model, '');
      assert.ok(done.usage.tokens.in > 0 && done.usage.tokens.out > 0);
    });

    test('gives an empty answer as a done alone', async (t) => {
      const provider = await harness.silent(t);
      const deltas = await collect(provider.stream(harness.request({ messages: silentMessages })));
      assert.equal(textOf(deltas), '');
      assert.equal(doneOf(deltas).stopReason, 'end_turn');
    });

    test('says when the token limit ended the answer', async (t) => {
      const provider = await harness.cutShort(t);
      const deltas = await collect(provider.stream(harness.request({ maxTokens: 5 })));
      assert.equal(doneOf(deltas).stopReason, 'max_tokens');
    });

    test('throws the reason of a signal that is already aborted', async (t) => {
      const { provider } = await harness.talking(t);
      const reason = new Error('not today');
      const request = harness.request({ signal: AbortSignal.abort(reason) });
      await assert.rejects(collect(provider.stream(request)), (thrown) => thrown === reason);
    });

    test('throws the reason of a signal that aborts between two pieces', async (t) => {
      const { provider } = await harness.talking(t);
      const abort = new AbortController();
      const reason = new Error('enough');
      const stream = provider.stream(harness.request({ signal: abort.signal }));
      await assert.rejects(
        async () => {
          for await (const delta of stream) if (delta.type === 'text') abort.abort(reason);
        },
        (thrown) => thrown === reason,
      );
    });
  });
}

/** A message from an aspect that asks nothing: the one thing that `loopback` answers with silence. */
const silentMessages: ProviderRequest['messages'] = [
  {
    role: 'user',
    content: [{ type: 'text', text: '[message 7 from anvil in thread 7]\nIt is built.' }],
  },
];
