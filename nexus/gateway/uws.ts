import type * as Package from 'uWebSockets.js';
import type { TemplatedApp, us_listen_socket } from 'uWebSockets.js';

/** An application of uWebSockets.js. Its types leave out that `listen` takes all four. */
export type UwsApp = TemplatedApp & {
  listen(
    host: string,
    port: number,
    options: number,
    callback: (socket: us_listen_socket | false) => void,
  ): unknown;
};

/** What we use of uWebSockets.js, version 20. */
export interface Uws {
  App(): UwsApp;
  SSLApp(options: Package.AppOptions): UwsApp;
  us_listen_socket_close(socket: us_listen_socket): void;
  us_socket_local_port(socket: us_listen_socket): number;
}

/** Refuses to share the port: without it, Linux would let a second broker listen on it, too. */
export const exclusivePort = 1;

/** How the library is told the longest head of a request, once: when it is loaded. */
const headLimitVariable = 'UWS_HTTP_MAX_HEADERS_SIZE';
/** Bytes; as much as `node:http` takes. Left alone it would be a quarter of that. */
const headLimit = '16384';

/**
 * Loads uWebSockets.js. It is no dependency of ours: rejects when it is not installed, or has no
 * binary for this system and this version of Node.
 */
export async function loadUws(): Promise<Uws> {
  const { [headLimitVariable]: given } = process.env;
  process.env[headLimitVariable] = given ?? headLimit;
  const loaded = await import('uWebSockets.js').finally(() => {
    // Not for the processes that we start.
    if (given === undefined) delete process.env[headLimitVariable];
  });
  // The package itself is CommonJS, its repack on npm a module.
  return ('default' in loaded ? loaded.default : loaded) as Uws;
}
