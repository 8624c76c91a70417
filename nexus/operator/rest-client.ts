import { request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import { pinnedTls } from '#shared/transport/pinned-tls';
import type { BrokerAccess } from './broker-access.ts';
import { OperatorError } from './errors.ts';
import { noBroker } from './room.ts';

/** One call of the REST side as the operator: JSON both ways. Rejects with `OperatorError`. */
export async function callBroker(
  { url, token, pin }: BrokerAccess,
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  body?: object,
): Promise<Record<string, unknown>> {
  const target = new URL(path, url.replace(/^ws/, 'http'));
  const tls = pin ? await pinnedTls(url, pin) : {};
  const request = target.protocol === 'https:' ? secureRequest : plainRequest;
  const { status, text } = await new Promise<{ status: number; text: string }>(
    (resolve, reject) => {
      const call = request(
        target,
        {
          ...tls,
          method,
          headers: {
            authorization: `Bearer ${token}`,
            ...(body && { 'content-type': 'application/json' }),
          },
        },
        async (response) => {
          let received = '';
          for await (const chunk of response.setEncoding('utf8')) received += chunk;
          resolve({ status: response.statusCode ?? 0, text: received });
        },
      );
      call.once('error', (cause) => reject(noBroker(new Error(`cannot reach ${url}`, { cause }))));
      call.end(body && JSON.stringify(body));
    },
  );
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
