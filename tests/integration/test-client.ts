import assert from 'node:assert/strict';
import { type ClientOptions, WebSocket } from 'ws';

/** What tests see of a wire message. */
export interface WireFrame {
  readonly kind: string;
  readonly id?: string;
  readonly in_reply_to?: string;
  readonly target_aspect?: string;
  readonly payload?: Record<string, unknown>;
}

/** What tests see of a `chat.deliver`. */
export interface Delivered {
  readonly id: number;
  readonly from: string;
  readonly content: string;
  readonly reason?: string;
  readonly replay?: boolean;
  readonly reply_to?: number;
  readonly thread_root?: number;
  readonly topic?: string;
  readonly reply_count?: number;
}

/** How long anything may take before a test fails. Never reached when all is well. */
const deadlineMs = 20_000;

/** The WebSocket address of a broker. */
export const connectUrl = (url: string): string => `${url.replace(/^http/, 'ws')}/connect`;

/**
 * A client made of nothing but `ws` and JSON, so that it shares no mistake with our own. Keeps
 * every frame it was sent, in order.
 */
export class TestClient {
  readonly ws: WebSocket;
  readonly frames: WireFrame[] = [];
  /** What to keep of a frame: long contents need not stay in memory. */
  kept: (frame: WireFrame) => WireFrame = (frame) => frame;
  /** Resolves with the close code and reason. */
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly #watchers = new Set<() => void>();
  #ended = '';
  #nextId = 1;

  private constructor(ws: WebSocket) {
    this.ws = ws;
    ws.on('message', (data) => {
      this.frames.push(this.kept(JSON.parse(data.toString()) as WireFrame));
      this.#changed();
    });
    ws.on('error', () => undefined);
    this.closed = new Promise((resolve) => {
      ws.once('close', (code, reason) => {
        this.#ended = `closed with ${code} ${reason.toString()}`;
        resolve({ code, reason: reason.toString() });
        this.#changed();
      });
    });
  }

  static open(url: string, token: string, options: ClientOptions = {}): Promise<TestClient> {
    const ws = new WebSocket(connectUrl(url), {
      perMessageDeflate: false,
      headers: { authorization: `Bearer ${token}` },
      ...options,
    });
    const client = new TestClient(ws);
    return new Promise((resolve, reject) => {
      ws.once('open', () => resolve(client));
      ws.once('error', reject);
    });
  }

  /** Sends a frame that nobody waits for. */
  send(kind: string, payload?: unknown, head: object = {}): void {
    this.ws.send(JSON.stringify({ kind, ...head, payload }));
  }

  /** Sends a frame with an id and resolves with its answer, an error frame included. */
  ask(kind: string, payload: unknown = {}): Promise<WireFrame> {
    const id = `${kind}-${this.#nextId++}`;
    this.send(kind, payload, { id });
    return this.next((frame) => frame.in_reply_to === id, `the answer to ${id}`);
  }

  /** As `ask`, and the answer must be of a kind. Resolves with its payload. */
  async request(
    kind: string,
    payload: unknown = {},
    replyKind = `${kind}.result`,
  ): Promise<Record<string, unknown>> {
    const answer = await this.ask(kind, payload);
    assert.equal(answer.kind, replyKind, JSON.stringify(answer));
    return answer.payload ?? {};
  }

  /** The request must be refused. Resolves with the code. */
  async refused(kind: string, payload: unknown = {}): Promise<unknown> {
    const { error, code } = await this.request(kind, payload, `${kind}.error`);
    assert.equal(typeof error, 'string');
    return code;
  }

  /** Posts and resolves with the message's id once it is durable. */
  async post(content: string, more: object = {}): Promise<number> {
    const { msg_id } = await this.request('chat.send', { content, ...more });
    assert.equal(typeof msg_id, 'number');
    return msg_id as number;
  }

  register(name: string, more: object = {}): Promise<WireFrame> {
    return this.ask('register', registration(name, more));
  }

  /** The first frame that fits, among those that came and those that will. */
  async next(fits: (frame: WireFrame) => boolean, what = 'a frame'): Promise<WireFrame> {
    await this.until(() => this.frames.some(fits), what);
    const frame = this.frames.find(fits);
    assert.ok(frame);
    return frame;
  }

  /** The first frame of a kind. */
  nextOf(kind: string): Promise<WireFrame> {
    return this.next((frame) => frame.kind === kind, kind);
  }

  /** Waits until something holds; checked at every frame and at the end of the link. */
  until(holds: () => boolean, what = 'a condition'): Promise<void> {
    return new Promise((resolve, reject) => {
      const finish = (error?: Error) => {
        clearTimeout(timer);
        this.#watchers.delete(check);
        if (error) reject(error);
        else resolve();
      };
      const check = () => {
        if (holds()) finish();
        else if (this.#ended) finish(new Error(`no ${what}: ${this.#ended}`));
      };
      const timer = setTimeout(() => finish(new Error(`no ${what} in time`)), deadlineMs);
      this.#watchers.add(check);
      check();
    });
  }

  /** Everything delivered so far. */
  delivered(): Delivered[] {
    return this.payloadsOf('chat.deliver') as unknown as Delivered[];
  }

  contents(): string[] {
    return this.delivered().map(({ content }) => content);
  }

  payloadsOf(kind: string): Record<string, unknown>[] {
    return this.frames.filter((frame) => frame.kind === kind).map(({ payload = {} }) => payload);
  }

  /** Waits until everything that the broker sent to us before has arrived. */
  async settled(): Promise<void> {
    await this.ask('chat.read', {});
  }

  /** Ends the link without a goodbye. */
  drop(): void {
    this.ws.terminate();
  }

  /** Ends the link and waits until both ends know. */
  async leave(): Promise<void> {
    this.ws.close(1000);
    await this.closed;
  }

  #changed(): void {
    for (const check of [...this.#watchers]) check();
  }
}

/** A well-formed registration. */
export const registration = (name: string, more: object = {}): object => ({
  name,
  session_id: `session-${name}`,
  context_mode: 'thread',
  provider: 'test',
  ...more,
});
