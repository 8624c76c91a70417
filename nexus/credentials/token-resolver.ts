import { hash, timingSafeEqual } from 'node:crypto';
import type { Log } from '#shared/sys/log';
import { aspectIdentity, type Identity, operatorIdentity } from './identity.ts';
import { SessionTokens } from './session-token.ts';
import type { TokenStore } from './token-store.ts';

/** How the reference's deployments may let themselves in; both off unless asked for. */
export interface LegacyAccess {
  /** The shared token that used to be everybody's (`NEXUS_TOKEN`): accepted as `frame`, admin. */
  readonly masterToken?: string | undefined;
  /** Everybody is the operator, for development on one machine (`NEXUS_AUTH_BYPASS=1`). */
  readonly bypass?: boolean;
}

export interface TokenResolverDeps {
  readonly tokens: TokenStore;
  readonly sessions: SessionTokens;
  readonly legacy: LegacyAccess;
  readonly log: Log;
}

/** The name under which the shared token acts. */
const legacyName = 'frame';

/**
 * Who a caller is, by its token: one rule for every route and the socket (wire spec §1.3).
 *
 * Opaque tokens are answered at once, session tokens after their signature is checked.
 */
export class TokenResolver {
  readonly #deps: TokenResolverDeps;
  readonly #masterHash: Buffer | undefined;

  constructor(deps: TokenResolverDeps) {
    this.#deps = deps;
    const { masterToken } = deps.legacy;
    this.#masterHash = masterToken ? sha256(masterToken) : undefined;
  }

  /** `undefined` in and out: no token, and nobody. */
  resolve(token: string | undefined): Identity | undefined | Promise<Identity | undefined> {
    const { tokens, sessions, legacy, log } = this.#deps;
    const nobody = legacy.bypass ? operatorIdentity : undefined;
    if (!token) return nobody;
    const known = tokens.resolve(token);
    if (known) return known;
    if (this.#masterHash && timingSafeEqual(sha256(token), this.#masterHash)) {
      log.warn('a connection used the shared NEXUS_TOKEN; give each aspect its own');
      return aspectIdentity(legacyName, { admin: true });
    }
    if (!SessionTokens.hasForm(token)) return nobody;
    return sessions.resolve(token).then((identity) => identity ?? nobody);
  }
}

/** Hashes of one length, so that comparing them tells nothing about the token. */
const sha256 = (text: string): Buffer => Buffer.from(hash('sha256', text, 'hex'), 'hex');
