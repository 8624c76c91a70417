import { Connection, type FrameSink } from '#nexus/broker/connection';
import type { ChatMessage } from '#nexus/chat/message';
import { aspectIdentity } from '#nexus/credentials/identity';
import { defaultObserveLimits, ObserveHub } from '#nexus/observe/observe-hub';
import type { StreamFrame } from '#nexus/observe/stream-frame';
import type { TurnInput } from '#nexus/observe/turns/turn-input';
import { FakeClock } from '#shared/sys/fake-clock';
import { type Log, silentLog } from '#shared/sys/log';
import type { OutboundFrame } from '#shared/transport/frame-batch';

/** What an observer sees of a frame. */
export interface Shown {
  readonly kind: string;
  readonly seq: number;
  readonly payload: Record<string, unknown>;
}

const ignore = () => undefined;

/** A connection whose reading the test controls. */
export class Peer implements FrameSink {
  readonly sent: Shown[] = [];
  readonly frames: OutboundFrame[] = [];
  readonly connection = new Connection(1, aspectIdentity('peer'), this);
  readonly close = ignore;
  readonly terminate = ignore;
  readonly pause = ignore;
  readonly resume = ignore;
  queuedBytes = 0;
  #onDrained: () => void = ignore;

  get seqs(): number[] {
    return this.sent.map(({ seq }) => seq);
  }

  get kinds(): string[] {
    return this.sent.map(({ kind }) => kind);
  }

  onceDrained(action: () => void): void {
    this.#onDrained = action;
  }

  /** Reads everything that waits. */
  read(): void {
    this.queuedBytes = 0;
    this.#onDrained();
  }

  push(frame: OutboundFrame): void {
    this.frames.push(frame);
    const { payload } = JSON.parse(frame.text) as { payload: { frame: Shown } };
    this.sent.push(payload.frame);
  }

  probe(): Promise<void> {
    return Promise.resolve();
  }
}

export interface ObserveSetUp {
  readonly limits?: Partial<typeof defaultObserveLimits>;
  readonly log?: Log;
  readonly known?: readonly string[];
}

/** A hub that observes `iris` and `Wren`, without a broker around it. */
export function setUpObserve({
  limits,
  log = silentLog,
  known = ['iris', 'Wren'],
}: ObserveSetUp = {}) {
  const clock = new FakeClock();
  const written: StreamFrame[] = [];
  const hub = new ObserveHub({
    epoch: 'e1',
    clock,
    log,
    sink: { write: (frame) => void written.push(frame) },
    limits: { ...defaultObserveLimits, ...limits },
    known: (name) => known.find((each) => each.toLowerCase() === name.toLowerCase()),
  });
  const peer = new Peer();
  return {
    clock,
    hub,
    /** Tells of turns. */
    peer,
    /** What the sink was given. */
    written,
    observe(aspect: string, more: object = {}, observer = new Peer()): Peer {
      void hub.subscribe(observer.connection, { aspect, ...more });
      return observer;
    },
    begin(aspect = 'iris', turnId = 't1', from = peer): void {
      hub.begin(aspect, { turnId }, from.connection);
    },
    say(letters: string, aspect = 'iris', from = peer): void {
      const input: TurnInput = { kind: 'text', text: letters };
      hub.take(aspect, input, from.connection);
    },
  };
}

export const chatMessage = (id: number, from = 'wren', content = 'hi'): ChatMessage => ({
  id,
  from,
  content,
  threadRoot: id,
  receivedAt: '2026-01-01T00:00:00Z',
});
