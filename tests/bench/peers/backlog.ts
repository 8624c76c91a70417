import type { Span } from '../arrivals.ts';

/** What was pending when a server was killed. Its files can be taken up again and again. */
export interface Backlog {
  readonly name: string;
  /**
   * Starts a server on a copy of the files, asks for what is pending as soon as it listens, and
   * resolves with the times since the start, in milliseconds, once everything has arrived.
   */
  recover(): Promise<Span>;
}

export interface BacklogOptions {
  /** How many messages are pending. */
  readonly messages: number;
  /** Size of one message's text. */
  readonly bytes: number;
  /** How many are under way at a time while they are made. */
  readonly inFlight: number;
}

/** How long anything may take. */
export const patienceMs = 120_000;
