import { errors, jwtVerify, SignJWT } from 'jose';
import { operatorName } from '../credentials/identity.ts';

export interface JwtOptions {
  /** The instance's 32-byte session secret. */
  readonly secret: Uint8Array;
  readonly nexusId: string;
}

/** Signs a session as a token for programs, in the reference's form (auth spec §6). */
export function signSession(
  { secret, nexusId }: JwtOptions,
  { id, issuedAt, expiresAt }: { id: string; issuedAt: number; expiresAt: number },
): Promise<string> {
  const claims = { sub: operatorName, kfv: 0, ses: id, typ: operatorName };
  return new SignJWT({
    iss: issuerOf(nexusId),
    ...claims,
    iat: Math.floor(issuedAt / 1000),
    exp: Math.floor(expiresAt / 1000),
  })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .sign(secret);
}

/**
 * The session that a token names; `undefined` for a token of any other sort, an operator's of the
 * reference among them, which has no `typ`.
 */
export async function sessionOf(
  { secret, nexusId }: JwtOptions,
  token: string,
  now: number,
): Promise<{ id: string; expiresAt: number } | undefined> {
  try {
    const { payload } = await jwtVerify(token, secret, {
      algorithms: ['HS256'],
      requiredClaims: ['exp'],
      issuer: issuerOf(nexusId),
      subject: operatorName,
      currentDate: new Date(now),
    });
    const { typ, ses, exp = 0 } = payload;
    if (typ !== operatorName || typeof ses !== 'string') return undefined;
    return { id: ses, expiresAt: exp * 1000 };
  } catch (error) {
    if (error instanceof errors.JOSEError) return undefined;
    throw error;
  }
}

const issuerOf = (nexusId: string): string => `nexus://${nexusId}`;
