import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { Clock } from '#shared/sys/clock';
import type { Log } from '#shared/sys/log';
import type { OutboundFrame } from '#shared/transport/frame-batch';
import type { Transport } from '#shared/transport/transport';
import { Connection } from '../broker/connection.ts';
import type { Hub } from '../broker/hub.ts';
import type { Router } from '../broker/router.ts';
import type { Identity } from '../credentials/identity.ts';
import { isSameSite, targetOf, upgradeToken } from './access.ts';
import { ConnectionCaps, type ConnectionLimits } from './connection-caps.ts';
import { type KeepAliveTimes, keepAlive } from './keep-alive.ts';
import { Outbox, OutboxFlusher, type OutboxLimits } from './outbox.ts';
import { WsTransport } from './ws-transport.ts';

/** Bytes of one message, both directions (§1.6). */
export const maxMessageBytes = 1_048_576;

const headersTimeoutMs = 5_000;
const requestTimeoutMs = 15_000;

export interface GatewayLimits {
  readonly connections: ConnectionLimits;
  readonly outbox: OutboxLimits;
  readonly keepAlive: KeepAliveTimes;
}

export interface GatewayDeps {
  readonly hub: Hub;
  readonly router: Router;
  /** Serves everything that is not an upgrade. */
  readonly http: RequestListener;
  readonly authenticate: (token: string) => Identity | undefined | Promise<Identity | undefined>;
  /** Told of every link that was taken in. */
  readonly onConnection?: (connection: Connection) => void;
  readonly limits: GatewayLimits;
  readonly clock: Clock;
  readonly log: Log;
  /** Sent to everybody before their connection is closed. */
  readonly farewell?: OutboundFrame;
  /** PEM texts; without them the listener speaks plain HTTP. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
}

/** Lets peers in: resolves who they are before the upgrade, enforces caps, owns their sockets. */
export class Gateway {
  readonly #deps: GatewayDeps;
  readonly #server: Server;
  readonly #caps: ConnectionCaps;
  readonly #flusher = new OutboxFlusher();
  readonly #sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: maxMessageBytes,
  });
  #host = '';
  #nextId = 1;

  constructor(deps: GatewayDeps) {
    this.#deps = deps;
    this.#caps = new ConnectionCaps(deps.limits.connections);
    this.#server = deps.tls ? createTlsServer(deps.tls) : createServer();
    this.#server.headersTimeout = headersTimeoutMs;
    this.#server.requestTimeout = requestTimeoutMs;
    this.#server.on('request', (request, response) => {
      if (isSameSite(request.headers, this.#host)) deps.http(request, response);
      else response.writeHead(403).end('forbidden');
    });
    this.#server.on('upgrade', (request, socket, head) => {
      this.#upgrade(request, socket, head).catch((error) => {
        deps.log.error({ err: error }, 'upgrade failed');
        socket.destroy();
      });
    });
  }

  /** Starts listening and returns the port. Rejects with the system's error (`EADDRINUSE`, …). */
  async listen(host: string, port: number): Promise<number> {
    this.#host = host;
    this.#server.listen(port, host.replace(/^\[|\]$/g, ''));
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  /** Takes in an authenticated link, whatever carries it. */
  attach(transport: Transport, identity: Identity): Connection {
    const { hub, router, limits, log, onConnection } = this.#deps;
    const outbox = new Outbox(transport, limits.outbox, this.#flusher);
    const connection = new Connection(this.#nextId++, identity, outbox);
    hub.attach(connection);
    const intake = router.open(connection);
    transport.start({
      message: (text) => intake.receive(text),
      closed: (code, reason) => {
        log.debug({ connection: connection.id, as: identity.name, code }, 'connection closed');
        connection.ended(reason || `closed ${code}`);
      },
      drained: () => connection.drained(),
    });
    log.debug({ connection: connection.id, as: identity.name }, 'connection open');
    onConnection?.(connection);
    return connection;
  }

  /** Stops listening and closes every connection with 1001. Safe to call twice. */
  async close(): Promise<void> {
    const closed = this.#server.listening ? once(this.#server, 'close') : undefined;
    this.#server.close();
    const connections = [...this.#deps.hub.connections];
    const ended = connections.map(
      (connection) => new Promise<void>((resolve) => connection.onClose(() => resolve())),
    );
    for (const connection of connections) {
      if (this.#deps.farewell) connection.send(this.#deps.farewell);
      connection.close(1001, 'the broker is stopping');
    }
    await Promise.all(ended);
    this.#server.closeAllConnections();
    await closed;
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => socket.destroy());
    const admitted = await this.#admit(request, socket);
    // It may have taken a moment: nothing new is let in while we stop.
    if (!this.#server.listening) {
      socket.destroy();
      return;
    }
    if ('status' in admitted) {
      refuse(socket, admitted);
      return;
    }
    this.#sockets.handleUpgrade(request, socket, head, (ws) => {
      keepAlive(ws, this.#deps.clock, this.#deps.limits.keepAlive);
      this.attach(new WsTransport(ws, socket), admitted.identity);
    });
  }

  /** Checks in the order of §1.5: who, how many, from where. `ws` checks the upgrade itself. */
  async #admit(
    request: IncomingMessage,
    socket: Duplex,
  ): Promise<{ identity: Identity } | Refusal> {
    if (targetOf(request).pathname !== '/connect') return { status: 404, text: 'not found' };
    const token = upgradeToken(request);
    const identity = token === undefined ? undefined : await this.#deps.authenticate(token);
    if (!identity) return { status: 401, text: 'unauthorized' };
    const address = request.socket.remoteAddress ?? '';
    const release = this.#caps.take(address);
    if (!release) {
      this.#deps.log.warn({ address }, 'too many connections; see --max-connections');
      return { status: 503, text: 'too many connections' };
    }
    socket.once('close', release);
    if (!isSameSite(request.headers, this.#host)) return { status: 403, text: 'forbidden' };
    return { identity };
  }
}

interface Refusal {
  readonly status: 401 | 403 | 404 | 503;
  readonly text: string;
}

const statusTexts: Readonly<Record<Refusal['status'], string>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  503: 'Service Unavailable',
};

/** Answers an upgrade with an HTTP error and ends the socket, whether or not the peer does. */
function refuse(socket: Duplex, { status, text }: Refusal): void {
  socket.once('finish', () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} ${statusTexts[status]}\r\nContent-Type: text/plain\r\n` +
      `Content-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`,
  );
}
