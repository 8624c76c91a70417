import { bearerToken } from '../gateway/access.ts';
import type { Identity } from './identity.ts';

/** What a request says of who sends it. */
export interface RequestFacts {
  readonly method: string;
  readonly authorization?: string | undefined;
  /** A token in the query: to be given only where one may be, on the socket. */
  readonly queryToken?: string | undefined;
  readonly cookie?: string | undefined;
  readonly origin?: string | undefined;
  /** Whether it opens a WebSocket. */
  readonly isUpgrade?: boolean;
}

/** Who it is, or why it is nobody. */
export type Verdict = Identity | RefusedRequest;

export interface RefusedRequest {
  readonly refused: 'unauthorized' | 'forbidden';
  readonly message: string;
}

type Maybe<Value> = Value | Promise<Value>;

export interface RequestIdentityDeps {
  /** Who an opaque token or an aspect's session token belongs to. */
  readonly resolveToken: (token: string) => Maybe<Identity | undefined>;
  /** Who an operator's session token belongs to; `ended` when its session has. */
  readonly resolveJwt: (token: string) => Promise<Identity | 'ended' | undefined>;
  /** Who a browser's session belongs to. */
  readonly resolveCookie: (secret: string) => Identity | undefined;
  readonly cookieName: string;
  /** Whether an `Origin` is one of our own pages. */
  readonly isOwnOrigin: (origin: string) => boolean;
}

/** Three parts of base64url. */
const jwtForm = /^[\w-]+\.[\w-]+\.[\w-]+$/;

const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD']);

/**
 * Who sends a request: one rule for every route and the socket.
 *
 * An `Authorization` header decides alone, then a token in the query, then the session cookie. A
 * bad one is refused and never falls back to the next. Browsers send cookies by themselves, so
 * whatever changes something needs an `Origin` of ours beside it, and so does a WebSocket.
 */
export class RequestIdentity {
  readonly #deps: RequestIdentityDeps;

  constructor(deps: RequestIdentityDeps) {
    this.#deps = deps;
  }

  /** At once where that is possible. */
  resolve(facts: RequestFacts): Maybe<Verdict> {
    const { authorization, queryToken, cookie } = facts;
    if (authorization !== undefined) {
      const token = bearerToken(authorization);
      return token === undefined ? nobody : this.#byToken(token);
    }
    if (queryToken) return this.#byToken(queryToken);
    const secret = cookieNamed(this.#deps.cookieName, cookie);
    return secret === undefined ? nobody : this.#byCookie(secret, facts);
  }

  /** Whether a request says anything at all of who sends it. */
  isAnonymous({ authorization, queryToken, cookie }: RequestFacts): boolean {
    if (authorization !== undefined || queryToken) return false;
    return cookieNamed(this.#deps.cookieName, cookie) === undefined;
  }

  #byToken(token: string): Maybe<Verdict> {
    const { resolveToken, resolveJwt } = this.#deps;
    if (!jwtForm.test(token)) return orUnauthorized(resolveToken(token));
    return resolveJwt(token).then((found) => {
      if (found === 'ended') return unknown;
      return found ?? orUnauthorized(resolveToken(token));
    });
  }

  #byCookie(secret: string, { origin, method, isUpgrade }: RequestFacts): Verdict {
    const { isOwnOrigin, resolveCookie } = this.#deps;
    if (origin !== undefined && !isOwnOrigin(origin)) return foreign;
    const needsOrigin = isUpgrade || !safeMethods.has(method);
    if (needsOrigin && origin === undefined) return noOrigin;
    return resolveCookie(secret) ?? signedOut;
  }
}

const nobody: RefusedRequest = { refused: 'unauthorized', message: 'missing bearer token' };
const unknown: RefusedRequest = { refused: 'unauthorized', message: 'invalid bearer token' };
const signedOut: RefusedRequest = { refused: 'unauthorized', message: 'signed out; sign in again' };
const foreign: RefusedRequest = { refused: 'forbidden', message: 'this page is not of this Nexus' };
const noOrigin: RefusedRequest = {
  refused: 'forbidden',
  message: 'a session cookie changes nothing without an Origin header; use a bearer token',
};

function orUnauthorized(found: Maybe<Identity | undefined>): Maybe<Verdict> {
  if (found instanceof Promise) return found.then((identity) => identity ?? unknown);
  return found ?? unknown;
}

export const isRefused = (verdict: Verdict): verdict is RefusedRequest => 'refused' in verdict;

/** The value of a cookie; the first one of that name, as browsers send the most specific first. */
export function cookieNamed(name: string, header: string | undefined): string | undefined {
  const start = `${name}=`;
  const pair = header?.split(';').find((each) => each.trim().startsWith(start));
  return pair?.trim().slice(start.length) || undefined;
}
