/** One level of a log: facts first, then a sentence for people. Same shape as pino's. */
export interface LogLine {
  (facts: object, message: string): void;
  (message: string): void;
}

/** Where the program's log goes. Secrets never reach it. */
export interface Log {
  readonly debug: LogLine;
  readonly info: LogLine;
  readonly warn: LogLine;
  readonly error: LogLine;
  child(facts: object): Log;
}

const ignore: LogLine = () => undefined;

/** A log that goes nowhere. */
export const silentLog: Log = {
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
  child: () => silentLog,
};
