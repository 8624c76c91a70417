import type { Context } from 'hono';
import type { RequestFacts } from '../credentials/request-identity.ts';

/** What a request to a route says of its sender. Tokens in the query count on the socket only. */
export function requestFacts(c: Context): RequestFacts {
  return {
    method: c.req.method,
    authorization: c.req.header('authorization'),
    cookie: c.req.header('cookie'),
    origin: c.req.header('origin'),
  };
}
