import { hash, timingSafeEqual } from 'node:crypto';
import type { Clock } from '#shared/sys/clock';
import type { Log } from '#shared/sys/log';
import { aspectIdentity, type Identity, isOperator, operatorIdentity } from './identity.ts';
import { type AspectStanding, SessionTokens } from './session-token.ts';
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
  readonly standing: AspectStanding;
  readonly legacy: LegacyAccess;
  readonly clock: Clock;
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
    const nobody = this.#deps.legacy.bypass ? operatorIdentity : undefined;
    if (!token) return nobody;
    const identity = this.resolveToken(token);
    if (!(identity instanceof Promise)) return identity ?? nobody;
    return identity.then((known) => known ?? nobody);
  }

  /** As `resolve`, for what was presented as a token: a bad one is nobody's under any setting. */
  resolveToken(token: string): Identity | undefined | Promise<Identity | undefined> {
    const { tokens, sessions, standing, log } = this.#deps;
    const known = tokens.resolve(token);
    if (known) return standing.isRetired(known.name) ? undefined : known;
    if (this.#masterHash && timingSafeEqual(sha256(token), this.#masterHash)) {
      log.warn('a connection used the shared NEXUS_TOKEN; give each aspect its own');
      return aspectIdentity(legacyName, { admin: true });
    }
    return SessionTokens.hasForm(token) ? sessions.resolve(token) : undefined;
  }

  /** Whether a caller that was let in before still would be. */
  holds(identity: Identity): boolean {
    const { tokens, standing, clock } = this.#deps;
    const { name, expiresAt, kfv, tokenHash } = identity;
    if (expiresAt !== undefined && clock.now() >= expiresAt) return false;
    if (tokenHash !== undefined && !tokens.isCurrent(tokenHash)) return false;
    if (isOperator(identity)) return true;
    if (standing.isRetired(name)) return false;
    return kfv === undefined || standing.find(name)?.kfv === kfv;
  }
}

/** Hashes of one length, so that comparing them tells nothing about the token. */
const sha256 = (text: string): Buffer => Buffer.from(hash('sha256', text, 'hex'), 'hex');
