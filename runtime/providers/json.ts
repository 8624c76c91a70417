/** Narrows a parsed JSON value to something with keys. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** The value that `text` stands for, or undefined when it is not JSON. */
export function findJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // What cannot be parsed is not quoted anywhere: it may hold a secret.
    return undefined;
  }
}
