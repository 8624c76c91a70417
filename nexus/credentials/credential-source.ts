import type { CredentialKind } from '#shared/frames/credentials';

/** A stored credential, opened. */
export interface Credential {
  readonly name: string;
  readonly kind: CredentialKind;
  /** Its members depend on the kind. */
  readonly bundle: Readonly<Record<string, unknown>>;
}

/** Where aspects' credentials come from. */
export interface CredentialSource {
  /**
   * The credential of a kind that an aspect may read: the one of that name, or its default.
   * Undefined when there is none and also when it may not have it, so that nobody can find out
   * which names exist (auth spec §14 C6).
   */
  fetch(
    aspect: string,
    kind: CredentialKind,
    name: string | undefined,
  ): Promise<Credential | undefined>;
}

/** Stores nothing. */
export const emptyCredentialSource: CredentialSource = {
  fetch: () => Promise.resolve(undefined),
};
