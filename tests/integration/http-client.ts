import { request } from 'node:http';
import type { TestNexus } from './start-nexus.ts';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Record<string, unknown>;
  readonly text: string;
}

/** One request with exactly these headers: `fetch` would not let a test say where it comes from. */
export function call(
  url: string,
  method: string,
  path: string,
  { headers = {}, body }: { headers?: Record<string, string>; body?: unknown } = {},
): Promise<HttpAnswer> {
  const payload = body === undefined ? undefined : JSON.stringify(body);
  const length = payload && { 'content-length': String(Buffer.byteLength(payload)) };
  return new Promise((resolve, reject) => {
    const sent = request(
      new URL(path, url),
      { method, headers: { ...headers, ...length } },
      async (response) => {
        let text = '';
        for await (const chunk of response.setEncoding('utf8')) text += chunk;
        const { statusCode = 0, headers: received } = response;
        resolve({ status: statusCode, headers: received, body: parse(text), text });
      },
    );
    sent.once('error', reject);
    sent.end(payload);
  });
}

function parse(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}

/** `name=value` of the cookie that an answer sets; undefined when it sets none. */
export function cookieOf({ headers }: HttpAnswer): string | undefined {
  const [cookie] = headers['set-cookie'] ?? [];
  return cookie?.split(';')[0];
}

/** Somebody at a browser: keeps the cookie, and says where its pages are from. */
export class Browser {
  readonly origin: string;
  readonly #url: string;
  cookie: string | undefined;

  constructor(url: string) {
    this.#url = url;
    this.origin = new URL(url).origin;
  }

  async call(method: string, path: string, body?: unknown): Promise<HttpAnswer> {
    const answer = await call(this.#url, method, path, {
      body,
      headers: {
        origin: this.origin,
        ...(this.cookie && { cookie: this.cookie }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
    });
    this.cookie = cookieOf(answer) ?? this.cookie;
    return answer;
  }
}

/** A call with the operator's token. */
export function asOperator(nexus: TestNexus, method: string, path: string, body?: unknown) {
  const headers = { authorization: `Bearer ${nexus.operatorToken()}` };
  return call(nexus.url, method, path, { headers, body });
}

/** A browser that came in by a one-time link. Makes the operator if need be. */
export async function signedIn(
  nexus: TestNexus,
  { operator = 'operator', role }: { operator?: string; role?: string } = {},
): Promise<Browser> {
  if (role) await asOperator(nexus, 'POST', '/api/operators', { name: operator, role });
  const link = await asOperator(nexus, 'POST', '/api/operator/login-links', { operator });
  const browser = new Browser(nexus.url);
  const code = new URL(String(link.body['url'])).hash.slice(1);
  const answer = await browser.call('POST', '/api/operator/login/code', { code });
  if (answer.status !== 200) throw new Error(answer.text);
  return browser;
}

/** Tests sign in far more often than people. */
export const roomyRates = {
  perAddress: { times: 10_000, windowS: 60 },
  fromLoopback: { times: 10_000, windowS: 60 },
  inAll: { times: 10_000, windowS: 60 },
};
