import { WebSocket } from 'ws';
import { closeReason } from './close-reason.ts';
import { LinkError } from './errors.ts';
import { pinnedTls } from './pinned-tls.ts';
import type { Transport, TransportEvents } from './transport.ts';

/** Bytes of one message, both directions (wire spec §1.6). */
const maxMessageBytes = 1_048_576;
const dialTimeoutMs = 10_000;
/** How long the peer may take to answer our close frame. */
const closeGraceMs = 2_000;

/** The WebSocket address of a base URL: `http` becomes `ws`, and `/connect` is appended (§1.1). */
export function connectUrl(base: string): string {
  const url = base.replace(/^http/, 'ws').replace(/\/+$/, '');
  return url.endsWith('/connect') ? url : `${url}/connect`;
}

export interface DialOptions {
  readonly signal?: AbortSignal | undefined;
  /** The certificate to trust, and no other: `sha256:` and 64 hex digits. */
  readonly pin?: string | undefined;
}

/** Dials a broker. Rejects with `LinkError`. */
export async function dial(
  base: string,
  token: string,
  { signal, pin }: DialOptions = {},
): Promise<Transport> {
  signal?.throwIfAborted();
  const tls = pin ? await pinnedTls(base, pin) : {};
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const ws = new WebSocket(connectUrl(base), {
      headers: { authorization: `Bearer ${token}` },
      handshakeTimeout: dialTimeoutMs,
      maxPayload: maxMessageBytes,
      perMessageDeflate: false,
      ...tls,
    });
    const abort = () => ws.terminate();
    const fail = (error: LinkError) => {
      signal?.removeEventListener('abort', abort);
      reject(error);
      ws.terminate();
    };
    signal?.addEventListener('abort', abort, { once: true });
    ws.once('open', () => {
      signal?.removeEventListener('abort', abort);
      resolve(new ClientTransport(ws));
    });
    ws.once('unexpected-response', (_request, response) => {
      const status = response.statusCode ?? 0;
      if (status === 401) fail(new LinkError('link.unauthorized', `${base} refused the token`));
      else fail(new LinkError('link.unreachable', `${base} answered HTTP ${status}`));
    });
    ws.on('error', (cause) => {
      fail(new LinkError('link.unreachable', `cannot reach ${base}: ${cause.message}`, { cause }));
    });
  });
}

class ClientTransport implements Transport {
  readonly #ws: WebSocket;
  /** Held until `start`, so that nothing the broker says first is missed. */
  #started = false;

  constructor(ws: WebSocket) {
    this.#ws = ws;
    ws.pause();
  }

  get queuedBytes(): number {
    return this.#ws.bufferedAmount;
  }

  start(on: TransportEvents): void {
    if (this.#ws.readyState === this.#ws.CLOSED) {
      queueMicrotask(() => on.closed(1006, ''));
      return;
    }
    this.#ws.on('message', (data, isBinary) => {
      if (this.#ws.readyState !== this.#ws.OPEN) return;
      if (isBinary) this.close(1003, 'text only');
      else on.message(data.toString());
    });
    this.#ws.once('close', (code, reason) => on.closed(code, reason.toString()));
    this.#started = true;
    this.#ws.resume();
  }

  send(text: string): void {
    if (this.#ws.readyState === this.#ws.OPEN) this.#ws.send(text);
  }

  close(code: number, reason: string): void {
    if (!this.#started) this.#ws.resume();
    this.#ws.close(code, closeReason(reason));
    const grace = setTimeout(() => this.#ws.terminate(), closeGraceMs);
    grace.unref();
    this.#ws.once('close', () => clearTimeout(grace));
  }
}
