import type { VerifiedRegistrationResponse } from '@simplewebauthn/server';

type Registration = NonNullable<VerifiedRegistrationResponse['registrationInfo']>;

/** A passkey in the words of the reference's `credential_json`; empty members are left out. */
export function storedCredential(info: Registration, attachment: string | undefined): object {
  const { credential, fmt, aaguid, credentialDeviceType, credentialBackedUp } = info;
  const { id, publicKey, counter, transports = [] } = credential;
  return {
    id: Buffer.from(id, 'base64url').toString('base64'),
    publicKey: Buffer.from(publicKey).toString('base64'),
    attestationType: 'none',
    attestationFormat: fmt,
    ...(transports.length > 0 && { transport: transports }),
    flags: {
      userPresent: true,
      userVerified: info.userVerified,
      backupEligible: credentialDeviceType === 'multiDevice',
      backupState: credentialBackedUp,
    },
    authenticator: {
      AAGUID: Buffer.from(aaguid.replaceAll('-', ''), 'hex').toString('base64'),
      signCount: counter,
      cloneWarning: false,
      ...(attachment && { attachment }),
    },
  };
}
