import { randomBytes, randomUUID } from 'node:crypto';
import { errors, type JWTPayload, jwtVerify, SignJWT } from 'jose';
import { nameProblem } from '#shared/config/names';
import type { Clock } from '#shared/sys/clock';
import { aspectIdentity, type Identity, operatorIdentity, operatorName } from './identity.ts';

/** What a session token can look like: three parts of base64url. */
const compactForm = /^[\w-]+\.[\w-]+\.[\w-]+$/;

const algorithm = 'HS256';

/** Who may come in as an aspect. Asked at every use of a token, so a change counts at once. */
export interface AspectStanding {
  /** A name as it is spelt, with the keyfile version that counts: 0 when none was ever minted. */
  find(name: string): { readonly name: string; readonly kfv: number } | undefined;
  isRetired(name: string): boolean;
}

export interface SessionLifetimes {
  readonly aspectMs: number;
  readonly operatorMs: number;
}

const hourMs = 3_600_000;
export const sessionLifetimes: SessionLifetimes = { aspectMs: hourMs, operatorMs: 12 * hourMs };

export interface SessionTokensDeps {
  /** The instance's 32-byte session secret. */
  readonly secret: Uint8Array;
  readonly nexusId: string;
  readonly standing: AspectStanding;
  readonly clock: Clock;
  readonly lifetimes?: SessionLifetimes;
}

/** What a token allows less than its owner may. */
export interface SessionLimits {
  readonly scope?: 'read' | undefined;
  readonly dispatchId?: string | undefined;
  /** Instead of the usual lifetime. */
  readonly lifetimeMs?: number | undefined;
}

export interface SessionToken {
  readonly token: string;
  /** Milliseconds since the epoch; a whole second. */
  readonly expiresAt: number;
  readonly sessionId: string;
}

/** Signs and checks session tokens: compact JWTs, HS256 and nothing else (auth spec §6). */
export class SessionTokens {
  readonly #deps: SessionTokensDeps;
  readonly #lifetimes: SessionLifetimes;

  constructor(deps: SessionTokensDeps) {
    this.#deps = deps;
    this.#lifetimes = deps.lifetimes ?? sessionLifetimes;
  }

  /** Whether a text has the form of one. Says nothing of its worth. */
  static hasForm(token: string): boolean {
    return compactForm.test(token);
  }

  /** A token for an aspect, void as soon as another keyfile version counts. */
  forAspect(name: string, kfv: number, limits: SessionLimits = {}): Promise<SessionToken> {
    const { lifetimeMs = this.#lifetimes.aspectMs } = limits;
    return this.#sign('aspect', { sub: name, kfv, ses: randomUUID() }, lifetimeMs, limits);
  }

  forOperator(limits: SessionLimits = {}): Promise<SessionToken> {
    const { lifetimeMs = this.#lifetimes.operatorMs } = limits;
    const claims = { sub: operatorName, kfv: 0, ses: randomBytes(16).toString('hex') };
    return this.#sign('operator', claims, lifetimeMs, limits);
  }

  /** Who a token belongs to; undefined for any that does not hold. */
  async resolve(token: string): Promise<Identity | undefined> {
    const claims = await this.#verify(token);
    if (!claims) return undefined;
    const { sub = '', exp = 0, ses, kfv = 0, typ, scope, dispatch } = claims;
    const caller = this.#callerOf(sub, typ, kfv);
    // A limit that we do not know must not be taken for none.
    if (!caller || !(scope === undefined || scope === 'read')) return undefined;
    if (!(dispatch === undefined || isText(dispatch))) return undefined;
    return {
      ...caller,
      expiresAt: exp * 1000,
      ...(typeof kfv === 'number' && { kfv }),
      ...(isText(ses) && { sessionId: ses }),
      ...(scope && { scope }),
      ...(dispatch && { dispatchId: dispatch }),
    };
  }

  /**
   * Tokens of the reference have no `typ`: they are an aspect's, unless their subject is the
   * operator, as which its frame tester signs.
   */
  #callerOf(sub: string, typ: unknown, kfv: unknown): Identity | undefined {
    if (sub === operatorName) {
      return typ === undefined || typ === 'operator' ? operatorIdentity : undefined;
    }
    if (!(typ === undefined || typ === 'aspect') || nameProblem(sub)) return undefined;
    const aspect = this.#deps.standing.find(sub);
    return aspect && aspect.kfv === kfv ? aspectIdentity(aspect.name) : undefined;
  }

  async #verify(token: string): Promise<JWTPayload | undefined> {
    const { secret, nexusId, clock } = this.#deps;
    try {
      const { payload } = await jwtVerify(token, secret, {
        algorithms: [algorithm],
        requiredClaims: ['exp', 'sub'],
        currentDate: new Date(clock.now()),
      });
      const { iss } = payload;
      return iss === undefined || iss === issuer(nexusId) ? payload : undefined;
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  }

  async #sign(
    typ: 'aspect' | 'operator',
    claims: { sub: string; kfv: number; ses: string },
    lifetimeMs: number,
    { scope, dispatchId }: SessionLimits,
  ): Promise<SessionToken> {
    const { secret, nexusId, clock } = this.#deps;
    const iat = Math.floor(clock.now() / 1000);
    const exp = iat + Math.floor(lifetimeMs / 1000);
    const payload = { iss: issuer(nexusId), ...claims, iat, exp, typ };
    const limits = { ...(scope && { scope }), ...(dispatchId && { dispatch: dispatchId }) };
    const token = await new SignJWT({ ...payload, ...limits })
      .setProtectedHeader({ alg: algorithm, typ: 'JWT' })
      .sign(secret);
    return { token, expiresAt: exp * 1000, sessionId: claims.ses };
  }
}

const issuer = (nexusId: string): string => `nexus://${nexusId}`;

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
