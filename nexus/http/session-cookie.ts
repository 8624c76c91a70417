import type { Context } from 'hono';
import { deleteCookie, setCookie } from 'hono/cookie';

/** The cookie of a browser's session. Pages never see it, and other sites never send it. */
export class SessionCookie {
  readonly name: string;
  readonly #isSecure: boolean;

  /** Browsers keep cookies per host, not per port: the name tells two brokers of one host apart. */
  constructor(nexusId: string, isSecure: boolean) {
    this.#isSecure = isSecure;
    this.name = `${isSecure ? '__Host-' : ''}nexus_${nexusId.slice(0, 8)}`;
  }

  set(c: Context, secret: string, maxAgeMs: number): void {
    setCookie(c, this.name, secret, { ...this.#scope(), maxAge: Math.ceil(maxAgeMs / 1000) });
  }

  clear(c: Context): void {
    deleteCookie(c, this.name, this.#scope());
  }

  #scope() {
    return { path: '/', httpOnly: true, sameSite: 'Strict', secure: this.#isSecure } as const;
  }
}
