import { NexusError } from '#shared/errors';
import type { FrameCodec } from '#shared/frames/codec';
import { type Envelope, encodeFrame } from '#shared/frames/envelope';
import { errorKindOf, FrameRefused, UndecodableFrame } from '#shared/frames/errors';
import type { Log } from '#shared/sys/log';
import { OutboundFrame } from '#shared/transport/frame-batch';
import type { Connection } from './connection.ts';
import type { Handler } from './handler.ts';

/** Undecodable messages in a row after which a connection is closed with 1008 (§1.5). */
const maxUndecodable = 16;

/** Frames of one connection that may be under way, and characters of them, before its reading is paused. */
const maxUnderWay = 1_024;
const maxUnderWayCharacters = 4 * 1024 ** 2;

/**
 * The same, before it is closed: what cannot be paused and is far ahead of us is cut off. A socket
 * may bring 512 KiB in one turn; the first bound leaves room for as many frames as that can hold.
 */
const maxAhead = 32_768;
const maxAheadCharacters = 16 * 1024 ** 2;

export interface RouterDeps {
  readonly codec: FrameCodec;
  readonly handlers: readonly Handler[];
  readonly log: Log;
}

/** Takes decoded text to the handler of its kind, and the handler's answer or error back. */
export class Router {
  readonly #codec: FrameCodec;
  readonly #log: Log;
  readonly #handlers = new Map<string, Handler>();

  constructor({ codec, handlers, log }: RouterDeps) {
    this.#codec = codec;
    this.#log = log;
    for (const handler of handlers) this.#handlers.set(handler.definition.kind, handler);
  }

  /** The way in for one connection's messages. */
  open(connection: Connection): FrameIntake {
    return new FrameIntake(this, connection);
  }

  /** Decodes, or throws `UndecodableFrame`. */
  decode(text: string): Envelope {
    return this.#codec.decode(text);
  }

  /** The handler for a frame, after every check but the payload's. Throws `FrameRefused`. */
  route(envelope: Envelope, connection: Connection): Handler {
    const handler = this.#handlers.get(envelope.kind);
    if (!handler) {
      throw new FrameRefused('unsupported', `this broker does not serve ${envelope.kind}`);
    }
    const { from, kind } = handler.definition;
    if (!from.some((role) => connection.holds(role))) {
      throw new FrameRefused('forbidden', `${kind} is for ${from.join(' or ')} connections`);
    }
    return handler;
  }

  run(handler: Handler, envelope: Envelope, connection: Connection): unknown {
    return handler.run(this.#codec.check(handler.definition, envelope.payload), connection);
  }

  /** Sends the answer that the definition promises, if any. */
  answer(handler: Handler, envelope: Envelope, connection: Connection, payload: unknown): void {
    const { reply, replyNeedsId } = handler.definition;
    if (reply === 'none' || (replyNeedsId && !envelope.id)) return;
    this.#send(connection, reply.kind, payload, envelope);
  }

  /** Never silence: an error frame wherever an answer was due, or could be told apart. */
  refuse(envelope: Envelope, connection: Connection, thrown: unknown): void {
    const { code, message } = wireError(thrown);
    const facts = { connection: connection.id, as: connection.identity.name, kind: envelope.kind };
    if (code === 'internal') this.#log.error({ ...facts, err: thrown }, 'frame failed');
    else this.#log.debug({ ...facts, code }, message);

    const definition = this.#handlers.get(envelope.kind)?.definition;
    const answered = definition && definition.reply !== 'none' && !definition.replyNeedsId;
    if (!answered && !envelope.id) return;
    this.#send(connection, errorKindOf(envelope.kind), { error: message, code }, envelope);
  }

  #send(connection: Connection, kind: string, payload: unknown, request: Envelope): void {
    const head = request.id ? { in_reply_to: request.id } : {};
    connection.send(new OutboundFrame(encodeFrame(kind, payload, head)));
  }
}

/** Only what we refuse on purpose crosses the wire in words (style §6). */
function wireError(thrown: unknown): { code: string; message: string } {
  if (thrown instanceof FrameRefused) return thrown;
  if (thrown instanceof NexusError && thrown.code.startsWith('journal.')) {
    return { code: 'internal', message: 'the broker could not record this; try again later' };
  }
  return { code: 'internal', message: 'internal error' };
}

/** A frame that waits for those before it, and the length of its text. */
interface Deferred {
  readonly handler: Handler;
  readonly envelope: Envelope;
  readonly characters: number;
}

/**
 * One connection's frames, in arrival order. Writes are pipelined into the same commit group; a
 * read and everything behind it waits until the writes before it are durable.
 */
export class FrameIntake {
  readonly #router: Router;
  readonly #connection: Connection;
  #undecodable = 0;
  #writesPending = 0;
  /** Of texts whose frames are under way. */
  #characters = 0;
  #deferred: Deferred[] = [];
  #readRunning = false;
  #paused = false;

  constructor(router: Router, connection: Connection) {
    this.#router = router;
    this.#connection = connection;
  }

  /** Takes one text message. Never throws. */
  receive(text: string): void {
    let envelope: Envelope;
    try {
      envelope = this.#router.decode(text);
      this.#undecodable = 0;
    } catch (error) {
      this.#strike(error);
      return;
    }
    // An answer to a request that nobody waits for any more (§2, reading order 2).
    if (envelope.in_reply_to) return;
    try {
      const handler = this.#router.route(envelope, this.#connection);
      const frame = { handler, envelope, characters: text.length };
      if (this.#mustWait(handler)) this.#defer(frame);
      else this.#start(frame);
    } catch (error) {
      this.#router.refuse(envelope, this.#connection, error);
    }
    this.#holdBack();
  }

  #strike(error: unknown): void {
    if (!(error instanceof UndecodableFrame)) throw error;
    this.#undecodable += 1;
    if (this.#undecodable < maxUndecodable) return;
    this.#connection.close(1008, `${maxUndecodable} undecodable messages in a row`);
  }

  #mustWait(handler: Handler): boolean {
    if (this.#readRunning || this.#deferred.length > 0) return true;
    return handler.order === 'reads' && this.#writesPending > 0;
  }

  #defer(frame: Deferred): void {
    this.#deferred.push(frame);
    this.#characters += frame.characters;
  }

  #start({ handler, envelope, characters }: Deferred): void {
    if (!this.#connection.isOpen) return;
    let result: unknown;
    try {
      result = this.#router.run(handler, envelope, this.#connection);
    } catch (error) {
      this.#router.refuse(envelope, this.#connection, error);
      return;
    }
    if (!(result instanceof Promise)) {
      this.#router.answer(handler, envelope, this.#connection, result);
      return;
    }
    this.#track(handler.order, +1, characters);
    void result.then(
      (payload) => {
        this.#router.answer(handler, envelope, this.#connection, payload);
        this.#settled(handler, characters);
      },
      (error) => {
        this.#router.refuse(envelope, this.#connection, error);
        this.#settled(handler, characters);
      },
    );
  }

  #settled(handler: Handler, characters: number): void {
    this.#track(handler.order, -1, characters);
    this.#drain();
  }

  #track(order: Handler['order'], change: 1 | -1, characters: number): void {
    this.#characters += change * characters;
    if (order === 'reads') this.#readRunning = change === 1;
    else this.#writesPending += change;
  }

  #drain(): void {
    while (this.#deferred.length > 0 && !this.#readRunning) {
      const next = this.#deferred[0];
      if (!next || (next.handler.order === 'reads' && this.#writesPending > 0)) break;
      this.#deferred.shift();
      this.#characters -= next.characters;
      this.#start(next);
    }
    this.#holdBack();
  }

  /** Stops reading from a peer that is too far ahead of us, and starts again at half the bound. */
  #holdBack(): void {
    const frames = this.#writesPending + this.#deferred.length;
    const characters = this.#characters;
    if (!this.#paused) {
      if (frames < maxUnderWay && characters < maxUnderWayCharacters) return;
      this.#paused = true;
      this.#connection.pauseReading();
    } else if (frames >= maxAhead || characters >= maxAheadCharacters) {
      this.#connection.close(1013, 'sending faster than is handled; wait for answers');
    } else if (frames <= maxUnderWay / 2 && characters <= maxUnderWayCharacters / 2) {
      this.#paused = false;
      this.#connection.resumeReading();
    }
  }
}
