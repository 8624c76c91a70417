import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

/** How one request is answered. */
export interface Script {
  status?: number;
  headers?: Record<string, string>;
  /** Written one after the other, each in a packet of its own where the system allows. */
  pieces?: readonly (string | Uint8Array)[];
  /** `close` ends the answer properly, `cut` drops the connection, `hold` leaves it open. */
  then?: 'close' | 'cut' | 'hold';
  /** False holds even the status line back. */
  answered?: boolean;
}

/** A request as the server saw it. */
export interface RecordedRequest {
  method: string;
  path: string;
  headers: IncomingMessage['headers'];
  body: unknown;
  /** Resolves when the connection under this request is gone. */
  connectionClosed: Promise<void>;
}

/** An HTTP server on 127.0.0.1 that answers by script and remembers what it was asked. */
export class ScriptedServer {
  readonly requests: RecordedRequest[] = [];
  readonly url: string;
  readonly #server: Server;
  readonly #routes = new Map<string, Script[]>();
  #arrivals: (() => void)[] = [];

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.url = `http://127.0.0.1:${port}`;
    server.on('request', (request, response) => void this.#handle(request, response));
  }

  static async start(): Promise<ScriptedServer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return new ScriptedServer(server, address.port);
  }

  /** Queues the answers for a route such as `POST /v1/messages`. The last one stays in force. */
  on(route: string, ...scripts: Script[]): void {
    this.#routes.set(route, scripts);
  }

  /** Resolves once `count` requests have arrived. */
  async received(count: number): Promise<RecordedRequest[]> {
    while (this.requests.length < count) {
      await new Promise<void>((resolve) => this.#arrivals.push(resolve));
    }
    return this.requests;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const connectionClosed = new Promise<void>((resolve) => request.socket.once('close', resolve));
    const body = await readBody(request);
    const { method = '', url: path = '', headers } = request;
    this.requests.push({ method, path, headers, body, connectionClosed });
    for (const resolve of this.#arrivals.splice(0)) resolve();
    await play(this.#next(`${method} ${path.split('?')[0]}`), response);
  }

  #next(route: string): Script {
    const scripts = this.#routes.get(route) ?? [];
    return (scripts.length > 1 ? scripts.shift() : scripts[0]) ?? { status: 404, pieces: ['{}'] };
  }
}

async function play(script: Script, response: ServerResponse): Promise<void> {
  if (script.answered === false) return;
  response.on('error', () => undefined);
  response.socket?.setNoDelay(true);
  response.writeHead(script.status ?? 200, script.headers ?? {});
  response.flushHeaders();
  for (const piece of script.pieces ?? []) {
    await new Promise<void>((resolve) => response.write(piece, () => resolve()));
    // Lets the packet go out, so that the next piece becomes a packet of its own.
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  if (script.then === 'cut') response.destroy();
  else if (script.then !== 'hold') response.end();
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString('utf8');
  return text === '' ? undefined : JSON.parse(text);
}

/** Cuts a text into pieces of `size` bytes, also inside characters. */
export function cutBytes(text: string, size: number): Uint8Array[] {
  const bytes = new TextEncoder().encode(text);
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
  return pieces;
}
