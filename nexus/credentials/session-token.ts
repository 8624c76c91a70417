import { errors, jwtVerify } from 'jose';
import { nameProblem } from '#shared/config/names';
import { aspectIdentity, type Identity, operatorIdentity, operatorName } from './identity.ts';

/** What a session token can look like: three parts of base64url. */
const compactForm = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** Checks session tokens: compact JWTs, HS256 and nothing else, that must expire (auth spec §6). */
export class SessionTokens {
  readonly #secret: Uint8Array;

  /** `secret` is the instance's 32-byte session secret. */
  constructor(secret: Uint8Array) {
    this.#secret = secret;
  }

  /** Whether a text has the form of one. Says nothing of its worth. */
  static hasForm(token: string): boolean {
    return compactForm.test(token);
  }

  /** Who a token belongs to; undefined for any that does not hold. */
  async resolve(token: string): Promise<Identity | undefined> {
    const sub = await this.#subjectOf(token);
    if (sub === undefined) return undefined;
    if (sub === operatorName) return operatorIdentity;
    return nameProblem(sub) ? undefined : aspectIdentity(sub);
  }

  async #subjectOf(token: string): Promise<string | undefined> {
    try {
      const { payload } = await jwtVerify(token, this.#secret, {
        algorithms: ['HS256'],
        requiredClaims: ['exp', 'sub'],
      });
      return payload.sub;
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  }
}
