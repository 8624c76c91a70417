import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { Refusal, type WireErrorCode } from '#shared/frames/errors';
import { refusalOf } from '../broker/refusal.ts';

/** A request from somebody we do not know, or know no longer. */
export class Unauthorized extends Refusal<'unauthorized'> {
  constructor(message = 'missing or invalid bearer token') {
    super('unauthorized', message);
  }
}

/** A caller does this too often. */
export class TooManyRequests extends Refusal<'rate_limited'> {
  /** When to try again. */
  readonly retryAfterS: number;

  constructor(retryAfterS: number) {
    super('rate_limited', `too many requests; try again in ${retryAfterS} s`);
    this.retryAfterS = retryAfterS;
  }
}

/** The HTTP status of each error code; what is not listed is our own failure, 500. */
const statuses: Readonly<
  Record<WireErrorCode | 'unauthorized' | 'rate_limited', ContentfulStatusCode>
> = {
  bad_request: 400,
  busy: 503,
  cancelled: 409,
  conflict: 409,
  forbidden: 403,
  internal: 500,
  not_found: 404,
  not_registered: 409,
  rate_limited: 429,
  storage_full: 507,
  timeout: 504,
  too_large: 413,
  turn_failed: 502,
  unauthorized: 401,
  unavailable: 503,
  unsupported: 501,
};

const isWireCode = (code: string): code is keyof typeof statuses => Object.hasOwn(statuses, code);

/** Status and text for what a route threw. Only deliberate refusals cross in words. */
export function httpError(thrown: unknown): { status: ContentfulStatusCode; error: string } {
  const { code, message } = refusalOf(thrown);
  if (!isWireCode(code)) return { status: 500, error: 'internal error' };
  return { status: statuses[code], error: message };
}
