import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import { STATUS_CODES } from 'node:http';
import type { Visitor } from './admission.ts';

/** Bytes of a request's body that wait for whoever reads it; then the peer is held back. */
const maxWaitingBytes = 64 * 1024;

/** Headers that the library writes itself. */
const writtenForUs: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding', 'date']);

/**
 * A request of uWebSockets.js and the way to answer it. The library's own request object lives
 * only until its handler returns, so all of the head is taken at once.
 */
export class UwsRequest implements Visitor {
  readonly method: string;
  readonly target: string;
  readonly remoteAddress: string;
  readonly #response: HttpResponse;
  readonly #headers = new Map<string, string>();
  #abort: AbortController | undefined;
  #onGone: (() => void) | undefined;
  #isGone = false;
  #bodyIsRead = false;

  /** Made within the library's handler. */
  constructor(response: HttpResponse, request: HttpRequest) {
    const query = request.getQuery();
    this.method = request.getCaseSensitiveMethod();
    this.target = query ? `${request.getUrl()}?${query}` : request.getUrl();
    this.remoteAddress = Buffer.from(response.getRemoteAddressAsText()).toString();
    this.#response = response;
    request.forEach((name, value) => {
      const before = this.#headers.get(name);
      this.#headers.set(name, before === undefined ? value : `${before}, ${value}`);
    });
    response.onAborted(() => {
      this.#over();
      this.#abort?.abort();
    });
  }

  /** True once the peer has left or was answered: then nothing may be written. */
  get isGone(): boolean {
    return this.#isGone;
  }

  header(name: string): string | undefined {
    return this.#headers.get(name);
  }

  onGone(action: () => void): void {
    this.#onGone = action;
  }

  /** It is upgraded. Returns what the socket's end has to call; nothing else of this is kept. */
  becomeSocket(): () => void {
    return this.#onGone ?? (() => undefined);
  }

  /** Throws a `TypeError` for what `fetch` does not know. Called within the library's handler. */
  toRequest(scheme: 'http' | 'https'): Request {
    const hasBody = this.method !== 'GET' && this.method !== 'HEAD';
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    const body = hasBody ? this.#body(signal) : null;
    this.#bodyIsRead = !hasBody;
    return new Request(`${scheme}://${this.header('host')}${this.target}`, {
      method: this.method,
      headers: [...this.#headers],
      signal,
      body,
      duplex: 'half',
    });
  }

  /** Answers, unless the peer has left. A body that was not read to its end ends the connection. */
  answer(status: number, headers: Iterable<readonly [string, string]>, body: Uint8Array): void {
    if (this.#isGone) return;
    const hangUp = !this.#bodyIsRead;
    const response = this.#response;
    response.cork(() => {
      response.writeStatus(`${status} ${STATUS_CODES[status] ?? ''}`);
      for (const [name, value] of headers) {
        if (!writtenForUs.has(name)) response.writeHeader(name, value);
      }
      if (this.method === 'HEAD') response.endWithoutBody(body.length, hangUp);
      else response.end(body, hangUp);
    });
    this.#over();
  }

  #over(): void {
    this.#isGone = true;
    this.#onGone?.();
    this.#onGone = undefined;
  }

  #body(signal: AbortSignal): ReadableStream<Uint8Array> {
    const response = this.#response;
    let paused = false;
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          signal.addEventListener('abort', () => {
            if (!this.#bodyIsRead) controller.error(new Error('the peer left'));
          });
          response.onData((chunk, isLast) => {
            if (this.#isGone) return;
            // The library takes the chunk back.
            if (chunk.byteLength > 0) controller.enqueue(new Uint8Array(chunk.slice(0)));
            if (isLast) {
              this.#bodyIsRead = true;
              controller.close();
            } else if ((controller.desiredSize ?? 0) <= 0) {
              paused = true;
              response.pause();
            }
          });
        },
        pull: () => {
          if (paused && !this.#isGone) response.resume();
          paused = false;
        },
      },
      new ByteLengthQueuingStrategy({ highWaterMark: maxWaitingBytes }),
    );
  }
}
