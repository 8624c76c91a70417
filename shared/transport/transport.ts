import type { FrameBatch } from './frame-batch.ts';

/**
 * What a transport tells its owner. Nothing follows `closed`. Never called from within a call to
 * the transport, so an owner may send and close wherever it likes.
 */
export interface TransportEvents {
  message(text: string): void;
  /** The link is gone. `code` is a WebSocket close code; 1006 when there was no close frame. */
  closed(code: number, reason: string): void;
  /** What was queued has left. Promised after `queuedBytes` was `drainedFrom` or more. */
  drained?(): void;
}

/** Bytes queued in a transport from which on it tells when they have left. */
export const drainedFrom = 64 * 1024;

/** One ordered link to a peer, carrying text messages. Knows nothing about frames. */
export interface Transport {
  /** Bytes accepted by `send` that have not left this process yet. */
  readonly queuedBytes: number;
  /** Called once. Messages that arrived before are delivered after this. */
  start(on: TransportEvents): void;
  /** Queues a message. Ignored once the link is closing. */
  send(text: string): void;
  /**
   * Sends what is queued, says goodbye, and ends; a peer that takes neither is cut off after a
   * moment. Nothing more is received. Safe to call twice. A long reason is cut.
   */
  close(code: number, reason: string): void;
}

/** A transport that writes many messages at once for less. */
export interface BatchTransport extends Transport {
  sendBatch(batch: FrameBatch): void;
}

/** A transport whose incoming side can be held back. */
export interface PausableTransport extends Transport {
  pause(): void;
  resume(): void;
}

/** A transport whose peer can be asked for a sign of life. */
export interface ProbeTransport extends Transport {
  /** Pings the peer. Resolves with its answer, and never when none comes. */
  probe(): Promise<void>;
  /** Ends at once, without a goodbye and without sending what is queued. */
  terminate(): void;
}

export const canBatch = (transport: Transport): transport is BatchTransport =>
  'sendBatch' in transport;

export const canPause = (transport: Transport): transport is PausableTransport =>
  'pause' in transport;

export const canProbe = (transport: Transport): transport is ProbeTransport => 'probe' in transport;
