import { hash } from 'node:crypto';
import {
  type AuthenticationResponseJSON,
  generateAuthenticationOptions,
  generateRegistrationOptions,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  type RegistrationResponseJSON,
  type VerifiedAuthenticationResponse,
  type VerifiedRegistrationResponse,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server';
import { FrameRefused } from '#shared/frames/errors';
import { actorName, operatorName } from '../credentials/identity.ts';
import { JournalError } from '../journal/errors.ts';
import type { Journal } from '../journal/journal.ts';
import { type Ceremonies, ceremonyMs } from './ceremonies.ts';
import { LoginRefused } from './errors.ts';
import type { PasskeyAdded, PasskeyRemoved, PasskeyUsed } from './events.ts';
import type { OperatorStore } from './operator-store.ts';
import type { Passkey } from './passkey-rows.ts';
import type { Site } from './site.ts';
import { storedCredential } from './stored-credential.ts';

/** Passkeys that one operator can have. */
export const maxPasskeys = 16;

const rpName = 'The Nexus';

export interface PasskeysDeps {
  readonly journal: Journal;
  readonly store: OperatorStore;
  readonly ceremonies: Ceremonies;
  readonly site: Site;
}

/** The first call of a ceremony: what the browser asks its person for. */
export interface Begun<Options> {
  readonly sessionToken: string;
  readonly publicKey: Options;
}

/** Registers passkeys and recognises them again (auth spec §8). */
export class Passkeys {
  readonly #deps: PasskeysDeps;

  constructor(deps: PasskeysDeps) {
    this.#deps = deps;
  }

  list(operator?: string): Passkey[] {
    return this.#deps.store.passkeys.list(operator);
  }

  find(id: number): Passkey | undefined {
    return this.#deps.store.passkeys.find(id);
  }

  /** Begins a registration for an operator. `sessionId` names the session whose right it is. */
  async beginRegistration(
    operator: string,
    label: string,
    sessionId: string | undefined,
  ): Promise<Begun<PublicKeyCredentialCreationOptionsJSON>> {
    const rpID = this.#rpId();
    this.#assertRoom(operator);
    const publicKey = await generateRegistrationOptions({
      rpName,
      rpID,
      userID: userHandle(operator),
      userName: operator,
      userDisplayName: operator === operatorName ? 'Operator' : operator,
      timeout: ceremonyMs,
      attestationType: 'none',
      excludeCredentials: this.list(operator).map(descriptor),
      authenticatorSelection: { residentKey: 'preferred', userVerification: 'required' },
    });
    const { challenge } = publicKey;
    const ceremony = { purpose: 'registration', challenge, operator, label, sessionId } as const;
    return { sessionToken: this.#deps.ceremonies.begin(ceremony), publicKey };
  }

  /** Resolves with the new passkey's id. Whether it may be added is checked again as it is stored. */
  async finishRegistration(token: string, response: RegistrationResponseJSON): Promise<number> {
    const ceremony = this.#deps.ceremonies.finish(token, 'registration');
    if (!ceremony) throw new LoginRefused('unknown or expired session_token');
    const info = await this.#verifyRegistration(response, ceremony.challenge);
    this.#assertRoom(ceremony.operator);
    const { credential } = info;
    const { operator, label, sessionId } = ceremony;
    const body = {
      operator,
      label,
      credentialId: credential.id,
      publicKey: Buffer.from(credential.publicKey).toString('base64url'),
      credential: storedCredential(info, response.authenticatorAttachment),
      ...(sessionId !== undefined && { sessionId }),
    };
    const event: PasskeyAdded = { kind: 'operator.passkey_added', body };
    const actor = actorName(operator);
    const { position } = await this.#deps.journal
      .append({ ...event, actor })
      .catch((error) =>
        refuseRejected(error, 'the right to add a passkey has gone; sign in again'),
      );
    return position;
  }

  /** Begins a login; anyone may. */
  async beginLogin(): Promise<Begun<PublicKeyCredentialRequestOptionsJSON>> {
    const rpID = this.#rpId();
    const passkeys = this.list();
    if (passkeys.length === 0) {
      const message = 'no passkey is registered; open a link from: nexus operator login';
      throw new FrameRefused('conflict', message);
    }
    const publicKey = await generateAuthenticationOptions({
      rpID,
      timeout: ceremonyMs,
      userVerification: 'required',
      allowCredentials: passkeys.map(descriptor),
    });
    const { challenge } = publicKey;
    const sessionToken = this.#deps.ceremonies.begin({ purpose: 'login', challenge });
    return { sessionToken, publicKey };
  }

  /** Resolves with the passkey that was shown, once its counter is recorded. */
  async finishLogin(token: string, response: AuthenticationResponseJSON): Promise<Passkey> {
    const ceremony = this.#deps.ceremonies.finish(token, 'login');
    if (!ceremony) throw new LoginRefused('unknown or expired session_token');
    const passkey = this.#deps.store.passkeys.findCredential(Buffer.from(response.id, 'base64url'));
    if (!passkey) throw new LoginRefused('unknown passkey');
    const { newCounter } = await this.#verifyLogin(response, ceremony.challenge, passkey);
    const body = { passkeyId: passkey.id, signCount: newCounter };
    const event: PasskeyUsed = { kind: 'operator.passkey_used', body };
    await this.#deps.journal
      .append({ ...event, actor: actorName(passkey.operator) })
      .catch((error) => refuseRejected(error, 'the passkey was used before, or removed'));
    return passkey;
  }

  /** The sessions that it opened end with it. */
  async remove(id: number, actor: string): Promise<void> {
    const event: PasskeyRemoved = { kind: 'operator.passkey_removed', body: { passkeyId: id } };
    await this.#deps.journal.append({ ...event, actor });
  }

  #assertRoom(operator: string): void {
    if (this.list(operator).length < maxPasskeys) return;
    throw new FrameRefused('too_large', `${operator} has ${maxPasskeys} passkeys; remove one`);
  }

  #rpId(): string {
    const { rpId } = this.#deps.site;
    if (rpId !== undefined) return rpId;
    const message = 'passkeys need a name: set NEXUS_OPERATOR_RPID to the host name of this server';
    throw new FrameRefused('unsupported', message);
  }

  async #verifyRegistration(
    response: RegistrationResponseJSON,
    expectedChallenge: string,
  ): Promise<NonNullable<VerifiedRegistrationResponse['registrationInfo']>> {
    const verified = await verifyRegistrationResponse({
      response,
      expectedChallenge,
      expectedOrigin: this.#deps.site.origins,
      expectedRPID: this.#rpId(),
      requireUserVerification: true,
    }).catch((cause: unknown) => {
      throw new FrameRefused('bad_request', 'the passkey could not be verified', { cause });
    });
    if (verified.verified) return verified.registrationInfo;
    throw new FrameRefused('bad_request', 'the passkey could not be verified');
  }

  async #verifyLogin(
    response: AuthenticationResponseJSON,
    expectedChallenge: string,
    passkey: Passkey,
  ): Promise<VerifiedAuthenticationResponse['authenticationInfo']> {
    const { credentialId, publicKey } = passkey;
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response,
      expectedChallenge,
      expectedOrigin: this.#deps.site.origins,
      expectedRPID: this.#rpId(),
      requireUserVerification: true,
      // Counters are compared where they are stored, in the same transaction.
      credential: {
        id: credentialId.toString('base64url'),
        publicKey: new Uint8Array(publicKey),
        counter: 0,
      },
    }).catch((cause: unknown) => {
      throw new LoginRefused('the passkey could not be verified', { cause });
    });
    if (verified) return authenticationInfo;
    throw new LoginRefused('the passkey could not be verified');
  }
}

/**
 * Whom an authenticator thinks it serves. The reference knows one operator, whose handle this is;
 * the others' go on with a digest of their name.
 */
export function userHandle(operator: string): Uint8Array<ArrayBuffer> {
  const handle = new Uint8Array(32);
  handle.set(Buffer.from('nexus-operator-v1'));
  if (operator === operatorName) return handle;
  const digest = hash('sha256', operator.toLowerCase(), 'buffer');
  handle.set([1, ...digest.subarray(0, 14)], 17);
  return handle;
}

const descriptor = ({ credentialId, transports }: Passkey) => ({
  id: credentialId.toString('base64url'),
  transports,
});

/** What a projection refuses is the caller's fault here: its right or its key is gone. */
function refuseRejected(error: unknown, message: string): never {
  if (!(error instanceof JournalError) || error.code !== 'journal.rejected') throw error;
  throw new LoginRefused(message, { cause: error });
}
