import type { Log } from '#shared/sys/log';
import type { Authenticate, Identity } from '../credentials/identity.ts';
import { connectToken, isSameSite, isUpgrade, type RequestHead, targetOf } from './access.ts';
import type { ConnectionCaps } from './connection-caps.ts';

/** A request, and the life of what it came on. */
export interface Visitor extends RequestHead {
  /** Runs `action` once: when the socket is gone, or a request that is no upgrade is answered. */
  onGone(action: () => void): void;
}

/** Who may come in. */
export interface Admitted {
  readonly identity: Identity;
}

/** The HTTP answer for who may not. */
export interface Refusal {
  readonly status: 400 | 401 | 403 | 404 | 405 | 426 | 500 | 503;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Verdict = Admitted | Refusal;

const unauthorized: Refusal = { status: 401, text: 'unauthorized' };
const forbidden: Refusal = { status: 403, text: 'forbidden' };
const notFound: Refusal = { status: 404, text: 'not found' };
const full: Refusal = { status: 503, text: 'too many connections' };

export interface AdmissionDeps {
  readonly authenticate: Authenticate;
  readonly caps: ConnectionCaps;
  readonly log: Log;
}

/** Decides who gets in, before any upgrade and in the order of §1.5, for every listener alike. */
export class Admission {
  readonly #deps: AdmissionDeps;
  #host = '';

  constructor(deps: AdmissionDeps) {
    this.#deps = deps;
  }

  /** The host that is listened on. Told before the first visitor comes. */
  boundTo(host: string): void {
    this.#host = host;
  }

  /** Judges an upgrade. At once where the token can be resolved at once. */
  admit(visitor: Visitor): Verdict | Promise<Verdict> {
    if (!asksForConnect(visitor)) return notFound;
    const token = connectToken(visitor);
    const found = token === undefined ? undefined : this.#deps.authenticate(token);
    // Whoever keeps us waiting takes a place, so that the waiting are bounded too.
    if (found instanceof Promise) return this.#admitLater(visitor, found);
    if (!found) return unauthorized;
    return this.#takePlace(visitor) ?? this.#judge(visitor, found);
  }

  /**
   * Judges a request that is no upgrade. `/connect` refuses it, in the same order; anything else
   * is for the routes, if it comes from here.
   */
  screen(visitor: Visitor): Refusal | undefined | Promise<Refusal | undefined> {
    if (!asksForConnect(visitor)) return this.#isSameSite(visitor) ? undefined : forbidden;
    const verdict = this.admit(visitor);
    return verdict instanceof Promise ? verdict.then(refusalIn) : refusalIn(verdict);
  }

  async #admitLater(visitor: Visitor, found: Promise<Identity | undefined>): Promise<Verdict> {
    const refusal = this.#takePlace(visitor);
    try {
      const identity = await found;
      if (refusal) return refusal;
      return identity ? this.#judge(visitor, identity) : unauthorized;
    } catch (error) {
      this.#deps.log.error({ err: error }, 'a token could not be checked');
      return { status: 500, text: 'internal error' };
    }
  }

  #takePlace(visitor: Visitor): Refusal | undefined {
    const address = visitor.remoteAddress;
    const release = this.#deps.caps.take(address);
    if (release) {
      visitor.onGone(release);
      return undefined;
    }
    this.#deps.log.warn({ address }, 'too many connections; see --max-connections');
    return full;
  }

  #judge(visitor: Visitor, identity: Identity): Verdict {
    const problem = upgradeProblem(visitor);
    if (problem) return problem;
    return this.#isSameSite(visitor) ? { identity } : forbidden;
  }

  #isSameSite(head: RequestHead): boolean {
    return isSameSite({ host: head.header('host'), origin: head.header('origin') }, this.#host);
  }
}

const asksForConnect = (head: RequestHead): boolean => targetOf(head).pathname === '/connect';

const refusalIn = (verdict: Verdict): Refusal | undefined =>
  'status' in verdict ? verdict : undefined;

/** 16 bytes in base64. */
const keyForm = /^[+/0-9A-Za-z]{22}==$/;

/** What keeps a request from being a WebSocket handshake (RFC 6455 §4.2.1). */
function upgradeProblem(head: RequestHead): Refusal | undefined {
  if (head.method !== 'GET') {
    return { status: 405, text: 'method not allowed', headers: { Allow: 'GET' } };
  }
  if (!isUpgrade(head)) {
    const text = 'connect with a WebSocket client';
    return { status: 426, text, headers: { Upgrade: 'websocket' } };
  }
  if (head.header('sec-websocket-version') !== '13') {
    const text = 'Sec-WebSocket-Version must be 13';
    return { status: 400, text, headers: { 'Sec-WebSocket-Version': '13' } };
  }
  if (!keyForm.test(head.header('sec-websocket-key') ?? '')) {
    return { status: 400, text: 'Sec-WebSocket-Key must be 16 bytes in base64' };
  }
  return undefined;
}
