import type { ServerProcess } from '../process.ts';

/** A running server that expects a number of clients, each with a name and a secret of its own. */
export interface DialPeer {
  readonly name: string;
  readonly server: ServerProcess;
  /**
   * Connects one of the clients, by number. Resolves once the server has confirmed that what is
   * for its name will reach it; rejects when it is not let in.
   */
  dial(client: number): Promise<Dialled>;
  /** Has something ready that each client hears first. Call it before `dialAndHear`. */
  leaveWord(): Promise<void>;
  /**
   * Connects one of the clients, which does everything in as few steps as possible. Resolves once
   * it has read its first message.
   */
  dialAndHear(client: number): Promise<Dialled>;
  /** Somebody else says something to this client, and to nobody else. */
  greet(client: number): void;
  /** Stops the server. Safe to call twice. */
  close(): Promise<void>;
}

/** A connected client. */
export interface Dialled {
  /** Resolves when the next message arrives. Call it before the message can. */
  nextMessage(): Promise<void>;
  hangUp(): void;
}

/** Names of the clients. */
export const clientNames = (count: number): string[] =>
  Array.from({ length: count }, (_, client) => `client-${client}`);

/** The one who greets. */
export const greeterName = 'greeter';
export const greeting = 'hello';
