import type {
  HttpRequest,
  HttpResponse,
  us_listen_socket,
  us_socket_context_t,
} from 'uWebSockets.js';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { isUpgrade } from './access.ts';
import type { Refusal, Verdict } from './admission.ts';
import { type Listener, type ListenerDeps, maxMessageBytes } from './listener.ts';
import { exclusivePort, type Uws, type UwsApp } from './uws.ts';
import { UwsRequest } from './uws-request.ts';
import { type OnSocket, UwsTransport } from './uws-transport.ts';

/**
 * The library hangs up on a longer message without a word. Up to here it is read, so that the
 * peer is told why (1009).
 */
const maxReadBytes = 2 * maxMessageBytes;

/** Listens with uWebSockets.js. */
export class UwsListener implements Listener {
  readonly #uws: Uws;
  readonly #deps: ListenerDeps;
  readonly #app: UwsApp;
  #socket: us_listen_socket | undefined;
  #closed = false;

  constructor(uws: Uws, deps: ListenerDeps) {
    this.#uws = uws;
    this.#deps = deps;
    const { tls } = deps;
    this.#app = tls
      ? uws.SSLApp({ cert_file_name: tls.certFile, key_file_name: tls.keyFile })
      : uws.App();
    this.#app.ws<OnSocket>('/*', {
      maxPayloadLength: maxReadBytes,
      // Bounds, pings and compression are ours to decide: outbox, keep-alive, none.
      maxBackpressure: 0,
      idleTimeout: 0,
      sendPingsAutomatically: false,
      upgrade: (response, request, context) => this.#upgrade(response, request, context),
      open: (ws) => ws.getUserData().transport.opened(ws),
      message: (ws, data, isBinary) => ws.getUserData().transport.received(data, isBinary),
      pong: (ws) => ws.getUserData().transport.answered(),
      drain: (ws) => ws.getUserData().transport.drained(),
      close: (ws, code, reason) =>
        ws.getUserData().transport.ended(code, Buffer.from(reason).toString()),
    });
    this.#app.any('/*', (response, request) => this.#request(new UwsRequest(response, request)));
  }

  async listen(host: string, port: number): Promise<number> {
    this.#deps.admission.boundTo(host);
    const name = host.replace(/^\[|\]$/g, '');
    const { promise, resolve } = Promise.withResolvers<us_listen_socket | false>();
    this.#app.listen(name, port, exclusivePort, resolve);
    const socket = await promise;
    if (!socket) throw await whyNot(name, port);
    this.#socket = socket;
    return this.#uws.us_socket_local_port(socket);
  }

  stop(): void {
    if (this.#socket) this.#uws.us_listen_socket_close(this.#socket);
    this.#socket = undefined;
  }

  async close(): Promise<void> {
    this.stop();
    if (this.#closed) return;
    this.#closed = true;
    this.#app.close();
  }

  /** What has a key of the right length; whether it is an upgrade is ours to say. */
  #upgrade(response: HttpResponse, request: HttpRequest, context: us_socket_context_t): void {
    const visitor = new UwsRequest(response, request);
    if (!isUpgrade(visitor)) {
      this.#request(visitor);
      return;
    }
    const finish = (verdict: Verdict): void => {
      if (visitor.isGone) return;
      if ('status' in verdict) {
        refuse(visitor, verdict);
        return;
      }
      const transport = new UwsTransport(visitor.becomeSocket());
      const key = visitor.header('sec-websocket-key') ?? '';
      // It is open when this returns.
      response.cork(() => response.upgrade<OnSocket>({ transport }, key, '', '', context));
      this.#deps.accept(transport, verdict.identity);
    };
    const verdict = this.#deps.admission.admit(visitor);
    if (verdict instanceof Promise) void verdict.then(finish);
    else finish(verdict);
  }

  #request(visitor: UwsRequest): void {
    const finish = (refusal: Refusal | undefined): void => {
      if (refusal) refuse(visitor, refusal);
      else void this.#serve(visitor);
    };
    const refusal = this.#deps.admission.screen(visitor);
    if (refusal instanceof Promise) void refusal.then(finish);
    else finish(refusal);
  }

  async #serve(visitor: UwsRequest): Promise<void> {
    let request: Request;
    try {
      request = visitor.toRequest(this.#deps.tls ? 'https' : 'http');
    } catch {
      refuse(visitor, { status: 400, text: 'bad request' });
      return;
    }
    try {
      const { remoteAddress } = visitor;
      const response = await this.#deps.http(request, { remoteAddress });
      const { status, headers } = response;
      visitor.answer({ status, headers, body: new Uint8Array(await response.arrayBuffer()) });
    } catch {
      // The routes turn their failures into answers; whoever left in the middle gets none.
      refuse(visitor, { status: 500, text: 'internal error' });
    }
  }
}

/** An upgrade is refused in plain words and for good, anything else as the routes would. */
function refuse(visitor: UwsRequest, { status, text, headers = {} }: Refusal): void {
  const hangUp = visitor.header('upgrade') !== undefined;
  const [type, body] = hangUp
    ? ['text/plain', text]
    : ['application/json', JSON.stringify({ error: text })];
  visitor.answer({
    status,
    headers: [...Object.entries(headers), ['Content-Type', type]],
    body: Buffer.from(body),
    hangUp,
  });
}

/** The library does not say why it cannot listen: asks the system again. */
async function whyNot(host: string, port: number): Promise<Error> {
  const server = createServer();
  try {
    server.listen(port, host);
    await once(server, 'listening');
    return new Error('uWebSockets.js cannot listen there');
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  } finally {
    server.close();
  }
}
