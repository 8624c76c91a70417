import { isLoopback } from '#shared/sys/loopback';

export interface SiteOptions {
  /** What is listened on. */
  readonly host: string;
  readonly isSecure: boolean;
  /** DNS names of the certificate. */
  readonly certificateNames?: readonly string[];
  /** The WebAuthn relying party, if it was chosen (`NEXUS_OPERATOR_RPID`). */
  readonly rpId?: string | undefined;
  /** Exact origins of our pages, if they were chosen (`NEXUS_OPERATOR_ORIGINS`). */
  readonly origins?: readonly string[] | undefined;
}

/** Where our own pages are: what an `Origin` is compared with, and whom passkeys are made for. */
export class Site {
  /** Passkeys are for this name; without one there are none. */
  readonly rpId: string | undefined;
  readonly isSecure: boolean;
  readonly #options: SiteOptions;
  #origins: ReadonlySet<string> = new Set();
  #home = '';

  constructor(options: SiteOptions) {
    const { host, certificateNames = [], rpId, isSecure } = options;
    this.#options = options;
    this.isSecure = isSecure;
    const named = certificateNames.find((name) => !name.includes('*') && !isLoopback(name));
    this.rpId = rpId || (isLoopback(host) ? 'localhost' : named);
  }

  /** To be called once the port is known. */
  boundTo(port: number): void {
    const { origins, isSecure } = this.#options;
    const scheme = isSecure ? 'https' : 'http';
    const chosen = origins?.length
      ? origins
      : this.#names().map((name) => `${scheme}://${name}:${port}`);
    const exact = chosen.flatMap((text) => URL.parse(text)?.origin ?? []);
    this.#origins = new Set(exact);
    this.#home = exact[0] ?? `${scheme}://${this.#options.host}:${port}`;
  }

  /** Where a person should open our pages. */
  get home(): string {
    return this.#home;
  }

  get origins(): string[] {
    return [...this.#origins];
  }

  isOwn(origin: string): boolean {
    return this.#origins.has(origin.toLowerCase());
  }

  /** The names that people may have written; the one that passkeys work under comes first. */
  #names(): string[] {
    const { host, certificateNames = [] } = this.#options;
    if (isLoopback(host)) return ['localhost', '127.0.0.1', '[::1]'];
    const given = [...(this.rpId ? [this.rpId] : []), ...certificateNames];
    const listening = /^(0\.0\.0\.0|\[::\])$/.test(host) ? [] : [host];
    return [...new Set([...given, ...listening])].filter((name) => !name.includes('*'));
  }
}
