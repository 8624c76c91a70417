import type { FrameCodec } from '../frames/codec.ts';
import type { FrameDefinition, PayloadOf, ReplyOf } from '../frames/define.ts';
import { type Envelope, encodeFrame } from '../frames/envelope.ts';
import {
  type ErrorPayload,
  errorKindOf,
  FrameRefused,
  UndecodableFrame,
} from '../frames/errors.ts';
import type { Clock } from '../sys/clock.ts';
import type { NewId } from '../sys/ids.ts';
import { LinkError, RequestRefused } from './errors.ts';
import type { Transport } from './transport.ts';

const requestTimeoutMs = 10_000;

export interface FrameClientDeps {
  /** Built from the requests and pushes that this client speaks. */
  readonly codec: FrameCodec;
  readonly clock: Clock;
  readonly newId: NewId;
}

/** One push and what to do with it. */
export interface PushHandler {
  readonly definition: FrameDefinition;
  take(payload: unknown): void;
}

/** Declares what a client does with one kind of push. */
export function onPush<D extends FrameDefinition>(
  definition: D,
  take: (payload: PayloadOf<D>) => void,
): PushHandler {
  return { definition, take: take as PushHandler['take'] };
}

interface Pending {
  readonly definition: FrameDefinition;
  readonly settle: (outcome: { payload: unknown } | { error: Error }) => void;
}

/** The client's side of a link to the broker: requests matched with answers, and pushes. */
export class FrameClient {
  /** Resolves with the close code once the link has ended. */
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly #transport: Transport;
  readonly #deps: FrameClientDeps;
  readonly #pushes: Map<string, PushHandler>;
  readonly #pending = new Map<string, Pending>();
  #open = true;

  /** Pushes that the codec does not know, or that nobody takes, are ignored. */
  constructor(transport: Transport, deps: FrameClientDeps, pushes: readonly PushHandler[]) {
    this.#transport = transport;
    this.#deps = deps;
    this.#pushes = new Map(pushes.map((push) => [push.definition.kind, push]));
    const { promise, resolve } = Promise.withResolvers<{ code: number; reason: string }>();
    this.closed = promise;
    transport.start({
      message: (text) => this.#receive(text),
      closed: (code, reason) => {
        this.#open = false;
        for (const { settle } of [...this.#pending.values()]) settle({ error: linkClosed() });
        resolve({ code, reason });
      },
    });
  }

  /** Bytes queued towards the broker. */
  get queuedBytes(): number {
    return this.#transport.queuedBytes;
  }

  /** Sends a frame that is not answered. Lost when the link ends first. */
  send<D extends FrameDefinition>(definition: D, payload: PayloadOf<D>): void {
    this.#transport.send(encodeFrame(definition.kind, payload));
  }

  /**
   * Sends a request and resolves with its answer. Rejects with `RequestRefused` when the broker
   * answers with an error frame, and with `LinkError` when no answer comes.
   */
  request<D extends FrameDefinition>(definition: D, payload: PayloadOf<D>): Promise<ReplyOf<D>> {
    const { clock, newId } = this.#deps;
    if (!this.#open) return Promise.reject(linkClosed());
    const id = newId();
    return new Promise((resolve, reject) => {
      const cancelTimer = clock.after(requestTimeoutMs, () => {
        const waited = `no answer to ${definition.kind} in ${requestTimeoutMs / 1000} s`;
        this.#pending.get(id)?.settle({ error: new LinkError('link.timeout', waited) });
      });
      this.#pending.set(id, {
        definition,
        settle: (outcome) => {
          this.#pending.delete(id);
          cancelTimer();
          if ('error' in outcome) reject(outcome.error);
          else resolve(outcome.payload as ReplyOf<D>);
        },
      });
      this.#transport.send(encodeFrame(definition.kind, payload, { id }));
    });
  }

  close(code = 1000, reason = ''): void {
    this.#transport.close(code, reason);
  }

  #receive(text: string): void {
    try {
      const envelope = this.#deps.codec.decode(text);
      if (envelope.in_reply_to) this.#answer(envelope.in_reply_to, envelope);
      else this.#push(envelope);
    } catch (error) {
      if (!(error instanceof UndecodableFrame || error instanceof FrameRefused)) throw error;
      this.#transport.close(1002, error.message.slice(0, 120));
    }
  }

  #answer(id: string, { kind, payload }: Envelope): void {
    const pending = this.#pending.get(id);
    if (!pending) return;
    const { definition, settle } = pending;
    if (kind === errorKindOf(definition.kind)) {
      settle({ error: refusalFrom(payload) });
      return;
    }
    const { reply } = definition;
    settle({ payload: reply === 'none' ? undefined : this.#deps.codec.check(reply, payload) });
  }

  #push({ kind, payload }: Envelope): void {
    const push = this.#pushes.get(kind);
    push?.take(this.#deps.codec.check(push.definition, payload));
  }
}

const linkClosed = () => new LinkError('link.closed', 'the link to the broker ended');

/** The reference sends only text; ours adds a code. */
function refusalFrom(payload: unknown): RequestRefused {
  const { error, code } = (payload ?? {}) as Partial<ErrorPayload>;
  return new RequestRefused(String(code ?? 'refused'), String(error ?? 'refused'));
}
