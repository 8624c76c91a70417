import type { Clock } from '#shared/sys/clock';
import type { Transport } from '#shared/transport/transport';
import type { Identity } from '../credentials/identity.ts';
import type { Admission } from './admission.ts';

/** Bytes of one message, both directions (§1.6). */
export const maxMessageBytes = 1_048_576;

/** How long a peer may take to answer our close frame before its socket is destroyed. */
export const closeGraceMs = 2_000;

/** Where an HTTP request came from. */
export interface Caller {
  readonly remoteAddress: string;
}

/** The routes: what serves requests that are no upgrade. */
export type HttpService = (request: Request, from: Caller) => Response | Promise<Response>;

/** A certificate and its key, as PEM texts and where they were read. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  readonly certFile: string;
  readonly keyFile: string;
}

export interface ListenerDeps {
  readonly admission: Admission;
  readonly http: HttpService;
  /** Takes over an admitted peer. It starts the transport at once. */
  readonly accept: (transport: Transport, identity: Identity) => void;
  readonly clock: Clock;
  /** Without it the listener speaks plain HTTP. */
  readonly tls?: TlsFiles | undefined;
}

/** Accepts sockets and HTTP requests, with one library or another. */
export interface Listener {
  /** Starts listening and returns the port. Rejects with the system's error (`EADDRINUSE`, …). */
  listen(host: string, port: number): Promise<number>;
  /** Takes nobody in any more. Those who are in stay. */
  stop(): void;
  /** Stops, and drops whoever is left. Safe to call twice. */
  close(): Promise<void>;
}

/** Throws when the certificate and its key are of no use. */
export type OpenListener = (deps: ListenerDeps) => Listener;
