import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import { STATUS_CODES } from 'node:http';
import type { Visitor } from './admission.ts';

/** Bytes of a request's body that wait for whoever reads it; then the peer is held back. */
const maxWaitingBytes = 64 * 1024;

/** Headers that the library writes itself. */
const writtenForUs: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding', 'date']);

export interface Answer {
  readonly status: number;
  readonly headers: Iterable<readonly [string, string]>;
  readonly body: Uint8Array;
  /** Ends the connection behind it. */
  readonly hangUp?: boolean;
}

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
  /** Nothing more of the body is wanted: it has ended, or whoever read it has stopped. */
  #bodyIsOver = false;
  #isPaused = false;

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
    return new Request(`${scheme}://${this.header('host')}${this.target}`, {
      method: this.method,
      headers: [...this.#headers],
      signal,
      body,
      duplex: 'half',
    });
  }

  /** Answers, unless the peer has left. What is unread of a body is read and dropped. */
  answer({ status, headers, body, hangUp = false }: Answer): void {
    if (this.#isGone) return;
    const response = this.#response;
    const isLast = hangUp || this.header('connection')?.toLowerCase() === 'close';
    response.cork(() => {
      response.writeStatus(`${status} ${STATUS_CODES[status] ?? ''}`);
      for (const [name, value] of headers) {
        if (!writtenForUs.has(name)) response.writeHeader(name, value);
      }
      this.#resume();
      if (this.method === 'HEAD') response.endWithoutBody(body.length, isLast);
      else response.end(body, isLast);
    });
    this.#over();
  }

  #over(): void {
    this.#isGone = true;
    this.#onGone?.();
    this.#onGone = undefined;
  }

  #resume(): void {
    if (this.#isPaused && !this.#isGone) this.#response.resume();
    this.#isPaused = false;
  }

  #body(signal: AbortSignal): ReadableStream<Uint8Array> {
    const response = this.#response;
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          signal.addEventListener('abort', () => {
            if (!this.#bodyIsOver) controller.error(new Error('the peer left'));
          });
          response.onData((chunk, isWhole) => {
            if (this.#isGone || this.#bodyIsOver) return;
            // The library takes the chunk back.
            if (chunk.byteLength > 0) controller.enqueue(new Uint8Array(chunk.slice(0)));
            if (isWhole) {
              this.#bodyIsOver = true;
              controller.close();
            } else if ((controller.desiredSize ?? 0) <= 0) {
              this.#isPaused = true;
              response.pause();
            }
          });
        },
        pull: () => this.#resume(),
        cancel: () => {
          this.#bodyIsOver = true;
          this.#resume();
        },
      },
      new ByteLengthQueuingStrategy({ highWaterMark: maxWaitingBytes }),
    );
  }
}
