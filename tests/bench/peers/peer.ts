import type { ServerProcess } from '../process.ts';

/** Told that a number of messages reached one reader. */
export type Arrived = (reader: number, messages: number) => void;

/** Publishes a number of messages, in one write. */
export type Publish = (messages: number) => void;

export interface PublisherOptions {
  readonly bytes: number;
  /** The largest number that will be published at once. */
  readonly most: number;
}

/** A running message server and a driver for it. All drivers are built from the same parts. */
export interface Peer {
  readonly name: string;
  readonly server: ServerProcess;
  /** Connects readers that get everything that is published from now on. */
  openReaders(count: number, arrived: Arrived): Promise<void>;
  /** A publisher that hears nothing back. */
  openPublisher(options: PublisherOptions): Promise<Publish>;
  /** A publisher that asks for an answer to each message once it is stored. */
  openAckedPublisher(
    options: PublisherOptions,
    acked: (messages: number) => void,
  ): Promise<Publish>;
  /** How many messages the server has stored; undefined when it stores none. */
  stored(): Promise<number | undefined>;
  /** Drops the driver's connections and stops the server. Safe to call twice. */
  close(): Promise<void>;
}
