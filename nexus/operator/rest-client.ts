import { messageOf } from '#shared/errors';
import { httpCall } from '#shared/transport/http-call';
import type { BrokerAccess } from './broker-access.ts';
import { OperatorError } from './errors.ts';
import { noBroker } from './room.ts';

/** Bytes of an answer. */
const maxAnswerBytes = 16 * 1024 * 1024;

/** One call of the REST side as the operator: JSON both ways. Rejects with `OperatorError`. */
export async function callBroker(
  { url, token, pin }: BrokerAccess,
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  body?: object,
): Promise<Record<string, unknown>> {
  const target = new URL(path, url.replace(/^ws/, 'http'));
  const call = { method, token, body, pin, maxBytes: maxAnswerBytes };
  const { status, text } = await httpCall(target, call).catch((cause) => {
    throw noBroker(new Error(`cannot reach ${url}: ${messageOf(cause)}`, { cause }));
  });
  const answer = parse(text);
  if (status < 300) return answer;
  throw new OperatorError('operator.refused', String(answer['error'] ?? `HTTP ${status}`));
}

function parse(text: string): Record<string, unknown> {
  try {
    return (JSON.parse(text || '{}') ?? {}) as Record<string, unknown>;
  } catch {
    return {};
  }
}
