import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import { WebSocketServer } from 'ws';
import type { Refusal, Verdict, Visitor } from './admission.ts';
import { type Listener, type ListenerDeps, maxMessageBytes } from './listener.ts';
import { endIfSlow, uploadTimeoutMs } from './request-time.ts';
import { WsTransport } from './ws-transport.ts';

const headersTimeoutMs = 5_000;

/** Listens with `node:http` and `ws`. */
export class WsListener implements Listener {
  readonly #deps: ListenerDeps;
  readonly #server: Server;
  readonly #serve: (request: IncomingMessage, response: ServerResponse) => unknown;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: maxMessageBytes,
    handleProtocols: () => false,
  });
  /** Sockets that asked for an upgrade: the server counts them as its own no longer. */
  readonly #upgraded = new Set<Duplex>();
  #closed: Promise<unknown> | undefined;

  constructor(deps: ListenerDeps) {
    this.#deps = deps;
    this.#serve = getRequestListener((request, { incoming }) =>
      deps.http(request, { remoteAddress: incoming.socket.remoteAddress ?? '' }),
    );
    this.#server = deps.tls ? createTlsServer(deps.tls) : createServer();
    this.#server.headersTimeout = headersTimeoutMs;
    this.#server.requestTimeout = uploadTimeoutMs;
    this.#server.on('request', (request, response) => this.#request(request, response));
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
  }

  async listen(host: string, port: number): Promise<number> {
    this.#deps.admission.boundTo(host);
    this.#server.listen(port, host.replace(/^\[|\]$/g, ''));
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  stop(): void {
    if (!this.#server.listening) return;
    this.#closed = once(this.#server, 'close');
    this.#server.close();
  }

  async close(): Promise<void> {
    this.stop();
    this.#server.closeAllConnections();
    for (const socket of this.#upgraded) socket.destroy();
    await this.#closed;
  }

  #request(request: IncomingMessage, response: ServerResponse): void {
    endIfSlow(request, this.#deps.clock);
    const answer = (refusal: Refusal | undefined): void => {
      if (refusal) refuseRequest(response, refusal);
      else this.#serve(request, response);
    };
    const refusal = this.#deps.admission.screen(visitorOf(request, response));
    if (refusal instanceof Promise) void refusal.then(answer);
    else answer(refusal);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#keepTrack(socket);
    const answer = (verdict: Verdict): void => {
      if (socket.destroyed) return;
      if ('status' in verdict) {
        refuseUpgrade(socket, verdict);
        return;
      }
      this.#sockets.handleUpgrade(request, socket, head, (ws) => {
        this.#deps.accept(new WsTransport(ws, socket), verdict.identity);
      });
    };
    const verdict = this.#deps.admission.admit(visitorOf(request, socket));
    if (verdict instanceof Promise) void verdict.then(answer);
    else answer(verdict);
  }

  /** Apart from the upgrade: a listener made there would keep the whole request in memory. */
  #keepTrack(socket: Duplex): void {
    this.#upgraded.add(socket);
    socket.on('close', () => this.#upgraded.delete(socket));
    socket.on('error', destroy);
  }
}

/** One function for all sockets: each has its own only where it must. */
function destroy(this: Duplex): void {
  this.destroy();
}

function visitorOf(request: IncomingMessage, life: Duplex | ServerResponse): Visitor {
  return {
    method: request.method ?? '',
    target: request.url ?? '/',
    remoteAddress: request.socket.remoteAddress ?? '',
    header(name) {
      const value = request.headers[name];
      return Array.isArray(value) ? value.join(', ') : value;
    },
    onGone: (action) => life.on('close', action),
  };
}

function refuseRequest(response: ServerResponse, { status, text, headers }: Refusal): void {
  response.writeHead(status, { ...headers, 'Content-Type': 'application/json' });
  response.end(JSON.stringify({ error: text }));
}

/** Answers an upgrade with an HTTP error and ends the socket, whether or not the peer does. */
function refuseUpgrade(socket: Duplex, { status, text, headers = {} }: Refusal): void {
  socket.once('finish', () => socket.destroy());
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: text/plain\r\n${lines.join('')}` +
      `Content-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`,
  );
}
