import { type Static, Type } from 'typebox';
import { defineFrame } from './define.ts';

/** What a credential opens; decides the members of its bundle. */
export const CredentialKind = Type.Enum(['jira', 'imap', 'provider']);
export type CredentialKind = Static<typeof CredentialKind>;

export const CredentialFetchResult = defineFrame({
  kind: 'credential.fetch.result',
  from: ['broker'],
  reply: 'none',
  payload: Type.Object({
    name: Type.String(),
    kind: CredentialKind,
    bundle: Type.Record(Type.String(), Type.Unknown()),
    expires_at: Type.Optional(Type.String()),
  }),
});

/**
 * Reads a credential that the aspect is allowed to have: by name, or its default of that kind. For
 * aspects only; registration is not needed.
 */
export const CredentialFetch = defineFrame({
  kind: 'credential.fetch',
  from: ['aspect', 'outpost'],
  reply: CredentialFetchResult,
  payload: Type.Object({
    kind: CredentialKind,
    /** Required for `provider`. */
    name: Type.Optional(Type.String({ maxLength: 200 })),
    /** Ours: who asks, where several aspects share the connection. */
    aspect: Type.Optional(Type.String({ maxLength: 64 })),
  }),
});
