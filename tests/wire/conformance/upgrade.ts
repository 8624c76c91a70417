import { once } from 'node:events';
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { request as secureRequest } from 'node:https';
import type { Site } from './site.ts';

interface Attempt {
  readonly headers?: Readonly<Record<string, string>>;
  readonly query?: string;
}

/** Asks for a WebSocket by hand, and answers with the HTTP status. */
export async function upgrade(site: Site, attempt: Attempt): Promise<number> {
  return (await exchange(site, attempt)).statusCode ?? 0;
}

/** The headers of the answer. */
upgrade.headers = async (site: Site, attempt: Attempt): Promise<IncomingHttpHeaders> =>
  (await exchange(site, attempt)).headers;

async function exchange(site: Site, { headers = {}, query }: Attempt): Promise<IncomingMessage> {
  const url = new URL(`${site.url}/connect${query ? `?${query}` : ''}`);
  const send = url.protocol === 'https:' ? secureRequest : request;
  const asked = send(url, {
    rejectUnauthorized: !site.insecure,
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      ...headers,
    },
  });
  asked.end();
  const [response] = (await Promise.race([once(asked, 'response'), once(asked, 'upgrade')])) as [
    IncomingMessage,
  ];
  response.socket.destroy();
  return response;
}
