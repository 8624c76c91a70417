/** One wire message, decoded but with its payload still unchecked (wire spec §2). */
export interface Envelope {
  kind: string;
  /** Request id, chosen by the sender; opaque, unique per connection. */
  id?: string;
  /** The `id` of the request that this answers. */
  in_reply_to?: string;
  /** RFC 3339. */
  ts?: string;
  /** The aspect behind an Outpost that this is for. */
  target_aspect?: string;
  payload?: unknown;
}

/** What an encoder may set besides kind and payload. */
export type EnvelopeHead = {
  readonly [Name in 'id' | 'in_reply_to' | 'target_aspect']?: string | undefined;
};

/** Encodes one frame. `undefined` members are left out, as Go peers expect of empty optionals. */
export function encodeFrame(kind: string, payload: unknown, head: EnvelopeHead = {}): string {
  const { id, in_reply_to, target_aspect } = head;
  return JSON.stringify({ kind, id, in_reply_to, target_aspect, ts: timestamp(), payload });
}

let cachedMs = 0;
let cachedText = '';

/** The current time as RFC 3339. Cached per millisecond: fan-out asks many times in one. */
function timestamp(): string {
  const now = Date.now();
  if (now !== cachedMs) {
    cachedMs = now;
    cachedText = new Date(now).toISOString();
  }
  return cachedText;
}
