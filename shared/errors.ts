/**
 * Base of every error we throw on purpose.
 *
 * `code` comes from a closed union of literals and is what programs match on; `message` is for
 * people and says what to do. A plain `Error` means a bug in our own code.
 */
export class NexusError<Code extends string = string> extends Error {
  readonly code: Code;

  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** The message of anything that was thrown, for people. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** What was thrown first, under everything that was made of it. */
export function rootOf(thrown: unknown): unknown {
  const cause = thrown instanceof Error ? thrown.cause : undefined;
  return cause === undefined ? thrown : rootOf(cause);
}

/** The `code` that the system gave what was thrown first, if it gave one. */
export const rootCodeOf = (thrown: unknown): string | undefined => systemCodeOf(rootOf(thrown));

/** The `code` of a Node system error (`ENOENT`, `EADDRINUSE`, …), if it has one. */
export function systemCodeOf(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !('code' in thrown)) return undefined;
  return typeof thrown.code === 'string' ? thrown.code : undefined;
}
