import assert from 'node:assert/strict';
import { type Delta, ProviderError, type ProviderRequest } from '#runtime/providers/provider';

/** A request with nothing special about it. */
export function plainRequest(signal = new AbortController().signal): ProviderRequest {
  return {
    system: 'You are wren, the reviewer.',
    messages: [{ role: 'user', content: [{ type: 'text', text: 'hello' }] }],
    signal,
  };
}

export async function collect(stream: AsyncIterable<Delta>): Promise<Delta[]> {
  const deltas: Delta[] = [];
  for await (const delta of stream) deltas.push(delta);
  return deltas;
}

export function textOf(deltas: readonly Delta[]): string {
  return deltas.map((delta) => (delta.type === 'text' ? delta.text : '')).join('');
}

export function doneOf(deltas: readonly Delta[]): Extract<Delta, { type: 'done' }> {
  const last = deltas.at(-1);
  assert.ok(last?.type === 'done', 'the stream ends with a done');
  return last;
}

/** The error that ends a stream. What came before it goes into `deltas`. */
export async function failureOf(
  stream: AsyncIterable<Delta>,
  deltas: Delta[] = [],
): Promise<ProviderError> {
  try {
    for await (const delta of stream) deltas.push(delta);
  } catch (thrown) {
    assert.ok(thrown instanceof ProviderError, `a ProviderError, not ${thrown}`);
    return thrown;
  }
  return assert.fail('the stream did not fail');
}
