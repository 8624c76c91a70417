import { request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import { pinnedTls } from './pinned-tls.ts';

export interface HttpCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly token?: string | undefined;
  /** Sent as JSON. */
  readonly body?: object | undefined;
  /** The certificate to trust, and no other: `sha256:` and 64 hex digits. */
  readonly pin?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Bytes of the answer. */
  readonly maxBytes: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
}

/** One HTTP exchange, whatever its status. Redirections are not followed: they could lead a secret away. */
export async function httpCall(url: URL, call: HttpCall): Promise<HttpAnswer> {
  const { method, token, body, pin, signal, maxBytes } = call;
  const tls = pin ? await pinnedTls(url.origin, pin) : {};
  const send = url.protocol === 'https:' ? secureRequest : plainRequest;
  const headers = {
    ...(token && { authorization: `Bearer ${token}` }),
    ...(body && { 'content-type': 'application/json' }),
  };
  return new Promise((resolve, reject) => {
    const request = send(url, { ...tls, method, headers, ...(signal && { signal }) });
    request.once('error', reject);
    request.once('response', (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        chunks.push(chunk);
        if (bytes > maxBytes) response.destroy(new Error(`the answer has over ${maxBytes} bytes`));
      });
      response.once('error', reject);
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
      );
    });
    request.end(body && JSON.stringify(body));
  });
}
