import { nameKey } from '#shared/config/names';
import { FrameRefused } from '#shared/frames/errors';
import { type ObservedChat, ObservedKind, type SubscribeObserve } from '#shared/frames/observe';
import type { TurnDelta } from '#shared/frames/observed-turn';
import type { Clock } from '#shared/sys/clock';
import type { Log } from '#shared/sys/log';
import type { Connection } from '../broker/connection.ts';
import type { ChatMessage } from '../chat/message.ts';
import { type BacklogLimits, ChatBacklog, type Posted } from './chat-backlog.ts';
import { FrameEncoder } from './frame-encoder.ts';
import { isOpenTurn, type Observed, type StreamFrame } from './stream-frame.ts';
import { type AspectStream, defaultStreamLimits, type StreamLimits, Streams } from './streams.ts';
import { Subscription } from './subscription.ts';
import { Subscriptions } from './subscriptions.ts';
import { cutText } from './turns/cut-text.ts';
import type { TurnChange } from './turns/grouper.ts';
import type { TurnHead } from './turns/open-turn.ts';
import type { TurnInput } from './turns/turn-input.ts';

/** Where everything observed is written, a turn once it has ended. */
export interface ActivitySink {
  write(frame: StreamFrame): void;
}

export interface ObserveHubDeps {
  /** Changes with every start: what `seq` counts is in memory only. */
  readonly epoch: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly sink?: ActivitySink | undefined;
  readonly limits?: ObserveLimits;
  /** A known aspect's name as its owner spells it. */
  known(name: string): string | undefined;
}

export interface ObserveLimits extends StreamLimits {
  /** Streams that one connection may observe. */
  readonly maxSubscriptions: number;
  /** Messages that wait to be put into streams while nobody observes any. */
  readonly backlog: BacklogLimits;
}

export const defaultObserveLimits: ObserveLimits = {
  ...defaultStreamLimits,
  maxSubscriptions: 256,
  backlog: { maxMessages: 1_024, maxLength: 8 * 1024 * 1024 },
};

/** How long chat may wait to be put into streams while nobody observes any. */
export const chatWaitMs = 1_000;

const connectionLost = 'connection lost';
const warnEveryMs = 60_000;
const maxReasonBytes = 200;
const chatHeadBytes = 256;
const presenceHeadBytes = 64;

/** Collects what aspects do into one stream each, and shows the streams to whoever observes them. */
export class ObserveHub {
  readonly epoch: string;
  readonly #deps: ObserveHubDeps;
  readonly #limits: ObserveLimits;
  readonly #streams: Streams;
  readonly #subscriptions = new Subscriptions();
  readonly #encoder: FrameEncoder;
  readonly #backlog: ChatBacklog;
  #cancelDrain: (() => void) | undefined;
  #closed = false;
  #warnedAt = Number.NEGATIVE_INFINITY;

  constructor(deps: ObserveHubDeps) {
    this.#deps = deps;
    this.epoch = deps.epoch;
    this.#limits = deps.limits ?? defaultObserveLimits;
    this.#encoder = new FrameEncoder(deps.epoch);
    this.#backlog = new ChatBacklog(this.#limits.backlog);
    this.#streams = new Streams({
      limits: this.#limits,
      known: deps.known,
      isObserved: (key) => this.#subscriptions.of(key).size > 0,
    });
  }

  /** A turn begins. Its connection answers for it: when that ends first, so does the turn. */
  begin(aspect: string, head: TurnHead, connection: Connection): void {
    this.#drainChat();
    const stream = this.#streams.open(aspect);
    if (!stream) {
      throw new FrameRefused('too_large', `${this.#limits.maxStreams} aspects are being observed`);
    }
    this.#own(stream, connection);
    this.#emitTurn(stream, stream.grouper.begin(head, this.#deps.clock.now()));
  }

  /** Something happened in the open turn. Throws `FrameRefused` when there is none. */
  take(aspect: string, input: TurnInput, connection: Connection): void {
    const stream = this.#streamInTurn(aspect);
    this.#own(stream, connection);
    this.#emitTurn(stream, stream.grouper.take(input, this.#deps.clock.now()));
  }

  /** The open turn is over. Throws `FrameRefused` when there is none. */
  end(aspect: string): void {
    this.#closeTurn(this.#streamInTurn(aspect));
  }

  /** An aspect came or went. Its open turn does not outlast it. */
  presence(aspect: string, connected: boolean, why: string): void {
    this.#drainChat();
    // Whoever is in the roster is known.
    const stream = this.#streams.open(aspect, aspect);
    if (!stream) return;
    if (!connected) this.#closeTurn(stream, why === 'ws_closed' ? connectionLost : 'deregistered');
    const reason = cutText(why, maxReasonBytes);
    const observed: Observed = { kind: ObservedKind.presence, payload: { connected, reason } };
    this.#emit(stream, observed, reason.length + presenceHeadBytes, this.#now());
  }

  /**
   * A message was posted. Put into streams at once when anybody observes any, else a little later
   * together with others: a busy room costs next to nothing here while nobody looks.
   */
  chat(message: ChatMessage, recipients: readonly string[]): void {
    if (this.#closed) return;
    this.#backlog.add({ message, recipients });
    if (!this.#subscriptions.isEmpty) this.#drainChat();
    else this.#cancelDrain ??= this.#deps.clock.after(chatWaitMs, () => this.#drainChat());
  }

  /** Resolves when everything retained above `since_seq` was sent. */
  subscribe(connection: Connection, request: SubscribeObserve): Promise<void> {
    const { aspect, since_seq = 0, epoch, form = 'snapshot' } = request;
    const key = nameKey(aspect);
    const { maxSubscriptions } = this.#limits;
    const isNew = !this.#subscriptions.has(key, connection);
    if (isNew && this.#subscriptions.countOf(connection) >= maxSubscriptions) {
      throw new FrameRefused('too_large', `a connection may observe ${maxSubscriptions} aspects`);
    }
    this.#drainChat();
    const newest = this.#streams.find(key)?.seq ?? 0;
    // A position that this broker never gave is from before its start.
    const isForeign = (epoch !== undefined && epoch !== this.epoch) || since_seq > newest;
    const subscription = new Subscription({
      connection,
      form,
      sinceSeq: isForeign ? 0 : since_seq,
      since: (seq) => this.#streams.find(key)?.tail.since(seq) ?? [],
      encoder: this.#encoder,
      clock: this.#deps.clock,
    });
    this.#subscriptions.add(key, subscription);
    connection.onClose(() => this.#subscriptions.removeAll(connection), this.#subscriptions);
    return subscription.caughtUp;
  }

  unsubscribe(connection: Connection, aspect: string): void {
    this.#subscriptions.remove(nameKey(aspect), connection);
  }

  /** Gives the sink what still waits, and takes no more chat. Safe to call twice. */
  close(): void {
    this.#closed = true;
    this.#drainChat();
  }

  #streamInTurn(aspect: string): AspectStream {
    this.#drainChat();
    const stream = this.#streams.find(aspect);
    if (stream?.grouper.hasOpenTurn) return stream;
    throw new FrameRefused('not_found', `${aspect} has no open turn`);
  }

  #own(stream: AspectStream, connection: Connection): void {
    if (stream.owner === connection) return;
    stream.owner = connection;
    connection.onClose(() => this.#closeTurnsOf(connection), this.#streams);
  }

  #closeTurnsOf(connection: Connection): void {
    for (const stream of this.#streams.all) {
      if (stream.owner !== connection) continue;
      stream.owner = undefined;
      this.#closeTurn(stream, connectionLost);
    }
  }

  #closeTurn(stream: AspectStream, note?: string): void {
    this.#emitTurn(stream, stream.grouper.close(this.#deps.clock.now(), note));
  }

  #emitTurn(stream: AspectStream, changes: readonly TurnChange[]): void {
    for (const { turn, delta, bytes } of changes) {
      const observed: Observed = { kind: ObservedKind.turn, payload: turn };
      const fits = this.#emit(stream, observed, bytes, this.#now(), delta);
      if (!fits) this.#emitTurn(stream, stream.grouper.cut());
    }
  }

  /** Returns false when the stream's open turn should not grow. */
  #emit(
    stream: AspectStream,
    observed: Observed,
    bytes: number,
    ts: string,
    delta?: TurnDelta,
  ): boolean {
    const frame = stream.next(observed, ts, bytes);
    const fits = this.#streams.retain(stream, frame);
    for (const subscription of this.#subscriptions.of(stream.key)) {
      subscription.offer(frame, delta);
    }
    if (!isOpenTurn(frame)) this.#deps.sink?.write(frame);
    return fits;
  }

  #drainChat(): void {
    this.#cancelDrain?.();
    this.#cancelDrain = undefined;
    if (this.#backlog.isEmpty) return;
    for (const posted of this.#backlog.takeAll()) this.#emitChat(posted);
    this.#warnOfLeftOut();
  }

  #emitChat({ message, recipients }: Posted): void {
    const { id, from, content, replyTo, topic, receivedAt: ts } = message;
    const bytes = Buffer.byteLength(content) + chatHeadBytes;
    const payload = (direction: ObservedChat['direction']): ObservedChat => ({
      msg_id: id,
      from,
      content,
      ...(replyTo && { reply_to: replyTo }),
      ...(topic && { topic }),
      direction,
      created_at: ts,
    });
    const emit = (name: string, observed: Observed) => {
      const stream = this.#streams.open(name);
      if (stream) this.#emit(stream, observed, bytes, ts);
    };
    emit(from, { kind: ObservedKind.chat, payload: payload('outbound') });
    const inbound: Observed = { kind: ObservedKind.chat, payload: payload('inbound') };
    for (const name of recipients) emit(name, inbound);
  }

  #warnOfLeftOut(): void {
    const now = this.#deps.clock.monotonic();
    if (now - this.#warnedAt < warnEveryMs) return;
    const count = this.#backlog.takeLeftOut();
    if (count === 0) return;
    this.#warnedAt = now;
    this.#deps.log.warn({ count }, 'chat came too fast for the activity streams; some is left out');
  }

  #now(): string {
    return new Date(this.#deps.clock.now()).toISOString();
  }
}
