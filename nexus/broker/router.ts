import { nameKey } from '#shared/config/names';
import { rootCodeOf } from '#shared/errors';
import { type FrameCodec, maxIdLength } from '#shared/frames/codec';
import { accessNeeded } from '#shared/frames/define';
import { type Envelope, encodeFrame } from '#shared/frames/envelope';
import { errorKindOf, FrameRefused, isPassing, UndecodableFrame } from '#shared/frames/errors';
import type { Log } from '#shared/sys/log';
import { OutboundFrame } from '#shared/transport/frame-batch';
import { isEnough, isReadOnly } from '../credentials/identity.ts';
import type { Connection } from './connection.ts';
import type { Handler, RefusalReason } from './handler.ts';
import { refusalOf } from './refusal.ts';

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

/** Bytes that wait for a connection's peer above which its reads wait too. */
const congestedBytes = 1024 * 1024;
/** Frames of one connection that may run aside; more are refused with `busy`. */
const maxAside = 256;

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
    const { from, kind, effect } = handler.definition;
    if (!from.some((role) => connection.holds(role))) {
      throw new FrameRefused('forbidden', `${kind} is for ${from.join(' or ')} connections`);
    }
    if (isReadOnly(connection.identity) && effect !== 'reads') {
      throw new FrameRefused('forbidden', `this token may only read, and ${kind} does more`);
    }
    const { operator } = connection.identity;
    const needed = accessNeeded(handler.definition);
    if (operator && !isEnough(operator.access, needed)) {
      throw new FrameRefused(
        'forbidden',
        `${kind} needs ${needed} rights, and these are ${operator.access}’s`,
      );
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
    const reason = refusalOf(thrown);
    const { code, message } = reason;
    this.#logRefusal(reason, thrown, envelope, connection);

    const handler = this.#handlers.get(envelope.kind);
    const definition = handler?.definition;
    const answered = definition && definition.reply !== 'none' && !definition.replyNeedsId;
    if (!answered && !envelope.id) return;
    const payload = handler?.refusal?.(reason, envelope.payload) ?? { error: message, code };
    this.#send(connection, errorKindOf(envelope.kind), payload, envelope);
  }

  /** A client's mistakes are its own; a disk that fails is told in one line a frame, not a page. */
  #logRefusal(refusal: RefusalReason, thrown: unknown, { kind }: Envelope, connection: Connection) {
    const { code, message } = refusal;
    const facts = { connection: connection.id, as: connection.identity.name, kind };
    if (code === 'internal') this.#log.error({ ...facts, err: thrown }, 'frame failed');
    else if (isPassing(code))
      this.#log.warn({ ...facts, code, cause: rootCodeOf(thrown) }, message);
    else this.#log.debug({ ...facts, code }, message);
  }

  #send(connection: Connection, kind: string, payload: unknown, request: Envelope): void {
    const head = { in_reply_to: request.id, target_aspect: behindOutpost(connection, request) };
    connection.send(new OutboundFrame(encodeFrame(kind, payload, head)));
  }
}

/** Which aspect behind an Outpost asked, as far as the request says: the answer goes there (G7). */
function behindOutpost({ outpostId, names }: Connection, request: Envelope): string | undefined {
  if (outpostId === undefined) return undefined;
  const { aspect, from, name } = (request.payload ?? {}) as Record<string, unknown>;
  // A `name` comes last: it may be that of something else, such as a credential.
  const claims = [aspect, from, name].filter((claim) => typeof claim === 'string');
  const registered = claims.flatMap((claim) => names.get(nameKey(claim)) ?? []);
  const claimed = registered[0] ?? claims[0];
  if (claimed !== undefined && claimed.length <= maxIdLength) return claimed;
  return names.size === 1 ? names.values().next().value : undefined;
}

const tooMuchAside = () =>
  new FrameRefused('busy', `${maxAside} requests of this connection are under way; wait for some`);

/** A frame that waits for its turn, and the length of its text. */
interface Deferred {
  readonly order: Handler['order'];
  readonly characters: number;
  readonly start: () => void;
}

/**
 * One connection's frames, in arrival order. Writes are pipelined into the same commit group; a
 * read and everything behind it waits until the writes before it are durable, and until the peer
 * has taken most of what it already asked for.
 */
export class FrameIntake {
  readonly #router: Router;
  readonly #connection: Connection;
  #undecodable = 0;
  #writesPending = 0;
  #asideRunning = 0;
  /** Of texts whose frames are under way. */
  #characters = 0;
  #deferred: Deferred[] = [];
  #readRunning = false;
  #awaitsDrain = false;
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
    if (envelope.in_reply_to) {
      this.#receiveAnswer(envelope, envelope.in_reply_to, text.length);
      return;
    }
    try {
      const handler = this.#router.route(envelope, this.#connection);
      const { order } = handler;
      const start = () => this.#start(handler, envelope, text.length);
      if (this.#mustWait(order)) this.#defer({ order, characters: text.length, start });
      else start();
    } catch (error) {
      this.#router.refuse(envelope, this.#connection, error);
    }
    this.#holdBack();
  }

  /**
   * For whoever asked, whatever its kind; never dispatched (§2, reading order 2). Like a read it
   * comes after what the peer recorded before it answered.
   */
  #receiveAnswer(envelope: Envelope, id: string, characters: number): void {
    const { awaited } = this.#connection;
    if (!awaited.has(id)) return;
    const start = () => awaited.take(envelope);
    if (this.#mustWait('reads')) this.#defer({ order: 'reads', characters, start });
    else start();
    this.#holdBack();
  }

  #strike(error: unknown): void {
    if (!(error instanceof UndecodableFrame)) throw error;
    this.#undecodable += 1;
    if (this.#undecodable < maxUndecodable) return;
    this.#connection.close(1008, `${maxUndecodable} undecodable messages in a row`);
  }

  #defer(frame: Deferred): void {
    this.#deferred.push(frame);
    this.#characters += frame.characters;
    this.#awaitDrain();
  }

  #mustWait(order: Handler['order']): boolean {
    if (this.#readRunning || this.#deferred.length > 0) return true;
    return this.#isTooEarly(order);
  }

  #isTooEarly(order: Handler['order']): boolean {
    if (order !== 'reads') return false;
    return this.#writesPending > 0 || this.#connection.queuedBytes > congestedBytes;
  }

  #start(handler: Handler, envelope: Envelope, characters: number): void {
    if (!this.#connection.isOpen) return;
    let result: unknown;
    try {
      if (handler.order === 'aside' && this.#asideRunning >= maxAside) throw tooMuchAside();
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
    else if (order === 'writes') this.#writesPending += change;
    else this.#asideRunning += change;
  }

  #drain(): void {
    while (this.#deferred.length > 0 && !this.#readRunning) {
      const next = this.#deferred[0];
      if (!next || this.#isTooEarly(next.order)) break;
      this.#deferred.shift();
      this.#characters -= next.characters;
      next.start();
    }
    this.#awaitDrain();
    this.#holdBack();
  }

  /** A turn later what can leave has left; what then still waits, waits for its peer. */
  #awaitDrain(): void {
    if (this.#awaitsDrain || this.#deferred.length === 0 || this.#writesPending > 0) return;
    if (this.#readRunning) return;
    this.#awaitsDrain = true;
    const drained = () => {
      this.#awaitsDrain = false;
      this.#drain();
    };
    setImmediate(() => {
      if (this.#connection.queuedBytes > congestedBytes) this.#connection.onceDrained(drained);
      else drained();
    });
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
