/** How a recovery went, in milliseconds since the new process was started. */
export interface Recovery {
  readonly firstMs: number;
  readonly lastMs: number;
  /** What the server used of the processor until the last message had arrived. */
  readonly cpuMs: number;
}

/** What was pending when a server was killed. Its files can be taken up again and again. */
export interface Backlog {
  readonly name: string;
  /**
   * Starts a server on a copy of the files, asks for what is pending as soon as it listens, and
   * resolves once everything has arrived.
   */
  recover(): Promise<Recovery>;
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
