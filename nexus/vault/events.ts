import type { CredentialMode } from './kinds.ts';

export const credentialStored = 'credential.stored';
export const credentialDeleted = 'credential.deleted';
export const credentialsResealed = 'credential.resealed';
export const credentialAccessed = 'credential.accessed';
export const credentialDefaultsSet = 'credential.defaults_set';
export const mcpProfileSet = 'mcp_profile.set';

/** A bundle under the vault's key, base64. The key is in no event. */
export interface SealedBundle {
  readonly keyId: string;
  readonly nonce: string;
  readonly data: string;
}

/** Somebody (the actor) stored a credential, or changed what is said of it. */
export interface CredentialStored {
  readonly kind: typeof credentialStored;
  readonly body: {
    readonly name: string;
    readonly kind: string;
    readonly mode: CredentialMode;
    readonly allowedAspects: readonly string[];
    readonly description: string;
    /** Absent when the bundle stays as it was. */
    readonly sealed?: SealedBundle;
    /** Of one that was there before the journal. */
    readonly createdAt?: string;
    readonly lastUsedAt?: string;
  };
}

export interface CredentialDeleted {
  readonly kind: typeof credentialDeleted;
  readonly body: { readonly name: string };
}

/** Every credential is sealed with another key; what was sealed before opens no more. */
export interface CredentialsResealed {
  readonly kind: typeof credentialsResealed;
  readonly body: {
    readonly keyId: string;
    readonly bundles: readonly (SealedBundle & { readonly name: string })[];
  };
}

/** One line of the audit. */
export interface AccessEntry {
  /** What was asked for; empty for a default that is not set. */
  readonly name: string;
  readonly details: Readonly<Record<string, string | number>>;
}

/** An aspect (the actor) was given credentials, or was refused them. */
export interface CredentialAccessed {
  readonly kind: typeof credentialAccessed;
  readonly body: {
    readonly action: 'fetch' | 'denied';
    readonly entries: readonly AccessEntry[];
  };
}

/** What an aspect's default credentials are for. */
export const credentialUses = ['anthropic', 'openai', 'jira', 'imap'] as const;
export type CredentialUse = (typeof credentialUses)[number];

/** An aspect's defaults became others. Uses that are not named stay; an empty name takes it away. */
export interface CredentialDefaultsSet {
  readonly kind: typeof credentialDefaultsSet;
  readonly body: {
    readonly aspect: string;
    readonly defaults: Readonly<Partial<Record<CredentialUse, string>>>;
  };
}

/** An aspect's MCP profile became another. Placeholders stand for the secrets in it. */
export interface McpProfileSet {
  readonly kind: typeof mcpProfileSet;
  readonly body: { readonly aspect: string; readonly profile: string };
}

export type VaultEvent =
  | CredentialStored
  | CredentialDeleted
  | CredentialsResealed
  | CredentialAccessed
  | CredentialDefaultsSet
  | McpProfileSet;
