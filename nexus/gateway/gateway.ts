import type { Clock } from '#shared/sys/clock';
import type { Log } from '#shared/sys/log';
import type { OutboundFrame } from '#shared/transport/frame-batch';
import { canProbe, type Transport, type TransportEvents } from '#shared/transport/transport';
import { Connection } from '../broker/connection.ts';
import type { Hub } from '../broker/hub.ts';
import type { FrameIntake, Router } from '../broker/router.ts';
import type { Authenticate, Identity } from '../credentials/identity.ts';
import { Admission } from './admission.ts';
import { ConnectionCaps, type ConnectionLimits } from './connection-caps.ts';
import { KeepAlive, type KeepAliveTimes } from './keep-alive.ts';
import type { HttpService, Listener, OpenListener, TlsFiles } from './listener.ts';
import { Outbox, OutboxFlusher, type OutboxLimits } from './outbox.ts';

export interface GatewayLimits {
  readonly connections: ConnectionLimits;
  readonly outbox: OutboxLimits;
  readonly keepAlive: KeepAliveTimes;
}

export interface GatewayDeps {
  readonly hub: Hub;
  readonly router: Router;
  /** Serves everything that is not an upgrade. */
  readonly http: HttpService;
  readonly authenticate: Authenticate;
  readonly openListener: OpenListener;
  /** Told of every link that was taken in. */
  readonly onConnection?: (connection: Connection) => void;
  readonly limits: GatewayLimits;
  readonly clock: Clock;
  readonly log: Log;
  readonly tls?: TlsFiles | undefined;
  /** Makes what everyone is told before the goodbye when the broker stops. */
  readonly farewell?: (() => OutboundFrame) | undefined;
}

const goodbye = 'the broker is stopping';

/** Lets peers in: resolves who they are before the upgrade, enforces caps, owns their sockets. */
export class Gateway {
  readonly #deps: GatewayDeps;
  readonly #listener: Listener;
  readonly #keepAlive: KeepAlive;
  readonly #flusher = new OutboxFlusher();
  #nextId = 1;
  #stopping = false;

  /** Throws when the listener cannot be made: the TLS files are of no use. */
  constructor(deps: GatewayDeps) {
    this.#deps = deps;
    const { authenticate, openListener, limits, clock, log, http, tls } = deps;
    const caps = new ConnectionCaps(limits.connections);
    this.#keepAlive = new KeepAlive(clock, limits.keepAlive);
    this.#listener = openListener({
      admission: new Admission({ authenticate, caps, log }),
      http,
      clock,
      accept: (transport, identity) => {
        if (this.#stopping) transport.close(1001, goodbye);
        else this.attach(transport, identity);
      },
      tls,
    });
  }

  /** Starts listening and returns the port. Rejects with the system's error (`EADDRINUSE`, …). */
  listen(host: string, port: number): Promise<number> {
    return this.#listener.listen(host, port);
  }

  /** Takes in an authenticated link, whatever carries it. */
  attach(transport: Transport, identity: Identity): Connection {
    const { hub, router, limits, log, onConnection } = this.#deps;
    const outbox = new Outbox(transport, limits.outbox, this.#flusher);
    const connection = new Connection(this.#nextId++, identity, outbox);
    hub.attach(connection);
    const intake = router.open(connection);
    const keepAlive = canProbe(transport) ? this.#keepAlive : undefined;
    keepAlive?.add(outbox);
    transport.start(new Link({ connection, outbox, intake, keepAlive, log }));
    log.debug({ connection: connection.id, as: identity.name }, 'connection open');
    onConnection?.(connection);
    return connection;
  }

  /** Stops listening and closes every connection with 1001. Safe to call twice. */
  async close(): Promise<void> {
    this.#stopping = true;
    this.#listener.stop();
    const connections = [...this.#deps.hub.connections];
    const ended = connections.map(
      (connection) => new Promise<void>((resolve) => connection.onClose(() => resolve())),
    );
    const farewell = this.#deps.farewell?.();
    for (const connection of connections) {
      if (farewell) connection.send(farewell);
      connection.close(1001, goodbye);
    }
    await Promise.all(ended);
    this.#keepAlive.close();
    await this.#listener.close();
  }
}

interface LinkParts {
  readonly connection: Connection;
  readonly outbox: Outbox;
  readonly intake: FrameIntake;
  readonly keepAlive: KeepAlive | undefined;
  readonly log: Log;
}

/** What a transport tells goes to the parts of its connection. One small object for each. */
class Link implements TransportEvents {
  readonly #parts: LinkParts;

  constructor(parts: LinkParts) {
    this.#parts = parts;
  }

  message(text: string): void {
    this.#parts.intake.receive(text);
  }

  drained(): void {
    this.#parts.outbox.drained();
  }

  closed(code: number, reason: string): void {
    const { connection, outbox, keepAlive, log } = this.#parts;
    keepAlive?.remove(outbox);
    const as = connection.identity.name;
    log.debug({ connection: connection.id, as, code }, 'connection closed');
    connection.ended(reason || `closed ${code}`);
  }
}
